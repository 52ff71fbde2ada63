#include "alknet/tensor/import/arrow_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/import/arrow.h"
#include "alknet/tensor/import/arrow_types.h"
#include "alknet/tensor/import/foreign_reader.h"

namespace alknet::tensor {
namespace {

constexpr std::uint64_t kMaxArrowMessage = std::uint64_t{64} << 20;  // of the FlatBuffer alone
constexpr std::uint32_t kContinuation = 0xFFFFFFFF;
constexpr std::uint64_t kPrefixBytes = 8;  // continuation and length
constexpr std::uint64_t kFileStart = 8;    // magic and padding
constexpr std::uint64_t kFileEnd = 10;     // length of the footer and magic
constexpr std::uint64_t kBlockBytes = 24;

// Numbers of fields in Message.fbs and File.fbs.
enum MessageField : unsigned { kVersionField = 0, kHeaderType = 1, kHeader = 2, kBodyLength = 3 };
enum BatchField : unsigned { kLength = 0, kNodes = 1, kBuffers = 2, kCompression = 3, kVariadicCounts = 4 };
enum FooterField : unsigned { kFooterVersion = 0, kFooterSchema = 1, kDictionaries = 2, kRecordBatches = 3 };
enum HeaderType : std::uint8_t { kSchemaHeader = 1, kDictionaryHeader = 2, kBatchHeader = 3 };

constexpr std::int16_t kOldestVersion = 3;  // V4
constexpr std::int16_t kNewestVersion = 4;  // V5

void check_version(std::int16_t version) {
  if (version < kOldestVersion || version > kNewestVersion) {
    throw ArrowFault{true, fmt::format("metadata version V{}", version + 1), "write it with Arrow 0.15 or newer"};
  }
}

/// The FlatBuffer of a message and where its body begins.
struct Message {
  std::vector<std::byte> bytes;
  std::uint64_t offset;

  FlatTable table() const { return FlatTable::root(bytes); }
  std::uint64_t body() const { return offset + kPrefixBytes + bytes.size(); }
  std::uint8_t type() const { return table().number<std::uint8_t>(kHeaderType); }

  FlatTable header() const {
    check_version(table().number<std::int16_t>(kVersionField));
    const auto header = table().table(kHeader);
    if (!header) throw ArrowFault{false, "a message without content", std::string(kDamagedRemedy)};
    return *header;
  }

  std::uint64_t body_bytes() const {
    const auto bytes_of_body = table().number<std::int64_t>(kBodyLength);
    if (bytes_of_body < 0) throw ArrowFault{false, "a message of negative length", std::string(kDamagedRemedy)};
    return static_cast<std::uint64_t>(bytes_of_body);
  }
};

/// Turns the faults of `action` into Errors.
template <typename Action>
auto with_faults(const ByteSource& source, std::uint64_t offset, Action action) {
  try {
    return action();
  } catch (const ArrowFault& fault) {
    fail_arrow(source, fault, offset);
  } catch (const FlatBufferFault& fault) {
    fail_arrow(source, {false, fmt::format("metadata: {}", fault.what), std::string(kDamagedRemedy)},
               offset + kPrefixBytes + fault.offset);
  }
}

/// The message at `offset`; nothing at the end of a stream.
std::optional<Message> read_message(const ByteSource& source, std::uint64_t offset) {
  ForeignReader reader(source, "Arrow", offset);
  if (reader.remaining() == 0) return std::nullopt;
  if (reader.number<std::uint32_t>() != kContinuation) {
    reader.fail(TensorError::kImportUnsupported, "no message begins here, or one of Arrow before 0.15",
                "write the file again with a newer Arrow");
  }
  const auto bytes = reader.number<std::uint32_t>();
  if (bytes == 0) return std::nullopt;
  if (bytes > kMaxArrowMessage) {
    reader.fail(fmt::format("metadata of {} bytes, the limit is {}", bytes, kMaxArrowMessage));
  }
  if (bytes > reader.remaining()) {
    reader.fail(TensorError::kImportTruncated, "the file ends inside a message", kDamagedRemedy);
  }
  Message message{std::vector<std::byte>(bytes), offset};
  reader.read(message.bytes);
  return message;
}

ArrowBatch batch_of(const ByteSource& source, const Message& message) {
  const FlatTable header = message.header();
  const auto rows = header.number<std::int64_t>(kLength);
  if (rows < 0) throw ArrowFault{false, "a batch with a negative number of rows", std::string(kDamagedRemedy)};
  const ArrowBatch batch{message.offset, message.bytes.size(), message.body(), message.body_bytes(),
                         static_cast<std::uint64_t>(rows)};
  if (batch.body_bytes > source.size() - batch.body) {
    throw file_error(TensorError::kImportTruncated, {source.path(), std::nullopt, batch.body},
                     fmt::format("Arrow: a batch of {} bytes leaves the file", batch.body_bytes), kDamagedRemedy);
  }
  return batch;
}

void read_stream(const ByteSource& source, ArrowMessages& messages) {
  std::uint64_t offset = 0;
  bool has_schema = false;
  while (const auto message = read_message(source, offset)) {
    offset = with_faults(source, offset, [&] {
      verify_arrow_message(message->bytes);
      const std::uint8_t type = message->type();
      if (type == kSchemaHeader && !has_schema) {
        has_schema = true;
        messages.columns = read_arrow_schema(message->header(), messages.metadata);
        return message->body();
      }
      if (type != kBatchHeader || !has_schema) {
        throw ArrowFault{true, fmt::format("a message of type {} where a batch was expected", type),
                         "a stream is one schema and its record batches"};
      }
      messages.batches.push_back(batch_of(source, *message));
      return message->body() + messages.batches.back().body_bytes;
    });
  }
  if (!has_schema) {
    throw file_error(TensorError::kImportTruncated, {source.path()}, "Arrow: the stream has no schema", kDamagedRemedy);
  }
}

// Blocks that share bytes would unpack to more than the file holds.
void check_distinct(const ByteSource& source, const std::vector<ArrowBatch>& batches) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const ArrowBatch& batch : batches) ranges.emplace_back(batch.offset, batch.body + batch.body_bytes);
  std::ranges::sort(ranges);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) {
      fail_arrow(source, {false, "two batches share bytes", std::string(kDamagedRemedy)}, ranges[i].first);
    }
  }
}

