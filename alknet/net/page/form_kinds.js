import { base64Decode, base64Encode, numbersToBytes } from "./bytes.js";
import { isObject, jsonEqual, numberMember, pointerTo, setMember, textMember } from "./json.js";

/** @typedef {import("./form_model.js").FormNode} FormNode */
/** @typedef {import("./form_model.js").FormError} FormError */
/** @typedef {import("./schema.js").ShapeKind} ShapeKind */

const kTimestamp = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const kSpecialNumbers = ["NaN", "Infinity", "-Infinity"];
const kNumber = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const kInteger = /^-?\d+$/;

/**
 * @typedef {object} Form  How the values of one kind are read from a node and put into it.
 * @property {(node: FormNode, fail: (message: string) => void, pointer: string, errors: FormError[]) => unknown} read
 * @property {(node: FormNode, value: unknown) => boolean} fill
 */

/** @param {(value: unknown) => string | undefined} text  of a value that fits */
function textFill(text) {
  return (/** @type {FormNode} */ node, /** @type {unknown} */ value) => {
    const written = text(value);
    if (written === undefined) return false;
    node.text = written;
    return true;
  };
}

/** @type {Record<ShapeKind, Form>} */
export const kForms = {
  object: { read: readMembers, fill: fillMembers },
  record: { read: readMembers, fill: fillMembers },
  array: {
    read(node, fail, pointer, errors) {
      checkCount(node, node.items.length, fail);
      return node.items.map((item, index) => item.read(pointerTo(pointer, index), errors));
    },
    fill(node, value) {
      if (!Array.isArray(value)) return false;
      node.items = [];
      return value.every((item) => node.addItem().fill(item));
    },
  },
  list: {
    read(node, fail, pointer) {
      const item = node.itemNode();
      const words = node.text.split(/[\s,[\]]+/).filter((word) => word !== "");
      checkCount(node, words.length, fail);
      return words.map((word, index) => {
        item.text = word;
        return kForms[item.shape.kind].read(item, (message) => fail(`number ${index + 1}: ${message}`), pointer, []);
      });
    },
    fill: textFill((value) =>
      Array.isArray(value) && value.every((item) => typeof item === "number" || typeof item === "string")
        ? value.join(", ")
        : undefined,
    ),
  },
  choice: {
    read(node, fail, pointer, errors) {
      if (node.variant === undefined) return fail("choose a form");
      return node.variant.read(pointer, errors);
    },
    fill(node, value) {
      return node.shape.variants.some((_, index) => {
        node.choose(index);
        return node.variant?.fill(value) && conforms(node.variant);
      });
    },
  },
  enum: {
    read: (node, fail) => (node.selected < 0 ? fail("choose a value") : node.shape.options[node.selected]),
    fill(node, value) {
      node.selected = node.shape.options.findIndex((option) => jsonEqual(option, value));
      return node.selected >= 0;
    },
  },
  const: {
    read: (node) => node.shape.options[0],
    fill: (node, value) => jsonEqual(node.shape.options[0], value),
  },
  boolean: {
    read: (node) => node.checked,
    fill(node, value) {
      node.checked = value === true;
      return typeof value === "boolean";
    },
  },
  null: { read: () => null, fill: (_node, value) => value === null },
  integer: {
    read(node, fail) {
      const text = node.text.trim();
      if (text === "") return fail("an integer is needed");
      const value = Number(text);
      if (Number.isInteger(value) && (kInteger.test(text) || kNumber.test(text))) {
        if (Number.isSafeInteger(value)) return inRange(node, value, fail);
        if (node.shape.wide && kInteger.test(text)) return wideInteger(node, text, fail);
        if (!node.shape.wide) return inRange(node, value, fail);
      }
      return fail(`${shown(text)} is no integer`);
    },
    fill: textFill((value) =>
      Number.isInteger(value) || (typeof value === "string" && kInteger.test(value)) ? String(value) : undefined,
    ),
  },
  number: {
    read(node, fail) {
      const text = node.text.trim();
      if (text === "") return fail("a number is needed");
      if (node.shape.special && kSpecialNumbers.includes(text)) return text;
      if (!kNumber.test(text)) return fail(`${shown(text)} is no number`);
      return inRange(node, Number(text), fail);
    },
    fill: textFill((value) =>
      typeof value === "number" || kSpecialNumbers.includes(/** @type {string} */ (value)) ? String(value) : undefined,
    ),
  },
  string: {
    read(node, fail) {
      const length = [...node.text].length;
      const low = numberMember(node.shape.schema, "minLength") ?? 0;
      const high = numberMember(node.shape.schema, "maxLength") ?? Infinity;
      if (length < low) return fail(length === 0 ? "a text is needed" : `at least ${low} characters, not ${length}`);
      if (length > high) return fail(`at most ${high} characters, not ${length}`);
      return node.text;
    },
    fill: textFill((value) => (typeof value === "string" ? value : undefined)),
  },
  timestamp: {
    read(node, fail) {
      const text = node.text.trim();
      return kTimestamp.test(text) ? text : fail("a date and time such as 2026-01-31T12:00:00Z");
    },
    fill: textFill((value) => (typeof value === "string" ? value : undefined)),
  },
  bytes: {
    read(node, fail) {
      if (node.file !== undefined) return base64Encode(node.file.bytes);
      if (node.form === "text") return base64Encode(new TextEncoder().encode(node.text));
      if (node.form === "base64") {
        const text = node.text.replaceAll(/\s/g, "");
        return base64Decode(text) === undefined ? fail("this is no base64 with padding") : text;
      }
      const bytes = numbersToBytes(node.text, node.form);
      return bytes === undefined ? fail(`numbers of ${node.form}, separated by commas or spaces`) : base64Encode(bytes);
    },
    fill(node, value) {
      if (typeof value !== "string") return false;
      Object.assign(node, { text: value, form: "base64", file: undefined });
      return true;
    },
  },
  tensor: {
    read(node, fail) {
      const text = node.text.trim();
      if (text === "") return fail("a tensor handle is needed: pick one made in this session");
      if (text.startsWith("{")) return parsed(text, fail);
      return node.model.findHandle(text) ?? fail(`this session has no tensor ${shown(text)}; paste its handle as JSON`);
    },
    fill: textFill((value) => {
      const id = textMember(value, "$tensor");
      return isObject(value) ? (id === "" ? JSON.stringify(value) : id) : undefined;
    }),
  },
  json: {
    read: (node, fail) => (node.text.trim() === "" ? fail("a JSON value is needed") : parsed(node.text, fail)),
    fill: textFill((value) => JSON.stringify(value, null, 2)),
  },
  never: { read: (_node, fail) => fail("the schema allows no value here"), fill: () => false },
};

