#include "alknet/schema/file_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "alknet/schema/path.h"
#include "alknet/schema/places.h"
#include "alknet/schema/structure.h"

namespace alknet::schema {
namespace {

constexpr std::uint32_t kRecordAlign = 16;
constexpr std::uint32_t kBlobAlign = 8;
constexpr std::size_t kMaxEntryName = 1'024;

[[noreturn]] void refuse(const Node& node, std::string_view what) {
  throw node.places->error(SchemaError::kNotAFileSchema, node.place, {}, what);
}

class Walk {
 public:
  std::vector<FileEntry> run(const Node& root) {
    if (root.kind != Kind::kStruct) refuse(root, "the root of a file's schema is a Struct of Tensors");
    const std::uint64_t count = count_entries(root, 0);
    if (count > kMaxFileEntries) refuse_count(root);
    entries_.reserve(count);
    names_.reserve(count);
    container(root, {}, {}, true);
    return std::move(entries_);
  }

 private:
  /// How many entries `node` unfolds into, in time proportional to the schema's text: a count in it costs nothing.
  /// A node inside itself or nested too deep counts none; visit() refuses those.
  std::uint64_t count_entries(const Node& node, std::size_t depth) {
    if (node.kind == Kind::kTensor) return 1;
    if (depth > kMaxSchemaDepth) return 0;
    if (const auto [known, fresh] = counts_.try_emplace(&node, 0); !fresh) return known->second;
    std::uint64_t count = 0;
    const auto add = [&](std::uint64_t times, const Node& part) {
      std::uint64_t entries = 0;
      if (__builtin_mul_overflow(times, count_entries(part, depth + 1), &entries) ||
          __builtin_add_overflow(count, entries, &count)) {
        count = UINT64_MAX;
      }
    };
    for (const auto& property : node.properties) add(1, *property.node);
    if (node.count.value_or(0) > 0) add(*node.count, *node.items);
    return counts_[&node] = count;
  }

  [[noreturn]] static void refuse_count(const Node& node) {
    throw node.places->error(SchemaError::kSchemaTooLarge, node.place, {},
                             fmt::format("the schema has more than {} entries", kMaxFileEntries));
  }

  // Recursion is bounded by kMaxSchemaDepth.
  void visit(const Node& node, const std::string& name, const std::string& path, bool required) {
    if (name.size() > kMaxEntryName) refuse(node, fmt::format("the entry name is longer than {} bytes", kMaxEntryName));
    if (node.kind == Kind::kTensor) return entry(node, name, path, required);
    const bool counted = node.kind == Kind::kArray && node.count;
    if (!node.holds_tensor || (node.kind != Kind::kStruct && !counted)) {
      refuse(node,
             fmt::format("\"{}\" is {}, but a file has Tensors, and Structs and counted Arrays of them", path,
                         node.kind == Kind::kNone ? "of no kind" : fmt::format("of kind {}", schema::name(node.kind))));
    }
    container(node, name, path, required);
  }

  void container(const Node& node, const std::string& name, const std::string& path, bool required) {
    if (depth_ >= kMaxSchemaDepth) {
      throw node.places->error(SchemaError::kSchemaTooDeep, node.place, {}, "the entries are nested deeper than 64");
    }
    ++depth_;
    const auto prefix = name.empty() ? name : name + ".";
    for (const auto& property : node.properties) {
      auto inner = path;
      append_step(inner, property.name);
      visit(*property.node, prefix + property.name, inner, required && property.required);
    }
    for (std::uint64_t i = 0; i < node.count.value_or(0); ++i) {
      auto inner = path;
      append_step(inner, i);
      visit(*node.items, prefix + std::to_string(i), inner, required);
    }
    --depth_;
  }

  void entry(const Node& node, const std::string& name, const std::string& path, bool required) {
    if (entries_.size() == entries_.capacity()) refuse_count(node);  // would move names, which names_ refers to
    FileEntry& entry = entries_.emplace_back(shared_facts(node));
    entry.name = name;
    entry.path = path;
    entry.required = required;
    if (!names_.insert(entry.name).second) refuse(node, fmt::format("two paths have the entry name \"{}\"", name));
  }

  /// What does not depend on where the node is used; computed once a node.
  const FileEntry& shared_facts(const Node& node) {
    const auto [known, fresh] = facts_.try_emplace(&node);
    if (!fresh) return known->second;
    const auto& spec = node.tensor;
    if (is_any_tensor(spec)) refuse(node, "a Tensor of a file has `dtype` and `shape`");
    FileEntry& entry = known->second;
    entry.node = &node;
    entry.shape = spec.shape;
    entry.logical = spec.logical_shape();
    entry.block = spec.block;
    if (spec.dtype) {
      entry.dtype = *spec.dtype;
      entry.stride = info(*spec.dtype).bytes();
      entry.align = info(*spec.dtype).align();
    } else {
      const auto item = layout(*spec.element, LayoutMode::kAligned);
      const bool blob = spec.element->kind == Kind::kBlob;
      if (item.of(*spec.element).indirect) refuse(node, "records in a file have no offset-indirect fields");
      entry.form = blob ? EntryForm::kBlob : EntryForm::kStruct;
      entry.stride = *item.size();
      entry.align = std::max(blob ? kBlobAlign : kRecordAlign, item.align());
      entry.shape.push_back(static_cast<std::int64_t>(entry.stride));
      entry.has_store = item.of(*spec.element).blobs;
      entry.store_align = store_align(item, *spec.element);
    }
    entry.align = std::max(entry.align, node.align);
    return entry;
  }

  /// The largest alignment of what Blobs inside point to. Each node once: records may repeat a node very often.
  static std::uint32_t store_align(const Layout& item, const Node& root) {
    std::uint32_t align = 1;
    std::unordered_set<const Node*> seen{&root};
    std::vector<const Node*> todo{&root};
    while (!todo.empty()) {
      const Node& node = *todo.back();
      todo.pop_back();
      const bool blob = node.kind == Kind::kBlob;
      if (blob && node.items != nullptr && info(node.items->kind).form != KindForm::kText) {
        align = std::max(align, item.of(*node.items).align);
      }
      if (node.kind == Kind::kArray && seen.insert(node.items).second) todo.push_back(node.items);
      for (const auto& property : node.properties) {
        if (seen.insert(property.node).second) todo.push_back(property.node);
      }
    }
    return align;
  }

  std::vector<FileEntry> entries_;
  std::unordered_set<std::string_view> names_;  // of entries_
  std::unordered_map<const Node*, std::uint64_t> counts_;
  std::unordered_map<const Node*, FileEntry> facts_;
  std::size_t depth_ = 0;
};

}  // namespace

std::vector<FileEntry> file_entries(const Schema& schema) {
  const auto* document = schema.document().if_object();
  if (document != nullptr && document->empty()) return {};
  return Walk().run(schema.root());
}

Json infer_file_schema(std::span<const InferredEntry> entries) {
  if (entries.empty()) return JsonObject();
  JsonObject properties;
  JsonArray required;
  for (const auto& entry : entries) {
    JsonObject tensor{{"dtype", name(entry.dtype)}, {"shape", JsonArray(entry.shape.begin(), entry.shape.end())}};
    properties.emplace(entry.name, JsonObject{{"TypeDef:Tensor", std::move(tensor)}});
    required.emplace_back(entry.name);
  }
  return JsonObject{{"TypeDef:Struct", true}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

}  // namespace alknet::schema
