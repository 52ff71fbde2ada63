#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::graph {

/// Values of symbolic dimensions, for example {"batch": 3, "seq": 12}.
using DimValues = std::map<std::string, std::int64_t, std::less<>>;

struct DimTerms;  // dim_terms.h

/// A size or index in a graph: an integer, or an expression of named dimensions (`+ - * // %`, parentheses).
///
/// A value type in normal form (a sum of integer multiples of products of atoms, where an atom is a name or a `//` or
/// `%` of two expressions), so equal polynomials compare equal: `seq*batch == batch*seq`. What divides evenly is
/// divided: `(4*seq + 2)//2 == 2*seq + 1`. Copies are cheap; distinct objects may be used by distinct threads.
/// Arithmetic throws Error `size_overflow` when a coefficient does not fit, `dim_invalid` on a division by zero and
/// `too_large` when an expression would grow beyond the limits of dim.cc.
class Dim {
 public:
  Dim(std::int64_t value = 0);  // NOLINT(google-explicit-constructor): integers are dimensions

  /// A named dimension. Throws Error `illegal_name` unless `name` is a letter or _ and then letters, digits and _.
  static Dim symbol(std::string_view name);

  /// Parses "12", "batch", "2*(seq + 1)//3". Throws Error `dim_invalid` with the position.
  static Dim parse(std::string_view text);

  /// The integer, when the expression has no names.
  std::optional<std::int64_t> constant() const;

  /// The value under `values`. Throws Error `dim_unbound` naming the missing dimension, `dim_invalid` on a division by
  /// zero, `size_overflow` when an intermediate result does not fit. `//` and `%` floor, as in Python.
  std::int64_t evaluate(const DimValues& values) const;

  /// Names used, sorted, each once.
  std::vector<std::string> names() const;

  /// Canonical text; `parse(text())` gives an equal Dim.
  std::string text() const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  static Dim floor_divide(const Dim& a, const Dim& b);
  static Dim remainder(const Dim& a, const Dim& b);

  /// Of expressions, not of values: `seq` and `seq + 1` differ. The order is total and has no other meaning.
  friend bool operator==(const Dim& a, const Dim& b) { return std::is_eq(a <=> b); }
  friend std::strong_ordering operator<=>(const Dim& a, const Dim& b);

 private:
  friend class DimBuilder;

  std::int64_t constant_ = 0;
  std::shared_ptr<const DimTerms> terms_;  ///< The terms with names; null for an integer.
};

/// Sizes that may be symbolic, outermost first.
using SymbolicShape = std::vector<Dim>;

/// Concrete sizes or strides in elements, outermost first.
using Shape = std::vector<std::int64_t>;

/// Sizes under `values`; as `Dim::evaluate`, and throws Error `dim_invalid` when one is negative.
Shape evaluate(const SymbolicShape& shape, const DimValues& values);
std::string shape_text(const SymbolicShape& shape);  ///< "[batch, seq, 384]"
std::string shape_text(const Shape& shape);

/// Elements that a tensor may have: their bytes, and twice those, fit 64 bits in every dtype.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 59;

/// Product of the sizes, which are not negative. Throws Error `size_overflow` when it is above kMaxElements.
std::int64_t element_count(const Shape& shape);
Dim element_count(const SymbolicShape& shape);

/// Row-major strides in elements; a size of 0 counts as 1. Throws Error `size_overflow`.
Shape contiguous_strides(const Shape& shape);

}  // namespace alknet::graph
