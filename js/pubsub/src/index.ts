/**
 * Async iterators with back-pressure: bounded queues, topics, and operators on streams.
 *
 * @packageDocumentation
 */
export type { Cancellation } from "./cancellation.ts";
export { PubSubError, type PubSubErrorCode } from "./error.ts";
export { merge } from "./merge.ts";
export { abortable, filter, map, type Stream, type StreamSource, take } from "./operators.ts";
export { type Overflow, Queue, type QueueOptions } from "./queue.ts";
export { PubSub, type SubscribeOptions, type Subscription, Topic } from "./topic.ts";
