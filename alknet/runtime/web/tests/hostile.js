// Inputs that mean no good: an error or an answer, never a crash, and equal in both engines where both have one.
(() => {
  const { test, testHere, ok, equal, thrown, rejected, bytes } = harness;

  test("structuredClone meets objects that change under it", () => {
    const list = [
      1,
      {
        get a() {
          list.length = 1;
          return 2;
        },
      },
      3,
    ];
    const set = new Set([
      {
        get a() {
          set.clear();
          return 1;
        },
      },
      2,
    ]);
    return [structuredClone(list), structuredClone(set).size];
  });
  test("a __proto__ key is a key", () => {
    const copy = structuredClone(JSON.parse('{"__proto__": {"polluted": 1}, "b": 2}'));
    return [Object.keys(copy), copy.polluted, Object.getPrototypeOf(copy) === Object.prototype];
  });
  test("structuredClone of a buffer that a getter takes away", () => {
    const buffer = new ArrayBuffer(8);
    const value = {
      get a() {
        structuredClone(buffer, { transfer: [buffer] });
        return 1;
      },
      b: 2,
    };
    return [structuredClone(value), buffer.byteLength];
  });
  testHere("a setter on Object.prototype is not called by a clone", () => {
    let called = 0;
    Object.defineProperty(Object.prototype, "trap", {
      set() {
        called++;
      },
      configurable: true,
    });
    try {
      const source = Object.defineProperty({}, "trap", { value: 1, enumerable: true });
      equal([structuredClone(source).trap, called], [1, 0]);
    } finally {
      delete Object.prototype.trap;
    }
  });
  test("lone surrogates", () => [
    [...new TextEncoder().encode("\ud800")],
    new URL("http://h/\ud800?\udc00#\ud800").href,
    new URLSearchParams({ "\ud800": "\udfff" }).toString(),
    new Headers().get("x"),
    thrown(() => new Headers({ a: "\ud800" })),
    encodeURIComponent("\ufffd"),
  ]);
  test("iterables that throw, or do not end well", () => {
    const bad = {
      *[Symbol.iterator]() {
        yield ["a", "b"];
        throw new RangeError("i");
      },
    };
    return [
      thrown(() => new URLSearchParams(bad)),
      thrown(() => new Headers(bad)),
      thrown(() => new Blob(bad)),
      thrown(() => AbortSignal.any(bad)),
    ];
  });
  test("conversions that throw", () => {
    const bad = {
      toString() {
        throw new RangeError("s");
      },
    };
    return [
      () => new URL(bad),
      () => new Event(bad),
      () => btoa(bad),
      () => new Blob([bad]),
      () => new Headers([[bad, "x"]]),
      () => new TextDecoder(bad),
      () => new Request(bad),
      () => new Response(bad),
      () => new TextEncoder().encode(bad),
      () => performance.mark(bad),
    ].map((make) => thrown(make));
  });
  test("symbols are no strings", () =>
    [
      () => new URL(Symbol()),
      () => new Event(Symbol()),
      () => new Headers([["a", Symbol()]]),
      () => new URLSearchParams({ a: Symbol() }),
      () => new TextEncoder().encode(Symbol()),
      () => new Blob([Symbol()]),
    ].map((make) => thrown(make)));
  test("methods of others' objects", () =>
    [
      () => URLSearchParams.prototype.get.call({}, "a"),
      () => Headers.prototype.get.call(new URLSearchParams(), "a"),
      () => Blob.prototype.slice.call({}),
      () => AbortController.prototype.abort.call({}),
      () => TextDecoder.prototype.decode.call({}),
      () => FormData.prototype.get.call({}, "a"),
      () => ReadableStream.prototype.getReader.call({}),
      () => EventTarget.prototype.dispatchEvent.call({}, new Event("a")),
      () => Object.getOwnPropertyDescriptor(Event.prototype, "type").get.call({}),
      () => crypto.getRandomValues.call({}, new Uint8Array(1)),
    ].map((call) => thrown(call)));
  test("encodeInto and decode meet detached buffers", () => {
    const view = new Uint8Array(4);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return [new TextEncoder().encodeInto("abc", view), new TextDecoder().decode(view)];
  });
  test("a listener that removes all others", () => {
    const target = new EventTarget();
    const log = [];
    const listeners = Array.from({ length: 5 }, (_, i) => () => {
      log.push(i);
      if (i === 1) for (const other of listeners) target.removeEventListener("a", other);
    });
    for (const listener of listeners) target.addEventListener("a", listener);
    target.dispatchEvent(new Event("a"));
    target.dispatchEvent(new Event("a"));
    return log;
  });
  test("dispatch inside dispatch, deep", () => {
    const target = new EventTarget();
    let depth = 0;
    target.addEventListener("a", () => {
      if (++depth < 8) target.dispatchEvent(new Event("a"));
    });
    target.dispatchEvent(new Event("a"));
    return depth;
  });
  test("abort inside abort", () => {
    const controller = new AbortController();
    const log = [];
    controller.signal.addEventListener("abort", () => {
      log.push("a");
      controller.abort("second");
    });
    controller.signal.addEventListener("abort", () => log.push("b"));
    controller.abort("first");
    return [log, controller.signal.reason];
  });
  test("a stream that is cancelled inside pull", async () => {
    let reader;
    const stream = new ReadableStream(
      {
        pull(controller) {
          controller.enqueue(1);
          reader?.cancel();
        },
      },
      { highWaterMark: 0 },
    );
    reader = stream.getReader();
    return [await reader.read(), await reader.read()];
  });
  test("a strategy whose size throws or is nonsense", async () => {
    const bad = (size) =>
      new ReadableStream(
        {
          start(controller) {
            try {
              controller.enqueue("x");
            } catch (error) {
              return error.name;
            }
          },
        },
        { size },
      );
    return [
      await rejected(
        bad(() => {
          throw new RangeError("s");
        })
          .getReader()
          .read(),
      ),
      await rejected(
        bad(() => -1)
          .getReader()
          .read(),
      ),
      await rejected(
        bad(() => NaN)
          .getReader()
          .read(),
      ),
    ];
  });
  test("a then on Object.prototype does not confuse bodies", async () => {
    const response = new Response("abc");
    return [await response.text(), await rejected(response.text())];
  });
  test("timers that set and clear each other", async () => {
    const log = [];
    await new Promise((resolve) => {
      let b;
      const a = setInterval(() => {
        log.push("a");
        clearInterval(a);
        clearTimeout(b);
        setTimeout(() => resolve(log.push("c")));
      }, 1);
      b = setTimeout(() => log.push("b"), 1); // after the interval, and before what that starts
    });
    return log;
  });
  test("a long list of headers and of parameters", () => {
    const headers = new Headers();
    for (let i = 0; i < 3000; i++) headers.append("x", "y");
    return [headers.get("x").length, [...headers].length];
  });
  test("form data with boundaries in it", async () => {
    const form = new FormData();
    form.append("a", "--x\r\n\r\n--\r\n");
    form.append("b", new Blob([bytes(13, 10, 45, 45)]));
    const back = await new Response(form).formData();
    return [back.get("a"), await back.get("b").text()];
  });
  testHere("console shows what cannot be shown", () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    let deep = {};
    for (let i = 0; i < 10_000; i++) deep = { deep };
    const hostile = {
      get [Symbol.toStringTag]() {
        throw new Error("tag");
      },
      constructor: null,
    };
    const shown = capture((console) => {
      console.log(revoked.proxy, hostile, Object.create(null));
      console.dir(deep, { depth: Infinity });
      console.log("%s%j%o%O", ...Array(4).fill(hostile));
      console.log("a".repeat(20_000).length, ["a".repeat(20_000)]);
      console.log(
        Object.defineProperty(() => {}, "name", {
          get() {
            throw new Error("name");
          },
        }),
      );
    });
    ok(shown.length === 5 && shown[0].startsWith("<Revoked Proxy>"), shown.length);
  });
  testHere("a custom inspection that throws reaches the caller", () => {
    equal(
      thrown(() =>
        console.log({
          [Symbol.for("nodejs.util.inspect.custom")]() {
            throw new RangeError("c");
          },
        }),
      ),
      "RangeError",
    );
  });
  testHere("sizes beyond all bounds", () => {
    equal(
      [thrown(() => crypto.getRandomValues(new Uint8Array(65537))), thrown(() => AbortSignal.timeout(2 ** 60))],
      ["QuotaExceededError", "RangeError"],
    );
  });
})();
