// The streams of the platform.
(() => {
  const { test, testHere, ok, equal, thrown, rejected, bytes } = harness;
  const from = (...chunks) =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  async function all(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk instanceof Uint8Array ? [...chunk] : chunk);
    return chunks;
  }

  test("reading what was enqueued", async () => {
    const reader = from("a", 1, { x: 1 }).getReader();
    return [
      await reader.read(),
      await reader.read(),
      await reader.read(),
      await reader.read(),
      (await reader.closed) === undefined,
    ];
  });
  test("pull is called for what is wanted", async () => {
    let n = 0;
    const stream = new ReadableStream(
      {
        pull(controller) {
          if (n === 4) controller.close();
          else controller.enqueue(n++);
        },
      },
      { highWaterMark: 2 },
    );
    await Promise.resolve();
    return [await all(stream), n];
  });
  test("locks", async () => {
    const stream = from(1);
    const reader = stream.getReader();
    const log = [stream.locked, thrown(() => stream.getReader()), await rejected(stream.cancel())];
    reader.releaseLock();
    log.push(stream.locked, await rejected(reader.read()));
    return log;
  });
  test("cancel reaches the source", async () => {
    let reason;
    const stream = new ReadableStream({
      cancel(given) {
        reason = given;
      },
    });
    await stream.cancel("why");
    return [reason, (await stream.getReader().read()).done];
  });
  test("an error reaches readers", async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.error(new RangeError("e"));
      },
    });
    const reader = stream.getReader();
    return [await rejected(reader.read()), await rejected(reader.closed)];
  });
  test("tee", async () => {
    const [a, b] = from(1, 2, 3).tee();
    return [await all(a), await all(b)];
  });
  test("a loop that ends early cancels", async () => {
    let cancelled = false;
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(1);
      },
      cancel() {
        cancelled = true;
      },
    });
    for await (const _ of stream) break;
    return [cancelled, stream.locked];
  });
  test("values({preventCancel}) goes on", async () => {
    const stream = from(1, 2, 3);
    for await (const _ of stream.values({ preventCancel: true })) break;
    return all(stream);
  });
  test("ReadableStream.from", async () => [
    await all(ReadableStream.from([1, 2])),
    await all(
      ReadableStream.from(
        (async function* () {
          yield 3;
        })(),
      ),
    ),
  ]);
  test("desiredSize and strategies", async () => {
    const log = [];
    new ReadableStream(
      {
        start(controller) {
          log.push(controller.desiredSize);
          controller.enqueue(bytes(1, 2, 3));
          log.push(controller.desiredSize);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 5 }),
    );
    new ReadableStream(
      {
        start(controller) {
          controller.enqueue("a");
          log.push(controller.desiredSize);
        },
      },
      new CountQueuingStrategy({ highWaterMark: 3 }),
    );
    return [
      log,
      new CountQueuingStrategy({ highWaterMark: 3 }).size(),
      new ByteLengthQueuingStrategy({ highWaterMark: 1 }).size(bytes(1, 2)),
      thrown(() => new CountQueuingStrategy()),
    ];
  });

  test("byte streams: a reader that brings its buffer", async () => {
    const stream = new ReadableStream({
      type: "bytes",
      start(controller) {
        controller.enqueue(bytes(1, 2, 3, 4, 5));
        controller.close();
      },
    });
    const reader = stream.getReader({ mode: "byob" });
    const first = await reader.read(new Uint8Array(2));
    const second = await reader.read(new Uint8Array(new ArrayBuffer(10), 4, 6));
    const third = await reader.read(new Uint8Array(1));
    return [
      [...first.value],
      [...second.value],
      second.value.byteOffset,
      second.value.buffer.byteLength,
      third.done,
      third.value.length,
    ];
  });
  test("byte streams: the source fills the reader's buffer", async () => {
    const stream = new ReadableStream({
      type: "bytes",
      pull(controller) {
        const { view } = controller.byobRequest;
        view[0] = 7;
        controller.byobRequest.respond(1);
      },
    });
    const given = new Uint8Array(4);
    const { value } = await stream.getReader({ mode: "byob" }).read(given);
    return [[...value], given.byteLength];
  });
  test("byte streams: autoAllocateChunkSize", async () => {
    let n = 0;
    const stream = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: 8,
      pull(controller) {
        const view = controller.byobRequest.view;
        view[0] = n;
        controller.byobRequest.respond(1);
        if (++n === 3) controller.close();
      },
    });
    return all(stream);
  });
  test("byte streams: tee copies", async () => {
    const [a, b] = new ReadableStream({
      type: "bytes",
      start(controller) {
        controller.enqueue(bytes(1, 2));
        controller.close();
      },
    }).tee();
    const [one, two] = [await a.getReader().read(), await b.getReader().read()];
    ok(one.value.buffer !== two.value.buffer);
    return [[...one.value], [...two.value]];
  });
  test("byte streams refuse what is no view", async () => {
    let error;
    new ReadableStream({
      type: "bytes",
      start(controller) {
        error = [thrown(() => controller.enqueue("x")), thrown(() => controller.enqueue(new Uint8Array(0)))];
      },
    });
    return [error, thrown(() => new ReadableStream({ type: "other" }))];
  });

  test("writing in order", async () => {
    const log = [];
    const stream = new WritableStream({
      start() {
        log.push("start");
      },
      async write(chunk) {
        await null;
        log.push(chunk);
      },
      close() {
        log.push("close");
      },
    });
    const writer = stream.getWriter();
    writer.write(1);
    writer.write(2);
    await writer.close();
    return log;
  });
  test("back-pressure", async () => {
    let release;
    const stream = new WritableStream({ write: () => new Promise((resolve) => (release = resolve)) });
    const writer = stream.getWriter();
    const log = [writer.desiredSize];
    const written = writer.write(1);
    log.push(writer.desiredSize);
    let ready = false;
    writer.ready.then(() => (ready = true));
    await Promise.resolve();
    log.push(ready);
    await new Promise((resolve) => setTimeout(resolve));
    release();
    await written;
    await writer.ready;
    return [log, writer.desiredSize];
  });
  test("abort", async () => {
    let reason;
    let signal;
    const stream = new WritableStream({
      start(controller) {
        signal = controller.signal;
      },
      abort(given) {
        reason = given;
      },
    });
    const writer = stream.getWriter();
    writer.closed.catch(() => {});
    await writer.abort("why");
    return [reason, signal.aborted, await rejected(writer.write(1))];
  });
  test("an error of the sink", async () => {
    const writer = new WritableStream({
      write() {
        throw new RangeError("w");
      },
    }).getWriter();
    writer.closed.catch(() => {});
    return [await rejected(writer.write(1)), await rejected(writer.write(2))];
  });

  test("pipeTo", async () => {
    const log = [];
    await from(1, 2).pipeTo(
      new WritableStream({
        write(chunk) {
          log.push(chunk);
        },
        close() {
          log.push("close");
        },
      }),
    );
    return log;
  });
  test("pipeTo is aborted by a signal", async () => {
    const controller = new AbortController();
    let cancelled;
    const source = new ReadableStream({
      pull() {
        return new Promise(() => {});
      },
      cancel(reason) {
        cancelled = reason?.name ?? reason;
      },
    });
    const done = rejected(source.pipeTo(new WritableStream(), { signal: controller.signal }));
    controller.abort();
    return [await done, cancelled];
  });
  test("pipeTo hands errors on", async () => {
    const source = new ReadableStream({
      start(controller) {
        controller.error(new RangeError("s"));
      },
    });
    let aborted;
    const sink = new WritableStream({
      abort(reason) {
        aborted = reason.message;
      },
    });
    return [await rejected(source.pipeTo(sink)), aborted, sink.locked];
  });
  test("pipeThrough", async () => {
    const twice = new TransformStream({
      transform(chunk, controller) {
        controller.enqueue(chunk);
        controller.enqueue(chunk * 10);
      },
      flush(controller) {
        controller.enqueue("end");
      },
    });
    return all(from(1, 2).pipeThrough(twice));
  });
  test("an identity transform and one that terminates", async () => {
    const stop = new TransformStream({
      transform(chunk, controller) {
        if (chunk === 2) controller.terminate();
        else controller.enqueue(chunk);
      },
    });
    const result = [await all(from(1, 2).pipeThrough(new TransformStream()))];
    const writer = stop.writable.getWriter();
    writer.write(1).catch(() => {});
    writer.write(2).catch(() => {});
    writer.closed.catch(() => {});
    result.push(await all(stop.readable));
    return result;
  });
  test("a transform that throws", async () =>
    rejected(
      all(
        from(1).pipeThrough(
          new TransformStream({
            transform() {
              throw new RangeError("t");
            },
          }),
        ),
      ),
    ));

  test("gzip there and back", async () => {
    const text = "the same again and again ".repeat(1000);
    const squeezed = new Response(text).body.pipeThrough(new CompressionStream("gzip"));
    const parts = await all(squeezed);
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    ok(size < 1000 && parts[0][0] === 0x1f && parts[0][1] === 0x8b);
    const stream = ReadableStream.from(parts.map((part) => new Uint8Array(part))).pipeThrough(
      new DecompressionStream("gzip"),
    );
    return (await new Response(stream).text()) === text;
  });
  test("each format reads what was written elsewhere", async () => {
    const samples = {
      deflate: "eJzLSM3JyQcABiwCFQ==",
      "deflate-raw": "y0jNyckHAA==",
      gzip: "H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==",
    };
    const results = [];
    for (const [format, text] of Object.entries(samples)) {
      const data = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      results.push(await new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream(format))).text());
    }
    return results;
  });
  test("damaged and cut data are errors", async () => {
    const broken = async (format, ...values) =>
      rejected(
        new Response(ReadableStream.from([bytes(...values)]).pipeThrough(new DecompressionStream(format))).text(),
      );
    const results = [await broken("deflate", 1, 2, 3), await broken("gzip", 0x1f, 0x8b, 8)];
    if (engine === "alknet") equal(results, ["TypeError", "TypeError"]); // Node's are plain errors
    return [thrown(() => new CompressionStream("zip")), thrown(() => new DecompressionStream())];
  });
  testHere("data behind the end is an error", async () => {
    const data = Uint8Array.from(atob("y0jNyckHAA=="), (c) => c.charCodeAt(0));
    equal(
      await rejected(
        new Response(new Blob([data, "x"]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text(),
      ),
      "TypeError",
    );
  });
  testHere("a small input that stands for much comes in pieces", async () => {
    const zeros = new Blob([new Uint8Array(4_000_000)]).stream().pipeThrough(new CompressionStream("gzip"));
    const small = new Blob(await all(zeros).then((parts) => parts.map((part) => new Uint8Array(part))));
    ok(small.size < 10_000, "its size");
    let size = 0;
    let largest = 0;
    for await (const part of small.stream().pipeThrough(new DecompressionStream("gzip"))) {
      size += part.length;
      largest = Math.max(largest, part.length);
    }
    equal([size, largest <= 65536], [4_000_000, true]);
  });
  test("the classes", () =>
    "ByteLengthQueuingStrategy CountQueuingStrategy ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader TransformStream TransformStreamDefaultController WritableStream WritableStreamDefaultController WritableStreamDefaultWriter"
      .split(" ")
      .map((name) => [globalThis[name].name, Object.prototype.toString.call(globalThis[name].prototype)]));
})();
