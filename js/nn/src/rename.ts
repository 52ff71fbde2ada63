/**
 * From names in a file to names of parameters: names, and patterns with one `*` on each side, such as
 * `"bert.encoder.layer.*": "encoder.*"`.
 */
export type RenameTable = Readonly<Record<string, string>>;

/** The name of a parameter for a name in a file: that of the first entry that fits, else the same. */
export function renamed(name: string, table: RenameTable): string {
  for (const [from, to] of Object.entries(table)) {
    const star = from.indexOf("*");
    if (star < 0) {
      if (name === from) return to;
      continue;
    }
    const [head, tail] = [from.slice(0, star), from.slice(star + 1)];
    const fits = name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
    if (fits) return to.replace("*", () => name.slice(head.length, name.length - tail.length));
  }
  return name;
}

/** Tensors of a file by the names of parameters. Throws RangeError when two get the same name. */
export function renameParameters<T>(tensors: Readonly<Record<string, T>>, table: RenameTable): Record<string, T> {
  const result = new Map<string, T>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const to = renamed(name, table);
    if (result.has(to)) throw new RangeError(`"${name}" is renamed to "${to}", which another tensor has already`);
    result.set(to, tensor);
  }
  return Object.fromEntries(result);
}
