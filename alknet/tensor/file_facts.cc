#include "alknet/tensor/file_facts.h"

#include <array>

#include "alknet/schema/schema.h"
#include "alknet/tensor/elements.h"
#include "alknet/tensor/file_schema.h"

namespace alknet::tensor {
namespace {

JsonArray shape_json(std::span<const std::int64_t> shape) { return JsonArray(shape.begin(), shape.end()); }

void add_statistics(JsonObject& facts, const TensorView& view) {
  const auto found = element_statistics(view.dtype(), view.data(), view.count());
  facts["min"] = found.numbers == 0 ? Json() : Json(found.min);
  facts["max"] = found.numbers == 0 ? Json() : Json(found.max);
  if (found.nans != 0) facts["nans"] = found.nans;
}

}  // namespace

std::string_view name(schema::EntryForm form) {
  static constexpr std::array<std::string_view, 3> kNames = {"flat", "struct", "blob"};
  return kNames[static_cast<std::size_t>(form)];
}

EntryFacts entry_facts(const File& file, const Entry& entry) {
  EntryFacts facts;
  const schema::FileEntry* schema = file.schema_entry(entry.name);
  const bool agrees = schema != nullptr && schema->form != schema::EntryForm::kFlat && schema->dtype == entry.dtype &&
                      schema->shape.size() == entry.shape.size() && schema->shape.back() == entry.shape.back();
  facts.item_shape.assign(entry.shape.begin(), entry.shape.end());
  facts.dtype = schema::name(entry.dtype);
  if (agrees) {
    facts.form = schema->form;
    facts.dtype = name(schema->form);
    facts.stride = schema->stride;
    facts.schema = schema;
    facts.item_shape.pop_back();
  }
  facts.logical_shape = agrees ? logical_shape(*schema, facts.item_shape, file.path()) : facts.item_shape;
  return facts;
}

Json file_facts(const File& file, bool statistics, const std::function<void(std::uint64_t)>& on_progress) {
  JsonObject metadata;
  for (const auto& [key, value] : file.metadata()) metadata[key] = value;
  JsonArray tensors;
  for (const Entry& entry : file.entries()) {
    if (file.is_reserved(entry)) continue;
    const EntryFacts facts = entry_facts(file, entry);
    JsonObject tensor{{"name", entry.name},    {"kind", name(facts.form)},
                      {"dtype", facts.dtype},  {"shape", shape_json(facts.logical_shape)},
                      {"offset", entry.begin}, {"bytes", entry.bytes()}};
    if (facts.stride != 0) tensor["stride"] = facts.stride;
    if (statistics && facts.form == schema::EntryForm::kFlat) add_statistics(tensor, file.tensor(entry));
    if (on_progress) on_progress(entry.bytes());
    tensors.push_back(std::move(tensor));
  }
  return JsonObject{{"file", file.path()},
                    {"bytes", file.size()},
                    {"format", file.is_metatensor() ? "metatensor" : "safetensors"},
                    {"metadata", std::move(metadata)},
                    {"schema", file.schema().document()},
                    {"tensors", std::move(tensors)}};
}

}  // namespace alknet::tensor
