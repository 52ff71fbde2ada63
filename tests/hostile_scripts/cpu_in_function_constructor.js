// A loop made from text.
// expects: TIMEOUT
new Function("for (;;) {}")();
