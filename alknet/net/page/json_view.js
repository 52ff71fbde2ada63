import { base64Decode, bytesToNumbers } from "./bytes.js";
import { element, longText, quietButton, svgElement } from "./dom.js";
import { isObject, textMember } from "./json.js";
import { linesThrough, numbersOf, shortNumber, statistics } from "./series.js";

const kOpenDepth = 2; // levels that are shown without being asked for
const kOpenItems = 24; // in one of them
const kChunk = 50;
const kVector = 8; // numbers that are drawn rather than listed
const kDecoded = 4 << 20; // characters of base64 that are decoded to be drawn
const kLine = [160, 24]; // width and height of a drawing

/**
 * A JSON value for reading: levels and long lists are folded and built when they are opened, arrays of numbers drawn.
 * @param {unknown} value
 * @param {number} [depth]
 * @returns {HTMLElement}
 */
export function jsonView(value, depth = 0) {
  if (Array.isArray(value)) return arrayView(value, depth);
  if (isObject(value)) return objectView(value, depth);
  const type = value === null ? "null" : typeof value;
  return element("span", { class: `json-${type}` }, longText(JSON.stringify(value) ?? "nothing"));
}

/**
 * A line through numbers.
 * @param {readonly number[]} numbers
 * @param {number} [width]
 * @param {number} [height]
 */
export function sparkline(numbers, width = kLine[0] ?? 0, height = kLine[1] ?? 0) {
  const range = statistics(numbers);
  const label = range
    ? `${numbers.length} numbers from ${shortNumber(range.min)} to ${shortNumber(range.max)}`
    : "no numbers";
  const lines = linesThrough(numbers, width, height - 2).map((points) =>
    svgElement("polyline", { points, transform: "translate(0 1)" }),
  );
  const box = {
    class: "sparkline",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": label,
  };
  return svgElement("svg", { ...box, preserveAspectRatio: "none" }, ...lines);
}

/**
 * @param {readonly unknown[]} values
 * @param {number} depth
 */
function arrayView(values, depth) {
  if (values.length === 0) return element("span", { class: "json-empty" }, "[ ]");
  const numbers = values.length >= kVector ? numbersOf(values) : undefined;
  if (numbers !== undefined) return vectorView(numbers, values, depth);
  if (values.length < kVector && values.every((item) => typeof item === "number")) {
    return element("span", { class: "json-number" }, `[${values.join(", ")}]`);
  }
  const rows = values.map((item, index) => /** @type {[string, unknown]} */ ([String(index), item]));
  return folded(`[ ${count(values.length, "item")} ]`, rows, depth, "json-index");
}

/**
 * @param {import("./json.js").JsonObject} value
 * @param {number} depth
 */
function objectView(value, depth) {
  const rows = Object.entries(value);
  const numbers = tensorNumbers(value);
  if (numbers !== undefined) rows.push([`data as ${textMember(value, "dtype")}`, numbers]);
  if (rows.length === 0) return element("span", { class: "json-empty" }, "{ }");
  const handle = textMember(value, "$tensor");
  if (handle !== "") return handleView(handle, value);
  return folded(`{ ${count(rows.length, "member")} }`, rows, depth, "json-key");
}

/**
 * The elements in what reading a tensor answers: {dtype, shape, data}.
 * @param {import("./json.js").JsonObject} value
 */
function tensorNumbers(value) {
  const data = textMember(value, "data");
  if (data === "" || data.length > kDecoded) return undefined;
  const bytes = base64Decode(data);
  return bytes && bytesToNumbers(bytes, textMember(value, "dtype"));
}

/**
 * A tensor handle as a chip.
 * @param {string} id
 * @param {unknown} value  {$tensor, dtype, shape}
 */
export function handleView(id, value) {
  return element("span", { class: "handle" }, element("b", {}, id), ` ${tensorText(value)}`);
}

/**
 * "f32 [2, 3]"
 * @param {unknown} value  {dtype, shape}
 */
export function tensorText(value) {
  const shape = isObject(value) && Array.isArray(value["shape"]) ? value["shape"].map(String).join(", ") : "";
  return `${textMember(value, "dtype")} [${shape}]`;
}

/**
 * @param {readonly number[]} numbers
 * @param {readonly unknown[]} values  the same with the texts of special numbers
 * @param {number} depth
 */
function vectorView(numbers, values, depth) {
  const range = statistics(numbers);
  const facts =
    range && `min ${shortNumber(range.min)} · max ${shortNumber(range.max)} · mean ${shortNumber(range.mean)}`;
  const summary = element("span", { class: "vector" }, sparkline(numbers), element("span", { class: "facts" }, facts));
  const rows = values.map((item, index) => /** @type {[string, unknown]} */ ([String(index), item]));
  return folded(`[ ${count(values.length, "number")} ]`, rows, Math.max(depth, kOpenDepth), "json-index", summary);
}

/**
 * @param {string} title
 * @param {readonly [string, unknown][]} rows
 * @param {number} depth
 * @param {string} keyClass
 * @param {Node} [beside]  what is shown whether open or not
 */
function folded(title, rows, depth, keyClass, beside) {
  const list = element("div", { class: "json-rows" });
  const open = depth < kOpenDepth && rows.length <= kOpenItems;
  const fold = element(
    "details",
    {},
    element("summary", {}, element("span", { class: "json-size" }, title), beside),
    list,
  );
  const fill = () => {
    if (list.childElementCount === 0) appendRows(list, rows, 0, depth, keyClass);
  };
  fold.addEventListener("toggle", fill);
  if (open) {
    fill();
    fold.open = true;
  }
  return fold;
}

/**
 * @param {HTMLElement} list
 * @param {readonly [string, unknown][]} rows
 * @param {number} from
 * @param {number} depth
 * @param {string} keyClass
 */
function appendRows(list, rows, from, depth, keyClass) {
  for (const [name, value] of rows.slice(from, from + kChunk)) {
    const key = element("span", { class: keyClass }, longText(name, 120));
    const view = jsonView(value, depth + 1);
    if (view instanceof HTMLDetailsElement) view.querySelector("summary")?.prepend(key);
    list.append(view instanceof HTMLDetailsElement ? view : element("div", { class: "json-row" }, key, view));
  }
  const left = rows.length - from - kChunk;
  if (left <= 0) return;
  const more = quietButton(`${Math.min(left, kChunk)} more of ${left}`, () => {
    more.remove();
    appendRows(list, rows, from + kChunk, depth, keyClass);
  });
  list.append(more);
}

/**
 * "1 item", "3 items"
 * @param {number} number
 * @param {string} thing
 */
export function count(number, thing) {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}
