#pragma once

#include "alknet/base/json.h"
#include "alknet/base/message.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/runtime/value.h"

// Values of script and those of C++, each as the other.

namespace alknet::runtime {

/// The script value of `json`: integers beyond 2^53 become BigInt.
Value from_json(Realm realm, const Json& json);

/// How deep values may nest on their way out of script.
inline constexpr std::size_t kMaxDepth = 64;

/// The JSON of `value` as JSON.stringify sees it: members that are undefined, functions or symbols are left out,
/// `toJSON` is called. A BigInt must fit 64 bits; a number must be finite. Throws TypeError, naming the path, for
/// cycles, deeper nesting than kMaxDepth and binary values.
Json to_json(const Value& value);

/// The same, but ArrayBuffers and views become `{"$bytes": i}`. Their bytes are copied, except those of the
/// ArrayBuffers in `transfer`, which are detached from script and go over whole.
Message to_message(const Value& value, std::span<const Value> transfer = {});

/// The script value of a message: each `{"$bytes": i}` with an index that exists becomes an ArrayBuffer with a copy.
Value from_message(Realm realm, const Message& message);

/// A copy of the bytes of an ArrayBuffer or a view.
SharedBytes copy_bytes(const Value& value);

/// The bytes of an ArrayBuffer without a copy: script loses them (the buffer is detached).
SharedBytes take_bytes(const Value& array_buffer);

}  // namespace alknet::runtime
