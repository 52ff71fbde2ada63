#include "alknet/tensor/import/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_set>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/tensor/block_formats.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/import/copy.h"
#include "alknet/tensor/import/foreign_reader.h"
#include "alknet/tensor/import/gguf_value.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

constexpr std::uint32_t kDefaultAlignment = 32;
constexpr std::uint32_t kMaxAlignment = 1u << 20;
constexpr std::uint64_t kSmallestPair = 8 + 4 + 1;        // key, type, value
constexpr std::uint64_t kSmallestTensor = 8 + 4 + 4 + 8;  // name, rank, type, offset
constexpr std::uint64_t kMaxGgufKey = 65'535;             // by the specification
constexpr std::string_view kMetadataPrefix = "gguf.";
constexpr std::string_view kRequantiseRemedy = "requantise the model to one of Q4_0 .. Q6_K, F16, BF16, F32";

/// One row of the table of tensor types: a flat one has a dtype, the others are block formats of that name.
struct GgufTensorType {
  std::uint32_t id;
  std::string_view name;
  std::optional<FileDtype> dtype = std::nullopt;
};

// ggml.h, enum ggml_type. Types that are neither flat nor in block_formats() are known by name only.
constexpr std::array kGgufTensorTypes = {
    GgufTensorType{0, "F32", FileDtype::kF32},
    GgufTensorType{1, "F16", FileDtype::kF16},
    GgufTensorType{2, "Q4_0"},
    GgufTensorType{3, "Q4_1"},
    GgufTensorType{6, "Q5_0"},
    GgufTensorType{7, "Q5_1"},
    GgufTensorType{8, "Q8_0"},
    GgufTensorType{9, "Q8_1"},
    GgufTensorType{10, "Q2_K"},
    GgufTensorType{11, "Q3_K"},
    GgufTensorType{12, "Q4_K"},
    GgufTensorType{13, "Q5_K"},
    GgufTensorType{14, "Q6_K"},
    GgufTensorType{15, "Q8_K"},
    GgufTensorType{16, "IQ2_XXS"},
    GgufTensorType{17, "IQ2_XS"},
    GgufTensorType{18, "IQ3_XXS"},
    GgufTensorType{19, "IQ1_S"},
    GgufTensorType{20, "IQ4_NL"},
    GgufTensorType{21, "IQ3_S"},
    GgufTensorType{22, "IQ2_S"},
    GgufTensorType{23, "IQ4_XS"},
    GgufTensorType{24, "I8", FileDtype::kI8},
    GgufTensorType{25, "I16", FileDtype::kI16},
    GgufTensorType{26, "I32", FileDtype::kI32},
    GgufTensorType{27, "I64", FileDtype::kI64},
    GgufTensorType{28, "F64", FileDtype::kF64},
    GgufTensorType{29, "IQ1_M"},
    GgufTensorType{30, "BF16", FileDtype::kBF16},
    GgufTensorType{34, "TQ1_0"},
    GgufTensorType{35, "TQ2_0"},
};

class GgufImporter : public Importer {
 public:
  explicit GgufImporter(ByteSource source) : source_(std::move(source)) {
    plan_.format = "gguf";
    ForeignReader reader(source_, "GGUF");
    read_header(reader);
    for (std::uint64_t i = 0; i < pairs_; ++i) read_pair(reader);
    for (std::uint64_t i = 0; i < tensors_; ++i) read_tensor(reader);
    place_tensors(reader);
    plan_.entries.insert(plan_.entries.end(), std::make_move_iterator(string_entries_.begin()),
                         std::make_move_iterator(string_entries_.end()));
    string_entries_.clear();
  }

  void stream(std::size_t entry, EntrySink& sink) const override {
    if (entry < places_.size()) {
      const auto read = [&](std::uint64_t offset, std::span<std::byte> into) {
        source_.read(places_[entry].offset + offset, into);
      };
      return copy_bytes(read, places_[entry].bytes, sink);
    }
    const GgufStrings& strings = strings_[entry - places_.size()];
    ForeignReader reader(source_, "GGUF", strings.offset);
    for (std::uint64_t i = 0; i < strings.count; ++i) {
      const std::string text = read_gguf_string(reader);
      sink.append_blob(std::as_bytes(std::span(text)));
    }
  }

