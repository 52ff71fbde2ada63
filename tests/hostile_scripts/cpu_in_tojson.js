// toJSON of what is thrown never returns.
// expects: TIMEOUT
throw {
  toJSON() {
    for (;;) {}
  },
  toString() {
    for (;;) {}
  },
};
