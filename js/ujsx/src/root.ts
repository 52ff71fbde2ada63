import { untracked } from "@preact/signals-core";
import { commit, dispose } from "./commit.ts";
import type { Node } from "./element.ts";
import { messageOf, TreeError } from "./error.ts";
import { Fiber } from "./fiber.ts";
import type { AnyHost, HostConfig } from "./host.ts";
import { Pass } from "./pass.ts";
import type { PropChanges } from "./value.ts";

/** A tree that is shown by a host. */
export interface Root {
  /**
   * Makes the tree look like `node`, at the next flush. Throws TreeError `unmounted` after `unmount`, and when a host
   * failed to commit.
   */
  render(node: Node): void;
  /**
   * Does now what is due, else done in a microtask: rendered nodes and changed signals. Throws the TreeError of what
   * could not be rendered (then the tree is as it was, but for changes elsewhere in it), and what effects threw, unless
   * there is `onError`; several together as an AggregateError. Within a render it does nothing.
   */
  flush(): void;
  /** Removes all instances and ends all effects. Again: nothing. */
  unmount(): void;
}

/** How a root behaves. */
export interface RootOptions {
  /** Receives what `flush` else throws, also in microtasks: errors without boundary, and of effects and clean-ups. */
  readonly onError?: (error: unknown) => void;
}

const kMostPasses = 100; // of one flush

/** An empty tree for `host`, below `context`. */
export function createRoot<Type extends string, Instance, RootContext, Update = PropChanges>(
  host: HostConfig<Type, Instance, RootContext, Update>,
  context: RootContext,
  options: RootOptions = {},
): Root {
  return new Tree(host as unknown as AnyHost, context, options);
}

class Tree implements Root {
  private readonly root = new Fiber("root", "", undefined, undefined, undefined);
  private readonly dirty = new Set<Fiber>();
  private pending: { readonly node: Node } | undefined;
  private state: "open" | "flushing" | "closed" = "open";
  private armed = false;
  private errors: unknown[] = [];
  private readonly report = (error: unknown): void => void this.errors.push(error);

  constructor(
    readonly host: AnyHost,
    readonly context: unknown,
    private readonly options: RootOptions,
  ) {
    this.root.fresh = false;
    this.root.instance = host.getRootInstance(context);
  }

  render(node: Node): void {
    if (this.state === "closed") throw new TreeError("unmounted", "", "the root takes no more trees: make another");
    this.pending = { node };
    this.arm();
  }

  /** A signal that the fiber read has changed. */
  changed(fiber: Fiber): void {
    if (fiber.disposed || this.state === "closed") return;
    this.dirty.add(fiber);
    this.arm();
  }

  retry(boundary: Fiber): void {
    if (boundary.latestFailure !== undefined) this.changed(boundary);
  }

  flush(): void {
    if (this.state !== "open") return;
    this.state = "flushing";
    try {
      untracked(() => this.passes());
      this.state = "open";
    } catch (error) {
      this.state = "closed"; // the host failed: what it shows is unknown
      this.dirty.clear();
      dispose(this.root, this.host, this.report);
      this.errors.unshift(error);
    }
    this.raise();
  }

  unmount(): void {
    if (this.state === "closed") return;
    if (this.state === "flushing") throw new TreeError("render_failed", "", "unmount is not for use within a render");
    this.pending = { node: undefined };
    this.dirty.clear();
    try {
      this.flush();
    } finally {
      this.state = "closed";
      this.dirty.clear();
    }
  }

  /** Updates until nothing is due. */
  private passes(): void {
    for (let count = 0; this.pending !== undefined || this.dirty.size > 0; ++count) {
      if (count === kMostPasses) {
        this.pending = undefined;
        this.dirty.clear();
        this.report(
          new TreeError(
            "render_loop",
            "",
            `after ${kMostPasses} rounds there is more to do: a component changes what it reads`,
          ),
        );
        return;
      }
      this.pass();
    }
  }

  private pass(): void {
    const { pending } = this;
    const dirty = [...this.dirty];
    this.pending = undefined;
    this.dirty.clear();
    const pass = new Pass(this, this.root, this.report);
    try {
      pass.run(pending, dirty);
    } catch (error) {
      // The rest is tried without what failed.
      const failed = pass.failedStart;
      if (failed !== this.root) this.pending ??= pending;
      for (const fiber of dirty) if (fiber !== failed && !fiber.disposed) this.dirty.add(fiber);
      this.report(error);
      return;
    }
    commit(pass, this.host, this.context, this.report);
    for (const fiber of pass.created) fiber.fresh = false;
  }

  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    void Promise.resolve().then(() => {
      this.armed = false;
      this.flush();
    });
  }

  private raise(): void {
    const errors = this.errors.splice(0);
    const { onError } = this.options;
    if (onError !== undefined) return errors.forEach((error) => onError(error));
    if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join("; "));
    if (errors.length === 1) throw errors[0];
  }
}
