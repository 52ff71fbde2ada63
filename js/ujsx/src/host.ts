import type { Key, Props, Source } from "./element.ts";
import type { PropChanges } from "./value.ts";

/** Where an element is, for the messages of a host. */
export interface Place {
  /** "App/Struct/Field[2]"; made when it is read. */
  readonly path: string;
  readonly source: Source | undefined;
  /** The element's key, else that of a component which drew it. */
  readonly key: Key | undefined;
}

/**
 * Gives a tree its meaning: what its elements become. `Type` are the names of elements, `Instance` what they become,
 * `RootContext` what `createRoot` was given, `Update` what `prepareUpdate` hands to `commitUpdate`.
 *
 * Rendering has two phases. First components run and hosts *prepare*: they make instances that are not yet part of the
 * tree and look at updates. An exception there goes to the nearest error boundary; without one the tree stays as it was.
 * Then hosts *commit*: those functions must not throw, else the root is given up (`commit_failed`).
 *
 * Properties have no signals: a host sees their values, and an update when one changes.
 */
export interface HostConfig<Type extends string, Instance, RootContext, Update = PropChanges> {
  // Prepare

  /** The instance that is the parent of the outermost ones. Called once for a root. */
  getRootInstance(context: RootContext): Instance;
  /** Makes an instance without children; throws for a type or properties that it does not know. */
  createInstance(type: Type, props: Props, context: RootContext, place: Place): Instance;
  /** Makes an instance of a text. A host without it refuses texts. */
  createTextInstance?(text: string, context: RootContext, place: Place): Instance;
  /** A new instance has got its first children. */
  finalizeInstance?(instance: Instance, type: Type, props: Props, place: Place): void;
  /**
   * What to do about properties that differ by value; undefined for nothing. Changes nothing yet. Without it, the
   * changes themselves are the update.
   */
  prepareUpdate?(instance: Instance, type: Type, changes: PropChanges, props: Props, place: Place): Update | undefined;

  // Prepare, for new parents; commit, for others

  /** Makes `child` the last child; one that has this parent already is moved. */
  appendChild(parent: Instance, child: Instance): void;

  // Commit

  /** The tree is about to change. */
  prepareRoot?(context: RootContext): void;
  /** Puts `child` in front of `before`, a child of `parent`; one that has this parent already is moved. */
  insertBefore(parent: Instance, child: Instance, before: Instance): void;
  /** Removes a child with all that is below it. (While preparing: from a new parent, when a boundary takes over.) */
  removeChild(parent: Instance, child: Instance): void;
  /** The instance is used no more. Called for all of a removed part, children first, and for new ones given up. */
  detachInstance?(instance: Instance): void;
  commitUpdate(instance: Instance, update: Update, type: Type, props: Props): void;
  commitTextUpdate?(instance: Instance, text: string): void;
  /** The tree has changed; called once for each flush that changed something. */
  finalizeRoot?(context: RootContext): void;
}

/** A host as the reconciler sees it: it does not look into instances. */
export type AnyHost = HostConfig<string, unknown, unknown, unknown>;
