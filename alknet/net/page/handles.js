import { arrayMember, isObject, textMember } from "./json.js";

/** @typedef {{id: string, dtype: string, shape: unknown[], value: unknown, operation: string}} Handle */

const kSearched = 10000; // values that are looked at in one answer

/** The tensors that calls of this session answered with and that were not disposed of since. */
export class HandleTable extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, Handle>} */
    this.handles = new Map();
  }

  /** @returns {Handle[]} the newest first */
  list() {
    return [...this.handles.values()].reverse();
  }

  /**
   * The handle {$tensor, dtype, shape} of that id.
   * @param {string} id
   */
  find(id) {
    return this.handles.get(id)?.value;
  }

  /**
   * Takes note of a call that succeeded.
   * @param {string} operation
   * @param {unknown} input
   * @param {unknown} output
   */
  note(operation, input, output) {
    for (const value of handlesIn(output)) {
      const id = textMember(value, "$tensor");
      this.handles.set(id, {
        id,
        dtype: textMember(value, "dtype"),
        shape: arrayMember(value, "shape"),
        value,
        operation,
      });
    }
    if (operation === "compute/dispose") {
      for (const handle of arrayMember(input, "handles")) {
        this.handles.delete(typeof handle === "string" ? handle : textMember(handle, "$tensor"));
      }
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Forgets all: a new session has none. */
  clear() {
    this.handles.clear();
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * The tensor handles anywhere in a value.
 * @param {unknown} value
 * @returns {unknown[]}
 */
export function handlesIn(value) {
  const found = [];
  const waiting = [value];
  for (let looked = 0; waiting.length > 0 && looked < kSearched; ++looked) {
    const next = waiting.pop();
    if (isObject(next) && textMember(next, "$tensor") !== "") found.push(next);
    else if (typeof next === "object" && next !== null && !(Array.isArray(next) && typeof next[0] === "number")) {
      waiting.push(...Object.values(next).slice(0, kSearched).reverse());
    }
  }
  return found;
}