ArrowBatch read_block(const ByteSource& source, const FlatVector& blocks, std::size_t i) {
  const auto offset = blocks.number<std::int64_t>(i, 0);
  const auto metadata_bytes = blocks.number<std::int32_t>(i, 8);
  const auto body_bytes = blocks.number<std::int64_t>(i, 16);
  const auto refuse = [](std::string_view what) {
    throw ArrowFault{false, fmt::format("the footer names a block that {}", what), std::string(kDamagedRemedy)};
  };
  if (offset < 0 || static_cast<std::uint64_t>(offset) > source.size()) refuse("is outside the file");
  if (offset % 8 != 0 || metadata_bytes % 8 != 0 || body_bytes % 8 != 0) refuse("is not aligned");
  const auto message = read_message(source, static_cast<std::uint64_t>(offset));
  if (!message) refuse("is no record batch");
  with_faults(source, message->offset, [&] {
    verify_arrow_message(message->bytes);
    return 0;
  });
  if (message->type() != kBatchHeader) refuse("is no record batch");
  const ArrowBatch batch = batch_of(source, *message);
  if (static_cast<std::int64_t>(message->bytes.size() + kPrefixBytes) != metadata_bytes ||
      static_cast<std::int64_t>(batch.body_bytes) != body_bytes) {
    refuse("has another length");
  }
  return batch;
}

void read_file(const ByteSource& source, ArrowMessages& messages) {
  if (source.size() < kFileStart + kFileEnd) {
    throw file_error(TensorError::kImportTruncated, {source.path()}, "Arrow: the file is too short", kDamagedRemedy);
  }
  const std::uint64_t end = source.size() - kFileEnd;
  ForeignReader reader(source, "Arrow", end);
  const auto footer_bytes = reader.number<std::uint32_t>();
  if (reader.text(kArrowFileMagic.size(), kArrowFileMagic.size()) != kArrowFileMagic) {
    reader.fail(TensorError::kImportTruncated, "the file does not end in ARROW1", kDamagedRemedy);
  }
  if (footer_bytes > kMaxArrowMessage || footer_bytes > end - kFileStart) {
    reader.fail(fmt::format("a footer of {} bytes does not fit", footer_bytes));
  }
  std::vector<std::byte> bytes(footer_bytes);
  source.read(end - footer_bytes, bytes);
  with_faults(source, end - footer_bytes, [&] {
    verify_arrow_footer(bytes);
    const FlatTable footer = FlatTable::root(bytes);
    check_version(footer.number<std::int16_t>(kFooterVersion));
    const auto schema = footer.table(kFooterSchema);
    if (!schema) throw ArrowFault{false, "a footer without schema", std::string(kDamagedRemedy)};
    messages.columns = read_arrow_schema(*schema, messages.metadata);
    if (footer.vector(kDictionaries, kBlockBytes, 8).size() > 0) {
      throw ArrowFault{true, "dictionaries", "cast dictionary-encoded columns to their value type first"};
    }
    const FlatVector blocks = footer.vector(kRecordBatches, kBlockBytes, 8);
    for (std::size_t i = 0; i < blocks.size(); ++i) messages.batches.push_back(read_block(source, blocks, i));
    return 0;
  });
}

