// Changes what everything is made of.
// expects: completed SCRIPT_ERROR
Object.prototype.toJSON = () => "changed";
Array.prototype.push = () => 0;
Array.prototype[Symbol.iterator] = function* () {};
Promise.prototype.then = undefined;
Function.prototype.call = Function.prototype.apply = () => 0;
Object.defineProperty(Object.prototype, "get", { set() {}, get: () => () => 1 });
console.log({ a: [1, 2] });
