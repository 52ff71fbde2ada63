// FormData (XMLHttpRequest Standard, section 4).
import { load } from "alknet:web";

import { Blob, File } from "./blob.js";

const { definePairIterable, expose, printAs, requireArguments, toUSVString } = load("webidl");

/** Name and value of an entry as they are kept: a Blob becomes a File. */
function entry(what, given) {
  requireArguments(given.length, 2, what);
  const [name, value, filename] = given;
  const key = toUSVString(name);
  if (!(value instanceof Blob)) {
    if (given.length > 2) throw new TypeError(`${what}: only a Blob can have a file name`);
    return [key, toUSVString(value)];
  }
  if (value instanceof File && filename === undefined) return [key, value];
  const title = filename !== undefined ? toUSVString(filename) : "blob";
  return [
    key,
    new File([value], title, { type: value.type, ...(value instanceof File && { lastModified: value.lastModified }) }),
  ];
}

export class FormData {
  #list = [];

  constructor(form = undefined) {
    if (form !== undefined) throw new TypeError("FormData: there are no forms here");
  }

  append(name, value, filename = undefined) {
    this.#list.push(entry("FormData.append", arguments));
  }
  delete(name) {
    requireArguments(arguments.length, 1, "FormData.delete");
    const key = toUSVString(name);
    this.#list = this.#list.filter((pair) => pair[0] !== key);
  }
  get(name) {
    requireArguments(arguments.length, 1, "FormData.get");
    const key = toUSVString(name);
    return this.#list.find((pair) => pair[0] === key)?.[1] ?? null;
  }
  getAll(name) {
    requireArguments(arguments.length, 1, "FormData.getAll");
    const key = toUSVString(name);
    return this.#list.filter((pair) => pair[0] === key).map((pair) => pair[1]);
  }
  has(name) {
    requireArguments(arguments.length, 1, "FormData.has");
    const key = toUSVString(name);
    return this.#list.some((pair) => pair[0] === key);
  }
  set(name, value, filename = undefined) {
    const pair = entry("FormData.set", arguments);
    const first = this.#list.findIndex((other) => other[0] === pair[0]);
    if (first < 0) {
      this.#list.push(pair);
    } else {
      this.#list[first] = pair;
      this.#list = this.#list.filter((other, i) => i <= first || other[0] !== pair[0]);
    }
  }

  static {
    definePairIterable(this, (form, index) => form.#list[index]);
  }
}
expose(FormData);
printAs(FormData, (form, depth, options, inspect) => {
  const pairs = [...form].map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`);
  return pairs.length ? `FormData { ${pairs.join(", ")} }` : "FormData {}";
});
