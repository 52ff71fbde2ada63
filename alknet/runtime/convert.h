#pragma once

#include "alknet/base/json.h"
#include "alknet/base/message.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/runtime/value.h"

// Values of script and those of C++, each as the other.

namespace alknet::runtime {

/// The script value of `json`, its members own properties as JSON.parse makes them: integers beyond 2^53 become BigInt.
/// Runs no script.
Value from_json(Realm realm, const Json& json);

/// How deep values may nest on their way out of script.
inline constexpr std::size_t kMaxDepth = 64;

/// The JSON of `value` as JSON.stringify sees it: members that are undefined, functions or symbols are left out, in
/// arrays they are null; `toJSON` is called; a `new Number(5)` is 5. So a Date is its text, and a Map or a Set, which
/// has no members, is `{}`.
///
/// Other than there, a BigInt is an integer, which must fit 64 bits, signed or not (RangeError), and is not asked for
/// `toJSON`; a number must be finite; binary values are not asked for `toJSON` either. Throws TypeError, naming the
/// path, for cycles, deeper nesting than kMaxDepth and binary values, and Error `memory_limit` when the result has more
/// values than the script's memory could hold.
Json to_json(const Value& value);

/// The JSON of `value`, which must be JSON already: as to_json, but also throws TypeError for what that would change,
/// which are functions, symbols, BigInts, texts with half a surrogate pair and objects with a `toJSON`. Members that
/// are undefined are left out.
Json to_plain_json(const Value& value);

/// As to_json, but ArrayBuffers and views become `{"$bytes": i}`. Their bytes are copied, except those of the
/// ArrayBuffers in `transfer`, which are detached from script and go over whole.
Message to_message(const Value& value, std::span<const Value> transfer = {});

/// The script value of a message: each `{"$bytes": i}` with an index that exists becomes an ArrayBuffer with a copy.
Value from_message(Realm realm, const Message& message);

/// A copy of the bytes of an ArrayBuffer or a view.
SharedBytes copy_bytes(const Value& value);

/// The bytes of an ArrayBuffer without a copy: script loses them (the buffer is detached). They may be dropped on any
/// thread, also while the isolate ends or later; their memory goes back to the engine on the isolate's thread.
SharedBytes take_bytes(const Value& array_buffer);

}  // namespace alknet::runtime
