#include "alknet/runtime/convert.h"

#include <cmath>
#include <memory>
#include <mutex>

#include "alknet/runtime/isolate.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

constexpr double kMostExact = 9007199254740991.0;

/// One walk from script to JSON.
class Outward {
 public:
  Outward(Realm realm, Message* message, std::span<const Value> transfer)
      : realm_(realm), message_(message), transfer_(transfer) {}

  /// False when JSON leaves the value out.
  bool convert(const Value& value, Json& out, std::size_t depth) {
    if (depth > kMaxDepth) fail("nests deeper than " + std::to_string(kMaxDepth) + ", or contains itself");
    if (value.is_undefined() || value.is_symbol() || value.is_function()) return false;
    if (value.is_null()) {
      out = nullptr;
    } else if (value.is_boolean()) {
      out = value.to_boolean();
    } else if (value.is_number()) {
      out = number(value.to_number());
    } else if (value.is_bigint()) {
      out = value.to_integer(path_.empty() ? "the value" : path_);
    } else if (value.is_string()) {
      out = JsonString(value.to_string());
    } else if (value.is_array_buffer() || value.is_array_buffer_view()) {
      if (message_ == nullptr) fail("is binary, which JSON has no form for");
      out = attach(value);
    } else {
      return object(value, out, depth);
    }
    return true;
  }

  /// Takes the buffers to transfer from script, those too that the value does not refer to.
  void take_transferred() {
    std::vector<SharedBytes> taken;
    for (const Value& buffer : transfer_) taken.push_back(take_bytes(buffer));
    for (const Moved& part : moved_) {
      message_->bytes[part.index] = taken[part.transfer].slice(part.offset, part.size);
    }
  }

 private:
  Json number(double value) {
    if (!std::isfinite(value))
      fail("is " + std::string(std::isnan(value) ? "NaN" : "infinite") + ", which JSON has no form for");
    if (value == std::trunc(value) && std::abs(value) <= kMostExact && !(value == 0 && std::signbit(value))) {
      return static_cast<std::int64_t>(value);
    }
    return value;
  }

  bool object(const Value& value, Json& out, std::size_t depth) {
    if (const Value to_json = value.get("toJSON"); to_json.is_function()) {
      const Value key = realm_.string("");
      const Value plain = to_json.call_on(value, std::span(&key, 1));
      if (!plain.is_object()) return convert(plain, out, depth);
      return members(plain, out, depth);
    }
    return members(value, out, depth);
  }

  bool members(const Value& value, Json& out, std::size_t depth) {
    if (value.is_array()) {
      JsonArray& items = out.emplace_array();
      const std::uint64_t length = value.length();
      for (std::uint64_t i = 0; i < length; ++i) {
        if (i % 4096 == 4095 && realm_.isolate().interrupted_now()) {
          throw Error(RuntimeError::kTimeout, "[isolate] the script was stopped: its time was over");
        }
        const Within within(path_, "/" + std::to_string(i));
        Json item = nullptr;  // what JSON leaves out stays null in an array
        convert(value.get(static_cast<std::uint32_t>(i)), item, depth + 1);
        items.push_back(std::move(item));
      }
      return true;
    }
    JsonObject& object = out.emplace_object();
    for (const std::string& key : value.keys()) {
      const Within within(path_, "/" + key);
      Json member;
      if (convert(value.get(key), member, depth + 1)) object.insert_or_assign(key, std::move(member));
    }
    return true;
  }

  /// Bytes of a buffer that goes over whole are taken at the end: script may still look at it until then.
  Json attach(const Value& value) {
    const Value buffer = value.array_buffer();
    for (std::size_t i = 0; i < transfer_.size(); ++i) {
      if (!transfer_[i].same_as(buffer)) continue;
      const auto part = value.buffer();
      const auto whole = buffer.buffer();
      const auto offset = part.empty() ? 0 : static_cast<std::size_t>(part.data() - whole.data());
      moved_.push_back({message_->bytes.size(), i, offset, part.size()});
      return attach_bytes(*message_, {});
    }
    return attach_bytes(*message_, copy_bytes(value));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw realm_.type_error((path_.empty() ? "the value" : path_) + " " + what);
  }

