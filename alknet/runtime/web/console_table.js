// console.table: rows and columns in a frame.
import { inspect } from "./inspect.js";

const kIndex = "(index)";
const kValues = "Values";

const cell = (value) =>
  inspect(value, {
    depth:
      typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0,
    maxArrayLength: 3,
    breakLength: Infinity,
  });

/** Columns of a terminal: letters of East Asia and most emoji are two wide. */
function widthOf(text) {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0);
    const wide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0x1f300 && code <= 0x1faff) ||
      (code >= 0x20000 && code <= 0x3fffd);
    width += wide ? 2 : 1;
  }
  return width;
}

function draw(head, rows) {
  const widths = head.map(
    (title, i) => rows.reduce((most, row) => Math.max(most, widthOf(row[i])), widthOf(title)) + 2,
  );
  const line = (cells) =>
    `│${cells.map((text, i) => ` ${text}${" ".repeat(widths[i] - widthOf(text) - 1)}`).join("│")}│`;
  const rule = (left, middle, right) => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const top = [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤")];
  return [...top, ...rows.map(line), rule("└", "┴", "┘")].join("\n");
}

function rowsOf(data) {
  if (data instanceof Map)
    return {
      index: "(iteration index)",
      rows: [...data].map(([key, value], i) => [i, { Key: key, [kValues]: value }, true]),
    };
  if (data instanceof Set) return { index: "(iteration index)", rows: [...data].map((value, i) => [i, value]) };
  return { index: kIndex, rows: Object.keys(data).map((key) => [key, data[key]]) };
}

/** The drawn table, or null for what has no rows. */
export function table(data, columns) {
  if (typeof data !== "object" || data === null) return null;
  if (columns !== undefined && !Array.isArray(columns)) throw new TypeError("console.table: the columns are no array");
  const { index, rows } = rowsOf(data);
  const names = new Map(); // in order of first sight
  let hasValues = false;
  const isRow = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
  for (const [, value] of rows) {
    if (isRow(value)) for (const key of columns ?? Object.keys(value)) names.set(key, true);
    else hasValues = true;
  }
  const keys = [...(columns ?? names.keys())];
  const head = [index, ...keys, ...(hasValues ? [kValues] : [])].map(String);
  const body = rows.map(([key, value]) => [
    `${key}`,
    ...keys.map((name) => (isRow(value) && Object.hasOwn(value, name) ? cell(value[name]) : "")),
    ...(hasValues ? [isRow(value) ? "" : cell(value)] : []),
  ]);
  return draw(head, body);
}
