#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace alknet::tensor {

/// What a field of a table holds, of those that a FlatBuffers schema knows.
struct FlatField {
  enum class Form : std::uint8_t {
    kScalar,   ///< `bytes` of them, aligned so
    kText,     ///< a string
    kTable,    ///< of `type`
    kStructs,  ///< a vector of scalars or structs of `bytes`, aligned to `align`
    kTables,   ///< a vector of tables of `type`
    kUnion,    ///< a table of one of `count` types from `type` on, which the field before it counts from 1
  };
  Form form;
  std::uint8_t bytes = 0;
  std::uint8_t align = 0;
  std::uint8_t type = 0;
  std::uint8_t count = 0;
  bool required = false;
};

/// A type of tables: its fields, in the order of their numbers.
struct FlatType {
  std::span<const FlatField> fields;
};

/// Checks all that is reachable from the root of an untrusted FlatBuffer, as the verifier of the FlatBuffers library
/// does: tables, vectors and strings are inside the buffer, aligned and no deeper than 64; there are at most eight of
/// them a byte, since they may share bytes. Fields beyond those of `types`, whose root is the table `root`, are not
/// looked at. Throws FlatBufferFault.
void verify_flatbuffer(std::span<const std::byte> buffer, std::span<const FlatType> types, std::uint8_t root);

}  // namespace alknet::tensor
