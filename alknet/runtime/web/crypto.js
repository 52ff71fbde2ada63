// crypto: random values and digests (Web Cryptography). No keys: what needs one is not there.
import { host, load } from "alknet:web";

const { bytesOf, expose, requireArguments } = load("webidl");

const kPrivate = Symbol("made by crypto");
const kQuota = 65536;
const kDigests = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
const kTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
const kIntegers = /^(Int|Uint)(8|16|32)Array$|^Uint8ClampedArray$|^Big(Int|Uint)64Array$/;

export class SubtleCrypto {
  #brand;
  constructor(key) {
    if (key !== kPrivate) throw new TypeError("Illegal constructor");
  }
  async digest(algorithm, data) {
    this.#brand;
    requireArguments(arguments.length, 2, "digest");
    const name = `${typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm}`.toUpperCase();
    const bytes = bytesOf(data, "digest: the data");
    if (!kDigests.includes(name)) throw new DOMException(`Unrecognized algorithm name: ${name}`, "NotSupportedError");
    return host.digest(name, bytes);
  }
}
expose(SubtleCrypto);

export class Crypto {
  #subtle = new SubtleCrypto(kPrivate);
  constructor(key) {
    if (key !== kPrivate) throw new TypeError("Illegal constructor");
  }
  get subtle() {
    return this.#subtle;
  }
  getRandomValues(array) {
    this.#subtle;
    requireArguments(arguments.length, 1, "getRandomValues");
    const tag = typeof array === "object" && array !== null ? kTag.call(array) : undefined;
    if (tag === undefined || !kIntegers.test(tag)) {
      throw new DOMException("The data argument must be an integer-type TypedArray", "TypeMismatchError");
    }
    if (array.byteLength > kQuota) {
      throw new DOMException(`The requested length exceeds ${kQuota} bytes`, "QuotaExceededError");
    }
    host.fillRandom(bytesOf(array));
    return array;
  }
  randomUUID() {
    this.#subtle;
    const hex = host.randomHex(16);
    const variant = ((parseInt(hex[16], 16) & 3) | 8).toString(16);
    const parts = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      variant + hex.slice(17, 20),
      hex.slice(20),
    ];
    return parts.join("-");
  }
}
expose(Crypto, { show: ["subtle"] });

export const crypto = new Crypto(kPrivate);
