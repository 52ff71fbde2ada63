#include "alknet/tensor/import/arrow.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/layout.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/import/arrow_batches.h"

namespace alknet::tensor {
namespace {

constexpr std::uint64_t kMaxArrowRecord = std::uint64_t{16} << 20;
constexpr std::uint64_t kMaxArrowValue = std::uint64_t{256} << 20;  // of a text: it is held in memory

bool bit_at(std::span<const std::byte> bits, std::uint64_t i) {
  return (std::to_integer<unsigned>(bits[static_cast<std::size_t>(i / 8)]) >> (i % 8) & 1) != 0;
}

/// Rows of a batch that are read at once.
struct Window {
  std::uint64_t first;
  std::uint64_t count;
};

class ArrowImporter : public Importer {
 public:
  explicit ArrowImporter(ByteSource source) : source_(std::move(source)), messages_(read_arrow_messages(source_)) {
    plan_.format = "arrow";
    plan_.metadata = std::move(messages_.metadata);
    ImportedEntry entry{.name = "table", .form = schema::EntryForm::kStruct};
    entry.item = arrow_record_schema(messages_.columns);
    schema_.emplace(schema::Schema::from_json(entry.item));
    layout_.emplace(schema::layout(*schema_, schema::LayoutMode::kAligned));
    entry.stride = layout_->size().value();
    if (entry.stride > kMaxArrowRecord) {
      fail_arrow(source_,
                 {true, fmt::format("rows of {} bytes, the limit is {}", entry.stride, kMaxArrowRecord),
                  "split the table by columns"},
                 0);
    }
    entry.has_store = std::ranges::any_of(messages_.columns, &ArrowColumn::is_blob);
    std::uint64_t rows = 0;
    for (const ArrowBatch& batch : messages_.batches) {
      read_arrow_chunks(source_, batch, messages_.columns);  // checks that the rows are there
      rows += batch.rows;
    }
    entry.shape = {static_cast<std::int64_t>(rows)};
    plan_.entries.push_back(std::move(entry));
  }

  void stream(std::size_t, EntrySink& sink) const override {
    const std::uint64_t stride = plan_.entries[0].stride;
    const std::uint64_t at_once = std::max<std::uint64_t>(kImportPiece / stride, 1);
    std::vector<std::byte> records;
    std::uint64_t done = 0;
    for (const ArrowBatch& batch : messages_.batches) {
      const auto chunks = read_arrow_chunks(source_, batch, messages_.columns);
      for (Window window{0, 0}; window.first < batch.rows; window.first += window.count) {
        window.count = std::min(at_once, batch.rows - window.first);
        records.assign(static_cast<std::size_t>(window.count * stride), std::byte{0});
        for (std::size_t i = 0; i < chunks.size(); ++i) fill_column(i, chunks[i], window, records, sink);
        sink.write(done * stride, records);
        done += window.count;
      }
    }
  }

 private:
  // Bytes of a buffer, which must be inside it.
  std::vector<std::byte> read(const ArrowBuffer& buffer, std::uint64_t offset, std::uint64_t bytes) const {
    std::vector<std::byte> piece(static_cast<std::size_t>(bytes));
    source_.read(buffer.offset + offset, piece);
    return piece;
  }

  // The bits of a window; bit 0 of the first byte is of row first - first % 8.
  std::vector<std::byte> read_bits(const ArrowBuffer& buffer, Window window) const {
    const std::uint64_t begin = window.first / 8;
    return read(buffer, begin, (window.first + window.count + 7) / 8 - begin);
  }

  void fill_column(std::size_t i, const ArrowChunk& chunk, Window window, std::span<std::byte> records,
                   EntrySink& sink) const {
    const ArrowColumn& column = messages_.columns[i];
    const schema::NodeLayout& layout = layout_->of(schema_->root());
    const auto stride = static_cast<std::size_t>(plan_.entries[0].stride);
    const auto bit = layout.presence_bits.empty() ? -1 : layout.presence_bits[i];
    std::vector<bool> present(static_cast<std::size_t>(window.count), true);
    if (chunk.has_nulls) {
      const auto bits = read_bits(chunk.validity, window);
      for (std::size_t row = 0; row < present.size(); ++row) present[row] = bit_at(bits, window.first % 8 + row);
    }
    for (std::size_t row = 0; row < present.size(); ++row) {
      if (!present[row] && bit < 0) {
        fail_arrow(source_,
                   {false, fmt::format("column {} is not nullable and has nulls", quoted(column.name)),
                    "declare the column nullable"},
                   chunk.validity.offset);
      }
      if (present[row] && bit >= 0) {
        records[row * stride + static_cast<std::size_t>(bit / 8)] |= static_cast<std::byte>(1 << (bit % 8));
      }
    }
    const auto fields = records.subspan(static_cast<std::size_t>(layout.offsets[i].value()));
    switch (column.form) {
      case ArrowForm::kFixed: return fill_fixed(column, chunk, window, present, fields);
      case ArrowForm::kBit: return fill_bits(chunk, window, present, fields);
      case ArrowForm::kOffsets: return fill_blobs<std::int32_t>(column, chunk, window, present, fields, sink);
      case ArrowForm::kLargeOffsets: return fill_blobs<std::int64_t>(column, chunk, window, present, fields, sink);
    }
  }

