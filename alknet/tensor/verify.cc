#include "alknet/tensor/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "alknet/base/hash.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/error.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_schema.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/record_blobs.h"
#include "alknet/tensor/records.h"

namespace alknet::tensor {
namespace {

constexpr std::size_t kHashedAtOnce = std::size_t{16} << 20;

std::string code_name(std::error_code code) { return code.message(); }

// A fault as its error describes it.
VerifyFault fault_of(const Error& error) {
  VerifyFault fault{error.code_name(), error.message(), std::nullopt, std::nullopt};
  const auto* details = error.details().if_object();
  if (details == nullptr) return fault;
  if (const auto* entry = details->if_contains("entry")) fault.path = std::string(entry->as_string());
  if (const auto* offset = details->if_contains("offset")) fault.offset = offset->to_number<std::uint64_t>();
  return fault;
}

/// Thrown when the list of faults is full.
struct ListFull {};

class Verifier {
 public:
  Verifier(const File& file, const VerifyOptions& options) : file_(file), options_(options) {}

  std::vector<VerifyFault> run() {
    try {
      check_schema();
      read_checksums();
      for (const Entry& entry : file_.entries()) {
        guarded(entry, [&] { check_entry(entry); });
        guarded(entry, [&] { check_checksum(entry); });
      }
    } catch (const ListFull&) {
      faults_.back().message += " (more faults follow; this list is full)";
    }
    return std::move(faults_);
  }

 private:
  void add(VerifyFault fault) {
    faults_.push_back(std::move(fault));
    if (faults_.size() >= options_.max_faults) throw ListFull();
  }

  // A fault at one item of an entry.
  void add(const Error& error, const Entry& entry, std::uint64_t index, std::uint64_t offset) {
    add({error.code_name(), error.message(), fmt::format("{}[{}]", entry.name, index), offset});
  }

  // Runs a check of an entry; what it throws is a fault of the entry.
  template <typename Check>
  void guarded(const Entry& entry, Check check) {
    try {
      check();
    } catch (const Error& error) {
      add({error.code_name(), error.message(), std::string(entry.name), entry.begin});
    }
  }

  void check_schema() {
    if (!file_.has_schema()) return;
    try {
      const FileSchema schema(file_.schema());
      schema.check(file_.entries(), file_.path(), [this](const Error& error) { add(fault_of(error)); });
      usable_schema_ = faults_.empty();
    } catch (const Error& error) {
      add(fault_of(error));
    }
  }

  void check_entry(const Entry& entry) {
    if (file_.is_reserved(entry)) {
      if (entry.name.starts_with(kPadPrefix)) check_zero(entry);
      return;
    }
    const schema::FileEntry* schema = usable_schema_ ? file_.schema_entry(entry.name) : nullptr;
    const auto form = schema == nullptr ? schema::EntryForm::kFlat : schema->form;
    if (form == schema::EntryForm::kStruct) return check_records(entry);
    if (form == schema::EntryForm::kBlob) return check_blobs(entry);
    if (entry.dtype == schema::FileDtype::kBool) check_booleans(entry);
  }

  void check_zero(const Entry& entry) {
    const TensorView view = file_.tensor(entry);
    const auto bytes = view.data();
    const auto other = std::ranges::find_if(bytes, [](std::byte b) { return b != std::byte{0}; });
    if (other == bytes.end()) return;
    const auto offset = entry.begin + static_cast<std::uint64_t>(other - bytes.begin());
    add({code_name(schema::SchemaError::kNonzeroPadding),
         fmt::format("a pad has a byte that is not zero: {}, byte {}: write the file again", file_.path(), offset),
         std::string(entry.name), offset});
  }

  void check_booleans(const Entry& entry) {
    const TensorView view = file_.tensor(entry);
    const auto bytes = view.data();
    for (std::uint64_t i = 0; i < bytes.size(); ++i) {
      if (std::to_integer<unsigned>(bytes[i]) <= 1) continue;
      add({code_name(schema::SchemaError::kBadBoolean),
           fmt::format("a boolean is {}, not 0 or 1: {}, entry {}, byte {}: {}", std::to_integer<unsigned>(bytes[i]),
                       file_.path(), quoted(entry.name), entry.begin + i, kDamagedRemedy),
           fmt::format("{}[{}]", entry.name, i), entry.begin + i});
    }
  }

