import { isObject, member } from "./json.js";

const kKept = 200; // the newest items
const kPoints = 240;
const kTextLimit = 20000;
const kRateWindow = 2000; // milliseconds over which the rate is taken

/** What is kept of a subscription: the newest items, their count and rate, numbers and text in them. */
export class LiveItems {
  /** @param {() => number} now  milliseconds */
  constructor(now) {
    this.now = now;
    this.started = now();
    this.count = 0;
    /** @type {{index: number, at: number, item: unknown}[]} the newest first; `at` in milliseconds from the start */
    this.newest = [];
    /** @type {number[]} */
    this.times = [];
    /** @type {number[]} the number of each item, or its first member that is one */
    this.numbers = [];
    /** The name of that member; "" for the item itself. */
    this.numberName = "";
    /** The texts of all items in a row, when they have any: words that a model generates. */
    this.text = "";
  }

  /** @param {unknown} item */
  push(item) {
    const at = this.now() - this.started;
    this.newest.unshift({ index: this.count++, at, item });
    if (this.newest.length > kKept) this.newest.pop();
    this.times.push(at);
    if (this.times.length > 4096) this.times.splice(0, 2048);
    const [name, number] = numberIn(item);
    if (number !== undefined && (this.numbers.length === 0 || name === this.numberName)) {
      this.numberName = name;
      this.numbers.push(number);
      if (this.numbers.length > kPoints) this.numbers.shift();
    }
    const text = textIn(item);
    if (text !== undefined) this.text = (this.text + text).slice(-kTextLimit);
  }

  /** Items a second lately. */
  rate() {
    const now = this.now() - this.started;
    const from = Math.max(0, now - kRateWindow);
    const recent = this.times.filter((time) => time >= from).length;
    return recent === 0 ? 0 : (recent * 1000) / Math.max(now - from, 1);
  }

  /** Items a second from start to the last item. */
  meanRate() {
    const last = this.times[this.times.length - 1];
    return last === undefined ? 0 : (this.count * 1000) / Math.max(last, 1);
  }
}

/**
 * @param {unknown} item
 * @returns {[string, number | undefined]}
 */
function numberIn(item) {
  if (typeof item === "number") return ["", item];
  const entries = isObject(item) ? Object.entries(item) : [];
  // A counter says nothing that the place in the list does not.
  const [name, number] = entries.find(
    ([key, value]) => typeof value === "number" && !/^(index|step|id|seq|n|token)$/.test(key),
  ) ??
    entries.find(([, value]) => typeof value === "number") ?? ["", undefined];
  return [name, typeof number === "number" ? number : undefined];
}

/** @param {unknown} item */
function textIn(item) {
  const text = typeof item === "string" ? item : (member(item, "text") ?? member(item, "token"));
  return typeof text === "string" ? text : undefined;
}
