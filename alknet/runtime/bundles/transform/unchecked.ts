// In place of ts-interface-checker, by which sucrase checks the options that callers give it: ours are always the same.

const nothing = () => undefined;

export const array = nothing;
export const func = nothing;
export const iface = nothing;
export const lit = nothing;
export const name = nothing;
export const opt = nothing;
export const union = nothing;

/** Checkers that find nothing wrong. */
export function createCheckers(): Record<string, { strictCheck(value: unknown): void }> {
  return { Options: { strictCheck: nothing } };
}