  void check_records(const Entry& entry) {
    const RecordsView records = file_.records(entry.name);
    if (schema::takes_any_bytes(records.layout())) return;  // block-quantised weights, which are many
    const RecordBlobs blobs(records.layout());
    for (std::uint64_t i = 0; i < records.count(); ++i) {
      try {
        schema::check_value(records.layout(), records.record(i));
        blobs.for_each(records.record(i), [&](schema::BlobRange range, const BlobItem& item) {
          item.check(records.blob(range, item.alignment()));
        });
      } catch (const Error& error) {
        add(error, entry, i, entry.begin + i * records.stride());
      }
    }
  }

  void check_blobs(const Entry& entry) {
    const BlobView blobs = file_.blobs(entry.name);
    for (std::uint64_t i = 0; i < blobs.count(); ++i) {
      try {
        blobs.check(i);
      } catch (const Error& error) {
        add(error, entry, i, entry.begin + i * kBlobReferenceBytes);
      }
    }
  }

  void read_checksums() {
    const auto table = file_.is_metatensor() ? file_.metadata(kChecksumKey) : std::nullopt;
    if (!table) return;
    try {
      const Json digests = parse_json(*table);
      for (const auto& [name, digest] : digests.as_object()) {
        const Entry* entry = file_.find(name);
        if (entry == nullptr || !digest.is_string()) {
          add_table_fault(
              fmt::format("it names {}, which is no entry, or has no text for it", quoted(std::string_view(name))));
        } else {
          checksums_.emplace(entry, std::string_view(digest.get_string()));
        }
      }
    } catch (const std::exception& error) {  // Error of the parser, or of Boost where a value has another type
      add_table_fault(error.what());
    }
  }

  // Progress is made here, for entries without a checksum as well.
  void check_checksum(const Entry& entry) {
    const auto wanted = checksums_.find(&entry);
    if (wanted == checksums_.end()) return progress(entry.bytes());
    const TensorView view = file_.tensor(entry);
    Xxh3 hash;
    for (auto rest = view.data(); !rest.empty();) {
      const auto piece = rest.first(std::min(rest.size(), kHashedAtOnce));
      hash.update(piece);
      progress(piece.size());
      rest = rest.subspan(piece.size());
    }
    const std::string found = hash.hex();
    if (wanted->second == found) return;
    add(fault_of(file_error(TensorError::kChecksumMismatch, {file_.path(), entry.name, entry.begin},
                            fmt::format("the bytes hash to {}, the file says {}", found, quoted(wanted->second)),
                            kDamagedRemedy)));
  }

  void progress(std::uint64_t bytes) const {
    if (options_.on_progress) options_.on_progress(bytes);
  }

  void add_table_fault(std::string_view what) {
    add(fault_of(file_error(TensorError::kBadChecksumTable, {file_.path()},
                            fmt::format("metadata {} cannot be used: {}", kChecksumKey, what),
                            "it must be a JSON object of digests by entry name")));
  }

  const File& file_;
  const VerifyOptions& options_;
  bool usable_schema_ = false;
  std::unordered_map<const Entry*, std::string> checksums_;
  std::vector<VerifyFault> faults_;
};

}  // namespace

std::vector<VerifyFault> verify(const File& file, const VerifyOptions& options) {
  return Verifier(file, options).run();
}

std::vector<VerifyFault> verify(const std::string& path, const VerifyOptions& options) {
  try {
    return verify(File::open(path), options);
  } catch (const Error& error) {
    if (error.code().category() != tensor_category()) throw;
    return {fault_of(error)};
  }
}

Json verify_json(const std::vector<VerifyFault>& faults) {
  JsonArray errors;
  for (const VerifyFault& fault : faults) {
    JsonObject error{{"code", fault.code}, {"message", fault.message}};
    if (fault.path) error["path"] = *fault.path;
    if (fault.offset) error["offset"] = *fault.offset;
    errors.push_back(std::move(error));
  }
  return JsonObject{{"ok", faults.empty()}, {"errors", std::move(errors)}};
}

}  // namespace alknet::tensor
