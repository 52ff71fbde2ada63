// A text that doubles.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
let text = "x";
for (;;) text += text;
