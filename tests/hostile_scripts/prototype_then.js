// Every object is a thenable.
// expects: TIMEOUT RESOURCE_EXHAUSTED completed SCRIPT_ERROR
Object.prototype.then = function (resolve) {
  for (;;) {}
};
await {};
