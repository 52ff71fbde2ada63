// A script that never has nothing to do.
// expects: TIMEOUT
setInterval(() => {}, 0);
