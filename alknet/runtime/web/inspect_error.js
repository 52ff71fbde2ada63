// How console shows errors: name, message, stack, cause, further properties.

/** The first line of an error: a subclass that has no `name` of its own is shown by the name of its class. */
function headline(error, className) {
  const title = Error.prototype.toString.call(error);
  if (!className || className === "Error" || title.includes(className)) return title;
  return title.replace(/^[A-Za-z0-9_]*Error(?=$|:|\n)/, className);
}

/** {text, keys}: the text of the error and the keys of the properties to show behind it. */
export function describeError(context, error, className, keys) {
  let stack = "";
  let text;
  try {
    stack = typeof error.stack === "string" ? error.stack.replace(/\n+$/, "") : "";
    const title = headline(error, className);
    // QuickJS keeps the frames alone; a script may have put anything there.
    if (stack === "") text = `[${title}]`;
    else text = /^\s+at /.test(stack) ? `${title}\n${stack}` : stack;
  } catch {
    text = `[${className ?? "Error"}]`; // getters of script that throw
  }
  if (context.indentation > 0) text = text.replaceAll("\n", `\n${" ".repeat(context.indentation)}`);
  const told = (key) =>
    ["name", "message", "stack"].includes(key) && typeof error[key] === "string" && text.includes(error[key]);
  const shown = keys.filter((key) => !told(key));
  if (Object.hasOwn(error, "cause") && !keys.includes("cause")) shown.push("cause");
  if (Array.isArray(Object.getOwnPropertyDescriptor(error, "errors")?.value) && !keys.includes("errors"))
    shown.push("errors");
  return { text, keys: shown };
}
