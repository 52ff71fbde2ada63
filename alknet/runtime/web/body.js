// Bodies of Request and Response (Fetch Standard, section 5.3).
import { host, load } from "alknet:web";

import { parseMultipart, serializeMultipart } from "./multipart.js";

const { Blob, FormData, blobBytes } = load("blobs");
const { bytesOf, concatenate, isBufferSource, toUSVString } = load("webidl");

const isStream = (value) =>
  typeof value === "object" && value !== null && value instanceof load("streams").ReadableStream;

/** {bytes | stream, type}: what a BodyInit holds, and the Content-Type that it brings. */
export function extract(init) {
  if (init instanceof Blob) return { bytes: blobBytes(init), type: init.type || null };
  if (isBufferSource(init)) return { bytes: bytesOf(init, "the body").slice(), type: null };
  if (init instanceof FormData) {
    const { bytes, boundary } = serializeMultipart(init);
    return { bytes, type: `multipart/form-data; boundary=${boundary}` };
  }
  if (typeof init === "object" && init !== null) {
    const { URLSearchParams } = load("url");
    if (init instanceof URLSearchParams) {
      return { bytes: host.utf8Encode(`${init}`), type: "application/x-www-form-urlencoded;charset=UTF-8" };
    }
    if (isStream(init)) {
      if (init.locked) throw new TypeError("The body's stream is locked already");
      return { stream: init, type: null };
    }
  }
  return { bytes: host.utf8Encode(toUSVString(init)), type: "text/plain;charset=UTF-8" };
}

/**
 * One body: bytes or a stream, read at most once. The stream of bytes is made when somebody asks for it.
 */
export class Body {
  #bytes;
  #stream;
  #used = false;

  constructor({ bytes = null, stream = null }) {
    this.#bytes = bytes;
    this.#stream = stream;
  }

  get stream() {
    if (!this.#stream) {
      const bytes = this.#bytes;
      const used = this.#used;
      this.#stream = new (load("streams").ReadableStream)({
        type: "bytes",
        start(controller) {
          if (!used && bytes.length > 0) controller.enqueue(bytes.slice());
          controller.close();
        },
      });
      if (used) this.#stream.getReader(); // it was read: the stream is there, but taken
    }
    return this.#stream;
  }
  get used() {
    return this.#used || (this.#stream !== null && load("streams").isDisturbed(this.#stream));
  }
  get unusable() {
    return this.used || (this.#stream?.locked ?? false);
  }
  /** The bytes if nobody asked for the stream. */
  get source() {
    return this.#stream ? null : this.#bytes;
  }

  /** A body with the same content; both can be read. */
  clone() {
    if (this.#stream) {
      const [one, other] = this.#stream.tee();
      this.#stream = one;
      return new Body({ stream: other });
    }
    return new Body({ bytes: this.#bytes });
  }

  /** All the bytes. */
  async consume() {
    if (this.unusable) throw new TypeError("Body is unusable: Body has already been read");
    this.#used = true;
    if (!this.#stream) return this.#bytes;
    const reader = this.#stream.getReader();
    const chunks = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!(value instanceof Uint8Array)) {
        const error = new TypeError("A chunk of the body is no Uint8Array");
        await reader.cancel(error);
        throw error;
      }
      chunks.push(value);
    }
    return chunks.length === 0 ? new Uint8Array(0) : concatenate(chunks);
  }
}

function decode(bytes) {
  const text = host.utf8Decode(bytes, false, true)[0];
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

async function formData(bytes, type) {
  const [essence, ...rest] = (type ?? "").split(";");
  const kind = essence.trim().toLowerCase();
  if (kind === "multipart/form-data") {
    const found = /^\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(rest.find((part) => /^\s*boundary=/i.test(part)) ?? "");
    if (!found) throw new TypeError("The Content-Type has no boundary");
    return parseMultipart(bytes, found[1] ?? found[2]);
  }
  if (kind === "application/x-www-form-urlencoded") {
    const form = new FormData();
    for (const [name, value] of load("url").parseForm(decode(bytes))) form.append(name, value);
    return form;
  }
  throw new TypeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".');
}

/** Adds the members of Body to `Class`; `bodyOf(object)` is its Body or null, `typeOf(object)` its Content-Type. */
export function mixBody(Class, bodyOf, typeOf) {
  const bytes = async (object) => (await bodyOf(object)?.consume()) ?? new Uint8Array(0);
  const members = {
    get body() {
      return bodyOf(this)?.stream ?? null;
    },
    get bodyUsed() {
      return bodyOf(this)?.used ?? false;
    },
    async arrayBuffer() {
      return (await bytes(this)).slice().buffer;
    },
    async blob() {
      return new Blob([await bytes(this)], { type: typeOf(this) ?? "" });
    },
    async bytes() {
      return (await bytes(this)).slice();
    },
    async formData() {
      return formData(await bytes(this), typeOf(this));
    },
    async json() {
      return JSON.parse(decode(await bytes(this)));
    },
    async text() {
      return decode(await bytes(this));
    },
  };
  Object.defineProperties(Class.prototype, Object.getOwnPropertyDescriptors(members));
}
