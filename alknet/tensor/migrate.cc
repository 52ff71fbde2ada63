#include "alknet/tensor/migrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "alknet/base/bytes.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/path.h"
#include "alknet/tensor/blob_window.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/file_schema.h"
#include "alknet/tensor/flat_conversion.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::EntryForm;
using schema::FileEntry;
using schema::Refusal;

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;  // about, of either side
constexpr std::size_t kShownRefusals = 20;

/// One entry on its way.
struct Move {
  const Entry* from = nullptr;
  const FileEntry* to = nullptr;
  std::vector<std::int64_t> shape;  // of the new entry in items
  std::uint64_t items = 0;
  std::optional<FlatConversion> flat;
  std::optional<schema::RecordConverter> records;  // of struct and blob tensors
  Writer::Id id = 0;
  std::optional<Writer::Id> store;
};

/// The new shape in items of an entry, or nothing when its items do not fit.
std::optional<std::vector<std::int64_t>> fit_shape(std::span<const std::int64_t> found,
                                                   std::span<const std::int64_t> wanted) {
  std::vector<std::int64_t> shape(wanted.begin(), wanted.end());
  const bool open = !shape.empty() && shape.front() == -1;
  if (open && found.size() == shape.size()) {
    shape.front() = found.front();
    if (std::ranges::equal(shape, found)) return shape;
  }
  std::uint64_t total = 1, rest = 1;  // which fit: files and schemas were checked
  for (const std::int64_t size : found) total *= static_cast<std::uint64_t>(size);
  for (const std::int64_t size : std::span(shape).subspan(open ? 1 : 0)) rest *= static_cast<std::uint64_t>(size);
  if (!open) return rest == total ? std::optional(shape) : std::nullopt;
  if (rest == 0 ? total != 0 : total % rest != 0) return std::nullopt;
  shape.front() = rest == 0 ? 0 : static_cast<std::int64_t>(total / rest);
  return shape;
}

class Migration {
 public:
  Migration(const File& file, const schema::Schema& after, const MigrateOptions& options)
      : file_(file), after_(after), options_(options), plan_{options.conversion, {}, {}} {}

  void plan() {
    for (const FileEntry& wanted : after_.entries()) plan_entry(wanted);
    for (const Entry& entry : file_.entries()) {
      if (file_.is_reserved(entry) || after_.find(entry.name) != nullptr) continue;
      const FileEntry* known = file_.schema_entry(entry.name);
      plan_.require_drop(known != nullptr ? known->path : inferred_path(entry), "the new schema has no such entry");
    }
    plan_.refuse_unused();
    if (!plan_.refusals.empty()) refuse();
  }

  void write(const std::string& target) {
    const bool summed = file_.is_metatensor() && file_.metadata(kChecksumKey).has_value();
    Writer writer(target, {.schema = after_.schema(),
                           .metadata = user_metadata(file_),
                           .checksums = options_.checksums.value_or(summed)});
    for (Move& move : moves_) declare(writer, move);
    writer.start();
    for (const Move& move : moves_) move.flat ? write_flat(writer, move) : write_records(writer, move);
    writer.close();
  }

 private:
  static std::string inferred_path(const Entry& entry) {
    std::string path;
    schema::append_step(path, entry.name);
    return path;
  }

  void refuse(const std::string& path, std::string message) { plan_.refusals.push_back({path, std::move(message)}); }

  [[noreturn]] void refuse() const {
    std::string text;
    JsonArray list;
    for (const Refusal& refusal : plan_.refusals) {
      if (list.size() < kShownRefusals) text += fmt::format("\n  {}: {}", refusal.path, refusal.message);
      list.push_back(JsonObject{{"path", refusal.path}, {"message", refusal.message}});
    }
    if (list.size() > kShownRefusals) text += fmt::format("\n  and {} more", list.size() - kShownRefusals);
    throw Error(TensorError::kMigrationRefused,
                fmt::format("cannot migrate: {}: {} obstacle{}:{}", file_.path(), list.size(),
                            list.size() == 1 ? "" : "s", text),
                JsonObject{{"path", file_.path()}, {"refusals", std::move(list)}});
  }

