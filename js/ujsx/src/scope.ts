import type { Context } from "./context.ts";
import type { Fiber } from "./fiber.ts";
import { TreeError } from "./error.ts";
import { pathOf } from "./fiber.ts";

/**
 * What a component may ask of the tree while it runs; its second argument. What a run registers is undone before the
 * next run; what a set-up registers (see `Component`) at unmount.
 */
export interface Scope {
  /** Runs `action` when the tree has changed, and again when a signal that it read changes; it may return its undoing. */
  effect(action: () => void | (() => void)): void;
  /** Calls `action` when the component leaves the tree, or its first render is given up. */
  onUnmount(action: () => void): void;
  /** The value of the nearest provider above, else the context's default; a new value runs the component again. */
  use<T>(context: Context<T>): T;
  /** Where the component is. */
  readonly path: string;
}

/** What one run of a component registered. */
export interface Registrations {
  readonly effects: (() => void | (() => void))[];
  readonly cleanups: (() => void)[];
}

export function noRegistrations(): Registrations {
  return { effects: [], cleanups: [] };
}

/** A Scope that is open while its component runs. */
export class ComponentScope implements Scope {
  /** Undefined while the component does not run. */
  registrations: Registrations | undefined;

  constructor(private readonly fiber: Fiber) {}

  effect(action: () => void | (() => void)): void {
    this.open("effect").effects.push(action);
  }

  onUnmount(action: () => void): void {
    this.open("onUnmount").cleanups.push(action);
  }

  use<T>(context: Context<T>): T {
    this.open("use");
    for (let up = this.fiber.parent; up !== undefined; up = up.parent) {
      if (up.kind !== "provider" || up.type !== context) continue;
      up.addConsumer(this.fiber);
      return up.latestValue as T;
    }
    return context.defaultValue;
  }

  get path(): string {
    return pathOf(this.fiber);
  }

  private open(name: string): Registrations {
    if (this.registrations !== undefined) return this.registrations;
    throw new TreeError("render_failed", this.path, `scope.${name} works only while its component runs, not later`);
  }
}

/** Undoes what was registered, the last first. Every one is called; `report` gets what they throw. */
export function release(registrations: Registrations | undefined, report: (error: unknown) => void): void {
  for (const action of registrations?.cleanups.splice(0).reverse() ?? []) {
    try {
      action();
    } catch (error) {
      report(error);
    }
  }
}
