// A pattern of exponential time.
// expects: TIMEOUT SCRIPT_ERROR
/^(a+)+$/.test("a".repeat(40) + "b");