  void plan_entry(const FileEntry& wanted) {
    const Entry* found = file_.find(wanted.name);
    if (found == nullptr || file_.is_reserved(*found)) {
      if (wanted.required) refuse(wanted.path, "the new schema requires it, and the file has no such entry");
      return;
    }
    const EntryFacts facts = entry_facts(file_, *found);
    if (facts.form != wanted.form) {
      return refuse(wanted.path,
                    fmt::format("a {} tensor does not become a {} one", name(facts.form), name(wanted.form)));
    }
    const bool flat = facts.form == EntryForm::kFlat;
    const auto item_shape = std::span(wanted.shape).first(wanted.shape.size() - (flat ? 0 : 1));
    const auto shape = fit_shape(facts.item_shape, item_shape);
    if (!shape) {
      return refuse(wanted.path,
                    fmt::format("shape {} does not fit {}", shape_text(facts.item_shape), shape_text(item_shape)));
    }
    Move& move = moves_.emplace_back();
    move.from = found;
    move.to = &wanted;
    move.shape = *shape;
    move.items = 1;
    for (const std::int64_t size : *shape) move.items *= static_cast<std::uint64_t>(size);
    if (flat) {
      plan_flat(move);
    } else {
      plan_records(move, *facts.schema);
    }
  }

  void plan_flat(Move& move) {
    const FileEntry& to = *move.to;
    move.flat.emplace(move.from->dtype, to.dtype, plan_.converter(to.path), options_.conversion.saturate);
    if (!move.flat->is_possible()) {
      refuse(to.path,
             fmt::format("no {} is a {}: name a converter", schema::name(move.from->dtype), schema::name(to.dtype)));
    }
    if (!byte_size(to.dtype, move.items)) {
      refuse(to.path, fmt::format("{} elements of {} do not fill whole bytes", move.items, schema::name(to.dtype)));
    }
  }

  void plan_records(Move& move, const FileEntry& from) {
    const auto same_block = [](const FileEntry& a, const FileEntry& b) {
      if (!a.block || !b.block) return a.block.has_value() == b.block.has_value();
      return a.block->values == b.block->values && a.block->axis == b.block->axis;
    };
    if (!same_block(from, *move.to)) refuse(move.to->path, "blocks of values are not regrouped");
    move.records.emplace(*from.node->tensor.element, *move.to->node->tensor.element, move.to->path, plan_);
  }

  static void declare(Writer& writer, Move& move) {
    std::vector<std::int64_t> stored = move.shape;
    if (!move.flat) stored.push_back(static_cast<std::int64_t>(move.to->stride));
    move.id = writer.declare({move.to->name, move.to->dtype, std::move(stored)});
    if (move.to->has_store) move.store = writer.declare_store(move.to->name, move.to->store_align);
  }

  void advance(std::uint64_t bytes) const {
    if (options_.on_bytes) options_.on_bytes(bytes);
  }

  // The error with the entry and the index of the item, which the piece starts `first` items before.
  [[noreturn]] void rethrow(const Error& error, const Move& move, std::uint64_t index) const {
    JsonObject details = error.details().is_object() ? error.details().get_object() : JsonObject();
    details["path"] = file_.path();
    details["entry"] = move.from->name;
    details["index"] = index;
    throw Error(error.code(),
                fmt::format("cannot migrate: {}, entry {}, item {}: {}", file_.path(), quoted(move.from->name), index,
                            error.message()),
                std::move(details));
  }

