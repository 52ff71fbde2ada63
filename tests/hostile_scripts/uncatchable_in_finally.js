// Cleans up for ever after it was stopped.
// expects: TIMEOUT
function* held() {
  try {
    for (;;) yield 1;
  } finally {
    for (;;) {}
  }
}
for (const value of held()) if (value) break;
