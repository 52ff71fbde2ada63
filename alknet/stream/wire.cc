#include "alknet/stream/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/call/error.h"
#include "alknet/stream/limits.h"

namespace alknet::stream {
namespace {

using call::CallError;

constexpr std::size_t kPrefix = 4;
constexpr std::string_view kZstd = "zstd";

SharedBytes framed(const JsonObject& message) {
  const std::string text = json_text(message);
  std::vector<std::byte> frame(kPrefix + text.size());
  store_be(frame.data(), static_cast<std::uint32_t>(text.size()));
  std::ranges::copy(std::as_bytes(std::span(text)), frame.begin() + kPrefix);
  return SharedBytes::take(std::move(frame));
}

[[noreturn]] void invalid(std::string_view member, std::string_view what) {
  throw Error(CallError::kInvalidInput, fmt::format("[alknet/tensor] `{}` must be {}", member, what));
}

const JsonObject& object_of(const Json& message) {
  const auto* object = message.if_object();
  if (object == nullptr) throw Error(CallError::kInvalidInput, "[alknet/tensor] a request must be a JSON object");
  return *object;
}

/// A number from 0 to `most`, or nothing.
std::optional<std::uint64_t> natural(const Json* value, std::uint64_t most) {
  if (value == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  if (value->is_uint64()) {
    number = value->get_uint64();
  } else if (value->is_int64() && value->get_int64() >= 0) {
    number = static_cast<std::uint64_t>(value->get_int64());
  } else {
    return std::nullopt;
  }
  return number <= most ? std::optional(number) : std::nullopt;
}

std::uint32_t id_of(const JsonObject& object) {
  const auto id = natural(object.if_contains("id"), std::numeric_limits<std::uint32_t>::max());
  if (!id) invalid("id", "an integer from 0 to 4294967295");
  return static_cast<std::uint32_t>(*id);
}

bool flag_of(const JsonObject& object, std::string_view name, bool absent) {
  const Json* value = object.if_contains(name);
  if (value == nullptr) return absent;
  if (!value->is_bool()) invalid(name, "true or false");
  return value->get_bool();
}

std::vector<std::string> texts_of(const JsonObject& object, std::string_view name) {
  std::vector<std::string> texts;
  const Json* value = object.if_contains(name);
  if (value == nullptr) return texts;
  if (!value->is_array()) invalid(name, "an array of strings");
  for (const Json& item : value->get_array()) {
    if (!item.is_string()) invalid(name, "an array of strings");
    texts.emplace_back(item.get_string());
  }
  return texts;
}

constexpr std::string_view kRangeForm = R"(an array of names and of {"name", "begin"?, "end"?})";

TensorRange range_of(const Json& item) {
  if (item.is_string()) return {std::string(item.get_string())};
  const auto* object = item.if_object();
  const Json* name = object == nullptr ? nullptr : object->if_contains("name");
  if (name == nullptr || !name->is_string()) invalid("tensors", kRangeForm);
  TensorRange range{std::string(name->get_string())};
  const auto bound = [&](std::string_view member) -> std::optional<std::uint64_t> {
    const Json* value = object->if_contains(member);
    if (value == nullptr) return std::nullopt;
    const auto number = natural(value, std::numeric_limits<std::uint64_t>::max());
    if (!number) invalid("tensors", kRangeForm);
    return number;
  };
  range.begin = bound("begin").value_or(0);
  range.end = bound("end");
  return range;
}

Json json_of(const TensorRange& range) {
  if (range.begin == 0 && !range.end) return Json(range.name);
  JsonObject object{{"name", range.name}, {"begin", range.begin}};
  if (range.end) object.emplace("end", *range.end);
  return object;
}

JsonArray json_of(std::span<const std::string> texts) {
  JsonArray array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

}  // namespace

Json parse_message(std::span<const std::byte> frame) {
  const std::string_view text(reinterpret_cast<const char*>(frame.data()), frame.size());
  try {
    return parse_json(text);
  } catch (const Error& error) {
    throw Error(CallError::kProtocolError, "[alknet/tensor] a message is not JSON: " + error.message(),
                error.details());
  }
}

SharedBytes Request::encode() const {
  JsonObject object{{"id", id}, {"token", token}};
  if (tensors) {
    JsonArray& list = object["tensors"].emplace_array();
    for (const TensorRange& range : *tensors) list.push_back(json_of(range));
  }
  if (!priority.empty()) object["priority"] = json_of(priority);
  if (zstd) object["compression"].emplace_array().emplace_back(kZstd);
  if (!header) object["header"] = false;
  return framed(object);
}

Request Request::parse(const Json& message) {
  const JsonObject& object = object_of(message);
  Request request;
  request.id = id_of(object);
  const Json* token = object.if_contains("token");
  if (token == nullptr || !token->is_string() || token->get_string().size() > kMaxTokenBytes) {
    invalid("token", fmt::format("a string of at most {} bytes", kMaxTokenBytes));
  }
  request.token = token->get_string();
  if (const Json* tensors = object.if_contains("tensors")) {
    if (!tensors->is_array()) invalid("tensors", kRangeForm);
    auto& ranges = request.tensors.emplace();
    for (const Json& item : tensors->get_array()) ranges.push_back(range_of(item));
  }
  request.priority = texts_of(object, "priority");
  const auto compression = texts_of(object, "compression");
  request.zstd = std::ranges::find(compression, kZstd) != compression.end();
  request.header = flag_of(object, "header", true);
  return request;
}

SharedBytes PriorityUpdate::encode() const { return framed({{"id", id}, {"priority", json_of(priority)}}); }

PriorityUpdate PriorityUpdate::parse(const Json& message) {
  const JsonObject& object = object_of(message);
  return {id_of(object), texts_of(object, "priority")};
}

SharedBytes Reply::encode() const {
  JsonObject object{{"ok", true}, {"header_bytes", header_bytes}, {"file_bytes", file_bytes}};
  if (zstd) object["compression"] = kZstd;
  return framed(object);
}

Reply Reply::parse(const Json& message) {
  const auto refuse = [](std::string_view what) {
    return Error(CallError::kProtocolError, fmt::format("[alknet/tensor] the reply {}", what));
  };
  const auto* object = message.if_object();
  if (object == nullptr) throw refuse("is not a JSON object");
  if (const Json* error = object->if_contains("error")) {
    throw call::error_from_wire(call::WireError::from_json(*error));
  }
  constexpr auto kMost = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  const Json* ok = object->if_contains("ok");
  const auto header = natural(object->if_contains("header_bytes"), kMost);
  const auto file = natural(object->if_contains("file_bytes"), kMost);
  if (ok == nullptr || *ok != Json(true) || !header || !file) {
    throw refuse("needs `ok`, `header_bytes` and `file_bytes`, or `error`");
  }
  Reply reply{*header, *file, false};
  if (const Json* compression = object->if_contains("compression")) {
    if (*compression != Json(kZstd)) throw refuse("names a `compression` that was not asked for");
    reply.zstd = true;
  }
  return reply;
}

SharedBytes encode_refusal(const Error& error) {
  const JsonObject reason{{"code", call::wire_code(error)}, {"message", error.message()}};
  return framed({{"error", reason}});
}

std::array<std::byte, StreamHeader::kBytes> StreamHeader::encode() const {
  std::array<std::byte, kBytes> bytes{};
  store_be(bytes.data(), request);
  store_be(bytes.data() + 4, index);
  store_be(bytes.data() + 8, offset);
  return bytes;
}

StreamHeader StreamHeader::parse(std::span<const std::byte, kBytes> bytes) {
  return {load_be<std::uint32_t>(bytes.data()), load_be<std::uint32_t>(bytes.data() + 4),
          load_be<std::uint64_t>(bytes.data() + 8)};
}

std::optional<StreamHeader> StreamHeaderReader::read(std::span<const std::byte>& bytes) {
  const std::size_t taken = std::min(bytes.size(), buffer_.size() - have_);
  std::copy_n(bytes.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(have_));
  have_ += taken;
  bytes = bytes.subspan(taken);
  if (have_ < buffer_.size()) return std::nullopt;
  return StreamHeader::parse(buffer_);
}

bool ReplyReader::fill(std::span<const std::byte>& bytes, std::uint64_t size) {
  const auto lacking = static_cast<std::size_t>(size - buffer_.size());
  const auto taken = bytes.first(std::min(bytes.size(), lacking));
  buffer_.insert(buffer_.end(), taken.begin(), taken.end());
  bytes = bytes.subspan(taken.size());
  return taken.size() == lacking;
}

bool ReplyReader::read(std::span<const std::byte> bytes) {
  const auto refuse = [](std::string_view what) {
    return Error(CallError::kProtocolError, fmt::format("[alknet/tensor] {}", what));
  };
  if (!length_) {
    if (!fill(bytes, kPrefix)) return false;
    length_ = load_be<std::uint32_t>(buffer_.data());
    buffer_.clear();
    if (*length_ == 0 || *length_ > kMaxReplyBytes) {
      throw refuse(fmt::format("a reply of {} bytes was announced; 1 to {} are allowed", *length_, kMaxReplyBytes));
    }
  }
  if (!reply_) {
    if (!fill(bytes, *length_)) return false;
    reply_ = Reply::parse(parse_message(buffer_));
    buffer_.clear();
    if (reply_->header_bytes > max_header_) {
      throw refuse(
          fmt::format("a header of {} bytes was announced; at most {} are taken", reply_->header_bytes, max_header_));
    }
  }
  if (!fill(bytes, reply_->header_bytes)) return false;
  if (!bytes.empty()) throw refuse("bytes follow the reply's header");
  return true;
}

}  // namespace alknet::stream
