// A loop that gives way to other jobs at each turn.
// expects: TIMEOUT
for (;;) await null;
