// Being stopped is an error that it tries to catch.
// expects: TIMEOUT
for (;;) {
  try {
    for (;;) {}
  } catch {
    // again
  } finally {
    for (;;) {}
  }
}
