// structuredClone.
(() => {
  const { test, testHere, ok, equal, thrown } = harness;
  const clone = (value) => structuredClone(value);

  test("primitives are themselves", () => {
    for (const value of [undefined, null, true, 0, -0, NaN, "text", "\ud800", 10n])
      ok(Object.is(clone(value), value), String(value));
  });
  test("boxed primitives stay boxed", () =>
    [clone(Object(1)), clone(Object("s")), clone(Object(false)), clone(Object(2n))].map((o) => [
      typeof o,
      String(o),
      Object.prototype.toString.call(o),
    ]));
  test("objects keep own enumerable string keys alone", () => {
    const source = {
      a: 1,
      2: "x",
      [Symbol("s")]: 3,
      get g() {
        return 7;
      },
    };
    Object.defineProperty(source, "hidden", { value: 1, enumerable: false });
    return [clone(source), Object.keys(clone(source)), Object.getOwnPropertyDescriptor(clone(source), "g")];
  });
  test("instances become plain objects", () => {
    class Foo {
      x = 1;
      #p = 2;
      get y() {
        return 3;
      }
    }
    const copy = clone(new Foo());
    return [copy, Object.getPrototypeOf(copy) === Object.prototype];
  });
  test("an object without prototype becomes a plain one", () =>
    Object.getPrototypeOf(clone(Object.create(null))) === Object.prototype);
  test("arrays keep length, holes and properties", () => {
    const source = [1, , 3];
    source.length = 5;
    source.extra = { a: 1 };
    const copy = clone(source);
    return [copy, copy.length, 1 in copy, copy.extra, Object.keys(copy)];
  });
  test("identity and cycles are kept", () => {
    const a = { name: "a" };
    a.self = a;
    const copy = clone([a, a, { a }]);
    ok(copy[0] === copy[1] && copy[2].a === copy[0] && copy[0].self === copy[0] && copy[0] !== a);
  });
  test("maps and sets", () => {
    const key = { k: 1 };
    const map = new Map([
      [key, new Set([key, 1])],
      ["s", new Map()],
    ]);
    map.set("self", map);
    const copy = clone(map);
    const [[k, v]] = copy;
    ok(k !== key && v.has(k) && copy.get("self") === copy);
    return [[...copy.keys()], copy.size, [...v].length];
  });
  test("dates and regular expressions", () => {
    const regexp = /a(b)/gi;
    regexp.lastIndex = 3;
    const copy = clone(regexp);
    return [
      clone(new Date(5)).getTime(),
      Number.isNaN(clone(new Date(NaN)).getTime()),
      copy.source,
      copy.flags,
      copy.lastIndex,
    ];
  });
  test("errors keep name, message and cause", () => {
    class Custom extends RangeError {
      name = "RangeError";
      extra = 1;
    }
    const copies = [
      clone(new TypeError("t")),
      clone(new Custom("c")),
      clone(Object.assign(new Error("n"), { name: "Odd" })),
      clone(new Error("o", { cause: { c: 1 } })),
    ];
    return copies.map((e) => [
      e.name,
      e.message,
      Object.prototype.toString.call(e),
      e.extra,
      e instanceof TypeError,
      e instanceof RangeError,
    ]);
  });
  test("array buffers and views", () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    const views = [
      new Uint8Array(buffer, 1, 2),
      new Float32Array(buffer),
      new DataView(buffer, 2, 3),
      new BigInt64Array(buffer),
      new Uint8ClampedArray(buffer, 7),
    ];
    const copies = clone(views);
    ok(copies.every((view) => view.buffer === copies[0].buffer) && copies[0].buffer !== buffer);
    return copies.map((view) => [
      Object.prototype.toString.call(view),
      view.byteOffset,
      view.byteLength,
      view.length,
      view.buffer.byteLength,
    ]);
  });
  test("a transferred buffer moves", () => {
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    const copy = structuredClone(
      { view: new Uint8Array(buffer, 1), buffer, list: new Map([[buffer, buffer]]) },
      { transfer: [buffer] },
    );
    ok(copy.view.buffer === copy.buffer && copy.list.get(copy.buffer) === copy.buffer);
    return [buffer.byteLength, [...copy.view], copy.buffer.byteLength];
  });
  test("a buffer is transferred though it is not in the value", () => {
    const buffer = new ArrayBuffer(8);
    return [structuredClone(1, { transfer: [buffer] }), buffer.byteLength];
  });
  test("the buffer itself may be the value", () => {
    const buffer = new ArrayBuffer(8);
    const copy = structuredClone(buffer, { transfer: [buffer] });
    return [buffer.byteLength, copy.byteLength];
  });
  test("what fails takes no buffer away", () => {
    const buffer = new ArrayBuffer(8);
    return [thrown(() => structuredClone([buffer, () => {}], { transfer: [buffer] })), buffer.byteLength];
  });
  const kRefused = {
    "a function": () => {},
    "a symbol": Symbol("s"),
    "a method": { f() {} },
    "a weak map": new WeakMap(),
    "a weak reference": new WeakRef({}),
    "a promise": Promise.resolve(),
    "a symbol in a map": new Map([[Symbol("s"), 1]]),
    "a proxy": new Proxy({}, {}),
    "a generator": (function* () {})(),
  };
  for (const [name, value] of Object.entries(kRefused)) {
    test(`DataCloneError for ${name}`, () => {
      try {
        clone(value);
      } catch (error) {
        return [error.name, error.code, error instanceof DOMException];
      }
      throw new Error("it was cloned");
    });
  }
  test("the transfer list is checked", () => {
    const buffer = new ArrayBuffer(1);
    return [
      thrown(() => structuredClone(1, { transfer: [buffer, buffer] })),
      thrown(() => structuredClone(1, { transfer: 5 })),
      thrown(() => structuredClone()),
      buffer.byteLength,
    ];
  });
  testHere("what is no buffer cannot be transferred", () =>
    equal(
      thrown(() => structuredClone(1, { transfer: [{}] })),
      "DataCloneError",
    ),
  );
  testHere("a detached buffer is refused", () => {
    const buffer = new ArrayBuffer(1);
    structuredClone(buffer, { transfer: [buffer] });
    equal(
      [thrown(() => clone(buffer)), thrown(() => structuredClone(1, { transfer: [buffer] }))],
      ["DataCloneError", "DataCloneError"],
    );
  });
  test("getters run once, in order, depth first", () => {
    const log = [];
    const source = {
      get a() {
        log.push("a");
        return {
          get b() {
            log.push("b");
            return 1;
          },
        };
      },
      get c() {
        log.push("c");
        return 2;
      },
    };
    return [clone(source), log];
  });
  test("an error of a getter comes through", () =>
    thrown(() =>
      clone({
        get a() {
          throw new RangeError("g");
        },
      }),
    ));
  test("a getter may remove a later property", () => {
    const source = {
      get a() {
        delete source.b;
        return 1;
      },
      b: 2,
    };
    return clone(source);
  });
  test("entries that are added while cloning are not seen", () => {
    const map = new Map();
    map.set("a", {
      get x() {
        map.set("late", 1);
        return 1;
      },
    });
    return [...clone(map).keys()];
  });
  test("a Blob is cloned", async () => {
    const copy = clone({ blob: new Blob(["abc"], { type: "text/plain" }) });
    return [copy.blob.size, copy.blob.type, await copy.blob.text()];
  });
  testHere("a DOMException is cloned", () => {
    const copy = clone(new DOMException("m", "AbortError"));
    equal([copy.name, copy.message, copy.code], ["AbortError", "m", 20]);
  });
  testHere("platform objects that cannot be cloned are refused", () => {
    for (const value of [new URL("https://a.b/"), new Headers(), new EventTarget(), new ReadableStream()])
      equal(
        thrown(() => clone(value)),
        "DataCloneError",
      );
  });
  testHere("depth costs no stack", () => {
    let deep = {};
    for (let i = 0; i < 100_000; i++) deep = i % 2 ? { deep } : [deep];
    let copy = clone(deep);
    let depth = 0;
    while ((copy = copy.deep ?? copy[0])) depth++;
    equal(depth, 100_000);
    let map = new Map();
    for (let i = 0; i < 10_000; i++) map = new Map([[map, 1]]);
    equal(clone(map).size, 1);
  });
  test("a wide array", () => {
    const copy = clone(Array.from({ length: 100_000 }, (_, i) => i));
    return [copy.length, copy[99_999]];
  });
  test("a sparse array costs what it holds", () => {
    const source = [];
    source[4_000_000_000] = 1;
    const copy = clone(source);
    return [copy.length, Object.keys(copy)];
  });
})();
