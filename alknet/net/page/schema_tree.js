import { element, longText, quietButton } from "./dom.js";
import { member, numberMember } from "./json.js";
import { describe, kindName } from "./schema.js";

/** @typedef {import("./json.js").Schema} Schema */
/** @typedef {import("./schema.js").Shape} Shape */
/** @typedef {{name: string, schema: Schema, required?: boolean}} Row */

const kOpenDepth = 1;
const kRows = 100;
const kListedOptions = 24;

/**
 * A schema as a tree of names, types and limits. Levels are built when they are opened, so a recursive schema is no
 * different from another.
 * @param {Schema} schema
 * @param {Schema} [root]
 */
export function schemaTree(schema, root = schema) {
  const shape = describe(schema, root);
  const rows = rowsBelow(shape);
  const nothing = shape.kind === "object" && rows.length === 0;
  const head = shape.kind === "object" && rows.length > 0 ? null : nodeLine(shape);
  return element(
    "div",
    { class: "schema-tree" },
    nothing ? element("p", { class: "note" }, "No members.") : head,
    rowList(rows, root, 0),
  );
}

/**
 * @param {readonly Row[]} rows
 * @param {Schema} root
 * @param {number} depth
 */
function rowList(rows, root, depth) {
  const list = element("ul", {});
  const show = (/** @type {number} */ from) => {
    list.append(...rows.slice(from, from + kRows).map((row) => treeRow(row, root, depth)));
    if (rows.length <= from + kRows) return;
    const more = element(
      "li",
      {},
      quietButton(`${rows.length - from - kRows} more`, () => (more.remove(), show(from + kRows))),
    );
    list.append(more);
  };
  show(0);
  return list;
}

/**
 * @param {Row} row
 * @param {Schema} root
 * @param {number} depth
 */
function treeRow({ name, schema, required }, root, depth) {
  const shape = describe(schema, root);
  const rows = rowsBelow(shape);
  const line = nodeLine(shape, name, required);
  const note = shape.description && element("p", { class: "note" }, longText(shape.description, 400));
  if (rows.length === 0) return element("li", {}, line, note);
  const fold = element("details", {}, element("summary", {}, line), note);
  let built = false;
  const build = () => {
    if (!built) fold.append(rowList(rows, root, depth + 1));
    built = true;
  };
  fold.addEventListener("toggle", build);
  if (depth < kOpenDepth && rows.length <= kListedOptions) {
    build();
    fold.open = true;
  }
  return element("li", {}, fold);
}

/**
 * @param {Shape} shape
 * @param {string} [name]
 * @param {boolean} [required]
 */
function nodeLine(shape, name, required) {
  const limits = limitsText(shape);
  return element(
    "span",
    { class: "schema-line" },
    name !== undefined && element("span", { class: "schema-name" }, longText(name, 120)),
    element("span", { class: "schema-type" }, longText(shape.type, 120)),
    required && element("span", { class: "required" }, "required"),
    limits && element("span", { class: "schema-limits" }, longText(limits, 240)),
  );
}

/**
 * @param {Shape} shape
 * @returns {Row[]}
 */
function rowsBelow(shape) {
  const further =
    shape.values === undefined || shape.values === true ? [] : [{ name: "any name", schema: shape.values }];
  if (shape.kind === "choice") return shape.variants.map(({ label, schema }) => ({ name: label, schema }));
  if (shape.kind !== "array") return [...shape.properties, ...further];
  const prefix = shape.prefix.map((schema, index) => ({ name: `[${index}]`, schema }));
  return shape.items === true || shape.items === false ? prefix : [...prefix, { name: "each", schema: shape.items }];
}

/**
 * Pairs of keywords and what they count.
 * @type {[string, string, string][]}
 */
const kRanges = [
  ["minLength", "maxLength", "character"],
  ["minItems", "maxItems", "item"],
  ["minProperties", "maxProperties", "member"],
];

/** @type {[string, string][]} */
const kLimits = [
  ["exclusiveMinimum", "more than"],
  ["exclusiveMaximum", "less than"],
  ["multipleOf", "a multiple of"],
];

/**
 * "1 to 9", "≥ 1", "≤ 9" or nothing
 * @param {number | undefined} low
 * @param {number | undefined} high
 */
function rangeText(low, high) {
  if (low !== undefined && high !== undefined) return low === high ? `${low}` : `${low} to ${high}`;
  return low !== undefined ? `≥ ${low}` : high !== undefined ? `≤ ${high}` : "";
}

/**
 * What else a schema asks of its value, in words.
 * @param {Shape} shape
 */
export function limitsText({ schema, kind, options, minimum, maximum }) {
  const words = [];
  if (options.length > 0) {
    const shown = options.slice(0, kListedOptions).map((option) => JSON.stringify(option));
    words.push(shown.join(" | ") + (options.length > shown.length ? ` … ${options.length} values` : ""));
  }
  // The range of a kind goes without saying.
  if (kindName(schema) === undefined || numberMember(schema, "minimum") !== undefined) {
    const range = rangeText(minimum, maximum);
    if (range !== "") words.push(range);
  }
  for (const [lower, upper, thing] of kRanges) {
    const [low, high] = [numberMember(schema, lower), numberMember(schema, upper)];
    const range = rangeText(low === 0 ? undefined : low, high);
    if (range !== "") words.push(`${range} ${thing}${(high ?? low) === 1 ? "" : "s"}`);
  }
  for (const [keyword, text] of kLimits) {
    const limit = numberMember(schema, keyword);
    if (limit !== undefined) words.push(`${text} ${limit}`);
  }
  const pattern = member(schema, "pattern");
  if (typeof pattern === "string" && kind === "string") words.push(`matches ${pattern}`);
  const initial = member(schema, "default");
  if (initial !== undefined) words.push(`default ${JSON.stringify(initial)}`);
  return words.join(" · ");
}
