#include "alknet/runtime/convert.h"

#include <cmath>
#include <memory>

#include "alknet/runtime/isolate.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

constexpr double kMostExact = 9007199254740991.0;

/// One walk from script to JSON.
class Outward {
 public:
  Outward(Realm realm, Message* message, std::span<const Value> transfer, bool plain = false)
      : realm_(realm), message_(message), transfer_(transfer), plain_(plain) {}

  /// False when JSON leaves the value out. `key` is the value's place in what holds it.
  bool convert(Value value, const std::string& key, Json& out, std::size_t depth) {
    if (depth > kMaxDepth) fail("nests deeper than " + std::to_string(kMaxDepth) + ", or contains itself");
    count();
    if (value.is_object() && !is_binary(value)) value = plain(value, key);
    if (value.is_undefined()) return false;
    if (value.is_symbol() || value.is_function()) {
      if (plain_) fail("is a function or a symbol, which JSON has no form for");
      return false;
    }
    if (value.is_null()) {
      out = nullptr;
    } else if (value.is_boolean()) {
      out = value.to_boolean();
    } else if (value.is_number()) {
      out = number(value.to_number());
    } else if (value.is_bigint()) {
      if (plain_) fail("is a BigInt, which JSON has no form for");
      out = integer(value);
    } else if (value.is_string()) {
      out = JsonString(value.to_string());
      if (plain_) check_text(out.get_string());
    } else if (is_binary(value)) {
      if (message_ == nullptr) fail("is binary, which JSON has no form for");
      out = attach(value);
    } else {
      members(value, out, depth);
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

  /// Half a surrogate pair has become a replacement character; a text that has one of its own is refused with it.
  void check_text(std::string_view text) const {
    if (text.find("\xEF\xBF\xBD") != std::string_view::npos) fail("may have half a surrogate pair");
  }

  Json integer(const Value& value) {
    const IsolateState& state = ValueAccess::state(realm_);
    std::int64_t low = 0;  // the value modulo 2^64
    checked(ValueAccess::state(realm_), JS_ToBigInt64(state.context, &low, ValueAccess::raw(value)));
    if (realm_.bigint(low).same_as(value)) return low;
    const auto high = static_cast<std::uint64_t>(low);
    if (realm_.bigint_unsigned(high).same_as(value)) return high;
    throw realm_.range_error(where() + " must fit 64 bits: it is a BigInt beyond them");
  }

  static bool is_binary(const Value& value) { return value.is_array_buffer() || value.is_array_buffer_view(); }

  static bool is_boxed(const IsolateState& state, JSClassID id) {
    const auto& classes = state.classes;
    return id == classes.number || id == classes.string || id == classes.boolean || id == classes.bigint ||
           id == classes.raw_json;
  }

  /// What JSON.stringify takes for an object: what its `toJSON` gives, and the primitive that it stands for.
  Value plain(Value value, const std::string& key) {
    if (const Value to_json = value.get("toJSON"); to_json.is_function()) {
      if (plain_) fail("has a toJSON");
      const Value name = realm_.string(key);
      value = to_json.call_on(value, std::span(&name, 1));
      if (!value.is_object()) return value;
    }
    const IsolateState& state = ValueAccess::state(realm_);
    const JSClassID id = JS_GetClassID(ValueAccess::raw(value));
    if (plain_ && is_boxed(state, id)) fail("is an object that stands for a primitive value");
    if (id == state.classes.number) return realm_.number(value.to_number());
    if (id == state.classes.string) return realm_.string(value.to_string());
    if (id == state.classes.boolean) return state.intrinsics.boolean_value.call_on(value);
    if (id == state.classes.bigint) return state.intrinsics.bigint_value.call_on(value);
    if (id == state.classes.raw_json) return from_json(realm_, parse_json(value.get("rawJSON").to_string()));
    return value;
  }

  /// True as Array.isArray has it: also for what stands for an array.
  bool is_array(const Value& value) {
    if (!value.is_proxy()) return value.is_array();
    return ValueAccess::state(realm_).intrinsics.is_array.call(std::span(&value, 1)).to_boolean();
  }

  void members(const Value& value, Json& out, std::size_t depth) {
    if (is_array(value)) {
      JsonArray& items = out.emplace_array();
      const std::uint64_t length = value.length();
      if (length > UINT32_MAX) fail("is longer than an array can be");
      for (std::uint64_t i = 0; i < length; ++i) {
        const std::string key = std::to_string(i);
        const Within within(path_, "/" + key);
        Json item = nullptr;  // what JSON leaves out stays null in an array
        convert(value.get(static_cast<std::uint32_t>(i)), key, item, depth + 1);
        items.push_back(std::move(item));
      }
      return;
    }
    JsonObject& object = out.emplace_object();
    for (const std::string& key : value.keys()) {
      const Within within(path_, "/" + key);
      if (plain_) check_text(key);
      Json member;
      if (convert(value.get(key), key, member, depth + 1)) object.insert_or_assign(key, std::move(member));
    }
  }

  /// One value can stand for any number, in an array of no memory or by what is in it many times.
  void count() {
    IsolateState& state = ValueAccess::state(realm_);
    if (++count_ % 4096 == 0 && state.must_stop()) throw time_over();
    const auto most = state.options.limits.memory_bytes;
    if (most && count_ > *most / sizeof(Json)) {
      throw Error(RuntimeError::kMemoryLimit,
                  where() + " is one value too many: what leaves the script is larger than its memory may be");
    }
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

  [[noreturn]] void fail(const std::string& what) const { throw realm_.type_error(where() + " " + what); }

  std::string where() const { return path_.empty() ? "the value" : path_; }

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
  bool plain_;
  std::string path_;       // JSON pointer
  std::size_t count_ = 0;  // of the values so far
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
      std::vector<Value> items;
      items.reserve(json.get_array().size());
      for (const Json& item : json.get_array()) items.push_back(inward(realm, item, message));
      return realm.array(items);
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
  for (const auto& [key, member] : object) out.define(key, inward(realm, member, message));
  return out;
}

}  // namespace

Value from_json(Realm realm, const Json& json) { return inward(realm, json, nullptr); }

Json to_json(const Value& value) {
  Json out = nullptr;
  if (value.is_undefined()) return out;
  Outward(value.realm(), nullptr, {}).convert(value, "", out, 0);
  return out;
}

Json to_plain_json(const Value& value) {
  Json out = nullptr;
  if (value.is_undefined()) return out;
  Outward(value.realm(), nullptr, {}, true).convert(value, "", out, 0);
  return out;
}

Message to_message(const Value& value, std::span<const Value> transfer) {
  Message message;
  if (value.is_undefined()) return message;
  Json json = nullptr;
  Outward outward(value.realm(), &message, transfer);
  outward.convert(value, "", json, 0);
  outward.take_transferred();
  message.value = std::move(json);
  return message;
}

Value from_message(Realm realm, const Message& message) { return inward(realm, message.value, &message); }

SharedBytes copy_bytes(const Value& value) { return SharedBytes::copy(value.buffer()); }

SharedBytes take_bytes(const Value& array_buffer) {
  IsolateState& state = ValueAccess::state(array_buffer.realm());
  state.link->free_returned();
  std::unique_ptr<Value> moved;
  {
    // The standard's way to move the memory into a buffer that script cannot reach. The engine loses it if it has no
    // room for that buffer.
    const Reserve reserve(state);
    moved = std::make_unique<Value>(state.intrinsics.transfer.call_on(array_buffer));
    // By its prototype it would keep all that script has, also after the isolate's end.
    checked(state, JS_SetPrototype(context_of(state), ValueAccess::raw(*moved), JS_NULL));
  }
  const auto bytes = moved->buffer();
  const auto release = [link = state.link](Value* value) { link->give_back(std::unique_ptr<Value>(value)); };
  ++state.lent;
  const std::shared_ptr<const void> owner(moved.release(), release);
  return SharedBytes::wrap(bytes, owner);
}

}  // namespace alknet::runtime
