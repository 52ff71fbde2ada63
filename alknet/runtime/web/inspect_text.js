// Text of primitive values, as source would have it.

const kControl = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
export const kControls = new RegExp(kControl, "g");
export const kShort = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\", "\v": "\\x0B" };

/** `text` in quotes: single ones unless it has some itself. */
export function quote(text) {
  let mark = "'";
  if (text.includes("'")) mark = !text.includes('"') ? '"' : !text.includes("`") && !text.includes("${") ? "`" : "'";
  const escape = (character) => {
    if (character === "'") return mark === "'" ? "\\'" : "'";
    const code = character.charCodeAt(0);
    return (
      kShort[character] ??
      (code > 255 ? `\\u${code.toString(16)}` : `\\x${code.toString(16).toUpperCase().padStart(2, "0")}`)
    );
  };
  return mark + (kControl.test(text) ? text.replace(kControls, escape) : text) + mark;
}

export function formatPrimitive(value, context) {
  switch (typeof value) {
    case "string": {
      let text = value;
      let rest = "";
      if (text.length > context.maxStringLength) {
        const left = text.length - context.maxStringLength;
        text = text.slice(0, context.maxStringLength);
        rest = `... ${left} more character${left > 1 ? "s" : ""}`;
      }
      // A long text goes on lines of its own where it has line ends.
      const room = context.breakLength - context.indentation - 4;
      if (text.length > 16 && text.length > room && text.includes("\n")) {
        const lines = text.split(/(?<=\n)/).map(quote);
        return lines.join(` +\n${" ".repeat(context.indentation + 2)}`) + rest;
      }
      return quote(text) + rest;
    }
    case "number":
      return Object.is(value, -0) ? "-0" : `${value}`;
    case "bigint":
      return `${value}n`;
    default:
      return String(value);
  }
}
