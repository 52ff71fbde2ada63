#include "alknet/schema/record_converter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "alknet/base/bytes.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/keyword_changes.h"
#include "alknet/schema/number_conversion.h"
#include "alknet/schema/path.h"

namespace alknet::schema {

/// One piece of a conversion, at fixed places in both records.
class RecordConverter::Step {
 public:
  struct Stores {
    const BlobReader& read;
    const BlobWriter& write;
  };

  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  virtual ~Step() = default;
  virtual void run(const std::byte* from, std::byte* to, const Stores& stores) const = 0;
};

namespace {

using Step = RecordConverter::Step;
using StepPointer = std::unique_ptr<const Step>;

Error at_field(const std::string& path, const Error& error) {
  const auto* known = error.details().if_object();
  if (known != nullptr && known->contains("field")) return error;
  JsonObject details = known == nullptr ? JsonObject() : *known;
  details["field"] = path;
  return {error.code(), fmt::format("field {}: {}", path, error.message()), std::move(details)};
}

class CopyStep final : public Step {
 public:
  explicit CopyStep(std::uint64_t bytes) : bytes_(bytes) {}
  void run(const std::byte* from, std::byte* to, const Stores&) const override { std::memcpy(to, from, bytes_); }

 private:
  std::uint64_t bytes_;
};

class NumberStep final : public Step {
 public:
  NumberStep(Kind from, Kind to, bool saturate, std::string path)
      : conversion_(from, to, saturate), path_(std::move(path)) {}
  void run(const std::byte* from, std::byte* to, const Stores&) const override {
    if (!conversion_.run(from, 0, to, 0, 1)) return;
    throw at_field(path_, Error(SchemaError::kInstanceInvalid, conversion_.reason(from)));
  }

 private:
  NumberConversion conversion_;
  std::string path_;
};

/// Writes an instance, numbers as NumberConversion does, so that `saturate` holds for them too; named converters may
/// round an integer to a float.
void write_instance(const Layout& layout, const Json& value, bool saturate, std::byte* to, const BlobWriter& write) {
  const Kind kind = layout.node().kind;
  if (!value.is_number() || !are_numbers(Kind::kFloat64, kind)) {
    return encode_into(layout, value, {to, *layout.size()}, write);
  }
  store_number(kind, value, saturate, to);
}

/// Through JSON, and through a converter of the caller's if there is one.
class JsonStep final : public Step {
 public:
  JsonStep(const Node& from, const Node& to, const ConvertValue* convert, bool saturate, std::string path)
      : from_(layout(from, LayoutMode::kAligned)),
        to_(layout(to, LayoutMode::kAligned)),
        convert_(convert == nullptr ? ConvertValue() : *convert),
        saturate_(saturate),
        path_(std::move(path)) {}

  void run(const std::byte* from, std::byte* to, const Stores& stores) const override {
    try {
      const Json value = decode(from_, {from, *from_.size()}, stores.read);
      if (!convert_) return encode_into(to_, value, {to, *to_.size()}, stores.write);
      write_instance(to_, convert_(value), saturate_, to, stores.write);
    } catch (const Error& error) {
      throw at_field(path_, error);
    }
  }

 private:
  Layout from_;
  Layout to_;
  ConvertValue convert_;
  bool saturate_;
  std::string path_;
};

class BlobCopyStep final : public Step {
 public:
  explicit BlobCopyStep(std::uint64_t align) : align_(align) {}
  void run(const std::byte* from, std::byte* to, const Stores& stores) const override {
    const auto range = load_le<BlobRange>(from);
    if (range.bytes == 0) return;
    store_le(to, stores.write(stores.read(range), align_));
  }

 private:
  std::uint64_t align_;
};

/// Ragged arrays, item by item.
class RaggedStep final : public Step {
 public:
  RaggedStep(const NodeLayout& from, const NodeLayout& to, StepPointer item, std::string path)
      : from_size_(*from.size), to_size_(*to.size), align_(to.align), item_(std::move(item)), path_(std::move(path)) {}
  void run(const std::byte* from, std::byte* to, const Stores& stores) const override {
    const auto range = load_le<BlobRange>(from);
    if (range.bytes == 0) return;
    const auto items = stores.read(range);
    if (items.size() % from_size_ != 0) {
      throw at_field(path_, Error(SchemaError::kBadLength,
                                  fmt::format("a blob of {} bytes is no whole number of items", items.size())));
    }
    const std::uint64_t count = items.size() / from_size_;
    const auto bytes = checked_mul(count, to_size_);
    if (!bytes) throw at_field(path_, Error(SchemaError::kBadLength, "the items do not fit 64 bits"));
    std::vector<std::byte> made(*bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      item_->run(items.data() + i * from_size_, made.data() + i * to_size_, stores);
    }
    store_le(to, stores.write(made, align_));
  }

