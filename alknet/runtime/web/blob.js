// Blob and File (File API). The bytes are shared by slices, never changed.
import { host, load } from "alknet:web";

const {
  bytesOf,
  concatenate,
  dictionary,
  expose,
  isBufferSource,
  requireArguments,
  toClamped,
  toLongLong,
  toUSVString,
} = load("webidl");

/** The bytes of a Blob as one Uint8Array that nobody may change. */
export let blobBytes;

const kChunk = 65536; // of stream()

function typeOf(value) {
  const type = `${value}`;
  return /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "";
}

function partsOf(parts, endings) {
  if (parts === undefined) return [];
  if (typeof parts !== "object" || parts === null || typeof parts[Symbol.iterator] !== "function") {
    throw new TypeError("Blob: the parts are not iterable");
  }
  return Array.from(parts, (part) => {
    if (part instanceof Blob) return blobBytes(part);
    if (isBufferSource(part)) return bytesOf(part, "Blob: a part").slice();
    const text = toUSVString(part);
    return host.utf8Encode(endings === "native" ? text.replace(/\r\n?/g, "\n") : text);
  });
}

export class Blob {
  #bytes;
  #type;

  static {
    blobBytes = (blob) => blob.#bytes;
  }

  constructor(parts = undefined, options = undefined) {
    const given = dictionary(options, "Blob options");
    const endings = given.endings === undefined ? "transparent" : `${given.endings}`;
    if (endings !== "transparent" && endings !== "native")
      throw new TypeError(`Blob: '${endings}' is no kind of line ends`);
    const type = given.type === undefined ? "" : typeOf(given.type);
    const chunks = partsOf(parts, endings);
    this.#bytes = chunks.length === 0 ? new Uint8Array(0) : concatenate(chunks);
    this.#type = type;
  }

  get size() {
    return this.#bytes.length;
  }
  get type() {
    return this.#type;
  }

  slice(start = 0, end = this.#bytes.length, contentType = "") {
    const size = this.#bytes.length;
    const place = (value) => (value < 0 ? Math.max(size + value, 0) : Math.min(value, size));
    const from = place(toClamped(start));
    const part = new Blob([], { type: contentType });
    part.#bytes = this.#bytes.subarray(from, Math.max(from, place(toClamped(end))));
    return part;
  }

  async arrayBuffer() {
    return this.#bytes.slice().buffer;
  }
  async bytes() {
    return this.#bytes.slice();
  }
  async text() {
    const text = host.utf8Decode(this.#bytes, false, true)[0];
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
  stream() {
    const bytes = this.#bytes;
    let at = 0;
    return new (load("streams").ReadableStream)({
      type: "bytes",
      pull(controller) {
        const end = Math.min(at + kChunk, bytes.length);
        if (at < end) controller.enqueue(bytes.slice(at, end));
        at = end;
        if (at < bytes.length) return;
        controller.close();
        controller.byobRequest?.respond(0);
      },
    });
  }
}
expose(Blob, {
  show: ["size", "type"],
  clone: (blob) => (blob instanceof File ? cloneFile(blob) : blob.slice(0, blob.size, blob.type)),
});

export class File extends Blob {
  #name;
  #lastModified;

  constructor(parts, name, options = undefined) {
    requireArguments(arguments.length, 2, "File constructor");
    super(parts, options);
    const { lastModified } = dictionary(options, "File options");
    this.#name = toUSVString(name);
    this.#lastModified = lastModified === undefined ? Date.now() : toLongLong(lastModified);
  }

  get name() {
    return this.#name;
  }
  get lastModified() {
    return this.#lastModified;
  }
}
const cloneFile = (file) => new File([file], file.name, { type: file.type, lastModified: file.lastModified });
expose(File, { show: ["size", "type", "name", "lastModified"], clone: cloneFile });
