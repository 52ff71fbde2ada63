// What is known of the operations that a template names: the names of all, and the specs of those.
import { hasHost, type OperationSpec, ownOperations, registry } from "@alknet/operations";
import { OperationGraph, type OperationInfo, type Place } from "@alknet/flowgraph";

/** Another node, as `alknet check` asks it. */
export interface PeerNode {
  readonly names: readonly string[];
  /** The spec of one of them. */
  describe(name: string): OperationSpec;
}

function infoOf(spec: OperationSpec): OperationInfo {
  const { name, op_type, input_schema = true, output_schema = true } = spec;
  return { name, op_type, input_schema, output_schema } as OperationInfo;
}

/** Of an operation that no template names; near names are told by it. */
function nameOnly(name: string): OperationInfo {
  return { name, op_type: "query", input_schema: true, output_schema: true };
}

/** The names that operations of a template have: with a `peer`, or without. */
export function namesIn(root: Place, peer: boolean): Set<string> {
  const names = new Set<string>();
  const visit = (place: Place): void => {
    if (place.kind === "operation" && (place.props["peer"] !== undefined) === peer) names.add(String(place.props["name"]));
    place.children.forEach(visit);
  };
  visit(root);
  return names;
}

/**
 * What the registry of this program has, with what scripts here have registered, and after that a peer; undefined where
 * scripts may call nothing.
 */
export async function knownOperations(
  used: ReadonlySet<string>,
  peer: PeerNode | undefined,
): Promise<OperationGraph | undefined> {
  if (!hasHost) return undefined;
  const infos = new Map((peer?.names ?? []).map((name) => [name, nameOnly(name)]));
  const own = new Set((await registry.list()).map(({ name }) => name));
  for (const name of own) infos.set(name, nameOnly(name));
  for (const name of ownOperations.keys()) infos.set(name, nameOnly(name));
  for (const name of used) {
    const made = ownOperations.get(name);
    if (made !== undefined) infos.set(name, infoOf(made));
    else if (own.has(name)) infos.set(name, infoOf(await registry.schema(name)));
    else if (infos.has(name) && peer !== undefined) infos.set(name, infoOf(peer.describe(name)));
  }
  return new OperationGraph(infos.values());
}

/** What a peer has. */
export function peerOperations(used: ReadonlySet<string>, peer: PeerNode): OperationGraph {
  return new OperationGraph(peer.names.map((name) => (used.has(name) ? infoOf(peer.describe(name)) : nameOnly(name))));
}
