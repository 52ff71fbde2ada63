// Blob, File, FormData, Headers, Request, Response.
(() => {
  const { test, testHere, ok, equal, thrown, rejected, bytes } = harness;

  test("a Blob of parts", async () => {
    const blob = new Blob(
      [
        "aé",
        bytes(1, 2).buffer,
        new Uint16Array([0x4141]),
        new DataView(bytes(9, 66).buffer, 1),
        new Blob(["z"]),
        5,
        "\ud800",
      ],
      { type: "Text/PLAIN" },
    );
    return [blob.size, blob.type, [...new Uint8Array(await blob.arrayBuffer())], await blob.text()];
  });
  test("slices", async () => {
    const blob = new Blob(["abcdef"], { type: "a/b" });
    const cut = (...given) => blob.slice(...given).text();
    return [
      await cut(),
      await cut(2),
      await cut(-2),
      await cut(1, 3),
      await cut(3, 1),
      await cut(-100, 100),
      await cut(1, -1),
      blob.slice(0, 1, "X/y").type,
      blob.slice().type,
    ];
  });
  test("types and line ends", async () => [
    new Blob([], { type: "é" }).type,
    new Blob().size,
    new Blob(undefined).size,
    await new Blob(["a\r\nb\nc\n"], { endings: "native" }).text(),
  ]);
  test("wrong parts", () => [
    thrown(() => new Blob("abc")),
    thrown(() => new Blob(5)),
    thrown(() => new Blob([], 5)),
    thrown(() => Blob([])),
    thrown(() => Object.getOwnPropertyDescriptor(Blob.prototype, "size").get.call({})),
  ]);
  test("the parts are copied", async () => {
    const view = bytes(65);
    const blob = new Blob([view]);
    view[0] = 66;
    return blob.text();
  });
  test("a Blob is read as a stream, at any size", async () => {
    const blob = new Blob([new Uint8Array(200_000).fill(7)]);
    let size = 0;
    for await (const chunk of blob.stream()) size += chunk.length;
    return [size, (await new Blob().stream().getReader().read()).done];
  });
  test("a byte order mark does not show in text()", async () => [
    (await new Blob([bytes(0xef, 0xbb, 0xbf, 65)]).text()).length,
    (await new Response(bytes(0xef, 0xbb, 0xbf, 65)).text()).length,
  ]);
  test("File", async () => {
    const file = new File(["abc"], "n\ud800.txt", { type: "text/plain", lastModified: 5 });
    return [
      file.name,
      file.type,
      file.size,
      file.lastModified,
      file instanceof Blob,
      await file.slice(1).text(),
      file.slice() instanceof File,
      Object.prototype.toString.call(file),
      typeof new File([], "x").lastModified,
      thrown(() => new File([])),
      thrown(() => new File()),
    ];
  });

  test("FormData", () => {
    const form = new FormData();
    form.append("a", 1);
    form.append("b", "x");
    form.append("a", "two");
    form.set("b", "y");
    form.set("c", "z");
    const log = [[...form], form.get("a"), form.getAll("a"), form.get("no"), form.has("b"), form.has("no")];
    form.delete("a");
    log.push(
      [...form.keys()],
      [...form.values()],
      thrown(() => form.append("a")),
      thrown(() => form.append("a", "text", "name")),
      thrown(() => new FormData(5)),
    );
    return log;
  });
  test("files in FormData", async () => {
    const form = new FormData();
    form.append("blob", new Blob(["1"], { type: "a/b" }));
    form.append("named", new Blob(["2"]), "n.txt");
    form.append("file", new File(["3"], "f.txt"));
    form.append("renamed", new File(["4"], "f.txt", { lastModified: 3 }), "g.txt");
    return Promise.all(
      [...form].map(async ([name, file]) => [name, file instanceof File, file.name, file.type, await file.text()]),
    );
  });

  test("Headers", () => {
    const headers = new Headers({ "X-B": "2", "x-a": " 1\t", accept: "é" });
    headers.append("x-a", "more");
    headers.append("Set-Cookie", "a=1");
    headers.append("set-cookie", "b=2");
    headers.set("X-C", 3);
    const log = [
      [...headers],
      headers.get("X-A"),
      headers.get("no"),
      headers.has("SET-COOKIE"),
      headers.get("set-cookie"),
      headers.getSetCookie(),
    ];
    headers.delete("x-a");
    log.push([...headers.keys()], [...headers.values()]);
    return log;
  });
  test("Headers from other things", () => [
    [
      ...new Headers([
        ["b", "1"],
        ["a", "2"],
        ["b", "3"],
      ]),
    ],
    [...new Headers(new Headers({ a: "1" }))],
    [...new Headers(new Map([["k", "v"]]))],
    [...new Headers()],
    thrown(() => new Headers([["a"]])),
    thrown(() => new Headers("a")),
    thrown(() => new Headers(null)),
    thrown(() => new Headers(5)),
  ]);
  test("Headers refuse bad names and values", () =>
    ["", "a b", "a:b", "é", "a\n", "(x)"]
      .map((name) => thrown(() => new Headers().set(name, "x")))
      .concat(["a\nb", "a\0b", "€"].map((value) => thrown(() => new Headers().append("a", value)))));
  test("Headers change while they are iterated", () => {
    const headers = new Headers({ a: "1", c: "3" });
    const seen = [];
    for (const [name] of headers) {
      seen.push(name);
      if (name === "a") headers.append("b", "2");
    }
    return seen;
  });

  test("Response of each kind of body", async () => {
    const results = [];
    const form = new URLSearchParams({ a: "1 2" });
    for (const body of [
      "text",
      bytes(65, 66),
      bytes(67).buffer,
      new Blob(["blob"], { type: "x/y" }),
      new Blob(["b"]),
      form,
      null,
      undefined,
      5,
      { toString: () => "object" },
    ]) {
      const response = new Response(body);
      results.push([
        response.headers.get("content-type"),
        response.bodyUsed,
        response.body === null,
        await response.text(),
        response.bodyUsed,
      ]);
    }
    return results;
  });
  test("reading as each type", async () => [
    await new Response('{"a":[1]}').json(),
    [...new Uint8Array(await new Response("ab").arrayBuffer())],
    await rejected(new Response("{").json()),
    await rejected(new Response("").json()),
    (await new Response("x", { headers: { "content-type": "A/b;c=D" } }).blob()).type,
    (await new Response(null).arrayBuffer()).byteLength,
    await new Response().text(),
  ]);
  test("a body is read once", async () => {
    const response = new Response("a");
    await response.text();
    const other = new Response("b");
    other.body.getReader();
    return [
      await rejected(response.text()),
      await rejected(response.json()),
      thrown(() => response.clone()),
      await rejected(other.text()),
      thrown(() => other.clone()),
      thrown(() => new Response(other.body)),
    ];
  });
  test("a stream as body", async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes(104));
        controller.enqueue(bytes(105));
        controller.close();
      },
    });
    const response = new Response(stream);
    ok(response.body === stream);
    return [response.headers.get("content-type"), await response.text(), response.bodyUsed, stream.locked];
  });
  test("a stream of something else is an error", async () =>
    rejected(
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue("text");
            controller.close();
          },
        }),
      ).text(),
    ));
  test("reading body bit by bit", async () => {
    const response = new Response("abc");
    const reader = response.body.getReader();
    const { value } = await reader.read();
    return [[...value], response.bodyUsed, (await reader.read()).done];
  });
  test("clone", async () => {
    const response = new Response("abc", { status: 201, statusText: "Made", headers: { a: "b" } });
    const copy = response.clone();
    const stream = new Response(new Blob(["xyz"]).stream());
    const other = stream.clone();
    copy.headers.set("a", "c");
    return [
      await response.text(),
      await copy.text(),
      copy.status,
      copy.statusText,
      response.headers.get("a"),
      await stream.text(),
      await other.text(),
    ];
  });
  test("status", () => {
    const response = new Response(null, { status: 404, statusText: "No" });
    return [
      response.status,
      response.ok,
      response.statusText,
      response.type,
      response.url,
      response.redirected,
      new Response().ok,
      [199, 600, 0, -1].map((status) => thrown(() => new Response(null, { status }))),
      thrown(() => new Response("x", { status: 204 })),
      thrown(() => new Response(null, { statusText: "a\nb" })),
      new Response(null, { status: 204 }).status,
    ];
  });
  test("Response.error, redirect and json", async () => {
    const error = Response.error();
    const redirect = Response.redirect("https://a.b/c", 301);
    const json = Response.json({ a: 1 }, { status: 201, headers: { x: "y" } });
    return [
      error.type,
      error.status,
      redirect.status,
      redirect.headers.get("location"),
      thrown(() => Response.redirect("https://a.b", 200)),
      thrown(() => Response.redirect("no url")),
      json.status,
      json.headers.get("content-type"),
      await json.json(),
      thrown(() => Response.json()),
      thrown(() => Response.json(() => {})),
      thrown(() => error.headers.set("a", "b")),
    ];
  });

  test("Request", async () => {
    const request = new Request("https://h/p?q", { method: "post", headers: { a: "b" }, body: "text" });
    return [
      request.method,
      request.url,
      [...request.headers],
      request.redirect,
      request.credentials,
      request.mode,
      request.cache,
      request.signal.aborted,
      request.bodyUsed,
      await request.text(),
      request.bodyUsed,
      request.duplex,
      request.destination,
      request.integrity,
      request.keepalive,
    ];
  });
  test("methods", () =>
    ["get", "Post", "pAtCh", "custom"]
      .map((method) => new Request("https://h", { method }).method)
      .concat(["CONNECT", "trace", "a b", ""].map((method) => thrown(() => new Request("https://h", { method })))));
  test("what a Request refuses", () => [
    thrown(() => new Request()),
    thrown(() => new Request("relative")),
    thrown(() => new Request("https://u:p@h")),
    thrown(() => new Request("https://h", { body: "x" })),
    thrown(() => new Request("https://h", { method: "HEAD", body: "x" })),
    thrown(() => new Request("https://h", { redirect: "other" })),
    thrown(() => new Request("https://h", { signal: {} })),
    thrown(() => new Request("https://h", { mode: "navigate" })),
    thrown(() => new Request("https://h", { method: "POST", body: new ReadableStream() })),
  ]);
  test("a Request of a Request", async () => {
    const first = new Request("https://h", { method: "POST", body: "abc", headers: { a: "1" } });
    const second = new Request(first, { headers: { b: "2" } });
    return [
      first.bodyUsed,
      second.method,
      second.url,
      second.headers.get("a"),
      second.headers.get("b"),
      await second.text(),
      thrown(() => new Request(first)),
    ];
  });
  test("clone of a Request", async () => {
    const first = new Request("https://h", { method: "PUT", body: "abc" });
    const copy = first.clone();
    return [await first.text(), await copy.text(), copy.method, thrown(() => first.clone())];
  });
  test("a Request follows its signal", () => {
    const controller = new AbortController();
    const request = new Request("https://h", { signal: controller.signal });
    const copy = request.clone();
    controller.abort("why");
    return [request.signal === controller.signal, request.signal.aborted, request.signal.reason, copy.signal.reason];
  });

  test("multipart there and back", async () => {
    const form = new FormData();
    form.append("text", "a\nb\r\nc");
    form.append('na"me\n', "é😀");
    form.append("file", new File([bytes(0, 13, 10, 255)], 'f"1.bin', { type: "x/y" }));
    form.append("empty", "");
    const response = new Response(form);
    const type = response.headers.get("content-type");
    const back = await response.formData();
    return [
      /^multipart\/form-data; boundary=/.test(type),
      await Promise.all(
        [...back].map(async ([name, value]) =>
          typeof value === "string"
            ? [name, value]
            : [name, value.name, value.type, [...new Uint8Array(await value.arrayBuffer())]],
        ),
      ),
    ];
  });
  test("multipart from elsewhere", async () => {
    const text = [
      "--X",
      'Content-Disposition: form-data; name="a"',
      "",
      "1",
      "--X",
      'content-disposition: form-data; name="f"; filename="x.txt"',
      "Content-Type: text/plain",
      "",
      "line\r\n--Y",
      "--X--",
      "",
    ].join("\r\n");
    const form = await new Response(text, {
      headers: { "content-type": 'multipart/form-data; boundary="X"' },
    }).formData();
    return [form.get("a"), form.get("f").name, form.get("f").type, await form.get("f").text()];
  });
  test("forms that are none", async () => {
    const read = (text, type) => rejected(new Response(text, { headers: { "content-type": type } }).formData());
    return [
      await read("x", "text/plain"),
      await read("x", "multipart/form-data"),
      await read("x", "multipart/form-data; boundary=b"),
      await read("--b\r\n", "multipart/form-data; boundary=b"),
      await read('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', "multipart/form-data; boundary=b"),
    ];
  });
  test("urlencoded forms", async () => [
    ...(await new Response("a=1+2&b=%C3%A9", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }).formData()),
  ]);
  testHere("bytes()", async () => {
    equal([...(await new Response("ab").bytes())], [97, 98]);
    equal([...(await new Blob(["ab"]).bytes())], [97, 98]);
  });
  test("the classes", () =>
    [Headers, Request, Response, Blob, File].map((Class) => [
      Class.name,
      Class.length,
      Object.prototype.toString.call(Class.prototype),
    ]));
  testHere("what cannot be read twice says so", async () => {
    const response = new Response("a");
    await response.arrayBuffer();
    ok(await response.text().catch((error) => /already been read/.test(error.message)));
  });
})();