  void write_flat(Writer& writer, const Move& move) const {
    const std::uint64_t from_bits = schema::info(move.from->dtype).bits, to_bits = schema::info(move.to->dtype).bits;
    const std::uint64_t piece = kPieceBytes / 8;  // elements; a multiple of 8, so that pieces are whole bytes
    std::vector<std::byte> from, to;
    for (std::uint64_t done = 0; done < move.items; done += piece) {
      const std::uint64_t count = std::min(piece, move.items - done);
      from.resize(count * from_bits / 8);
      file_.read(move.from->begin + done * from_bits / 8, from);
      if (!move.flat->is_copy()) {
        to.assign(count * to_bits / 8, std::byte{0});
        convert_flat(move, from, to, count, done);
      }
      writer.write(move.id, done * to_bits / 8, move.flat->is_copy() ? from : to);
      advance(from.size());
    }
  }

  void convert_flat(const Move& move, std::span<const std::byte> from, std::span<std::byte> to, std::uint64_t count,
                    std::uint64_t done) const {
    try {
      move.flat->run(from, to, count);
    } catch (const Error& error) {
      const Json* index = error.details().is_object() ? error.details().get_object().if_contains("index") : nullptr;
      rethrow(error, move, done + (index == nullptr ? 0 : index->to_number<std::uint64_t>()));
    }
  }

  void write_records(Writer& writer, const Move& move) const {
    const std::uint64_t from_stride = *move.records->from().size(), to_stride = move.to->stride;
    const std::uint64_t piece = std::max<std::uint64_t>(1, kPieceBytes / std::max(from_stride, to_stride));
    BlobWindow window(file_, file_.find(std::string(kBlobPrefix) + std::string(move.from->name)), move.from->name);
    Captured captured;
    const schema::BlobReader read = [&](schema::BlobRange range) {
      const auto bytes = window.read(range);
      advance(bytes.size());
      return bytes;
    };
    const schema::BlobWriter store = [&](std::span<const std::byte> bytes, std::uint64_t) {
      const auto range = writer.store_blob(*move.store, bytes);
      if (move.records->adds_limits()) captured.push_back({range, {bytes.begin(), bytes.end()}});
      return range;
    };
    std::vector<std::byte> from, to;
    for (std::uint64_t done = 0; done < move.items; done += piece) {
      const std::uint64_t count = std::min(piece, move.items - done);
      from.resize(count * from_stride);
      file_.read(move.from->begin + done * from_stride, from);
      to.assign(count * to_stride, std::byte{0});
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto made = std::span(to).subspan(i * to_stride, to_stride);
        captured.clear();
        try {
          move.records->convert(std::span(from).subspan(i * from_stride, from_stride), made, read, store);
          if (move.records->adds_limits()) check_limits(move, made, captured);
        } catch (const Error& error) {
          rethrow(error, move, done + i);
        }
      }
      writer.write(move.id, done * to_stride, to);
      advance(from.size());
    }
  }

  using Captured = std::vector<std::pair<schema::BlobRange, std::vector<std::byte>>>;

  void check_limits(const Move& move, std::span<const std::byte> record, const Captured& captured) const {
    const Json value = schema::decode(move.records->to(), record, [&](schema::BlobRange range) {
      for (const auto& [known, bytes] : captured) {
        if (known == range) return std::span<const std::byte>(bytes);
      }
      return std::span<const std::byte>();
    });
    const auto errors = after_.schema().validate(*move.to->node->tensor.element, value, {.max_errors = 2});
    if (errors.empty()) return;
    throw Error(
        schema::SchemaError::kInstanceInvalid,
        fmt::format("the new schema refuses it at \"{}\": {}", errors.front().instance_path, errors.front().message),
        JsonObject{{"instance_path", errors.front().instance_path}});
  }

  const File& file_;
  FileSchema after_;
  const MigrateOptions& options_;
  schema::ConversionPlan plan_;
  std::deque<Move> moves_;
};

}  // namespace

schema::Diff migrate(const File& file, const schema::Schema& after, const std::string& target,
                     const MigrateOptions& options) {
  file.check_schema();
  schema::Diff changes = schema::diff(file.schema(), after);
  Migration migration(file, after, options);
  migration.plan();
  migration.write(target);
  return changes;
}

}  // namespace alknet::tensor
