/**
 * Operations of alknet from JavaScript: call them, subscribe to them and serve them. Inside an isolate `env` and
 * `operations` are those of the program; in browsers and Node `connect` gives a node behind a WebSocket.
 *
 * @packageDocumentation
 */
export { accessRefusal, type Identity, mayAccess } from "./access.ts";
export { type Caller, callerBehind, type CallOptions, type Env, makeEnv, type OperationProxy } from "./caller.ts";
export { Connection, type ConnectionOptions, type Transport } from "./connection.ts";
export { type ErrorFacts, OperationError, type WireError } from "./error.ts";
export { env, hasHost, operations, ownOperations, registry } from "./host.ts";
export type { LinkLimits } from "./limits.ts";
export { giveMethod, type HandleOrigin, type NodeValue, originOf, settleMethod } from "./node_values.ts";
export type { AbortSignalLike, WebSocketConstructor, WebSocketLike } from "./platform.ts";
export {
  type OnceHandler,
  type OperationContext,
  type OperationDefinition,
  type Operations,
  OperationTable,
  type StreamHandler,
  type Validate,
} from "./registry.ts";
export { type ListOptions, RemoteRegistry } from "./remote_registry.ts";
export { isError, type ResponseEnvelope, unwrap } from "./response.ts";
export type { AccessControl, ErrorSpec, OperationSpec, OperationSummary, OperationType } from "./spec.ts";
export { connect, type ConnectOptions } from "./websocket.ts";
