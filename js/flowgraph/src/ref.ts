/** What a ref names, before it is looked up. */
export type Ref =
  | { readonly kind: "input"; readonly member: readonly string[] }
  | { readonly kind: "output"; readonly member: readonly string[] }
  | {
      readonly kind: "node";
      readonly absolute: boolean;
      readonly ids: readonly string[];
      readonly member: readonly string[];
    }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "item"; readonly name: string; readonly member: readonly string[] };

/** Names that an item of a map cannot have. */
export const reservedNames: readonly string[] = ["input", "output", "nodes", "params"];

/** Whether a value of a template is a ref. */
export function isRef(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("$");
}

/** A ref, or what is wrong with it. */
export function parseRef(text: string): Ref | string {
  const [head, name, ...rest] = text.split(".");
  if (head !== "$" || name === undefined || name === "" || rest.includes("")) {
    return "a ref is $.input.NAME, $.output, $.nodes.ID.output, $.params.NAME or $.ITEM; write text that begins with $ by literal()";
  }
  if (name === "input" || name === "output") return { kind: name, member: rest };
  if (name === "params") {
    return rest.length === 0 ? "name a parameter: $.params.NAME" : { kind: "param", name: rest.join(".") };
  }
  if (name !== "nodes") return { kind: "item", name, member: rest };
  const [ids, output, ...member] = rest;
  if (ids === undefined || output !== "output") return "a node's ref is $.nodes.ID.output";
  const absolute = ids.startsWith("/");
  const parts = (absolute ? ids.slice(1) : ids).split("/");
  return parts.includes("") ? `"${ids}" has an empty id` : { kind: "node", absolute, ids: parts, member };
}
