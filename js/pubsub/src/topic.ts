import type { Cancellation } from "./cancellation.ts";
import { PubSubError } from "./error.ts";
import { type Overflow, Queue } from "./queue.ts";

/** How a subscriber listens. */
export interface SubscribeOptions {
  /** The most values that wait for it; 64 by default. */
  readonly capacity?: number;
  /** What happens when it is too slow; `error` ends its stream with PubSubError `overflow`. `wait` by default. */
  readonly overflow?: Overflow;
  readonly signal?: Cancellation;
}

/** A stream of what is published from now on. Leaving the loop ends the subscription. */
export type Subscription<T> = AsyncIterableIterator<T, undefined>;

/** Values for all who listen. Each subscriber has a queue of its own, from the moment of `subscribe`. */
export class Topic<T> {
  private readonly queues = new Set<Queue<T>>();
  private closing: ((queue: Queue<T>) => void) | undefined;

  /** How many listen. */
  get subscribers(): number {
    return this.queues.size;
  }

  /** A topic that has ended gives a stream that ends likewise. */
  subscribe(options: SubscribeOptions = {}): Subscription<T> {
    let open = true;
    const onClose = (): void => {
      open = false; // with a signal that is aborted, before there is a queue
      if (queue !== undefined) this.queues.delete(queue);
    };
    let queue: Queue<T> | undefined;
    queue = new Queue<T>({ ...options, onClose });
    if (open) this.queues.add(queue);
    this.closing?.(queue);
    return queue;
  }

  /**
   * Sends a value to all who listen now. Resolves to their number when each queue has it: await it, so that slow
   * subscribers that wait slow the publisher. Rejects with PubSubError `closed` after `end` or `fail`.
   */
  async publish(value: T): Promise<number> {
    if (this.closing !== undefined) throw new PubSubError("closed", "Topic: a value after the end");
    const sent = [...this.queues].map((queue) =>
      queue.push(value).catch((error: unknown) => {
        queue.fail(error);
        return false;
      }),
    );
    return (await Promise.all(sent)).filter(Boolean).length;
  }

  /** Ends the streams of all subscribers, once they have read what waits. */
  end(): void {
    this.close((queue) => queue.end());
  }

  /** The same, by an error. */
  fail(error: unknown): void {
    this.close((queue) => queue.fail(error));
  }

  private close(closing: (queue: Queue<T>) => void): void {
    this.closing ??= closing;
    for (const queue of [...this.queues]) closing(queue);
  }
}

/** Topics by name; `M` maps names to what is published. A topic exists while somebody listens. */
export class PubSub<M extends Readonly<Record<string, unknown>>> {
  private readonly topics = new Map<keyof M, Topic<unknown>>();

  /** Names with subscribers. */
  get names(): readonly (keyof M)[] {
    return [...this.topics].filter(([, topic]) => topic.subscribers > 0).map(([name]) => name);
  }

  subscribe<K extends keyof M>(name: K, options: SubscribeOptions = {}): Subscription<M[K]> {
    const known = this.topics.get(name);
    const topic = (known !== undefined && known.subscribers > 0 ? known : new Topic()) as Topic<M[K]>;
    this.topics.set(name, topic as Topic<unknown>);
    return topic.subscribe(options);
  }

  /** As Topic.publish; 0 when nobody listens. */
  async publish<K extends keyof M>(name: K, value: M[K]): Promise<number> {
    const topic = this.topics.get(name);
    if (topic === undefined) return 0;
    if (topic.subscribers > 0) return await topic.publish(value);
    this.topics.delete(name);
    return 0;
  }

  /** Ends all streams. Later subscriptions are new topics. */
  end(): void {
    for (const topic of this.topics.values()) topic.end();
    this.topics.clear();
  }
}
