#include "alknet/tensor/import/flatbuffer_verify.h"

#include "alknet/tensor/import/flatbuffer.h"

namespace alknet::tensor {
namespace {

constexpr std::size_t kMaxFlatDepth = 64;
constexpr std::size_t kTablesPerByte = 8;

class FlatVerifier {
 public:
  FlatVerifier(std::span<const FlatType> types, std::size_t limit) : types_(types), left_(limit) {}

  void table(const FlatTable& table, std::size_t type, std::size_t depth) {
    if (depth > kMaxFlatDepth) throw FlatBufferFault{"tables nested too deep", 0};
    if (left_-- == 0) throw FlatBufferFault{"too many tables", 0};
    const auto fields = types_[type].fields;
    for (unsigned i = 0; i < fields.size(); ++i) {
      if (!table.has(i)) {
        if (fields[i].required) throw FlatBufferFault{"a field is missing", 0};
        continue;
      }
      field(table, fields[i], i, depth);
    }
  }

 private:
  void field(const FlatTable& holder, const FlatField& field, unsigned number, std::size_t depth) {
    switch (field.form) {
      case FlatField::Form::kScalar: return scalar(holder, field, number);
      case FlatField::Form::kText: holder.text(number); return;
      case FlatField::Form::kTable: return table(*holder.table(number), field.type, depth + 1);
      case FlatField::Form::kStructs: holder.vector(number, field.bytes, field.align); return;
      case FlatField::Form::kTables: {
        const FlatVector tables = holder.vector(number, 4, 4);
        for (std::size_t i = 0; i < tables.size(); ++i) table(tables.table(i), field.type, depth + 1);
        return;
      }
      case FlatField::Form::kUnion: {
        const std::size_t tag = holder.number<std::uint8_t>(number - 1);
        if (tag == 0 || tag > field.count) return;  // a type of a later version, which the reader refuses or ignores
        return table(*holder.table(number), field.type + tag - 1, depth + 1);
      }
    }
  }

  static void scalar(const FlatTable& holder, const FlatField& field, unsigned number) {
    switch (field.bytes) {
      case 1: holder.number<std::uint8_t>(number); return;
      case 2: holder.number<std::uint16_t>(number); return;
      case 4: holder.number<std::uint32_t>(number); return;
      default: holder.number<std::uint64_t>(number); return;
    }
  }

  std::span<const FlatType> types_;
  std::size_t left_;
};

}  // namespace

void verify_flatbuffer(std::span<const std::byte> buffer, std::span<const FlatType> types, std::uint8_t root) {
  FlatVerifier(types, kTablesPerByte * buffer.size()).table(FlatTable::root(buffer), root, 0);
}

}  // namespace alknet::tensor
