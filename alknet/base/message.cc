#include "alknet/base/message.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/base/error.h"

namespace alknet {

Json attach_bytes(Message& message, SharedBytes bytes) {
  message.bytes.push_back(std::move(bytes));
  return JsonObject{{kBytesKey, message.bytes.size() - 1}};
}

const SharedBytes& attached_bytes(const Message& message, const Json& reference) {
  const auto* object = reference.if_object();
  const auto* index = object && object->size() == 1 ? object->if_contains(kBytesKey) : nullptr;
  boost::json::error_code ec;
  const auto i = index && index->is_number() ? index->to_number<std::size_t>(ec) : message.bytes.size();
  if (ec || i >= message.bytes.size()) {
    throw Error(
        BaseError::kInvalidArgument,
        fmt::format("{} is no reference to one of the message's {} byte buffers: expected {{\"$bytes\": index}}",
                    json_text(reference).substr(0, 200), message.bytes.size()));
  }
  return message.bytes[i];
}

}  // namespace alknet
