#include "alknet/tensor/header_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

constexpr std::string_view kWriterRemedy = "the program that wrote this file does not follow the format";

// Entries are rarely shorter than this, so one reservation usually serves.
constexpr std::size_t kTypicalEntryText = 96;

enum Member : unsigned { kUnknown = 0, kDtype = 1, kShape = 2, kOffsets = 4, kAllMembers = 7 };

Member member_of(std::string_view name) {
  if (name == "dtype") return kDtype;
  if (name == "shape") return kShape;
  if (name == "data_offsets") return kOffsets;
  return kUnknown;
}

}  // namespace

HeaderParser::HeaderParser(char* text, const HeaderPlace& place, std::string_view path)
    : text_(text, static_cast<std::size_t>(place.data_offset - kHeaderPrefixBytes)),
      place_(place),
      path_(path),
      cursor_(text, text + text_.size()) {}

Where HeaderParser::here() const {
  Where where{path_, std::nullopt, kHeaderPrefixBytes + cursor_.offset()};
  if (!entry_name_.empty()) where.entry = entry_name_;
  return where;
}

void HeaderParser::fail(TensorError code, std::string_view what, std::string_view remedy) const {
  throw file_error(code, here(), what, remedy);
}

void HeaderParser::parse() {
  check_text();
  const std::size_t expected = std::min(text_.size() / kTypicalEntryText + 1, kMaxEntries);
  entries.reserve(expected);
  dimensions.reserve(2 * expected);
  try {
    parse_members();
  } catch (const CursorFault& fault) {
    Where where = here();
    where.offset = kHeaderPrefixBytes + fault.offset;
    throw file_error(fault.too_deep ? TensorError::kJsonTooDeep : TensorError::kHeaderInvalid, where, fault.what,
                     kDamagedRemedy);
  }
  check_metadata_keys();
}

void HeaderParser::check_text() const {
  if (const auto fault = find_invalid_utf8(text_)) {
    throw file_error(TensorError::kHeaderInvalid, {path_, std::nullopt, kHeaderPrefixBytes + *fault},
                     "the header is not valid UTF-8", kDamagedRemedy);
  }
  if (text_.front() != '{') {
    throw file_error(TensorError::kHeaderInvalid, {path_, std::nullopt, kHeaderPrefixBytes},
                     "the header does not start with '{'", "this is no metatensor or safetensors file");
  }
}

void HeaderParser::parse_members() {
  bool metadata_seen = false;
  cursor_.expect('{', "expected '{'");
  if (!cursor_.accept('}')) {
    do {
      entry_name_ = {};
      cursor_.peek();
      entry_offset_ = cursor_.offset();
      const std::string_view name = cursor_.string("expected an entry's name");
      cursor_.expect(':', "expected ':' after an entry's name");
      if (name != kMetadataMember) {
        parse_entry(name);
      } else if (metadata_seen) {
        fail(TensorError::kDuplicateKey, "two members are named __metadata__", "keep one of them");
      } else {
        metadata_seen = true;
        parse_metadata();
      }
    } while (cursor_.accept(','));
    entry_name_ = {};
    cursor_.expect('}', "expected ',' or '}' after an entry");
  }
  const auto rest = text_.substr(cursor_.offset());
  if (const auto other = rest.find_first_not_of(' '); other != std::string_view::npos) {
    throw CursorFault{cursor_.offset() + other, "only spaces may follow the header's JSON"};
  }
}

// Called at a value of a form that has no place there: faults within it come first.
void HeaderParser::refuse_value(const char* what) {
  const std::size_t start = cursor_.offset();
  cursor_.skip_value(1);
  throw CursorFault{start, what};
}

void HeaderParser::parse_metadata() {
  if (cursor_.peek() != '{') refuse_value("__metadata__ must be an object of strings");
  cursor_.accept('{');
  if (cursor_.accept('}')) return;
  do {
    const std::string_view key = cursor_.string("expected a metadata key");
    cursor_.expect(':', "expected ':' after a metadata key");
    if (cursor_.peek() != '"') refuse_value("a metadata value must be a string");
    metadata.emplace_back(key, cursor_.string("expected a string"));
  } while (cursor_.accept(','));
  cursor_.expect('}', "expected ',' or '}' after a metadata value");
}

void HeaderParser::check_metadata_keys() const {
  std::vector<std::string_view> keys;
  keys.reserve(metadata.size());
  for (const auto& member : metadata) keys.push_back(member.first);
  std::sort(keys.begin(), keys.end());
  if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end()) {
    throw file_error(TensorError::kDuplicateKey, {path_},
                     fmt::format("two metadata members are named {}", quoted(*twice)), "keep one of them");
  }
}

void HeaderParser::check_name(std::string_view name) const {
  if (name.empty() || name.size() > kMaxNameBytes || name.find('\0') != std::string_view::npos) {
    fail(TensorError::kBadName,
         name.empty() ? std::string("an entry has an empty name")
                      : fmt::format("an entry's name has {} bytes{}", name.size(),
                                    name.size() > kMaxNameBytes ? "" : ", one of them NUL"),
         fmt::format("names have 1 to {} bytes and no NUL; rename it", kMaxNameBytes));
  }
}

