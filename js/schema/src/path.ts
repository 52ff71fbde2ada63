/** `path` with a name behind it; dots, brackets and backslashes of the name are escaped. */
export function pathName(path: string, name: string): string {
  return (path === "" ? "" : `${path}.`) + name.replace(/[.[\\]/g, "\\$&");
}

/** `path` with an element behind it. */
export function pathIndex(path: string, index: number): string {
  return `${path}[${index}]`;
}
