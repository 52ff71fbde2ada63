export { ArrayOf as Array, Default, Optional, RecordOf as Record, Struct, Union } from "./composites.ts";
export { Module } from "./module.ts";
export { Ref } from "./ref.ts";
export {
  BFloat16,
  BooleanOf as Boolean,
  Enum,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
} from "./scalars.ts";
export { Blob, Tensor } from "./tensors.ts";
export { Bytes, Json, StringOf as String, Timestamp } from "./texts.ts";
