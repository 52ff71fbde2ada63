#include "alknet/tensor/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "alknet/schema/compare.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/elements.h"
#include "alknet/tensor/export.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/record_blobs.h"
#include "alknet/tensor/records.h"

namespace alknet::tensor {
namespace {

std::string form_text(const EntryFacts& facts) {
  return fmt::format("{} {}", facts.dtype, shape_text(facts.item_shape));
}

/// Counts the items that differ.
template <typename Differs>
EntryDifference count_differing(std::uint64_t items, Differs differs) {
  EntryDifference difference;
  difference.change = EntryChange::kValues;
  difference.values = items;
  for (std::uint64_t i = 0; i < items; ++i) {
    if (!differs(i)) continue;
    if (difference.differing++ == 0) difference.first = i;
  }
  return difference;
}

EntryDifference compare_flat(const TensorView& before, const TensorView& after) {
  const auto old_bytes = before.data(), new_bytes = after.data();
  if (std::ranges::equal(old_bytes, new_bytes)) return {};
  const std::uint32_t bits = schema::info(before.dtype()).bits;
  const std::uint64_t size = bits / 8;
  if (size == 0) {
    return count_differing(before.count(), [&](std::uint64_t i) {
      return element_bits(old_bytes, i, bits) != element_bits(new_bytes, i, bits);
    });
  }
  return count_differing(before.count(), [&](std::uint64_t i) {
    return std::memcmp(old_bytes.data() + i * size, new_bytes.data() + i * size, size) != 0;
  });
}

EntryDifference compare_records(const RecordsView& before, const RecordsView& after, bool same_layout) {
  if (same_layout && RecordBlobs(before.layout()).empty()) {
    return count_differing(before.count(),
                           [&](std::uint64_t i) { return !std::ranges::equal(before.record(i), after.record(i)); });
  }
  return count_differing(before.count(),
                         [&](std::uint64_t i) { return !schema::equal_json(before.json(i), after.json(i)); });
}

EntryDifference compare_blobs(const BlobView& before, const BlobView& after, bool same_layout) {
  if (same_layout) {
    return count_differing(before.count(),
                           [&](std::uint64_t i) { return !std::ranges::equal(before.bytes(i), after.bytes(i)); });
  }
  return count_differing(before.count(),
                         [&](std::uint64_t i) { return !schema::equal_json(before.json(i), after.json(i)); });
}

class Comparison {
 public:
  Comparison(const File& before, const File& after, const std::function<void(std::uint64_t)>& on_bytes)
      : before_(before), after_(after), on_bytes_(on_bytes) {}

  FileDifference run() {
    before_.check_schema();
    after_.check_schema();
    result_.schema = schema::diff(before_.schema(), after_.schema());
    for (const Entry& entry : before_.entries()) {
      if (!before_.is_reserved(entry)) compare_entry(entry);
      if (on_bytes_) on_bytes_(entry.bytes());
    }
    for (const Entry& entry : after_.entries()) {
      const Entry* old = before_.find(entry.name);
      if (after_.is_reserved(entry) || (old != nullptr && !before_.is_reserved(*old))) continue;
      add({std::string(entry.name), EntryChange::kAdded, "", form_text(entry_facts(after_, entry))});
    }
    compare_metadata();
    return std::move(result_);
  }

 private:
  void add(EntryDifference difference) { result_.entries.push_back(std::move(difference)); }

  void compare_entry(const Entry& entry) {
    const std::string entry_name(entry.name);
    const EntryFacts old_facts = entry_facts(before_, entry);
    const Entry* found = after_.find(entry.name);
    if (found == nullptr || after_.is_reserved(*found)) {
      return add({entry_name, EntryChange::kRemoved, form_text(old_facts), ""});
    }
    const EntryFacts new_facts = entry_facts(after_, *found);
    EntryDifference difference;
    if (old_facts.form != new_facts.form || old_facts.dtype != new_facts.dtype ||
        old_facts.item_shape != new_facts.item_shape) {
      difference.change = EntryChange::kForm;
      difference.differing = 1;
    } else if (old_facts.form == schema::EntryForm::kFlat) {
      difference = compare_flat(before_.tensor(entry), after_.tensor(*found));
    } else {
      const bool same = same_layout(*old_facts.schema, *new_facts.schema);
      difference = old_facts.form == schema::EntryForm::kStruct
                       ? compare_records(before_.records(entry.name), after_.records(entry.name), same)
                       : compare_blobs(before_.blobs(entry.name), after_.blobs(entry.name), same);
    }
    if (difference.differing == 0) return;
    difference.entry = entry_name;
    difference.before = form_text(old_facts);
    difference.after = form_text(new_facts);
    add(std::move(difference));
  }

  /// Whether nothing changed at or below the entry's path, so that bytes mean the same.
  bool same_layout(const schema::FileEntry& before, const schema::FileEntry& after) const {
    if (before.path != after.path) return false;
    return std::ranges::none_of(result_.schema.changes,
                                [&](const schema::Change& change) { return change.path.starts_with(before.path); });
  }

  void compare_metadata() {
    std::map<std::string, std::array<const std::string*, 2>> values;
    const Metadata old_metadata = user_metadata(before_), new_metadata = user_metadata(after_);
    for (const auto& [key, value] : old_metadata) values[key][0] = &value;
    for (const auto& [key, value] : new_metadata) values[key][1] = &value;
    for (const auto& [key, pair] : values) {
      if (pair[0] == nullptr || pair[1] == nullptr || *pair[0] != *pair[1]) result_.metadata.push_back(key);
    }
  }

  const File& before_;
  const File& after_;
  const std::function<void(std::uint64_t)>& on_bytes_;
  FileDifference result_;
};

}  // namespace

std::string_view name(EntryChange change) {
  static constexpr std::array<std::string_view, 4> kNames = {"added", "removed", "form", "values"};
  return kNames[static_cast<std::size_t>(change)];
}

Json FileDifference::json() const {
  JsonArray list;
  for (const auto& each : entries) {
    const auto text = [](const std::string& form) { return form.empty() ? Json() : Json(form); };
    JsonObject entry{{"entry", each.entry},
                     {"change", name(each.change)},
                     {"before", text(each.before)},
                     {"after", text(each.after)}};
    if (each.change == EntryChange::kValues) {
      entry["values"] = each.values;
      entry["differing"] = each.differing;
      entry["first"] = each.first;
    }
    list.push_back(std::move(entry));
  }
  return JsonObject{{"equal", empty()},
                    {"schema", schema.json()},
                    {"metadata", JsonArray(metadata.begin(), metadata.end())},
                    {"entries", std::move(list)}};
}

FileDifference compare(const File& before, const File& after, const std::function<void(std::uint64_t)>& on_bytes) {
  return Comparison(before, after, on_bytes).run();
}

}  // namespace alknet::tensor
