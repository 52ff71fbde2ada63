// What the global object has under each of `names`, as rows of a table: for docs/web-platform.md.
(names) => {
  const own = (object) =>
    Reflect.ownKeys(object).filter(
      (key) => typeof key === "string" && !/^[A-Z_]+$/.test(key) && !key.startsWith("_"),
    );
  const skip = ["constructor", "prototype", "name", "length", "arguments", "caller"];
  const ofErrors = ["captureStackTrace", "stackTraceLimit", "prepareStackTrace"];
  const wanted = (keys) => keys.filter((key) => !skip.includes(key) && !ofErrors.includes(key)).sort();
  const quote = (keys) => keys.map((key) => "`" + key + "`").join(", ");
  const describe = (name) => {
    const value = globalThis[name];
    if (typeof value !== "function") {
      if (value === globalThis) return "the global object";
      const type = Object.getPrototypeOf(value).constructor.name;
      return type === "Object" ? "object: " + quote(wanted(own(value))) : "`" + type + "`";
    }
    if (!/^[A-Z]/.test(name)) return "function";
    const statics = wanted(own(value)).map((key) => name + "." + key);
    const members = own(value.prototype)
      .filter((key) => key !== "constructor")
      .sort();
    const parent = Object.getPrototypeOf(value);
    return [parent.name ? "extends `" + parent.name + "`" : "", quote(statics), quote(members)]
      .filter((text) => text)
      .join("; ");
  };
  return [...names]
    .sort()
    .map((name) => "| `" + name + "` | " + describe(name) + " |")
    .join("\n");
}
