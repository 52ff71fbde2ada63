import assert from "node:assert/strict";
import { test } from "node:test";
import { base64Decode, base64Encode } from "./base64.ts";
import { Random } from "../../testing/random.ts";
import { findLoneSurrogate, utf8Decode, utf8Encode, utf8Length } from "./utf8.ts";

test("utf8 is what TextEncoder and TextDecoder say", () => {
  const text = "a\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}\0";
  for (const long of [text, text.repeat(2000), ""]) {
    assert.deepEqual(utf8Encode(long), new TextEncoder().encode(long));
    assert.equal(utf8Length(long), new TextEncoder().encode(long).length);
    assert.equal(utf8Decode(utf8Encode(long)), long);
  }
});

test("utf8 that TextDecoder refuses is refused, and only that", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const random = new Random(3);
  let refused = 0;
  for (let i = 0; i < 20_000; ++i) {
    // Bytes at the edges of the table of well-formed sequences.
    const edges = [
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
    ];
    const bytes = Uint8Array.from({ length: 1 + random.below(4) }, () => random.pick(edges));
    let expected: string | undefined;
    try {
      expected = strict.decode(bytes);
    } catch {
      ++refused;
    }
    const found = utf8Decode(bytes);
    assert.equal(typeof found === "string" ? found : undefined, expected, bytes.join(" "));
  }
  assert.ok(refused > 1000 && refused < 19_900);
});

test("a refused byte is named by its index", () => {
  assert.equal(utf8Decode(Uint8Array.of(0x61, 0xc3, 0xa9, 0xff)), 3);
  assert.equal(utf8Decode(Uint8Array.of(0x61, 0xe2, 0x82)), 1);
});

test("half a surrogate pair is found", () => {
  assert.equal(findLoneSurrogate("a\ud800"), 1);
  assert.equal(findLoneSurrogate("\udc00a"), 0);
  assert.equal(findLoneSurrogate("\ud800\ud800\udc00"), 0);
  assert.equal(findLoneSurrogate("\ud83d\ude00"), -1);
});

test("base64 is what btoa says", () => {
  const random = new Random(5);
  for (let size = 0; size < 70; ++size) {
    const bytes = Uint8Array.from({ length: size }, () => random.below(256));
    const text = btoa(String.fromCharCode(...bytes));
    assert.equal(base64Encode(bytes), text);
    assert.deepEqual(base64Decode(text), bytes);
  }
});

test("base64 without padding, with other characters, or with bits behind the last byte is refused", () => {
  for (const text of ["Q", "QQ", "QQ=", "QR==", "QUJ=", "Q!==", "QQ==QQ==", "====", "QQ==\n", "Q=Q="]) {
    assert.equal(base64Decode(text), undefined, text);
  }
});
