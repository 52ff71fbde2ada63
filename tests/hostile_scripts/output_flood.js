// Prints for ever.
// expects: RESOURCE_EXHAUSTED SCRIPT_ERROR TIMEOUT
for (;;) console.log("x".repeat(1_000));
