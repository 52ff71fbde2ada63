/** JSON of a value with the members of objects in order of their names: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== "object" || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

/** FNV-1a of the UTF-16 units of a text, from one of its bases. */
function fnv(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ (text.charCodeAt(i) & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (text.charCodeAt(i) >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** 16 hexadecimal digits that tell contents apart; who stores by it compares the content too. */
export function contentHash(text: string): string {
  return [0x811c9dc5, 0x050c5d1f].map((basis) => fnv(text, basis).toString(16).padStart(8, "0")).join("");
}