  std::byte* field(std::span<std::byte> fields, std::size_t row) const {
    return fields.data() + row * static_cast<std::size_t>(plan_.entries[0].stride);
  }

  void fill_fixed(const ArrowColumn& column, const ArrowChunk& chunk, Window window, const std::vector<bool>& present,
                  std::span<std::byte> fields) const {
    const auto values = read(chunk.values, window.first * column.width, window.count * column.width);
    for (std::size_t row = 0; row < present.size(); ++row) {
      if (present[row]) std::ranges::copy_n(values.data() + row * column.width, column.width, field(fields, row));
    }
  }

  void fill_bits(const ArrowChunk& chunk, Window window, const std::vector<bool>& present,
                 std::span<std::byte> fields) const {
    const auto bits = read_bits(chunk.values, window);
    for (std::size_t row = 0; row < present.size(); ++row) {
      if (present[row]) *field(fields, row) = std::byte{bit_at(bits, window.first % 8 + row)};
    }
  }

  template <typename Offset>
  void fill_blobs(const ArrowColumn& column, const ArrowChunk& chunk, Window window, const std::vector<bool>& present,
                  std::span<std::byte> fields, EntrySink& sink) const {
    const auto offsets = read(chunk.values, window.first * sizeof(Offset), (window.count + 1) * sizeof(Offset));
    const auto offset = [&](std::size_t i) {
      return static_cast<std::uint64_t>(load_le<Offset>(offsets.data() + i * sizeof(Offset)));
    };
    for (std::size_t row = 0; row < present.size(); ++row) {
      if (offset(row) > offset(row + 1) || offset(row + 1) > chunk.bytes.bytes) {
        fail_arrow(source_,
                   {false, fmt::format("column {} has a value outside its buffer", quoted(column.name)),
                    std::string(kDamagedRemedy)},
                   chunk.values.offset + (window.first + row) * sizeof(Offset));
      }
    }
    // Values lie side by side: those of a window are read in pieces of at least one value.
    for (std::size_t row = 0; row < present.size();) {
      std::size_t last = row + 1;
      while (last < present.size() && offset(last + 1) - offset(row) <= kImportPiece) ++last;
      if (offset(last) - offset(row) > kMaxArrowValue) {
        fail_arrow(
            source_,
            {true, fmt::format("column {} has a value of more than {} bytes", quoted(column.name), kMaxArrowValue),
             "split it"},
            chunk.values.offset);
      }
      const auto bytes = read(chunk.bytes, offset(row), offset(last) - offset(row));
      const std::uint64_t start = offset(row);
      for (; row < last; ++row) {
        if (!present[row]) continue;
        const auto value = std::span(bytes).subspan(static_cast<std::size_t>(offset(row) - start),
                                                    static_cast<std::size_t>(offset(row + 1) - offset(row)));
        check_text(column, value, chunk.bytes.offset + offset(row));
        const schema::BlobRange range = sink.store_blob(value);
        store_le(field(fields, row), range.offset);
        store_le(field(fields, row) + 8, range.bytes);
      }
    }
  }

  void check_text(const ArrowColumn& column, std::span<const std::byte> value, std::uint64_t offset) const {
    if (column.kind != schema::Kind::kString) return;
    const std::string_view text(reinterpret_cast<const char*>(value.data()), value.size());
    if (find_invalid_utf8(text)) {
      fail_arrow(source_,
                 {false, fmt::format("column {} has text that is not UTF-8", quoted(column.name)),
                  "cast it to binary before writing the file"},
                 offset);
    }
  }

  ByteSource source_;
  ArrowMessages messages_;
  std::optional<schema::Schema> schema_;  // of a record
  std::optional<schema::Layout> layout_;
};

}  // namespace

std::unique_ptr<Importer> open_arrow(ByteSource source) { return std::make_unique<ArrowImporter>(std::move(source)); }

}  // namespace alknet::tensor
