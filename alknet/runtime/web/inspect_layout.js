// How the parts of an object go on lines: the rules of Node's util.inspect with `compact: 3`.

const kSeparation = 2; // ", "

/** How wide columns of items should be; 1 or less: no columns. A character is two and a half times as high as wide. */
function columnsFor(context, widths, total, longest, outputLength) {
  const widest = longest + kSeparation;
  if (widest * 3 + context.indentation >= context.breakLength) return 0;
  if (total / widest <= 5 && longest > 6) return 0;
  const biased = Math.max(widest - 3 - Math.sqrt(widest - total / outputLength), 1);
  return Math.min(
    Math.round(Math.sqrt(2.5 * biased * widths.length) / biased),
    Math.floor((context.breakLength - context.indentation) / widest),
    context.compact * 4,
    15,
  );
}

/** Arranges more than six short items of an array in columns; gives `output` itself when they stay as they are. */
export function group(context, output, value) {
  // "... n more items" stands alone.
  const count = context.maxArrayLength < output.length ? output.length - 1 : output.length;
  const widths = output.slice(0, count).map((text) => text.length);
  const total = widths.reduce((sum, width) => sum + width + kSeparation, 0);
  const longest = widths.reduce((most, width) => Math.max(most, width), 0);
  const columns = columnsFor(context, widths, total, longest, output.length);
  if (columns <= 1) return output;

  const columnWidths = Array.from({ length: columns }, (_, column) => {
    let width = 0;
    for (let i = column; i < count; i += columns) width = Math.max(width, widths[i]);
    return width + kSeparation;
  });
  const isNumber = (item) => typeof item === "number" || typeof item === "bigint";
  const numbers = output.every((_, i) => isNumber(value[i]));
  const lines = [];
  for (let first = 0; first < count; first += columns) {
    const last = Math.min(first + columns, count) - 1;
    let line = "";
    for (let i = first; i < last; i++) {
      const width = columnWidths[i - first];
      line += numbers ? `${output[i]}, `.padStart(width) : `${output[i]}, `.padEnd(width);
    }
    line += numbers ? output[last].padStart(columnWidths[last - first] - kSeparation) : output[last];
    lines.push(line);
  }
  return lines.concat(output.slice(count));
}

/** One line where the object is short and holds at most three levels, else one line an item. */
export function reduceToLines(context, output, { base, open, close, level, grouped }) {
  const lead = base ? `${base} ` : "";
  if (!grouped && context.currentDepth - level < context.compact && !base.includes("\n")) {
    const overhead = 2 * output.length + context.indentation + open.length + base.length + 10;
    const total = output.reduce((sum, text) => sum + text.length, overhead);
    if (total <= context.breakLength && overhead + output.length <= context.breakLength) {
      const joined = output.join(", ");
      if (!joined.includes("\n")) return `${lead}${open} ${joined} ${close}`;
    }
  }
  const indentation = `\n${" ".repeat(context.indentation)}`;
  return `${lead}${open}${indentation}  ${output.join(`,${indentation}  `)}${indentation}${close}`;
}
