// Prints one line that is too long.
// expects: RESOURCE_EXHAUSTED SCRIPT_ERROR TIMEOUT
console.log("x".repeat(30_000_000));
