import type { Signal } from "@preact/signals-core";
import type { Place } from "./place.ts";
import { isTensor } from "./value_type.ts";

/** Where a value comes from, when its ref has been looked up. */
export type Source =
  | { readonly kind: "literal"; readonly value: unknown }
  | { readonly kind: "signal"; readonly signal: Signal<unknown> }
  | { readonly kind: "input"; readonly place: Place; readonly name: string; readonly member: readonly string[] }
  | { readonly kind: "result"; readonly place: Place; readonly member: readonly string[] }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "item"; readonly place: Place; readonly member: readonly string[] }
  | { readonly kind: "object"; readonly members: ReadonlyMap<string, Source> }
  | { readonly kind: "list"; readonly items: readonly Source[] }
  /** Reported already. */
  | { readonly kind: "broken" };

/** A name for what a source names: equal sources have equal keys. */
export function sourceKey(source: Source): string {
  switch (source.kind) {
    case "input":
      return [
        source.place.kind === "root" ? source.name : `${source.place.path}?${source.name}`,
        ...source.member,
      ].join(".");
    case "result":
      return [source.place.path, ...source.member].join(".");
    case "param":
      return `params.${source.name}`;
    case "item":
      return [`${source.place.path}$`, ...source.member].join(".");
    case "object":
      return `{${[...source.members].map(([name, member]) => `${name} ${sourceKey(member)}`).join()}}`;
    case "list":
      return `[${source.items.map(sourceKey).join()}]`;
    case "literal":
      return isTensor(source.value) ? `tensor ${source.value.$tensor}` : (JSON.stringify(source.value) ?? "undefined");
    case "signal":
    case "broken":
      return "?";
  }
}

/** All sources in a source that name something. */
export function* named(source: Source): Generator<Source> {
  if (source.kind === "object") for (const member of source.members.values()) yield* named(member);
  else if (source.kind === "list") for (const item of source.items) yield* named(item);
  else if (source.kind !== "literal" && source.kind !== "signal" && source.kind !== "broken") yield source;
}

/** A source with the present values of its signals, on which the reader then depends. */
export function settled(source: Source): Source {
  if (source.kind === "signal") return { kind: "literal", value: source.signal.value };
  if (source.kind === "object") {
    return { kind: "object", members: new Map([...source.members].map(([name, member]) => [name, settled(member)])) };
  }
  if (source.kind !== "list") return source;
  const items = source.items.map(settled);
  const plain = items.every((item) => item.kind === "literal");
  return plain ? { kind: "literal", value: items.map((item) => item.value) } : { kind: "list", items };
}

/** A member of a value; of plain objects only what is their own. */
function ownMember(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const plain = Object.getPrototypeOf(value) === Object.prototype;
  return plain && !Object.hasOwn(value, name) ? undefined : (value as Record<string, unknown>)[name];
}

/** A member of a member of a value. */
export function memberOf(value: unknown, member: readonly string[]): unknown {
  let found = value;
  for (const name of member) found = ownMember(found, name);
  return found;
}