 private:
  std::uint64_t from_size_;
  std::uint64_t to_size_;
  std::uint64_t align_;
  StepPointer item_;
  std::string path_;
};

/// The items of an Array of Arrays ..., in row-major order.
struct Grid {
  std::vector<std::uint64_t> counts;
  std::vector<std::uint64_t> strides;
  const Node* leaf = nullptr;
  std::uint64_t total = 1;

  /// All levels, or the outermost alone.
  Grid(const Layout& layout, const Node& array, bool flat) : leaf(&array) {
    do {
      counts.push_back(*leaf->count);
      leaf = leaf->items;
      strides.push_back(*layout.of(*leaf).size);
      total *= counts.back();
    } while (flat && leaf->kind == Kind::kArray);
  }

  std::uint64_t offset(std::uint64_t index) const {
    std::uint64_t offset = 0;
    for (std::size_t i = counts.size(); i-- > 0; index /= counts[i]) offset += index % counts[i] * strides[i];
    return offset;
  }
};

class ArrayStep final : public Step {
 public:
  ArrayStep(Grid from, Grid to, StepPointer item)
      : from_(std::move(from)), to_(std::move(to)), item_(std::move(item)) {}
  void run(const std::byte* from, std::byte* to, const Stores& stores) const override {
    for (std::uint64_t i = 0; i < from_.total; ++i) item_->run(from + from_.offset(i), to + to_.offset(i), stores);
  }

 private:
  Grid from_;
  Grid to_;
  StepPointer item_;
};

/// A presence bit in the bitmap of a Struct.
struct Bit {
  std::int32_t index = -1;  // -1: always present
  bool get(const std::byte* owner) const {
    return index < 0 || (owner[index / 8] >> (index % 8) & std::byte{1}) != std::byte{0};
  }
  void set(std::byte* owner) const {
    if (index >= 0) owner[index / 8] |= std::byte{1} << (index % 8);
  }
};

/// What becomes of one member of a Struct.
struct Member {
  std::string path;
  std::optional<std::uint64_t> from_offset;  // nothing: added
  Bit from_bit;
  std::uint64_t to_offset = 0;
  Bit to_bit;
  StepPointer step;            // of a value that is there, unless the caller converts it
  std::optional<Layout> from;  // for values that the caller converts
  std::optional<Layout> to;    // for values made from JSON
  const Json* default_value = nullptr;
  ConvertValue convert;
  bool saturate = false;

  void run(const std::byte* from_struct, std::byte* to_struct, const Step::Stores& stores) const {
    const std::byte* old = from_offset && from_bit.get(from_struct) ? from_struct + *from_offset : nullptr;
    if (old != nullptr && !convert) {
      to_bit.set(to_struct);
      return step->run(old, to_struct + to_offset, stores);
    }
    try {
      run_json(old, to_struct, stores);
    } catch (const Error& error) {
      throw at_field(path, error);
    }
  }

 private:
  void run_json(const std::byte* old, std::byte* to_struct, const Step::Stores& stores) const {
    Json value;
    if (old != nullptr) value = decode(*from, {old, *from->size()}, stores.read);
    if (convert) value = convert(value);
    if (!value.is_null()) {
      write_instance(*to, value, saturate, to_struct + to_offset, stores.write);
    } else if (default_value != nullptr) {
      encode_into(*to, *default_value, {to_struct + to_offset, *to->size()}, stores.write);
    } else if (to_bit.index >= 0) {
      return;
    } else {
      throw Error(SchemaError::kInstanceInvalid, "it is absent, and the new schema requires it: convert it by `fill`");
    }
    to_bit.set(to_struct);
  }
};

class StructStep final : public Step {
 public:
  explicit StructStep(std::vector<Member> members) : members_(std::move(members)) {}
  void run(const std::byte* from, std::byte* to, const Stores& stores) const override {
    for (const auto& member : members_) member.run(from, to, stores);
  }

