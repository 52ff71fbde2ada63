// An error whose message is long.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
throw new Error("x".repeat(20_000_000));
