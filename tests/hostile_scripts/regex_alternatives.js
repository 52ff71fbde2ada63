// Nested alternatives over a long text.
// expects: TIMEOUT SCRIPT_ERROR
/^((a|aa)*)*b/.test("a".repeat(200));
