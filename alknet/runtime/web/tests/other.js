// performance, crypto, and the global object.
(() => {
  const { test, testHere, ok, equal, thrown, rejected } = harness;
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  test("performance.now goes on", () => {
    const first = performance.now();
    for (let i = 0; i < 1000; i++) Math.sqrt(i);
    return [
      performance.now() >= first,
      typeof performance.timeOrigin,
      Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5000,
    ];
  });
  test("marks and measures", () => {
    performance.mark("a", { startTime: 10, detail: { x: 1 } });
    performance.mark("b", { startTime: 30 });
    const measure = performance.measure("m", "a", "b");
    performance.measure("n", { start: "a", duration: 5 });
    performance.measure("o", { end: 50, duration: 5, detail: 3 });
    const entries = ["a", "b", "m", "n", "o"].map((name) =>
      performance
        .getEntriesByName(name)
        .map((entry) => [entry.name, entry.entryType, entry.startTime, entry.duration, entry.detail]),
    );
    const json = measure.toJSON();
    const counts = [performance.getEntriesByType("mark").length, performance.getEntriesByName("a", "measure").length];
    performance.clearMarks("a");
    performance.clearMeasures();
    return [
      entries,
      json.name,
      json.duration,
      counts,
      performance.getEntriesByType("mark").map((entry) => entry.name),
      performance.getEntriesByType("measure").length,
      thrown(() => performance.measure("x", "unknown")),
      thrown(() => performance.mark()),
    ];
  });
  test("digests", async () => {
    const data = new TextEncoder().encode("abc");
    return Promise.all(
      ["SHA-1", "sha-256", { name: "SHA-384" }, "SHA-512"].map(async (name) =>
        hex(await crypto.subtle.digest(name, data)),
      ),
    ).then(async (list) => [
      ...list,
      hex(await crypto.subtle.digest("SHA-256", new ArrayBuffer(0))),
      hex(await crypto.subtle.digest("SHA-256", new DataView(data.buffer, 1))),
    ]);
  });
  test("unknown digests", async () => [
    await rejected(crypto.subtle.digest("MD5", new Uint8Array(1))),
    await rejected(crypto.subtle.digest("SHA-256", "text")),
  ]);
  test("getRandomValues", () => {
    const array = new Uint32Array(64);
    ok(crypto.getRandomValues(array) === array);
    const part = new Uint8Array(16);
    crypto.getRandomValues(part.subarray(4, 8));
    return [
      new Set(array).size > 60,
      part[0] + part[15],
      crypto.getRandomValues(new BigInt64Array(1)).length,
      thrown(() => crypto.getRandomValues(new Float32Array(1))),
      thrown(() => crypto.getRandomValues(new Uint8Array(65537))),
      thrown(() => crypto.getRandomValues([1])),
    ];
  });
  test("randomUUID", () => {
    const ids = Array.from({ length: 50 }, () => crypto.randomUUID());
    return [
      ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
      new Set(ids).size,
    ];
  });
  test("the global object", () =>
    [
      typeof globalThis,
      globalThis.crypto === crypto,
      Object.prototype.toString.call(crypto),
      Object.prototype.toString.call(performance),
      typeof navigator === "undefined" || typeof navigator,
    ].slice(0, 4));
  testHere("self and navigator", () => {
    ok(self === globalThis);
    equal(
      [
        /^alknet/.test(navigator.userAgent),
        navigator.hardwareConcurrency >= 1,
        Object.prototype.toString.call(navigator),
        navigator.gpu,
      ],
      [true, true, "[object Navigator]", undefined],
    );
  });
  testHere("constructors that are not for script", () =>
    equal(
      [
        () => new Crypto(),
        () => new SubtleCrypto(),
        () => new Performance(),
        () => new Navigator(),
        () => new PerformanceEntry(),
      ].map((make) => thrown(make)),
      Array(5).fill("TypeError"),
    ),
  );
  testHere("tampering with prototypes does not break ours", () => {
    for (const used of [URL, structuredClone, Headers]) ok(used); // they are loaded now
    Array.prototype.extra = 1;
    Object.prototype.inherited = 2;
    try {
      equal(new URL("http://h/?a=1").searchParams.get("a"), "1");
      equal(structuredClone({ a: [1] }), { a: [1] });
      equal([...new Headers({ a: "1" })], [["a", "1"]]);
    } finally {
      delete Array.prototype.extra;
      delete Object.prototype.inherited;
    }
  });
})();
