#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/compute/eager/inline_vector.h"
#include "alknet/graph/graph.h"

namespace alknet::compute {

using graph::Dtype;
using graph::Scalar;
using graph::Shape;

class Tensor;

/// Integers as a parameter of an operation: `{1, 2}`, a Shape, one integer, or nothing (then the operation's default).
class Ints {
 public:
  Ints() = default;
  Ints(std::nullopt_t) {}                                                 // NOLINT(google-explicit-constructor)
  Ints(int value) : Ints(std::int64_t{value}) {}                          // NOLINT(google-explicit-constructor)
  Ints(std::int64_t value) : given_(true), single_(true) { add(value); }  // NOLINT(google-explicit-constructor)
  Ints(std::initializer_list<std::int64_t> values) : given_(true) { add(std::span(values.begin(), values.size())); }
  Ints(const Shape& values) : given_(true) { add(values); }  // NOLINT(google-explicit-constructor)

  bool given() const { return given_; }
  /// One integer that is no list.
  bool single() const { return single_; }
  std::span<const std::int64_t> values() const { return {values_.data(), values_.size()}; }

 private:
  void add(std::int64_t value) { values_.push_back(value); }
  void add(std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) add(value);
  }

  InlineVector<std::int64_t, 6> values_;
  bool given_ = false;
  bool single_ = false;
};

/// An operand of an operation: a tensor, a number, a list of tensors, or nothing. Borrows the tensors, so it lives as
/// long as the call.
class Argument {
 public:
  enum class Kind : std::uint8_t { kAbsent, kTensor, kScalar, kList };

  Argument() = default;
  Argument(const Tensor& tensor);                                              // NOLINT(google-explicit-constructor)
  Argument(const std::vector<Tensor>& list);                                   // NOLINT(google-explicit-constructor)
  Argument(std::span<const Tensor> list) : kind_(Kind::kList), list_(list) {}  // NOLINT(google-explicit-constructor)
  Argument(const Scalar& scalar) : kind_(Kind::kScalar), scalar_(scalar) {}    // NOLINT(google-explicit-constructor)
  template <typename Number>
  requires std::integral<Number> || std::floating_point<Number> Argument(Number value)
      : kind_(Kind::kScalar) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::same_as<Number, bool>) {
      scalar_ = Scalar::of(value);
    } else if constexpr (std::integral<Number>) {
      scalar_ = Scalar::of(static_cast<std::int64_t>(value));
    } else {
      scalar_ = Scalar::of(static_cast<double>(value));
    }
  }

  Kind kind() const { return kind_; }
  const Scalar& scalar() const { return scalar_; }
  /// One tensor or a list of them.
  std::span<const Tensor> tensors() const { return list_; }

 private:
  Kind kind_ = Kind::kAbsent;
  std::span<const Tensor> list_;
  Scalar scalar_;
};

/// A number as a parameter: `2` and `2.0` differ where the result's dtype follows the number (full, arange).
struct Number {
  template <typename T>
  requires std::integral<T> || std::floating_point<T> Number(T number)
      : scalar(Argument(number).scalar()) {}  // NOLINT(google-explicit-constructor)
  bool zero() const { return scalar.kind == graph::DtypeClass::kFloat ? scalar.number == 0 : scalar.integer == 0; }
  Scalar scalar;
};

/// The value of one parameter. Borrows texts, lists and JSON, so it lives as long as the call.
class Attribute {
 public:
  /// kDefault: what the op table says.
  enum class Kind : std::uint8_t { kDefault, kNull, kBool, kInteger, kNumber, kText, kIntegers, kJson };

  Attribute(bool value) : kind_(Kind::kBool), integer_(value ? 1 : 0) {}     // NOLINT(google-explicit-constructor)
  Attribute(std::int64_t value) : kind_(Kind::kInteger), integer_(value) {}  // NOLINT(google-explicit-constructor)
  Attribute(double value) : kind_(Kind::kNumber), number_(value) {}          // NOLINT(google-explicit-constructor)
  Attribute(std::string_view value) : kind_(Kind::kText), text_(value) {}    // NOLINT(google-explicit-constructor)
  Attribute(Dtype value) : Attribute(graph::dtype_name(value)) {}            // NOLINT(google-explicit-constructor)
  Attribute(const Ints& value)                                               // NOLINT(google-explicit-constructor)
      : kind_(value.given() ? Kind::kIntegers : Kind::kDefault), integers_(&value) {}
  Attribute(const Json& value) : kind_(Kind::kJson), json_(&value) {}  // NOLINT(google-explicit-constructor)
  template <typename T>
  Attribute(const std::optional<T>& value)  // NOLINT(google-explicit-constructor)
      : Attribute(value ? Attribute(*value) : Attribute(nullptr)) {}
  Attribute(const Number& value)  // NOLINT(google-explicit-constructor)
      : kind_(value.scalar.kind == graph::DtypeClass::kFloat     ? Kind::kNumber
              : value.scalar.kind == graph::DtypeClass::kInteger ? Kind::kInteger
                                                                 : Kind::kBool),
        integer_(value.scalar.integer),
        number_(value.scalar.number) {}
  Attribute(std::nullptr_t) : kind_(Kind::kNull) {}  // NOLINT(google-explicit-constructor)

  Kind kind() const { return kind_; }

  /// As the op table has it: one integer becomes a list where the parameter takes nothing else. Nothing for a default.
  std::optional<Json> json(const graph::OpParameter& parameter) const;

  /// Appends words that are equal for equal values only.
  void append_key(InlineVector<std::uint64_t, 32>& key) const;

 private:
  Kind kind_ = Kind::kDefault;
  std::int64_t integer_ = 0;
  double number_ = 0;
  std::string_view text_;
  const Ints* integers_ = nullptr;
  const Json* json_ = nullptr;
};

/// The key of attributes that come as JSON; equal to none of a list of Attributes.
std::vector<std::uint64_t> attributes_key(const JsonObject& attributes);

}  // namespace alknet::compute
