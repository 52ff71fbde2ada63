#pragma once

#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"

namespace alknet {

/// What an operation takes and gives: JSON, and beside it byte buffers that are passed without copying.
///
/// Where the schema of `value` says Bytes, the object `{"$bytes": i}` stands for `bytes[i]`. Elsewhere such an object
/// is plain data. A copy copies the JSON and shares the bytes.
struct Message {
  Json value;
  std::vector<SharedBytes> bytes;
};

/// The member that marks a reference to a byte buffer.
inline constexpr std::string_view kBytesKey = "$bytes";

/// Appends `bytes` to the message and returns the `{"$bytes": i}` that stands for it.
Json attach_bytes(Message& message, SharedBytes bytes);

/// The buffer that `reference`, a value inside `message.value`, stands for.
/// Throws `invalid_argument` when it is not exactly `{"$bytes": i}` with an index that exists.
const SharedBytes& attached_bytes(const Message& message, const Json& reference);

}  // namespace alknet