  /// A part of a buffer that goes over.
  struct Moved {
    std::size_t index;     // in the message's bytes
    std::size_t transfer;  // in transfer_
    std::size_t offset, size;
  };

  struct Within {
    Within(std::string& path, const std::string& step) : path_(path), size_(path.size()) { path += step; }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;
    ~Within() { path_.resize(size_); }
    std::string& path_;
    std::size_t size_;
  };

  Realm realm_;
  Message* message_;
  std::span<const Value> transfer_;
  std::string path_;  // JSON pointer
  std::vector<Moved> moved_;
};

Value inward(Realm realm, const Json& json, const Message* message) {
  switch (json.kind()) {
    case boost::json::kind::null: return realm.null();
    case boost::json::kind::bool_: return realm.boolean(json.get_bool());
    case boost::json::kind::int64: {
      const std::int64_t value = json.get_int64();
      return std::abs(static_cast<double>(value)) <= kMostExact ? realm.number(static_cast<double>(value))
                                                                : realm.bigint(value);
    }
    case boost::json::kind::uint64: {
      const std::uint64_t value = json.get_uint64();
      return static_cast<double>(value) <= kMostExact ? realm.number(static_cast<double>(value))
                                                      : realm.bigint_unsigned(value);
    }
    case boost::json::kind::double_: return realm.number(json.get_double());
    case boost::json::kind::string: return realm.string(json.get_string());
    case boost::json::kind::array: {
      Value out = realm.array();
      for (std::uint32_t i = 0; const Json& item : json.get_array()) out.set(i++, inward(realm, item, message));
      return out;
    }
    case boost::json::kind::object: break;
  }
  const JsonObject& object = json.get_object();
  if (message != nullptr && object.size() == 1 && object.begin()->key() == kBytesKey &&
      object.begin()->value().is_number()) {
    boost::system::error_code wrong;
    const auto index = object.begin()->value().to_number<std::uint64_t>(wrong);
    if (!wrong && index < message->bytes.size()) return realm.array_buffer(message->bytes[index].span());
  }
  Value out = realm.object();
  for (const auto& [key, member] : object) {
    const Value value = inward(realm, member, message);
    if (key == "__proto__") {  // a member like any other, never the prototype
      out.define_hidden(key, value);
    } else {
      out.set(key, value);
    }
  }
  return out;
}

}  // namespace

Value from_json(Realm realm, const Json& json) { return inward(realm, json, nullptr); }

Json to_json(const Value& value) {
  Json out = nullptr;
  if (value.is_undefined()) return out;
  Outward(value.realm(), nullptr, {}).convert(value, out, 0);
  return out;
}

Message to_message(const Value& value, std::span<const Value> transfer) {
  Message message;
  if (value.is_undefined()) return message;
  Json json = nullptr;
  Outward outward(value.realm(), &message, transfer);
  outward.convert(value, json, 0);
  outward.take_transferred();
  message.value = std::move(json);
  return message;
}

Value from_message(Realm realm, const Message& message) { return inward(realm, message.value, &message); }

SharedBytes copy_bytes(const Value& value) { return SharedBytes::copy(value.buffer()); }

SharedBytes take_bytes(const Value& array_buffer) {
  // The standard's way to move the memory into a buffer that script cannot reach.
  const Value moved = array_buffer.realm().isolate().state().intrinsics.transfer.call_on(array_buffer);
  const auto bytes = moved.buffer();
  // The memory is the engine's: it goes back on the isolate's thread, or under the lock when the isolate has ended.
  const auto release = [link = moved.realm().isolate().state().link](Value* value) {
    const std::lock_guard lock(link->mutex);
    std::unique_ptr<Value> held(value);
    if (link->executor != nullptr) link->executor->post([held = std::move(held)] {});
  };
  const std::shared_ptr<const void> owner(new Value(moved), release);
  return SharedBytes::wrap(bytes, owner);
}

}  // namespace alknet::runtime