 private:
  std::vector<Member> members_;
};

class Planner {
 public:
  Planner(const Layout& from, const Layout& to, ConversionPlan& plan) : from_(from), to_(to), plan_(plan) {}

  bool adds_limits() const { return adds_limits_; }

  StepPointer step(const Node& from, const Node& to, const std::string& path) {
    if (const auto* convert = plan_.converter(path)) return json(from, to, convert, path);
    adds_limits_ = adds_limits_ || limit_changes(from, to).adds;
    if (from.kind == Kind::kBlob && to.kind == Kind::kBlob && from.items != nullptr && to.items != nullptr) {
      adds_limits_ = adds_limits_ || limit_changes(*from.items, *to.items).adds;
    }
    if (!has_options_below(path) && is_same(from, to)) return std::make_unique<CopyStep>(*from_.of(from).size);
    if (from.kind == Kind::kStruct && to.kind == Kind::kStruct) return members(from, to, path);
    if (from.kind == Kind::kArray && to.kind == Kind::kArray) return array(from, to, path);
    const Conversion rule = conversion(from, to);
    const bool ragged = is_ragged(from) && is_ragged(to);
    if (!ragged && rule.change_class == ChangeClass::kNeedsConverter && !rule.checked) {
      return refuse(path, fmt::format("{}: name a converter", rule.reason));
    }
    if (are_numbers(from.kind, to.kind)) {
      return std::make_unique<NumberStep>(from.kind, to.kind, plan_.options.saturate, path);
    }
    if (ragged) return ragged_array(from, to, path);
    if (from.kind == Kind::kBlob && to.kind == Kind::kBlob && is_same_text(from, to)) {
      return std::make_unique<BlobCopyStep>(1);
    }
    return json(from, to, nullptr, path);
  }

 private:
  static bool is_ragged(const Node& node) {
    return node.kind == Kind::kBlob && node.items != nullptr && info(node.items->kind).form != KindForm::kText;
  }

  static bool is_same_text(const Node& from, const Node& to) {
    if (from.items == nullptr || to.items == nullptr) return from.items == to.items;
    return from.items->kind == to.items->kind && from.items->max_bytes == to.items->max_bytes;
  }

  StepPointer refuse(const std::string& path, std::string message) {
    plan_.refusals.push_back({path, std::move(message)});
    return std::make_unique<CopyStep>(0);
  }

  StepPointer json(const Node& from, const Node& to, const ConvertValue* convert, const std::string& path) {
    return std::make_unique<JsonStep>(from, to, convert, plan_.options.saturate, path);
  }

  /// Whether an option is about a part of what is at `path`.
  bool has_options_below(const std::string& path) const {
    const auto below = [&](std::string_view option) {
      return path.empty() || (option.size() > path.size() && option.starts_with(path) &&
                              (option[path.size()] == '.' || option[path.size()] == '['));
    };
    return std::ranges::any_of(plan_.options.converters, below,
                               [](const auto& item) -> std::string_view { return item.first; }) ||
           std::ranges::any_of(plan_.options.drops, below);
  }

  /// Whether the bytes of one are the bytes of the other, and mean the same. Not for Blobs, whose stores differ.
  bool is_same(const Node& from, const Node& to) const {
    const auto& old_layout = from_.of(from);
    const auto& new_layout = to_.of(to);
    if (from.kind != to.kind || old_layout.size != new_layout.size || from.kind == Kind::kBlob) return false;
    if (limit_changes(from, to).adds) return false;
    switch (info(from.kind).form) {
      case KindForm::kEnum: return from.names == to.names;
      case KindForm::kText: return from.max_bytes == to.max_bytes;
      case KindForm::kArray: return from.count == to.count && is_same(*from.items, *to.items);
      case KindForm::kStruct: break;
      default: return true;
    }
    if (from.properties.size() != to.properties.size() || old_layout.offsets != new_layout.offsets) return false;
    for (std::size_t i = 0; i < from.properties.size(); ++i) {
      const auto& a = from.properties[i];
      const auto& b = to.properties[i];
      if (a.name != b.name || a.nullable() != b.nullable() || !is_same(*a.node, *b.node)) return false;
    }
    return true;
  }