/**
 * Objects and records: declared members that are included, then the others.
 * @type {Form["read"]}
 */
function readMembers(node, fail, pointer, errors) {
  const value = {};
  for (const [name, child] of node.members) {
    if (child.included) setMember(value, name, child.read(pointerTo(pointer, name), errors));
  }
  for (const { key, node: child } of node.entries) {
    if (Object.hasOwn(value, key)) fail(`two members are named ${shown(key)}`);
    setMember(value, key, child.read(pointerTo(pointer, key), errors));
  }
  const count = Object.keys(value).length;
  const low = numberMember(node.shape.schema, "minProperties") ?? 0;
  const high = numberMember(node.shape.schema, "maxProperties") ?? Infinity;
  if (count < low) fail(`at least ${low} members, not ${count}`);
  if (count > high) fail(`at most ${high} members, not ${count}`);
  return value;
}

/** @type {Form["fill"]} */
function fillMembers(node, value) {
  if (!isObject(value)) return false;
  node.entries = [];
  for (const [name, child] of node.members) {
    const given = Object.hasOwn(value, name);
    if (given ? !child.fill(value[name]) : !child.optional) return false;
    child.included = given;
  }
  const others = Object.keys(value).filter((name) => !node.members.has(name));
  if (others.length > 0 && node.shape.values === undefined) return false;
  return others.every((name) => node.addEntry(name).node.fill(value[name]));
}

/**
 * @param {FormNode} node  of an array
 * @param {number} count
 * @param {(message: string) => void} fail
 */
function checkCount(node, count, fail) {
  const low = numberMember(node.shape.schema, "minItems") ?? 0;
  const high = numberMember(node.shape.schema, "maxItems") ?? Infinity;
  if (count < low) fail(`at least ${low} items, not ${count}`);
  if (count > high) fail(`at most ${high} items, not ${count}`);
}

/** @param {FormNode} node */
function conforms(node) {
  /** @type {FormError[]} */
  const errors = [];
  node.read("", errors);
  return errors.length === 0;
}

/**
 * @param {FormNode} node
 * @param {number} value
 * @param {(message: string) => void} fail
 */
function inRange(node, value, fail) {
  const { minimum, maximum, schema } = node.shape;
  const above = numberMember(schema, "exclusiveMinimum");
  const below = numberMember(schema, "exclusiveMaximum");
  if (minimum !== undefined && value < minimum) return fail(`at least ${minimum}`);
  if (maximum !== undefined && value > maximum) return fail(`at most ${maximum}`);
  if (above !== undefined && value <= above) return fail(`more than ${above}`);
  if (below !== undefined && value >= below) return fail(`less than ${below}`);
  return value;
}

/**
 * A 64-bit integer outside the exact range of numbers, as the decimal string that the gateway takes.
 * @param {FormNode} node
 * @param {string} text
 * @param {(message: string) => void} fail
 */
function wideInteger(node, text, fail) {
  const value = BigInt(text);
  const unsigned = node.shape.type === "Uint64";
  const [low, high] = unsigned ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
  return value < low || value > high ? fail(`between ${low} and ${high}`) : String(value);
}

/**
 * @param {string} text
 * @param {(message: string) => void} fail
 * @returns {unknown}
 */
function parsed(text, fail) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(`this is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {string} text */
function shown(text) {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
