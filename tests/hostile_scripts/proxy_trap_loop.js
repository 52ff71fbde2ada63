// A trap that never answers, behind a `with`-like look-up.
// expects: TIMEOUT
const endless = new Proxy(
  {},
  {
    has() {
      for (;;) {}
    },
  },
);
"x" in endless;