 private:
  struct Place {
    std::uint64_t offset;  // of the data: first in the data section, at the end in the file
    std::uint64_t bytes;
  };

  void read_header(ForeignReader& reader) {
    if (reader.text(4, 4) != kGgufMagic) reader.fail("the file does not start with GGUF");
    const auto version = reader.number<std::uint32_t>();
    if ((version & 0xFFFF) == 0) {
      reader.fail(TensorError::kImportUnsupported, "a big-endian file",
                  "convert it with the gguf package (gguf-convert-endian FILE little)");
    }
    if (version != 2 && version != 3) {
      reader.fail(TensorError::kUnsupportedVersion, fmt::format("version {}", version), "only 2 and 3 are known");
    }
    tensors_ = reader.number<std::uint64_t>();
    pairs_ = reader.number<std::uint64_t>();
    if (tensors_ > kMaxEntries || pairs_ > kMaxEntries) {
      reader.fail(TensorError::kTooManyEntries, fmt::format("{} tensors and {} metadata", tensors_, pairs_),
                  fmt::format("the limit is {} each", kMaxEntries));
    }
    if (tensors_ > reader.remaining() / kSmallestTensor || pairs_ > reader.remaining() / kSmallestPair) {
      reader.fail(TensorError::kImportTruncated,
                  fmt::format("{} tensors and {} metadata do not fit in the file", tensors_, pairs_), kDamagedRemedy);
    }
  }

  void read_pair(ForeignReader& reader) {
    const std::string key = read_gguf_string(reader, kMaxGgufKey);
    if (find_invalid_utf8(key)) reader.fail("a metadata key that is not UTF-8");
    if (!keys_.insert(key).second) {
      reader.fail(TensorError::kDuplicateKey, fmt::format("two metadata are named {}", quoted(key)), kDamagedRemedy);
    }
    GgufValue value = read_gguf_value(reader);
    std::string name = std::string(kMetadataPrefix) + key;
    if (value.strings) {
      const char* kind = value.strings->is_utf8 ? "TypeDef:String" : "TypeDef:Bytes";
      string_entries_.push_back({.name = std::move(name),
                                 .form = schema::EntryForm::kBlob,
                                 .shape = {static_cast<std::int64_t>(value.strings->count)},
                                 .item = JsonObject{{"TypeDef:Blob", JsonObject{{"item", JsonObject{{kind, true}}}}}}});
      strings_.push_back(*value.strings);
      return;
    }
    text_bytes_ += name.size() + value.json.size();
    if (text_bytes_ > kMaxGgufText) {
      reader.fail(TensorError::kHeaderTooLarge, fmt::format("metadata of more than {} bytes", kMaxGgufText),
                  "store long arrays as tensors");
    }
    if (key == "general.alignment") set_alignment(reader, value);
    plan_.metadata.emplace_back(std::move(name), std::move(value.json));
  }

  void set_alignment(ForeignReader& reader, const GgufValue& value) {
    if (!value.uint32 || !std::has_single_bit(*value.uint32) || *value.uint32 > kMaxAlignment) {
      reader.fail(fmt::format("general.alignment is {}, no uint32 power of two up to {}", value.json, kMaxAlignment));
    }
    alignment_ = *value.uint32;
  }

