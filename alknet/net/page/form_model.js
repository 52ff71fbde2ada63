import { base64Decode, base64Encode, numbersToBytes } from "./base64.js";
import { isObject, jsonEqual, member, numberMember, pointerSteps, pointerTo, setMember, textMember } from "./json.js";
import { describe } from "./schema.js";

/** @typedef {import("./json.js").Schema} Schema */
/** @typedef {import("./schema.js").Shape} Shape */
/** @typedef {import("./schema.js").ShapeKind} ShapeKind */
/** @typedef {{node: FormNode, pointer: string, message: string}} FormError */
/** @typedef {(id: string) => unknown} FindHandle  the handle {$tensor, dtype, shape} of that id, or undefined */

/** Schemas deeper than this, and more fields than this, are written as JSON: a schema may ask for fields without end. */
const kDepth = 8;
const kFields = 2000;
/** Array items that a form makes by itself because the schema asks for so many. */
const kFirstItems = 32;

const kTimestamp = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const kSpecialNumbers = ["NaN", "Infinity", "-Infinity"];
const kNumber = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const kInteger = /^-?\d+$/;

/** One value of a form: what its schema asks for and what has been entered so far. */
export class FormNode {
  /**
   * @param {Schema} schema
   * @param {FormModel} model
   * @param {number} depth
   * @param {boolean} optional
   */
  constructor(schema, model, depth, optional) {
    const shape = describe(schema, model.root);
    const nested = ["object", "record", "array", "choice"].includes(shape.kind);
    /** @type {Shape} */
    this.shape = (nested && depth > kDepth) || !model.take() ? { ...shape, kind: "json" } : shape;
    this.model = model;
    this.depth = depth;
    this.optional = optional;
    /** Whether the value is sent. */
    this.included = !optional;
    /** What stands in the field of a number, string, tensor or JSON text; base64 of bytes. */
    this.text = "";
    this.checked = false;
    /** Of an enum or a choice; -1: none yet. */
    this.selected = this.shape.kind === "enum" ? 0 : -1;
    /** How bytes are written: "base64", "text" or a name of kElementTypes. */
    this.form = "base64";
    /** @type {{name: string, bytes: Uint8Array} | undefined} */
    this.file = undefined;
    /** @type {{key: string, node: FormNode}[]} */
    this.entries = [];
    /** @type {FormNode[]} */
    this.items = [];
    /** @type {FormNode | undefined} */
    this.variant = undefined;
    /** @type {Map<string, FormNode>} */
    this.members = new Map();
    this.begun = false;
    if (!optional) this.begin();
  }

  /** The first state, made when the value is first wanted: what is required is there, defaults are filled in. */
  begin() {
    if (this.begun) return;
    this.begun = true;
    const { shape } = this;
    if (shape.kind === "object") {
      for (const { name, schema, required } of shape.properties) {
        this.members.set(name, new FormNode(schema, this.model, this.depth + 1, !required));
      }
    } else if (shape.kind === "array") {
      const count = Math.min(numberMember(shape.schema, "minItems") ?? shape.prefix.length, kFirstItems);
      for (let i = 0; i < count; ++i) this.addItem();
    } else if (shape.kind === "choice" && shape.variants.length > 0) {
      this.choose(0);
    }
    const initial = member(shape.schema, "default");
    if (initial !== undefined) kForms[shape.kind].fill(this, initial);
  }

  /** Appends an item of an array. */
  addItem() {
    const schema = this.shape.prefix[this.items.length] ?? this.shape.items;
    const node = new FormNode(schema, this.model, this.depth + 1, false);
    this.items.push(node);
    return node;
  }

  /**
   * Appends a member of a record.
   * @param {string} key
   */
  addEntry(key) {
    const entry = { key, node: new FormNode(this.shape.values ?? true, this.model, this.depth + 1, false) };
    this.entries.push(entry);
    return entry;
  }

  /**
   * Takes that form of a choice.
   * @param {number} index
   */
  choose(index) {
    this.selected = index;
    const variant = this.shape.variants[index];
    this.variant = variant && new FormNode(variant.schema, this.model, this.depth + 1, false);
  }

  /**
   * Sends the value or leaves it out.
   * @param {boolean} included
   */
  include(included) {
    this.included = included;
    if (included) this.begin();
  }

  /**
   * The value; problems go to `errors`.
   * @param {string} pointer
   * @param {FormError[]} errors
   * @returns {unknown}
   */
  read(pointer, errors) {
    const fail = (/** @type {string} */ message) => void errors.push({ node: this, pointer, message });
    return kForms[this.shape.kind].read(this, fail, pointer, errors);
  }

  /**
   * Shows `value` in the fields; false when it does not fit them.
   * @param {unknown} value
   * @returns {boolean}
   */
  fill(value) {
    this.include(true);
    return kForms[this.shape.kind].fill(this, value);
  }

  /** @returns {Iterable<[string, FormNode]>} the nodes below, by the step of the pointer that leads there */
  *children() {
    yield* this.members;
    for (const { key, node } of this.entries) yield [key, node];
    for (const [index, node] of this.items.entries()) yield [String(index), node];
  }
}

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
const kForms = {
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
      const item = new FormNode(node.shape.items, node.model, node.depth + 1, false);
      node.model.fields += 1;
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

/** A form for one schema. Nothing here touches a document, so that all of it is tested without a browser. */
export class FormModel {
  /**
   * @param {Schema} schema
   * @param {FindHandle} [findHandle]
   */
  constructor(schema, findHandle = () => undefined) {
    this.root = schema;
    this.findHandle = findHandle;
    this.fields = kFields;
    this.node = new FormNode(schema, this, 0, false);
    // An operation whose input may be anything takes no input by itself.
    if (this.node.shape.kind === "json") this.node.text = "{}";
  }

  /** Whether there may be one more field. */
  take() {
    return --this.fields >= 0;
  }

  /** @returns {{value: unknown, errors: FormError[]}} */
  read() {
    /** @type {FormError[]} */
    const errors = [];
    return { value: this.node.read("", errors), errors };
  }

  /**
   * Shows a whole input in the fields; false, with the form as new, when it does not fit them.
   * @param {unknown} value
   */
  fill(value) {
    this.fields = kFields;
    this.node = new FormNode(this.root, this, 0, false);
    if (this.node.fill(value)) return true;
    this.fields = kFields;
    this.node = new FormNode(this.root, this, 0, false);
    return false;
  }

  /**
   * The node that a pointer into the input leads to, or the last one on the way.
   * @param {string} pointer
   */
  find(pointer) {
    let node = this.node;
    for (const step of pointerSteps(pointer)) {
      while (node.variant !== undefined) node = node.variant;
      const next = [...node.children()].find(([name]) => name === step);
      if (next === undefined) break;
      node = next[1];
    }
    return node;
  }
}
