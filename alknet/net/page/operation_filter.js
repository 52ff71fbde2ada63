/** @typedef {import("./gateway.js").Summary} Summary */

/**
 * The operations that have every word of `query` in name, title, description or tags; names that begin with it come
 * first, then names that contain it, then the others, each in order of their names.
 * @param {readonly Summary[]} operations
 * @param {string} query
 * @returns {Summary[]}
 */
export function matching(operations, query) {
  const wanted = query.trim().toLowerCase();
  const words = wanted.split(/\s+/);
  const ranked = operations.flatMap((operation) => {
    const name = operation.name.toLowerCase();
    const text = [name, operation.title, operation.description, ...operation.tags].join("\n").toLowerCase();
    if (!words.every((word) => text.includes(word))) return [];
    const last = name.slice(name.lastIndexOf("/") + 1);
    const begins = name.startsWith(wanted) || last.startsWith(wanted);
    return [{ operation, rank: begins ? 0 : name.includes(wanted) ? 1 : 2 }];
  });
  ranked.sort((a, b) => a.rank - b.rank || compare(a.operation.name, b.operation.name));
  return ranked.map(({ operation }) => operation);
}

/**
 * The part of a name before its last slash.
 * @param {string} name
 */
export function namespaceOf(name) {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? "" : name.slice(0, slash);
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
