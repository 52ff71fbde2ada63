const kChunk = 0x8000;

/**
 * Bytes as base64 with padding (RFC 4648 section 4).
 * @param {Uint8Array} bytes
 */
export function base64Encode(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += kChunk) {
    text += String.fromCharCode(...bytes.subarray(at, at + kChunk));
  }
  return btoa(text);
}

/**
 * The bytes of such text; undefined when it is no base64 with padding.
 * @param {string} text
 * @returns {Uint8Array | undefined}
 */
export function base64Decode(text) {
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/=]/.test(text)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return base64Encode(bytes) === text ? bytes : undefined; // bits set behind the last byte
  } catch {
    return undefined;
  }
}

/**
 * Element types in which numbers may be written as bytes, all little-endian.
 * @type {Record<string, {size: number, write: (view: DataView, at: number, text: string) => void,
 *   read: (view: DataView, at: number) => number}>}
 */
export const kElementTypes = {
  f32: {
    size: 4,
    write: (view, at, text) => view.setFloat32(at, Number(text), true),
    read: (view, at) => view.getFloat32(at, true),
  },
  f64: {
    size: 8,
    write: (view, at, text) => view.setFloat64(at, Number(text), true),
    read: (view, at) => view.getFloat64(at, true),
  },
  i32: {
    size: 4,
    write: (view, at, text) => view.setInt32(at, Number(text), true),
    read: (view, at) => view.getInt32(at, true),
  },
  i64: {
    size: 8,
    write: (view, at, text) => view.setBigInt64(at, BigInt(text), true),
    read: (view, at) => Number(view.getBigInt64(at, true)),
  },
  u8: {
    size: 1,
    write: (view, at, text) => view.setUint8(at, Number(text)),
    read: (view, at) => view.getUint8(at),
  },
};

/**
 * The numbers that little-endian bytes hold; undefined for a type that is not known or a length that does not fit.
 * @param {Uint8Array} bytes
 * @param {string} type  a name of `kElementTypes`
 * @returns {number[] | undefined}
 */
export function bytesToNumbers(bytes, type) {
  const element = Object.hasOwn(kElementTypes, type) ? kElementTypes[type] : undefined;
  if (element === undefined || bytes.length % element.size !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / element.size }, (_, index) => element.read(view, index * element.size));
}

/**
 * Numbers separated by commas, spaces or brackets, as bytes; undefined when one is no number.
 * @param {string} text
 * @param {string} type  a name of `kElementTypes`
 * @returns {Uint8Array | undefined}
 */
export function numbersToBytes(text, type) {
  const element = kElementTypes[type];
  const words = text.split(/[\s,[\]]+/).filter((word) => word !== "");
  if (element === undefined || words.some((word) => Number.isNaN(Number(word)))) return undefined;
  const bytes = new Uint8Array(words.length * element.size);
  const view = new DataView(bytes.buffer);
  try {
    words.forEach((word, index) => element.write(view, index * element.size, word));
  } catch {
    return undefined; // a fraction where an integer is wanted
  }
  return bytes;
}
