// Prints for ever, a line a turn.
// expects: RESOURCE_EXHAUSTED SCRIPT_ERROR TIMEOUT
for (;;) {
  console.error("x".repeat(100));
  await null;
}
