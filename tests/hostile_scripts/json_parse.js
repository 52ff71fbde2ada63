// Text of many small objects.
// expects: TIMEOUT RESOURCE_EXHAUSTED SCRIPT_ERROR
const text = "[" + "{\"a\":[1]},".repeat(2_000_000) + "1]";
for (;;) JSON.parse(text);
