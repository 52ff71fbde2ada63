// A replacement that grows the text.
// expects: TIMEOUT RESOURCE_EXHAUSTED
let text = "a".repeat(100_000);
for (;;) text = text.replace(/a/g, "bb").replace(/b/g, "a");
