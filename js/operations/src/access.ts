import { OperationError } from "./error.ts";
import type { AccessControl } from "./spec.ts";

/** Who calls: scopes, and actions on resources by "TYPE:ID" ("TYPE:*" every one, the action "*" every action). */
export interface Identity {
  readonly id: string;
  readonly scopes?: readonly string[];
  readonly resources?: Readonly<Record<string, readonly string[]>>;
  /** The person at this machine: passes every check. Never read from the wire. */
  readonly unrestricted?: boolean;
}

function allows(actions: readonly string[] | undefined, action: string): boolean {
  return actions !== undefined && (actions.includes(action) || actions.includes("*"));
}

function allowsResource(identity: Identity, type: string, action: string, id: string | undefined): boolean {
  const resources = identity.resources ?? {};
  if (id !== undefined) {
    return [`${type}:${id}`, `${type}:*`].some((key) => Object.hasOwn(resources, key) && allows(resources[key], action));
  }
  return Object.entries(resources).some(([key, actions]) => key.startsWith(`${type}:`) && allows(actions, action));
}

/**
 * Why `identity` does not meet `access`; undefined when it does. `resourceId` is the resource that the input names;
 * without it a right to any resource of the type is enough.
 */
export function accessRefusal(
  access: AccessControl,
  identity: Identity | undefined,
  resourceId?: string,
): OperationError | undefined {
  const { required_scopes: all = [], required_scopes_any: any = [], resource_type: type, resource_action: action = "" } = access;
  if (identity?.unrestricted === true || (all.length === 0 && any.length === 0 && !type)) return undefined;
  const refusal = (message: string, required?: unknown): OperationError =>
    new OperationError("FORBIDDEN", message, required === undefined ? {} : { details: { required } });
  if (identity === undefined) {
    return refusal("authentication required: connect with a known key, or send an auth_token");
  }
  const scopes = identity.scopes ?? [];
  const missing = all.find((scope) => !scopes.includes(scope));
  if (missing !== undefined) return refusal(`the scope ${missing} is required`, [missing]);
  if (any.length > 0 && !any.some((scope) => scopes.includes(scope))) {
    return refusal(`one of the scopes ${any.join(", ")} is required`, [...any]);
  }
  if (type && !allowsResource(identity, type, action, resourceId)) {
    const resource = `${type}:${resourceId ?? "*"}`;
    return refusal(`the right to ${action} ${resource} is required`, { resource, action });
  }
  return undefined;
}

/** Whether `identity` may call what asks for `access`; resources are not looked at one by one. */
export function mayAccess(access: AccessControl, identity: Identity | undefined): boolean {
  return accessRefusal(access, identity) === undefined;
}

/** The text that a JSON pointer (RFC 6901) finds in a value. */
export function textAt(value: unknown, pointer: string): string | undefined {
  let at = value;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return typeof at === "string" ? at : typeof at === "number" ? String(at) : undefined;
}
