// A getter that never returns, asked for by a built-in.
// expects: TIMEOUT
const trap = {
  get value() {
    for (;;) {}
  },
};
JSON.stringify(trap);
