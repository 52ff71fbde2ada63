// Source that nests deeper than a parser's stack.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
new Function("return " + "[".repeat(200_000) + "]".repeat(200_000));
