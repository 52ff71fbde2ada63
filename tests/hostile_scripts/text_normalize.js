// Unicode tables over a long text.
// expects: TIMEOUT RESOURCE_EXHAUSTED SCRIPT_ERROR
for (;;) "\u1e9b\u0323".repeat(500_000).normalize("NFKD");
