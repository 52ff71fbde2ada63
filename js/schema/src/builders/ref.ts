import { type TRef, Type } from "@sinclair/typebox";

/** A type of the same Module, by its name. */
export function Ref<const Name extends string>(name: Name): TRef<Name> {
  return Type.Ref(name);
}
