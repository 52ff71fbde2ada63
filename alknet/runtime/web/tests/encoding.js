// TextEncoder, TextDecoder and their streams; atob and btoa.
(() => {
  const { test, testHere, ok, equal, thrown, bytes } = harness;

  test("encode", () =>
    ["", "abc", "é", "€", "😀", "\ud800", "\udfff\ud800", "a\0b", undefined, null, 5].map((text) => [
      ...new TextEncoder().encode(text),
    ]));
  test("encode gives a Uint8Array", () => [
    new TextEncoder().encode("a") instanceof Uint8Array,
    new TextEncoder().encoding,
    new TextEncoder().encode().length,
  ]);
  test("encodeInto stops at whole characters", () => {
    const results = [];
    for (const text of ["abc", "aé", "a€b", "😀a", "\ud800x", ""]) {
      for (let room = 0; room < 6; room++) {
        const into = new Uint8Array(6).fill(255).subarray(0, room);
        const { read, written } = new TextEncoder().encodeInto(text, into);
        results.push([text.length, room, read, written, [...into]]);
      }
    }
    return results;
  });
  test("encodeInto wants a Uint8Array", () => [
    thrown(() => new TextEncoder().encodeInto("a", new Uint16Array(1))),
    thrown(() => new TextEncoder().encodeInto("a")),
  ]);

  const kMalformed = [
    [0xff],
    [0x80],
    [0xc0, 0x80],
    [0xc2],
    [0xc2, 0x41],
    [0xe0, 0x80, 0x80],
    [0xe2, 0x82],
    [0xe2, 0x82, 0x41],
    [0xed, 0xa0, 0x80],
    [0xed, 0x9f, 0xbf],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xf0, 0x9f, 0x41],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf],
    [0xf5, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0x61, 0xff, 0x62],
    [0xef, 0xbb, 0xbf],
    [0xef, 0xbb, 0xbf, 0x61],
    [0xef, 0xbb],
    [0xe1, 0xa0, 0xc0, 0x61],
  ];
  test("malformed UTF-8", () =>
    kMalformed.map((values) =>
      [
        new TextDecoder().decode(bytes(...values)),
        new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes(...values)),
      ].map((text) => [...text].map((c) => c.codePointAt(0))),
    ));
  test("fatal", () =>
    kMalformed.map((values) => {
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes(...values));
      } catch (error) {
        return error.name;
      }
    }));
  test("streams of bytes cut anywhere", () => {
    const data = new TextEncoder().encode("\ufeffa€é😀\ufeffz");
    const results = [];
    for (let size = 1; size < 5; size++) {
      const decoder = new TextDecoder();
      let text = "";
      for (let i = 0; i < data.length; i += size) text += decoder.decode(data.subarray(i, i + size), { stream: true });
      results.push(text + decoder.decode());
    }
    return results;
  });
  test("malformed bytes across chunks", () =>
    kMalformed.map((values) => {
      const decoder = new TextDecoder();
      let text = "";
      for (const value of values) text += `${decoder.decode(bytes(value), { stream: true })}|`;
      return text + decoder.decode() + decoder.decode(bytes(0x41));
    }));
  test("any view, any part", () => {
    const { buffer } = bytes(0x61, 0x62, 0x63, 0x64);
    return [
      new TextDecoder().decode(buffer),
      new TextDecoder().decode(new DataView(buffer, 1, 2)),
      new TextDecoder().decode(new Uint16Array(buffer, 2)),
      new TextDecoder().decode(),
      thrown(() => new TextDecoder().decode("a")),
    ];
  });
  test("labels", () =>
    [
      "utf8",
      " UTF-8\n",
      "unicode-1-1-utf-8",
      "latin1",
      "ascii",
      "iso-8859-1",
      "windows-1252",
      "utf-16",
      "ucs-2",
      "utf-16be",
      "unicodefffe",
    ].map((label) => new TextDecoder(label).encoding));
  test("unknown labels", () =>
    ["", "nonsense", "utf-32", "\u00a0utf-8"].map((label) => thrown(() => new TextDecoder(label))));
  test("windows-1252", () => new TextDecoder("latin1").decode(Uint8Array.from({ length: 256 }, (_, i) => i)).length);
  testHere("windows-1252 has its own signs", () => {
    equal(
      new TextDecoder("latin1").decode(bytes(0x80, 0x81, 0x8d, 0x92, 0x9f, 0xa0, 0xff)),
      "\u20ac\u0081\u008d\u2019\u0178\u00a0\u00ff",
    );
  });
  test("UTF-16", () => {
    const le = (values, options) => {
      try {
        return [...new TextDecoder("utf-16le", options).decode(bytes(...values))].map((c) => c.codePointAt(0));
      } catch (error) {
        return error.name;
      }
    };
    return [
      [],
      [0x61, 0],
      [0xff, 0xfe, 0x61, 0],
      [0x3d, 0xd8, 0, 0xde],
      [0x3d, 0xd8],
      [0x3d, 0xd8, 0x61, 0],
      [0, 0xde, 0x61, 0],
      [0x61],
      [0x61, 0, 0x62],
      [0xff, 0xfe],
    ].map((values) => [le(values), le(values, { fatal: true }), le(values, { ignoreBOM: true })]);
  });
  test("UTF-16 big-endian and in pieces", () => {
    const decoder = new TextDecoder("utf-16le");
    let text = "";
    for (const value of [0xff, 0xfe, 0x3d, 0xd8, 0, 0xde, 0x61, 0])
      text += decoder.decode(bytes(value), { stream: true });
    return [new TextDecoder("utf-16be").decode(bytes(0xd8, 0x3d, 0xde, 0, 0, 0x61)), text + decoder.decode()];
  });
  test("attributes", () => {
    const decoder = new TextDecoder("utf-16", { fatal: 1, ignoreBOM: "" });
    return [decoder.encoding, decoder.fatal, decoder.ignoreBOM, Object.prototype.toString.call(decoder)];
  });
  test("a decoder is as new after an error", () => {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    decoder.decode(bytes(0xe2), { stream: true });
    return [thrown(() => decoder.decode(bytes(0x41), { stream: true })), decoder.decode(bytes(0x42))];
  });
  test("a long text", () => {
    const text = "aé€😀".repeat(20_000);
    const data = new TextEncoder().encode(text);
    ok(new TextDecoder().decode(data) === text);
    return data.length;
  });
  test("TextEncoderStream joins halves of pairs", async () => {
    const stream = new TextEncoderStream();
    const writer = stream.writable.getWriter();
    for (const part of ["a\ud83d", "\ude00", "\ud800", "b", "\udc00\ud83d"]) writer.write(part);
    writer.close();
    const all = [];
    for await (const chunk of stream.readable) all.push(...chunk);
    return all;
  });
  test("TextDecoderStream", async () => {
    const stream = new TextDecoderStream();
    const writer = stream.writable.getWriter();
    for (const value of new TextEncoder().encode("é😀")) writer.write(bytes(value));
    writer.write(bytes(0xe2));
    writer.close();
    let text = "";
    for await (const chunk of stream.readable) text += chunk;
    return [text, stream.encoding, stream.fatal, stream.ignoreBOM];
  });
  test("TextDecoderStream that is fatal", async () => {
    const stream = new TextDecoderStream("utf-8", { fatal: true });
    const writer = stream.writable.getWriter();
    writer.write(bytes(0xff)).catch(() => {});
    writer.closed.catch(() => {});
    return harness.rejected(stream.readable.getReader().read());
  });

  test("btoa", () => ["", "a", "ab", "abc", "\xff\xfe", null, undefined, 12].map((text) => btoa(text)));
  test("btoa refuses wide characters", () => [thrown(() => btoa("€")), thrown(() => btoa("\ud800"))]);
  test("atob", () => ["", "YQ==", "YQ", "YWI=", "YWJj", " Y Q\t=\n= ", "//79", "YR=="].map((text) => atob(text)));
  test("atob refuses what is no base64", () =>
    ["Y", "YQ=", "YQ===", "Y=Q=", "=", "====", "Y-_Q", "YQ==YQ==", "é", "\u00a0YQ=="].map((text) =>
      thrown(() => atob(text)),
    ));
})();
