#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/file_dtype.h"
#include "alknet/schema/kind.h"
#include "alknet/schema/layout.h"
#include "alknet/tensor/import/python_literal.h"

namespace alknet::tensor {

/// A NumPy dtype as the `descr` of a .npy file writes it.
struct NpyType {
  enum class Form {
    kNumber,   ///< integer, float, date, or bytes that are kept as they are
    kComplex,  ///< two floats
    kBoolean,
    kBytes,    ///< S: bytes, padded with NUL
    kUnicode,  ///< U: UCS-4, padded with NUL
    kVoid,     ///< V: raw bytes
    kStruct,
  };
  struct Field;

  Form form = Form::kNumber;
  std::uint32_t size = 0;  ///< Bytes of one item.
  bool big_endian = false;
  schema::Kind kind = schema::Kind::kNone;      ///< Of a number, and of each half of a complex one.
  std::optional<schema::FileDtype> dtype = {};  ///< What a flat tensor of it has; none for the others.
  std::string description = {};                 ///< Of dates: what their numbers count.
  std::vector<Field> fields;                    ///< kStruct
  std::vector<std::int64_t> dimensions = {};    ///< Of a field that is an array.

  std::uint64_t items() const;  ///< Product of `dimensions`.
};

struct NpyType::Field {
  std::string name;
  std::uint32_t offset;  ///< In the file; fields follow each other without gaps, which are fields without name.
  NpyType type;
};

/// Bytes that one item of a dtype may have.
inline constexpr std::uint64_t kMaxNpyItem = std::uint64_t{16} << 20;

/// Why a dtype cannot be read; `unsupported` tells a feature that we lack from nonsense.
struct NpyTypeFault {
  bool unsupported;
  std::string what;
};

/// Throws NpyTypeFault.
NpyType parse_npy_type(const PythonLiteral& descr);

/// Whether items become records: structs, raw bytes, and the complex numbers that have no dtype here.
bool is_record(const NpyType& type);

/// The Struct that a record of this type has: text and bytes become String and Bytes of at most their size.
Json record_schema(const NpyType& type);

/// Turns a record, or a flat item, as NumPy wrote it into one as we store it. Immutable and thread-safe.
class NpyConversion {
 public:
  /// For flat items (kNumber, kComplex, kBoolean).
  explicit NpyConversion(const NpyType& type);

  /// For records; `layout` is that of `record_schema(type)`, aligned.
  NpyConversion(const NpyType& type, const schema::Layout& layout);

  std::size_t from_size() const { return from_size_; }
  std::size_t to_size() const { return to_size_; }

  /// Whether the bytes stay as they are.
  bool is_copy() const;

  /// Converts whole items, one after the other; `to` must be zeros. Throws NpyTypeFault for text that is not Unicode.
  void convert(std::span<const std::byte> from, std::span<std::byte> to) const;

 private:
  struct Step {
    NpyType::Form form;
    std::size_t from = 0;  // offsets in the item
    std::size_t to = 0;
    std::size_t bytes = 0;  // kNumber: of all items of an array; kBytes, kUnicode: of one
    std::size_t width = 1;  // kNumber: bytes that are reversed together; 1 to copy
    std::size_t count = 1;  // kBytes, kUnicode, kStruct: items of an array
    std::size_t from_stride = 0;
    std::size_t to_stride = 0;
    std::vector<Step> steps = {};  // kStruct
  };

  static Step step_of(const NpyType& type, const schema::Node& node, const schema::Layout& layout);
  static Step number_step(const NpyType& type);
  static void run(std::span<const Step> steps, const std::byte* from, std::byte* to);

  std::size_t from_size_;
  std::size_t to_size_;
  std::vector<Step> steps_;
};

/// Bytes of an S item without the NULs at its end, as NumPy gives it.
std::string_view npy_bytes(std::span<const std::byte> item);

/// A U item as UTF-8. Throws NpyTypeFault.
std::string npy_unicode(std::span<const std::byte> item, bool big_endian);

}  // namespace alknet::tensor
