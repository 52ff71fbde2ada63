// JSON that nests.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const text = "[".repeat(500_000) + "]".repeat(500_000);
JSON.stringify(JSON.parse(text));
