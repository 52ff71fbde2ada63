import { isRaggedItem, kKinds, type Kind } from "./kinds.ts";
import type { SchemaNode } from "./node.ts";
import { dtypeHolds, kindHolds } from "./number_sets.ts";
import type { Dtype } from "./tensor_spec.ts";
import { utf8Length } from "./utf8.ts";

/** What a change asks of data that exist: nothing, a default for what is missing, or a conversion. */
export type ChangeClass = "compatible" | "defaultable" | "needs converter";

/** What it takes to turn values of one node into values of another; the rules of the engine's conversion.h. */
export interface Conversion {
  readonly class: ChangeClass;
  /** Needs no named converter: each value is converted, or refused when it does not fit. */
  readonly checked: boolean;
  /** Why it is not compatible; "" when it is. */
  readonly reason: string;
}

/** Every old value is a new one. */
export const kCompatible: Conversion = { class: "compatible", checked: false, reason: "" };
/** What is missing has a default, or may be absent. */
export const kDefaultable: Conversion = { class: "defaultable", checked: false, reason: "" };

/** Each value is converted, or refused when it does not fit. */
export function checked(reason: string): Conversion {
  return { class: "needs converter", checked: true, reason };
}

/** Nothing but a named converter knows how. */
export function unknown(reason: string): Conversion {
  return { class: "needs converter", checked: false, reason };
}

/** A node as text: what it may hold, and how many bytes it takes. */
interface TextSet {
  readonly kind: Kind;
  readonly maxBytes: number | undefined;
}

function textSet(node: SchemaNode): TextSet | undefined {
  const { kind, items, names, maxBytes } = node;
  if (kind === "Blob") {
    if (items === undefined || kKinds[items.kind].form !== "text") return undefined;
    return { kind: items.kind, maxBytes: items.maxBytes };
  }
  if (kind === "Enum") return { kind, maxBytes: Math.max(0, ...names.map(utf8Length)) };
  return kKinds[kind].form !== "text" || kind === "Json" ? undefined : { kind, maxBytes };
}

function betweenTexts(fromNode: SchemaNode, from: TextSet, toNode: SchemaNode, to: TextSet): Conversion {
  if ((from.kind === "Bytes") !== (to.kind === "Bytes")) {
    return unknown("text and bytes stand for each other only by an encoding");
  }
  if (to.kind === "Enum") {
    const gone = fromNode.names.find((name) => !toNode.names.includes(name));
    if (gone !== undefined) return checked(`"${gone}" is no longer among the names`);
    return from.kind === "Enum" ? kCompatible : checked("a text may be none of the names");
  }
  if (to.kind === "Timestamp" && from.kind !== "Timestamp") return checked("a text may be no timestamp");
  if (to.maxBytes !== undefined && (from.maxBytes === undefined || from.maxBytes > to.maxBytes)) {
    return checked(`a text may be longer than ${to.maxBytes} bytes`);
  }
  return kCompatible;
}

function isJson(node: SchemaNode): boolean {
  return node.kind === "Blob" && node.items === undefined;
}

function isRagged(node: SchemaNode): boolean {
  return node.kind === "Blob" && node.items !== undefined && isRaggedItem(node.items.kind);
}

/** The rule for two nodes of different kinds, or of one kind without parts. Parts are not looked at. */
export function conversion(from: SchemaNode, to: SchemaNode): Conversion {
  const holds = kindHolds(to.kind, from.kind);
  if (holds !== undefined) return holds ? kCompatible : checked(`${to.kind} lacks some numbers of ${from.kind}`);
  const [fromText, toText] = [textSet(from), textSet(to)];
  if (fromText !== undefined && toText !== undefined) return betweenTexts(from, fromText, to, toText);
  if (isJson(to)) return kCompatible;
  if (isJson(from)) return checked("a JSON value may be another");
  if (from.kind === "Array" && from.count !== undefined && isRagged(to)) return ofItems(from, to);
  if (from.kind === "Array" && to.kind === "Array") return kCompatible;
  if (isRagged(from) && to.kind === "Array" && to.count !== undefined) {
    const items = ofItems(from, to);
    const named = items.class === "needs converter" && !items.checked;
    return named ? items : checked(`the array may have another count than ${to.count}`);
  }
  if (from.kind === to.kind && from.kind !== "Blob") return kCompatible;
  return unknown(`no ${from.kind} is a ${to.kind}`);
}

function ofItems(from: SchemaNode, to: SchemaNode): Conversion {
  return from.items === undefined || to.items === undefined ? kCompatible : conversion(from.items, to.items);
}

/** The same for the elements of flat tensors. */
export function dtypeConversion(from: Dtype, to: Dtype): Conversion {
  if (from === to) return kCompatible;
  const holds = dtypeHolds(to, from);
  if (holds === undefined) return unknown(`no ${from} is a ${to}`);
  return holds ? kCompatible : checked(`${to} lacks some numbers of ${from}`);
}
