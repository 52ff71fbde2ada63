// A loop without an end.
// expects: TIMEOUT
for (;;) {}