void HeaderParser::parse_entry(std::string_view name) {
  entry_name_ = name;
  check_name(name);
  if (entries.size() == kMaxEntries) {
    fail(TensorError::kTooManyEntries, fmt::format("more than {} entries", kMaxEntries), "split the file");
  }
  if (cursor_.peek() != '{') refuse_value("an entry must be an object with dtype, shape and data_offsets");
  cursor_.accept('{');

  Entry entry;
  entry.name = name;
  std::size_t rank = 0;
  unsigned seen = 0;
  if (!cursor_.accept('}')) {
    do {
      const std::string_view member = cursor_.string("expected a member's name");
      cursor_.expect(':', "expected ':' after a member's name");
      const Member bit = member_of(member);
      if (bit == kUnknown) {
        cursor_.skip_value(2);
        fail(TensorError::kUnknownMember, fmt::format("an entry has the unknown member {}", quoted(member)),
             "entries have dtype, shape and data_offsets only");
      }
      if ((seen & bit) != 0) {
        fail(TensorError::kDuplicateKey, fmt::format("an entry has two members {}", quoted(member)),
             "keep one of them");
      }
      seen |= bit;
      if (bit == kDtype) parse_dtype(entry);
      if (bit == kShape) rank = parse_shape();
      if (bit == kOffsets) parse_offsets(entry);
    } while (cursor_.accept(','));
    cursor_.expect('}', "expected ',' or '}' after a member");
  }
  if (seen != kAllMembers) throw CursorFault{cursor_.offset(), "an entry lacks dtype, shape or data_offsets"};
  const std::span<const std::int64_t> shape = std::span<const std::int64_t>(dimensions).last(rank);
  check_entry(entry, shape);
  entry.shape = {static_cast<const std::int64_t*>(nullptr), rank};
  entry.begin += place_.data_offset;
  entry.end += place_.data_offset;
  entries.push_back(entry);
}

void HeaderParser::parse_dtype(Entry& entry) {
  if (cursor_.peek() != '"') refuse_value("a dtype must be a string");
  const std::string_view name = cursor_.string("expected a dtype");
  const auto dtype = schema::parse_file_dtype(name);
  if (!dtype) {
    fail(TensorError::kUnknownDtype, fmt::format("the unknown dtype {}", quoted(name)),
         "it is none of the safetensors dtypes; a newer program may have written it");
  }
  entry.dtype = *dtype;
}

std::size_t HeaderParser::parse_shape() {
  if (cursor_.peek() != '[') refuse_value("a shape must be an array of sizes");
  cursor_.accept('[');
  if (cursor_.accept(']')) return 0;
  std::size_t rank = 0;
  do {
    const char next = cursor_.peek();
    if (next == '[' || next == '{') refuse_value("a dimension must be a whole number from 0");
    const auto dimension = cursor_.unsigned_integer("a dimension must be a whole number from 0");
    if (!dimension || *dimension > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail(TensorError::kSizeOverflow, "a dimension does not fit 63 bits", kWriterRemedy);
    }
    if (++rank > kMaxRank) {
      fail(TensorError::kRankTooLarge, fmt::format("more than {} dimensions", kMaxRank), "reshape the tensor");
    }
    dimensions.push_back(static_cast<std::int64_t>(*dimension));
  } while (cursor_.accept(','));
  cursor_.expect(']', "expected ',' or ']' after a dimension");
  return rank;
}

void HeaderParser::parse_offsets(Entry& entry) {
  static constexpr const char* kForm = "data_offsets must be [begin, end], whole numbers from 0";
  const auto offset = [this] {
    const char next = cursor_.peek();
    if (next == '[' || next == '{') refuse_value(kForm);
    const auto value = cursor_.unsigned_integer(kForm);
    if (!value) fail(TensorError::kOffsetOutOfRange, "an offset does not fit 64 bits", kWriterRemedy);
    return *value;
  };
  if (cursor_.peek() != '[') refuse_value(kForm);
  cursor_.accept('[');
  entry.begin = offset();
  cursor_.expect(',', kForm);
  entry.end = offset();
  cursor_.expect(']', kForm);
}

void HeaderParser::check_entry(const Entry& entry, std::span<const std::int64_t> shape) const {
  std::optional<std::uint64_t> bits = schema::info(entry.dtype).bits;
  std::optional<std::uint64_t> count = 1;
  for (const std::int64_t dimension : shape) {
    if (count) count = checked_mul(*count, static_cast<std::uint64_t>(dimension));
  }
  if (bits && count) bits = checked_mul(*bits, *count);
  if (!bits || !count) {
    fail(TensorError::kSizeOverflow, fmt::format("the size of shape {} does not fit 64 bits", shape_text(shape)),
         kWriterRemedy);
  }
  if (*bits % 8 != 0) {
    fail(TensorError::kPartialByte,
         fmt::format("{} elements of {} end inside a byte", *count, schema::name(entry.dtype)),
         "pad the last dimension");
  }
  if (entry.end < entry.begin || entry.end - entry.begin != *bits / 8) {
    fail(TensorError::kSizeMismatch,
         fmt::format("data_offsets [{}, {}], but shape {} of {} has {} bytes", entry.begin, entry.end,
                     shape_text(shape), schema::name(entry.dtype), *bits / 8),
         kWriterRemedy);
  }
  const std::uint64_t region = place_.file_size - place_.data_offset;
  if (entry.end > region) {
    fail(TensorError::kOffsetOutOfRange,
         fmt::format("an entry ends at byte {} of a data region of {} bytes", entry.end, region), kDamagedRemedy);
  }
}

}  // namespace alknet::tensor
