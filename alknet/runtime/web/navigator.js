// navigator: what program this is. The platform layer adds `gpu`.
import { host, load } from "alknet:web";

const { expose } = load("webidl");

const kPrivate = Symbol("made once");

export class Navigator {
  #brand;
  constructor(key) {
    if (key !== kPrivate) throw new TypeError("Illegal constructor");
  }
  get userAgent() {
    this.#brand;
    return host.userAgent;
  }
  get hardwareConcurrency() {
    this.#brand;
    return host.hardwareConcurrency;
  }
}
expose(Navigator, { show: ["userAgent", "hardwareConcurrency"] });

export const navigator = new Navigator(kPrivate);