  void read_tensor(ForeignReader& reader) {
    ImportedEntry entry{.name = read_gguf_string(reader, kMaxNameBytes)};
    if (find_invalid_utf8(entry.name)) reader.fail("a tensor name that is not UTF-8");
    if (!names_.insert(entry.name).second) {
      reader.fail(TensorError::kDuplicateKey, fmt::format("two tensors are named {}", quoted(entry.name)),
                  kDamagedRemedy);
    }
    const auto rank = reader.number<std::uint32_t>();
    if (rank > kMaxRank) {
      reader.fail(TensorError::kRankTooLarge, fmt::format("{} dimensions, the limit is {}", rank, kMaxRank),
                  kDamagedRemedy);
    }
    std::optional<std::uint64_t> values = 1;
    for (std::uint32_t i = 0; i < rank; ++i) {
      const auto size = reader.number<std::uint64_t>();
      if (values) values = checked_mul(*values, size);
      if (size > INT64_MAX) values.reset();
      entry.shape.push_back(static_cast<std::int64_t>(size));
    }
    std::ranges::reverse(entry.shape);  // GGUF has the fastest dimension first
    const auto type_id = reader.number<std::uint32_t>();
    const auto type = std::ranges::find(kGgufTensorTypes, type_id, &GgufTensorType::id);
    if (type == kGgufTensorTypes.end()) {
      reader.fail(TensorError::kUnknownDtype, fmt::format("tensor {} has type {}", quoted(entry.name), type_id),
                  kRequantiseRemedy);
    }
    std::optional<std::uint64_t> bytes;
    if (type->dtype) {
      entry.dtype = *type->dtype;
      if (values) bytes = schema::byte_size(entry.dtype, *values);
    } else {
      bytes = set_blocks(reader, entry, type->name, values);
    }
    if (!bytes || *bytes > INT64_MAX) {
      reader.fail(TensorError::kSizeOverflow, fmt::format("tensor {} is too large", quoted(entry.name)),
                  kDamagedRemedy);
    }
    places_.push_back({reader.number<std::uint64_t>(), *bytes});
    plan_.entries.push_back(std::move(entry));
  }

  std::optional<std::uint64_t> set_blocks(ForeignReader& reader, ImportedEntry& entry, std::string_view type,
                                          std::optional<std::uint64_t> values) {
    const BlockFormat* format = find_block_format(type);
    if (format == nullptr) {
      reader.fail(TensorError::kImportUnsupported,
                  fmt::format("tensor {} is quantised as {}", quoted(entry.name), type), kRequantiseRemedy);
    }
    if (entry.shape.empty() || entry.shape.back() % format->values != 0) {
      reader.fail(fmt::format("tensor {} of {} does not consist of whole blocks of {} values", quoted(entry.name), type,
                              format->values));
    }
    entry.form = schema::EntryForm::kStruct;
    entry.shape.back() /= format->values;
    entry.stride = format->bytes;
    entry.block_values = format->values;
    entry.item = JsonObject{{"$ref", fmt::format("#/$defs/{}", type)}};
    if (!plan_.definitions.contains(type)) plan_.definitions[type] = block_schema(*format);
    if (!values) return std::nullopt;
    return checked_mul<std::uint64_t>(*values / static_cast<std::uint64_t>(format->values), format->bytes);
  }

  void place_tensors(ForeignReader& reader) {
    if (places_.empty()) return;
    const std::uint64_t start = *align_up<std::uint64_t>(reader.position(), alignment_);
    const auto refuse = [&](std::size_t i, TensorError code, std::string_view what) {
      throw file_error(code, {source_.path(), plan_.entries[i].name}, fmt::format("GGUF: {}", what), kDamagedRemedy);
    };
    std::vector<std::size_t> order(places_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
      Place& place = places_[i];
      const auto offset = checked_add(start, place.offset);
      if (place.offset % alignment_ != 0) refuse(i, TensorError::kImportInvalid, "an offset that is not aligned");
      if (!offset || *offset > source_.size() || place.bytes > source_.size() - *offset) {
        refuse(i, TensorError::kOffsetOutOfRange,
               fmt::format("{} bytes at {} of the data leave the file", place.bytes, place.offset));
      }
      place.offset = *offset;
    }
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(places_[i].offset, places_[i].bytes); });
    for (std::size_t i = 1; i < order.size(); ++i) {
      const Place& before = places_[order[i - 1]];
      if (before.offset + before.bytes > places_[order[i]].offset) {
        refuse(order[i], TensorError::kOffsetOverlap, "its bytes are also another tensor's");
      }
    }
  }

  ByteSource source_;
  std::uint64_t tensors_ = 0;
  std::uint64_t pairs_ = 0;
  std::uint64_t text_bytes_ = 0;
  std::uint32_t alignment_ = kDefaultAlignment;
  std::unordered_set<std::string> keys_;
  std::unordered_set<std::string> names_;
  std::vector<Place> places_;                  // of the first entries
  std::vector<ImportedEntry> string_entries_;  // while the header is read
  std::vector<GgufStrings> strings_;           // of the entries behind those
};

}  // namespace

std::unique_ptr<Importer> open_gguf(ByteSource source) { return std::make_unique<GgufImporter>(std::move(source)); }

}  // namespace alknet::tensor