  StepPointer members(const Node& from, const Node& to, const std::string& path) {
    std::vector<Member> members;
    for (std::size_t i = 0; i < to.properties.size(); ++i) {
      const auto& property = to.properties[i];
      Member member;
      member.path = path;
      append_step(member.path, property.name);
      member.to_offset = *to_.of(to).offsets[i];
      member.to_bit = {to_.of(to).presence_bits[i]};
      member.to = layout(*property.node, LayoutMode::kAligned);
      member.default_value = property.default_value;
      member.saturate = plan_.options.saturate;
      if (const auto* convert = plan_.converter(member.path)) member.convert = *convert;
      const auto* old = from.property(property.name);
      if (old != nullptr) {
        const auto index = static_cast<std::size_t>(old - from.properties.data());
        member.from_offset = from_.of(from).offsets[index];
        member.from_bit = {from_.of(from).presence_bits[index]};
        if (member.convert) {
          member.from = layout(*old->node, LayoutMode::kAligned);
        } else {
          member.step = step(*old->node, *property.node, member.path);
        }
      } else if (property.required && !member.convert) {
        plan_.refusals.push_back({member.path, "the new schema requires it: convert it by `constant`"});
      }
      members.push_back(std::move(member));
    }
    for (const auto& property : from.properties) {
      if (to.property(property.name) != nullptr) continue;
      auto removed = path;
      append_step(removed, property.name);
      plan_.require_drop(removed, "the new schema has no such field");
    }
    return std::make_unique<StructStep>(std::move(members));
  }

  StepPointer array(const Node& from, const Node& to, const std::string& path) {
    const bool flat = from.count != to.count;
    const Grid old_grid(from_, from, flat);
    const Grid new_grid(to_, to, flat);
    if (old_grid.total != new_grid.total) {
      return refuse(path, fmt::format("{} items became {}: convert it by `resize`", old_grid.total, new_grid.total));
    }
    auto item = step(*old_grid.leaf, *new_grid.leaf, path + "[]");
    return std::make_unique<ArrayStep>(old_grid, new_grid, std::move(item));
  }

  StepPointer ragged_array(const Node& from, const Node& to, const std::string& path) {
    const auto& old_items = from_.of(*from.items);
    const auto& new_items = to_.of(*to.items);
    if (!has_options_below(path) && is_same(*from.items, *to.items)) {
      return std::make_unique<BlobCopyStep>(new_items.align);
    }
    return std::make_unique<RaggedStep>(old_items, new_items, step(*from.items, *to.items, path + "[]"), path);
  }

  const Layout& from_;
  const Layout& to_;
  ConversionPlan& plan_;
  bool adds_limits_ = false;
};

}  // namespace

const ConvertValue* ConversionPlan::converter(const std::string& path) {
  const auto found = options.converters.find(path);
  if (found == options.converters.end()) return nullptr;
  used.insert(path);
  return &found->second;
}

void ConversionPlan::require_drop(const std::string& path, std::string_view what) {
  if (options.drops.contains(path)) {
    used.insert(path);
  } else {
    refusals.push_back({path, fmt::format("{}: convert it by `drop` to leave its data out", what)});
  }
}

void ConversionPlan::refuse_unused() {
  const auto check = [&](const std::string& path) {
    if (!used.contains(path)) refusals.push_back({path, "a converter is given for what is not there"});
  };
  for (const auto& [path, converter] : options.converters) check(path);
  for (const auto& path : options.drops) check(path);
}

RecordConverter::RecordConverter(const Node& from, const Node& to, const std::string& path, ConversionPlan& plan)
    : from_(layout(from, LayoutMode::kAligned)), to_(layout(to, LayoutMode::kAligned)) {
  require_value_bytes(from_);
  require_value_bytes(to_);
  Planner planner(from_, to_, plan);
  step_ = planner.step(from, to, path);
  adds_limits_ = planner.adds_limits();
  is_copy_ = dynamic_cast<const CopyStep*>(step_.get()) != nullptr;
}

RecordConverter::~RecordConverter() = default;
RecordConverter::RecordConverter(RecordConverter&&) noexcept = default;
RecordConverter& RecordConverter::operator=(RecordConverter&&) noexcept = default;

void RecordConverter::convert(std::span<const std::byte> from, std::span<std::byte> to, const BlobReader& read,
                              const BlobWriter& write) const {
  step_->run(from.data(), to.data(), {read, write});
}

}  // namespace alknet::schema
