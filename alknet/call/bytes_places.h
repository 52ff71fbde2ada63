#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/base/message.h"

namespace alknet::call {

/// Where a schema says `TypeDef:Bytes`: there, and nowhere else, `{"$bytes": i}` stands for a buffer. Immutable and
/// thread-safe.
class BytesPlaces {
 public:
  /// Of a document that compiles as a schema. Follows `properties`, `items`, `$ref` and the like; places behind
  /// conditions (`anyOf`, `if`) count for every branch.
  explicit BytesPlaces(const Json& document);

  bool empty() const;

  /// Turns base64 strings at these places into buffers of the message. Throws `invalid_input` with the instance path
  /// where text is not base64, `{"$bytes": i}` names no buffer, or a buffer is longer than `maxBytes`.
  void decode(Message& message) const;

  /// Turns `{"$bytes": i}` at these places into base64 strings, and empties `message.bytes`: for peers that know only
  /// the plain protocol, and for JSON documents.
  void encode(Message& message) const;

  /// Gives each `{"$bytes": n}` at these places the index `position(n)`. `position` throws for unknown numbers.
  void renumber(Json& value, FunctionRef<std::uint64_t(std::uint64_t)> position) const;

  /// The document with every Bytes node replaced by one that describes `{"$bytes": i}`, to validate messages with.
  static Json attached_form(const Json& document);

 private:
  struct Node;
  class Builder;
  class Walk;
  std::shared_ptr<const std::vector<Node>> nodes_;  // null when no place was found; the root comes first
};

}  // namespace alknet::call
