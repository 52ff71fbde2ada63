import type { Component, Node } from "./element.ts";

/** A value for a whole part of a tree, read by `scope.use(context)`. */
export interface Context<T> {
  readonly defaultValue: T;
  /** `<Theme.Provider value="dark">…` */
  readonly Provider: Component<{ readonly value: T; readonly children?: Node }>;
}

/** The context that a provider is of. */
export const kProviderOf = Symbol.for("alknet.ujsx.provider");

/** A new context. `defaultValue` is what components read that have no provider above. */
export function createContext<T>(defaultValue: T): Context<T> {
  const Provider = ({ children }: { readonly value: T; readonly children?: Node }): Node => children;
  const context = { defaultValue, Provider };
  Object.assign(Provider, { displayName: "Provider", [kProviderOf]: context });
  return context;
}
