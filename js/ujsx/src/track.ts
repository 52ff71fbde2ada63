import { effect, Signal, type ReadonlySignal } from "@preact/signals-core";

/** Whether `value` is a signal. */
export function isSignal(value: unknown): value is ReadonlySignal<unknown> {
  return value instanceof Signal;
}

/**
 * Runs `read` now and calls `changed` once when a signal that it read changes. Returns what ends that. `read` and
 * `changed` do not throw.
 */
export function track(read: () => void, changed: () => void): () => void {
  let ran = false;
  return effect(() => {
    // The second run reads nothing, and so is the last.
    if (ran) return changed();
    ran = true;
    read();
  });
}
