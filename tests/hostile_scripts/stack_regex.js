// A pattern that nests.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
new RegExp("(".repeat(100_000) + ")".repeat(100_000)).test("");
