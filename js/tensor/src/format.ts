// Elements of a tensor as text, laid out as PyTorch lays them out (torch/_tensor_str.py).
import type { TensorData } from "./dtype.ts";

/** More elements than this are summarised. */
export const kThreshold = 1000;
/** How many are shown at each end of a dimension that is. */
export const kEdge = 3;
const kLine = 80;
const kDigits = 4;

type Write = (value: number | bigint) => string;

/** How numbers with fractions are written, all in one way: as integers, with four digits, or with an exponent. */
function floatForm(values: readonly number[]): Write {
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const whole = sizes.every(Number.isInteger);
  const wide = sizes.length > 0 && (largest / smallest > 1000 || largest > 1e8 || (!whole && smallest < 1e-4));
  return (given) => {
    const value = Number(given);
    if (Number.isNaN(value)) return "nan";
    if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
    const sign = Object.is(value, -0) ? "-" : "";
    if (wide) return sign + value.toExponential(kDigits).replace(/e([+-])(\d)$/, "e$10$2");
    return sign + (whole ? `${value.toFixed(0)}.` : value.toFixed(kDigits));
  };
}

function formOf(dtype: string, data: TensorData): Write {
  if (dtype === "bool") return (value) => (Number(value) === 0 ? "false" : "true");
  if (/^b?f/.test(dtype)) return floatForm(Array.from(data as Float32Array));
  return String;
}

/** What is shown of one dimension: indices, and the gap. */
function shown(size: number, summarised: boolean): { readonly count: number; readonly gapAt: number } {
  return summarised && size > 2 * kEdge ? { count: 2 * kEdge, gapAt: kEdge } : { count: size, gapAt: -1 };
}

/** Whether only the ends of the long dimensions are shown. */
export function isSummarised(shape: readonly number[]): boolean {
  return shape.reduce((product, size) => product * size, 1) > kThreshold;
}

/**
 * The text of a tensor of `shape`. `data` has its elements in row-major order; of one that is summarised only those that
 * are shown: the first and last three of each dimension with more than six. `facts` stand behind the elements.
 */
export function formatElements(
  data: TensorData,
  dtype: string,
  shape: readonly number[],
  facts: readonly string[] = [],
): string {
  const summarised = isSummarised(shape);
  const form = formOf(dtype, data);
  const texts = Array.from(data as ArrayLike<number | bigint>, form);
  const width = texts.reduce((most, text) => Math.max(most, text.length), 0);
  const tail = [`${dtype} [${shape.join(", ")}]`, ...facts].join(", ");
  const begin = "tensor(";
  if (shape.length === 0) return `${begin}${texts[0] ?? ""}, ${tail})`;
  if (texts.length === 0) return `${begin}[], ${tail})`;
  let at = 0;
  const row = (size: number, indent: number): string => {
    const { count, gapAt } = shown(size, summarised);
    const items = Array.from({ length: count }, () => (texts[at++] ?? "").padStart(width));
    if (gapAt >= 0) items.splice(gapAt, 0, " ...");
    const perLine = Math.max(1, Math.floor((kLine - indent) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(", "));
    return `[${lines.join(`,\n${" ".repeat(indent + 1)}`)}]`;
  };
  const block = (depth: number, indent: number): string => {
    const size = shape[depth] as number;
    const below = shape.length - depth - 1;
    if (below === 0) return row(size, indent);
    const { count, gapAt } = shown(size, summarised);
    const parts = Array.from({ length: count }, () => block(depth + 1, indent + 1));
    if (gapAt >= 0) parts.splice(gapAt, 0, "...");
    return `[${parts.join(`,${"\n".repeat(below)}${" ".repeat(indent + 1)}`)}]`;
  };
  return `${begin}${block(0, begin.length)}, ${tail})`;
}
