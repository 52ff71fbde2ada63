// EventTarget, events, AbortSignal, DOMException.
(() => {
  const { test, testHere, ok, equal, thrown } = harness;
  const turn = (milliseconds = 0) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  test("listeners run in order, once each", () => {
    const target = new EventTarget();
    const log = [];
    const first = (event) => log.push(["first", event.type, event.target === target, event.currentTarget === target, event.eventPhase]);
    target.addEventListener("a", first);
    target.addEventListener("a", first);
    target.addEventListener("a", { handleEvent() { log.push("object"); } });
    target.addEventListener("a", () => log.push("once"), { once: true });
    target.addEventListener("b", () => log.push("other"));
    const event = new Event("a");
    log.push(target.dispatchEvent(event), target.dispatchEvent(new Event("a")), event.currentTarget, event.eventPhase);
    return log;
  });
  test("`this` of a listener", () => {
    const target = new EventTarget();
    let found;
    target.addEventListener("a", function () { found = this === target; });
    target.dispatchEvent(new Event("a"));
    return found;
  });
  test("removing, while dispatching too", () => {
    const target = new EventTarget();
    const log = [];
    const second = () => log.push("second");
    target.addEventListener("a", () => { log.push("first"); target.removeEventListener("a", second); target.addEventListener("a", () => log.push("late")); }, { once: true });
    target.addEventListener("a", second);
    target.dispatchEvent(new Event("a"));
    target.dispatchEvent(new Event("a"));
    return log;
  });
  test("capture tells listeners apart", () => {
    const target = new EventTarget();
    const log = [];
    const listener = () => log.push(1);
    target.addEventListener("a", listener, true);
    target.addEventListener("a", listener, false);
    target.dispatchEvent(new Event("a"));
    target.removeEventListener("a", listener);
    target.dispatchEvent(new Event("a"));
    return log.length;
  });
  test("preventDefault needs a cancelable event and a listener that is not passive", () => {
    const target = new EventTarget();
    const results = [];
    target.addEventListener("a", (event) => event.preventDefault());
    target.addEventListener("p", (event) => event.preventDefault(), { passive: true });
    for (const [type, cancelable] of [["a", true], ["a", false], ...(engine === "alknet" ? [["p", true]] : [])]) {
      const event = new Event(type, { cancelable });
      results.push([target.dispatchEvent(event), event.defaultPrevented, event.returnValue]);
    }
    if (engine === "alknet") equal(results.pop(), [true, false, true]); // Node 20 does not know passive
    return results;
  });
  test("stopImmediatePropagation", () => {
    const target = new EventTarget();
    const log = [];
    target.addEventListener("a", (event) => { log.push(1); event.stopImmediatePropagation(); });
    target.addEventListener("a", () => log.push(2));
    target.dispatchEvent(new Event("a"));
    return log;
  });
  test("an event cannot be dispatched while it is", () => {
    const target = new EventTarget();
    let error;
    target.addEventListener("a", (event) => (error = thrown(() => target.dispatchEvent(event))));
    target.dispatchEvent(new Event("a"));
    ok(error !== undefined);
  });
  test("a signal removes a listener", () => {
    const target = new EventTarget();
    const controller = new AbortController();
    const log = [];
    target.addEventListener("a", () => log.push(1), { signal: controller.signal });
    target.dispatchEvent(new Event("a"));
    controller.abort();
    target.dispatchEvent(new Event("a"));
    target.addEventListener("a", () => log.push(2), { signal: controller.signal });
    target.dispatchEvent(new Event("a"));
    return log;
  });
  test("wrong arguments", () => [
    thrown(() => new Event()),
    thrown(() => new EventTarget().dispatchEvent({})),
    thrown(() => new EventTarget().dispatchEvent()),
    thrown(() => new EventTarget().addEventListener("a")),
    thrown(() => EventTarget.prototype.addEventListener.call({}, "a", () => {})),
    thrown(() => Event("a")),
    new EventTarget().addEventListener("a", null),
  ]);
  test("attributes of an event", () => {
    const event = new Event("a", { bubbles: true, composed: true });
    return [event.type, event.bubbles, event.cancelable, event.composed, event.isTrusted, event.target, event.composedPath(), typeof event.timeStamp, Event.AT_TARGET];
  });
  test("CustomEvent", () => [new CustomEvent("a").detail, new CustomEvent("a", { detail: { x: 1 } }).detail, new CustomEvent("a") instanceof Event]);
  test("MessageEvent", () => {
    const event = new MessageEvent("message", { data: { a: 1 }, origin: "o", lastEventId: "3" });
    return [event.data, event.origin, event.lastEventId, event.source, event.ports, new MessageEvent("m").data];
  });
  testHere("ErrorEvent", () => {
    const event = new ErrorEvent("error", { message: "m", filename: "f", lineno: 3, colno: 4, error: 5 });
    equal([event.message, event.filename, event.lineno, event.colno, event.error], ["m", "f", 3, 4, 5]);
  });
  test("the form of the classes", () => [
    Object.prototype.toString.call(new EventTarget()),
    Object.prototype.toString.call(new AbortController()),
    Object.keys(EventTarget.prototype),
    Object.keys(AbortController.prototype),
    EventTarget.length,
    EventTarget.prototype.addEventListener.length,
    Event.length,
    Object.getOwnPropertyDescriptor(globalThis, "EventTarget").enumerable,
  ]);
  test("EventTarget can be extended", () => {
    class Mine extends EventTarget { n = 0; hit() { this.n++; this.dispatchEvent(new Event("hit")); } }
    const mine = new Mine();
    let seen = 0;
    mine.addEventListener("hit", () => (seen = mine.n));
    mine.hit();
    return seen;
  });

  test("AbortController aborts once, with the first reason", () => {
    const controller = new AbortController();
    const log = [];
    controller.signal.onabort = (event) => log.push(["on", event.type, event.isTrusted]);
    controller.signal.addEventListener("abort", () => log.push("listener"));
    log.push(controller.signal.aborted, controller.signal.reason);
    controller.abort("why");
    controller.abort("again");
    log.push(controller.signal.aborted, controller.signal.reason, typeof controller.signal.onabort);
    return log;
  });
  test("without a reason it is an AbortError", () => {
    const controller = new AbortController();
    controller.abort();
    const { reason } = controller.signal;
    return [reason.name, reason.code, reason.message, reason instanceof DOMException, thrown(() => controller.signal.throwIfAborted())];
  });
  test("AbortSignal.abort", () => [AbortSignal.abort().aborted, AbortSignal.abort(3).reason, thrown(() => new AbortSignal())]);
  test("AbortSignal.timeout", async () => {
    const signal = AbortSignal.timeout(1);
    const reason = await new Promise((resolve) => {
      const waiting = setTimeout(() => {}, 1000); // a timeout alone keeps nothing alive
      signal.onabort = () => resolve(signal.reason, clearTimeout(waiting));
    });
    return [reason.name, reason.code];
  });
  test("AbortSignal.timeout refuses nonsense", () => [thrown(() => AbortSignal.timeout()), thrown(() => AbortSignal.timeout(-1))].length);
  test("AbortSignal.any follows each", () => {
    const a = new AbortController();
    const b = new AbortController();
    const any = AbortSignal.any([a.signal, b.signal]);
    const nested = AbortSignal.any([any]);
    const log = [];
    any.addEventListener("abort", () => log.push("any"));
    nested.addEventListener("abort", () => log.push("nested"));
    b.signal.addEventListener("abort", () => log.push("source"));
    b.abort("b");
    a.abort("a");
    return [any.aborted, any.reason, nested.reason, log.sort(), AbortSignal.any([]).aborted, AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)]).reason];
  });
  testHere("dependent signals are told after their source, in order", () => {
    const a = new AbortController();
    const any = AbortSignal.any([a.signal]);
    const log = [];
    any.addEventListener("abort", () => log.push("any"));
    a.signal.addEventListener("abort", () => log.push(`source, any is ${any.aborted}`));
    a.abort();
    equal(log, ["source, any is true", "any"]);
  });

  test("DOMException", () => {
    const error = new DOMException("m", "DataCloneError");
    return [error.name, error.message, error.code, error instanceof Error, String(error), Object.prototype.toString.call(error), DOMException.DATA_CLONE_ERR, error.ABORT_ERR, new DOMException().name, new DOMException("x").code, typeof error.stack];
  });
  test("codes of DOMException", () =>
    "IndexSizeError HierarchyRequestError WrongDocumentError InvalidCharacterError NoModificationAllowedError NotFoundError NotSupportedError InUseAttributeError InvalidStateError SyntaxError InvalidModificationError NamespaceError InvalidAccessError SecurityError NetworkError AbortError URLMismatchError QuotaExceededError TimeoutError InvalidNodeTypeError DataCloneError EncodingError OperationError NotAllowedError"
      .split(" ").map((name) => new DOMException("", name).code));

  testHere("reportError reaches the global object, then the host", () => {
    const events = [];
    const listener = (event) => { events.push([event.message, event.error, event instanceof ErrorEvent]); event.preventDefault(); };
    addEventListener("error", listener);
    reportError("x");
    removeEventListener("error", listener);
    equal(events, [["Uncaught x", "x", true]]);
  });
  testHere("a listener that throws is reported and stops nobody", () => {
    const log = [];
    const listener = (event) => { log.push(event.error.message); event.preventDefault(); };
    addEventListener("error", listener);
    const target = new EventTarget();
    target.addEventListener("a", () => { throw new Error("first"); });
    target.addEventListener("a", {});
    target.addEventListener("a", () => log.push("second"));
    target.dispatchEvent(new Event("a"));
    removeEventListener("error", listener);
    equal(log.length, 3);
    equal(log[0], "first");
    equal(log[2], "second");
  });

  test("timers run in order of time", async () => {
    const log = [];
    setTimeout(() => log.push("b"), 5);
    setTimeout((...given) => log.push(["a", ...given]), 1, 1, 2);
    const never = setTimeout(() => log.push("never"), 2);
    clearTimeout(never);
    clearTimeout(undefined);
    clearTimeout(99999);
    await turn(10);
    return log;
  });
  test("timers of one time run in the order they were set", async () => {
    const log = [];
    for (let i = 0; i < 5; i++) setTimeout(() => log.push(i), 3);
    await turn(6);
    return log;
  });
  test("microtasks run before the next timer", async () => {
    const log = [];
    setTimeout(() => { log.push("timer 1"); queueMicrotask(() => log.push("microtask")); Promise.resolve().then(() => log.push("promise")); }, 0);
    setTimeout(() => log.push("timer 2"), 0);
    queueMicrotask(() => log.push("first"));
    await turn(5);
    return log;
  });
  test("an interval repeats until it is cleared inside itself", async () => {
    let count = 0;
    await new Promise((resolve) => {
      const id = setInterval(() => { if (++count === 3) { clearInterval(id); resolve(); } }, 1);
    });
    await turn(5);
    return count;
  });
  test("a timer can clear one that is due in the same turn", async () => {
    const log = [];
    let second;
    setTimeout(() => { log.push(1); clearTimeout(second); }, 1);
    second = setTimeout(() => log.push(2), 1);
    await turn(5);
    return log;
  });
  test("times of any kind", async () => {
    const log = [];
    setTimeout(() => log.push("nan"), NaN);
    setTimeout(() => log.push("negative"), -5);
    setTimeout(() => log.push("text"), "1");
    setTimeout(() => log.push("none"));
    await turn(10);
    return log.sort();
  });
  test("a callback that is no function", () => [thrown(() => setTimeout("1")), thrown(() => setTimeout()), thrown(() => queueMicrotask()), thrown(() => queueMicrotask(1))]);
  test("clearing inside a microtask of the same turn", async () => {
    let ran = false;
    const id = setTimeout(() => (ran = true), 0);
    queueMicrotask(() => clearTimeout(id));
    await turn(5);
    return ran;
  });
})();