/// Takes the buffers of a batch one by one.
class BufferReader {
 public:
  BufferReader(const FlatVector& buffers, const ArrowBatch& batch) : buffers_(buffers), batch_(batch) {}

  /// The next buffer, which must have at least `needed` bytes.
  ArrowBuffer next(std::uint64_t needed) {
    if (next_ == buffers_.size()) refuse("has too few buffers");
    const auto offset = buffers_.number<std::int64_t>(next_, 0);
    const auto bytes = buffers_.number<std::int64_t>(next_, 8);
    ++next_;
    if (offset < 0 || bytes < 0 || static_cast<std::uint64_t>(offset) > batch_.body_bytes ||
        static_cast<std::uint64_t>(bytes) > batch_.body_bytes - static_cast<std::uint64_t>(offset)) {
      refuse("has a buffer that leaves it");
    }
    total_ += static_cast<std::uint64_t>(bytes);
    if (bytes > 0 && offset % 8 != 0) refuse("has a buffer that is not aligned");
    if (total_ > batch_.body_bytes) refuse("has buffers that share bytes");
    if (static_cast<std::uint64_t>(bytes) < needed) refuse("has a buffer that is too short for its rows");
    return {batch_.body + static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(bytes)};
  }

  bool at_end() const { return next_ == buffers_.size(); }

 private:
  [[noreturn]] static void refuse(std::string_view what) {
    throw ArrowFault{false, fmt::format("a batch {}", what), std::string(kDamagedRemedy)};
  }

  const FlatVector& buffers_;
  const ArrowBatch& batch_;
  std::size_t next_ = 0;
  std::uint64_t total_ = 0;
};

std::uint64_t needed_bytes(const ArrowColumn& column, std::uint64_t rows) {
  if (rows > INT64_MAX / (std::uint64_t{8} << 20)) return UINT64_MAX;
  switch (column.form) {
    case ArrowForm::kFixed: return rows * column.width;
    case ArrowForm::kBit: return (rows + 7) / 8;
    case ArrowForm::kOffsets: return rows == 0 ? 0 : (rows + 1) * 4;
    default: return rows == 0 ? 0 : (rows + 1) * 8;
  }
}

}  // namespace

void fail_arrow(const ByteSource& source, const ArrowFault& fault, std::uint64_t offset) {
  throw file_error(fault.unsupported ? TensorError::kImportUnsupported : TensorError::kImportInvalid,
                   {source.path(), std::nullopt, offset}, fmt::format("Arrow: {}", fault.what), fault.remedy);
}

ArrowMessages read_arrow_messages(const ByteSource& source) {
  ArrowMessages messages;
  std::array<std::byte, kArrowFileMagic.size()> start{};
  if (source.size() >= start.size()) source.read(0, start);
  const bool is_file = std::ranges::equal(start, std::as_bytes(std::span(kArrowFileMagic)));
  is_file ? read_file(source, messages) : read_stream(source, messages);
  check_distinct(source, messages.batches);
  return messages;
}

std::vector<ArrowChunk> read_arrow_chunks(const ByteSource& source, const ArrowBatch& batch,
                                          const std::vector<ArrowColumn>& columns) {
  const auto message = read_message(source, batch.offset);
  return with_faults(source, batch.offset, [&] {
    const FlatTable header = message.value().header();
    if (header.has(kCompression)) {
      throw ArrowFault{true, "compressed buffers", "write the file again without compression"};
    }
    const FlatVector nodes = header.vector(kNodes, 16, 8);
    const FlatVector buffers = header.vector(kBuffers, 16, 8);
    const auto invalid = [](std::string_view what) {
      throw ArrowFault{false, fmt::format("a batch {}", what), std::string(kDamagedRemedy)};
    };
    if (nodes.size() != columns.size()) invalid("has another number of columns than the schema");
    BufferReader reader(buffers, batch);
    std::vector<ArrowChunk> chunks;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto rows = nodes.number<std::int64_t>(i, 0);
      const auto nulls = nodes.number<std::int64_t>(i, 8);
      if (rows < 0 || static_cast<std::uint64_t>(rows) != batch.rows) invalid("has columns of different length");
      if (nulls < 0 || nulls > rows) invalid("has an impossible count of nulls");
      ArrowChunk chunk{.has_nulls = nulls > 0};
      chunk.validity = reader.next(chunk.has_nulls ? (batch.rows + 7) / 8 : 0);
      chunk.values = reader.next(needed_bytes(columns[i], batch.rows));
      if (columns[i].is_blob()) chunk.bytes = reader.next(0);
      chunks.push_back(chunk);
    }
    if (!reader.at_end()) invalid("has too many buffers");
    return chunks;
  });
}

}  // namespace alknet::tensor
