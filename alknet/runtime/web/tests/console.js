// console: the texts are those of Node's.
(() => {
  const { test, testHere, ok, equal } = harness;
  const shows = (name, make) => test(name, () => capture((console) => console.log(make())));

  class Point {
    constructor(x, y) {
      this.x = x;
      this.y = y;
    }
  }
  class Sub extends Array {}

  const kValues = {
    primitives: () => [1, -0, 0.1, 1e21, NaN, Infinity, 10n, true, null, undefined, "a", Symbol("s"), Symbol.iterator],
    "strings and quotes": () => [
      "it's",
      'say "x"',
      "both ' and \"",
      "all ' \" `",
      "line\nend",
      "\t\b\0\x1b\x7f\x9f",
      "\ud800",
      "é😀",
      "\\",
    ],
    "an empty object": () => ({}),
    "an empty array": () => [],
    "a plain object": () => ({ a: 1, "b-c": "x", 3: 4, [Symbol("k")]: 5, 日本: 1, _a$: 2 }),
    "nested objects": () => ({ a: { b: { c: { d: 1 } } }, e: [[[[1]]]] }),
    "objects that are too wide": () => ({ first: "a".repeat(30), second: "b".repeat(30), third: "c".repeat(30) }),
    "a long array of numbers": () => Array.from({ length: 150 }, (_, i) => i * 7),
    "an array of 7": () => [1, 2, 3, 4, 5, 6, 7],
    "an array of 27 words": () => Array.from({ length: 27 }, (_, i) => "word".repeat((i % 3) + 1)),
    "an array of long texts": () => Array.from({ length: 8 }, (_, i) => "text ".repeat(12) + i),
    holes: () => [, 1, , , 2, ,],
    "a large sparse array": () => {
      const a = [];
      a[1e6] = 1;
      return a;
    },
    "an array with properties": () => Object.assign([1, 2], { extra: true }),
    "a subclass of Array": () => Sub.of(1, 2),
    "an instance": () => new Point(1, { deep: [] }),
    "a null prototype": () => Object.assign(Object.create(null), { a: 1 }),
    "an object with a tag": () => ({ [Symbol.toStringTag]: "Tagged", a: 1 }),
    "a class with a tag": () =>
      new (class Foo {
        get [Symbol.toStringTag]() {
          return "Bar";
        }
      })(),
    "a map": () =>
      new Map([
        ["a", 1],
        [{ k: 1 }, new Map([[1, 2]])],
      ]),
    "a set": () => new Set([1, "a", { b: 2 }]),
    "empty collections": () => [new Map(), new Set()],
    "weak collections": () => [new WeakMap(), new WeakSet()],
    "typed arrays": () => [new Uint8Array([1, 2, 3]), new Float64Array(2), new BigInt64Array([1n]), new Uint8Array(0)],
    "a long typed array": () => new Uint16Array(200),
    "an array buffer": () => new Uint8Array([1, 2, 255]).buffer,
    "a data view": () => new DataView(new ArrayBuffer(2), 1),
    dates: () => [new Date(0), new Date(NaN)],
    "a regular expression": () => /a\/b/gi,
    "boxed values": () => [Object(1), Object("s"), Object(true), Object(1n), Object(Symbol("x"))],
    functions: () => [
      function f() {},
      () => {},
      async () => {},
      function* g() {},
      async function* h() {},
      class A {},
      class B extends Point {},
      class {},
    ],
    "a function with properties": () => Object.assign(function f() {}, { a: 1 }),
    accessors: () => ({
      get a() {
        return 1;
      },
      set b(v) {},
      get c() {
        return 1;
      },
      set c(v) {},
    }),
    "a cycle": () => {
      const o = { name: "x" };
      o.self = o;
      return o;
    },
    "two cycles": () => {
      const a = { n: 1 };
      const b = { a };
      a.b = b;
      b.b = b;
      return [a, b];
    },
    "the same object twice": () => {
      const o = { a: 1 };
      return [o, o];
    },
    promises: () => [
      Promise.resolve(1),
      new Promise(() => {}),
      (() => {
        const p = Promise.reject(3);
        p.catch(() => {});
        return p;
      })(),
    ],
    "a proxy": () =>
      new Proxy(
        { a: 1 },
        {
          get() {
            throw new Error("trap");
          },
          ownKeys() {
            throw new Error("trap");
          },
        },
      ),
    "a proxy of a function": () => new Proxy(function f() {}, {}),
    "more than a hundred entries": () => [
      new Set(Array.from({ length: 102 }, (_, i) => i)).size,
      new Map(Array.from({ length: 103 }, (_, i) => [i, i])),
    ],
    "an error without stack": () => {
      const e = new TypeError("bad");
      Object.defineProperty(e, "stack", { value: undefined });
      return [e];
    },
    "a long text in an object": () => ({ text: "line one of the text\n".repeat(5) }),
    arguments: () =>
      (function () {
        return arguments;
      })(1, "a"),
    "a custom text": () => ({
      [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
        return `custom ${depth} ${inspect({ a: 1 })}`;
      },
    }),
    "a custom value": () => ({
      a: {
        [Symbol.for("nodejs.util.inspect.custom")]() {
          return { b: 1 };
        },
      },
    }),
    "an object in an array in a map": () => new Map([["k", [{ a: [{ b: 1 }] }]]]),
    "a deep array of objects": () => [
      { id: 1, name: "one", tags: ["a", "b"] },
      { id: 2, name: "two", tags: [] },
    ],
    "globalThis is an object": () => typeof globalThis,
    "symbol keys": () => ({ [Symbol.iterator]: 1, [Symbol("a b")]: 2 }),
    "an array of arrays": () => Array.from({ length: 10 }, (_, i) => Array.from({ length: 10 }, (_, j) => i * j)),
  };
  for (const [name, make] of Object.entries(kValues)) shows(`console.log shows ${name}`, make);

  test("an error is shown with its stack, cause and members", () => {
    const error = new RangeError("outer", { cause: new Error("inner") });
    error.code = 7;
    const [shown] = capture((console) => console.log(error));
    return shown.split("\n").filter((line) => !/^\s+at /.test(line));
  });
  test("a subclass of Error is shown by its name", () => {
    class CustomError extends Error {}
    return capture((console) => console.log(new CustomError("m")))[0].split("\n")[0];
  });
  test("an AggregateError shows its errors", () => {
    const [shown] = capture((console) => console.log(new AggregateError([new Error("one")], "all")));
    return shown.split("\n").filter((line) => !/^\s+at /.test(line));
  });
  test("format specifiers", () =>
    capture((console) => {
      console.log("%s and %s", "a", 1, "rest", { b: 1 });
      console.log("%d %i %f", "42.5", "42.5", "42.5");
      console.log("%d %i %f", 1n, 1n, -0);
      console.log("%j %o %O", { a: [1] }, [1], { a: { b: { c: {} } } });
      console.log("%c styled %%", "color: red");
      console.log("100%", 1);
      console.log("%s");
      console.log("%x %s", 1);
      console.log("%s %s %s %s", null, undefined, Symbol("a"), -0);
      console.log("%s", { a: { b: 1 } }, [1, [2]]);
      console.log("%s", class A {}, () => 1);
      console.log("%s", new Date(0));
      console.log("%d", {}, "%s");
      console.log("a", "b", 1, "c\nd");
      console.log();
      console.log(1, "%s", 2);
    }));
  test("groups indent every line", () =>
    capture((console) => {
      console.group("one", 1);
      console.log("a\nb");
      console.groupCollapsed();
      console.warn({ a: 1 });
      console.groupEnd();
      console.groupEnd();
      console.groupEnd();
      console.log("out");
    }));
  test("counts", () =>
    capture((console) => {
      console.count();
      console.count("x");
      console.count();
      console.countReset();
      console.count();
    }));
  test("assert", () =>
    capture((console) => {
      console.assert(true, "no");
      console.assert(false);
      console.assert(false, "a %s", "b");
    }));
  testHere("assert shows objects", () =>
    equal(
      capture((console) => console.assert(false, { a: 1 })),
      ["Assertion failed: { a: 1 }"],
    ),
  );
  test("table of objects", () =>
    capture((console) =>
      console.table([
        { a: 1, b: "x" },
        { a: 2, c: true },
      ]),
    ));
  test("table of arrays", () =>
    capture((console) =>
      console.table([
        [1, 2],
        [3, [4]],
      ]),
    ));
  test("table of values and rows", () => capture((console) => console.table([1, { a: 2 }, "three"])));
  test("table with chosen columns", () => capture((console) => console.table([{ a: 1, b: 2 }], ["b"])));
  test("table of an object", () => capture((console) => console.table({ first: { n: 1 }, second: { n: 2 } })));
  test("table of a map and of a set", () =>
    capture((console) => {
      console.table(new Map([["k", 1]]));
      console.table(new Set([5]));
    }));
  test("table of what is none", () => capture((console) => console.table(5)));
  test("dir takes options", () =>
    capture((console) => {
      console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
      console.dir({ a: { b: { c: { d: { e: 1 } } } } }, { depth: null });
    }));
  test("timers print a time", () =>
    capture((console) => {
      console.time("t");
      console.timeLog("t", 1);
      console.timeEnd("t");
    }).map((line) => line.replace(/[0-9.]+/, "N")));
  test("trace prints a stack", () => capture((console) => console.trace("here %d", 1))[0].split("\n")[0]);
  test("methods need no this", () =>
    capture((console) => {
      const { log } = console;
      log("free");
    }));
  testHere("console has its standard form", () => {
    equal(Object.prototype.toString.call(console), "[object console]");
    equal(typeof console.log, "function");
    equal(Object.getPrototypeOf(Object.getPrototypeOf(console)), Object.prototype);
  });
  testHere("platform objects show their attributes", () => {
    const shown = capture((console) =>
      console.log(new Blob(["abc"]), new URLSearchParams("a=1"), new Headers({ a: "b" })),
    );
    equal(shown, ["Blob { size: 3, type: '' } URLSearchParams { 'a' => '1' } Headers { a: 'b' }"]);
  });
  testHere("getters that throw do not stop console", () => {
    const error = new Error("x");
    Object.defineProperty(error, "message", {
      get() {
        throw new Error("no");
      },
    });
    ok(capture((console) => console.log(error)).length === 1);
  });
})();
