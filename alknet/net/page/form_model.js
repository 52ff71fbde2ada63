import { kForms } from "./form_kinds.js";
import { member, numberMember, pointerSteps } from "./json.js";
import { describe } from "./schema.js";

/** @typedef {import("./json.js").Schema} Schema */
/** @typedef {import("./schema.js").Shape} Shape */
/** @typedef {{node: FormNode, pointer: string, message: string}} FormError */
/** @typedef {(id: string) => unknown} FindHandle  the handle {$tensor, dtype, shape} of that id, or undefined */

/** Schemas deeper, and more fields, than this are written as JSON: a schema may ask for fields without end. */
const kDepth = 8;
const kFields = 2000;
/** Array items that a form makes by itself because the schema asks for so many. */
const kFirstItems = 32;

/** One value of a form: what its schema asks for and what has been entered so far. */
export class FormNode {
  /**
   * @param {Schema} schema
   * @param {FormModel} model
   * @param {number} depth
   * @param {boolean} optional
   */
  constructor(schema, model, depth, optional) {
    const shape = describe(model.take() ? schema : true, model.root);
    const nested = ["object", "record", "array", "choice"].includes(shape.kind);
    /** @type {Shape} */
    this.shape = nested && depth > kDepth ? { ...shape, kind: "json" } : shape;
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

  /** A node for the next item of an array. */
  itemNode() {
    const schema = this.shape.prefix[this.items.length] ?? this.shape.items;
    return new FormNode(schema, this.model, this.depth + 1, false);
  }

  /** Appends an item of an array. */
  addItem() {
    const node = this.itemNode();
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
