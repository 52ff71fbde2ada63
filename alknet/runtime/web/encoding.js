// TextEncoder and TextDecoder (Encoding Standard): UTF-8, UTF-16 and windows-1252.
import { host, load } from "alknet:web";

const { bytesOf, concatenate, dictionary, expose, requireArguments } = load("webidl");

const kLabels = {
  "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
  "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
  "utf-16be": "unicodefffe utf-16be",
  "windows-1252":
    "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 " +
    "iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
};
const kEncodings = new Map(
  Object.entries(kLabels).flatMap(([encoding, labels]) => labels.split(" ").map((label) => [label, encoding])),
);

// windows-1252 differs from Latin-1 in 0x80 to 0x9F; the five codes that it leaves open are control characters.
const kWindows = "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

const kChunk = 8192; // arguments of one call

function fromCodes(units) {
  let text = "";
  for (let i = 0; i < units.length; i += kChunk) text += String.fromCharCode.apply(null, units.subarray(i, i + kChunk));
  return text;
}

const malformed = () => new TypeError("The encoded data was not valid for encoding");

/** Each gives [text, the bytes at the end that wait for more]. */
const kDecoders = {
  "utf-8": (bytes, { fatal, last }) => {
    const result = host.utf8Decode(bytes, fatal, last);
    if (result === undefined) throw malformed();
    return result;
  },
  "utf-16le": (bytes, options) => decodeUtf16(bytes, options, true),
  "utf-16be": (bytes, options) => decodeUtf16(bytes, options, false),
  "windows-1252": (bytes) => {
    const units = new Uint16Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      units[i] = byte >= 0x80 && byte < 0xa0 ? kWindows.charCodeAt(byte - 0x80) : byte;
    }
    return [fromCodes(units), 0];
  },
};

function decodeUtf16(bytes, { fatal, last }, littleEndian) {
  let whole = bytes.length >> 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let rest = bytes.length & 1;
  if (!last && whole > 0 && (view.getUint16(2 * whole - 2, littleEndian) & 0xfc00) === 0xd800) {
    whole--; // half of a pair
    rest += 2;
  }
  const units = new Uint16Array(whole);
  for (let i = 0; i < whole; i++) units[i] = view.getUint16(2 * i, littleEndian);
  let text = fromCodes(units);
  const cut = last && rest === 1;
  if (fatal && (cut || !text.isWellFormed())) throw malformed();
  text = text.toWellFormed();
  // The end of input inside a pair and inside a unit is one error, not two.
  if (cut) text += whole > 0 && (units[whole - 1] & 0xfc00) === 0xd800 ? "" : "\ufffd";
  return [text, last ? 0 : rest];
}

export class TextEncoder {
  #brand;
  get encoding() {
    this.#brand;
    return "utf-8";
  }
  encode(input = "") {
    this.#brand;
    return host.utf8Encode(`${input}`);
  }
  encodeInto(source, destination) {
    this.#brand;
    requireArguments(arguments.length, 2, "encodeInto");
    if (!(destination instanceof Uint8Array)) throw new TypeError("encodeInto: the destination is no Uint8Array");
    const text = `${source}`;
    const room = destination.length;
    // A unit of UTF-16 takes three bytes at most and a byte holds one at most.
    const encoded = host.utf8Encode(text.length > room ? text.slice(0, room + 1) : text);
    let written = encoded.length;
    if (written > room) {
      written = room;
      while (written > 0 && (encoded[written] & 0xc0) === 0x80) written--;
    }
    // What a slice cut in half is beyond the room.
    const bytes = encoded.subarray(0, written);
    if (written > 0) destination.set(bytes);
    let read = 0;
    for (let i = 0; i < bytes.length; i++) if ((bytes[i] & 0xc0) !== 0x80) read += bytes[i] >= 0xf0 ? 2 : 1;
    return { read, written };
  }
}
expose(TextEncoder, { show: ["encoding"] });

export class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  #pending = new Uint8Array(0);
  #started = false; // the byte order mark has been looked for
  #streaming = false;

  constructor(label = "utf-8", options = undefined) {
    const name = `${label}`.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "").toLowerCase();
    const encoding = kEncodings.get(name);
    if (encoding === undefined) throw new RangeError(`The "${label}" encoding is not supported`);
    const { fatal, ignoreBOM } = dictionary(options, "TextDecoder options");
    this.#encoding = encoding;
    this.#fatal = Boolean(fatal);
    this.#ignoreBOM = Boolean(ignoreBOM);
  }

  get encoding() {
    return this.#encoding;
  }
  get fatal() {
    return this.#fatal;
  }
  get ignoreBOM() {
    return this.#ignoreBOM;
  }

  decode(input = undefined, options = undefined) {
    const stream = Boolean(dictionary(options, "decode options").stream);
    let bytes = input === undefined ? new Uint8Array(0) : bytesOf(input, "decode: the input");
    if (!this.#streaming) {
      this.#pending = new Uint8Array(0);
      this.#started = false;
    }
    this.#streaming = stream;
    if (this.#pending.length > 0) bytes = concatenate([this.#pending, bytes]);
    let result;
    try {
      result = kDecoders[this.#encoding](bytes, { fatal: this.#fatal, last: !stream });
    } catch (error) {
      this.#streaming = false;
      throw error;
    }
    let [text, rest] = result;
    this.#pending = rest > 0 ? bytes.slice(bytes.length - rest) : new Uint8Array(0);
    if (!this.#started && text !== "") {
      this.#started = true;
      if (!this.#ignoreBOM && this.#encoding !== "windows-1252" && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    return text;
  }
}
expose(TextDecoder, { show: ["encoding", "fatal", "ignoreBOM"] });
