#include "alknet/graph/dim.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/json.h"
#include "alknet/graph/dim_terms.h"
#include "alknet/graph/error.h"

namespace alknet::graph {
namespace {

// Limits that no model comes near but hostile input might: evaluation, comparison and text stay cheap.
constexpr std::size_t kMaxTerms = 256;
constexpr std::size_t kMaxAtoms = 4096;
constexpr std::size_t kMaxDepth = 32;

[[noreturn]] void overflow(std::string_view what) {
  throw Error(GraphError::kSizeOverflow, fmt::format("{} does not fit 64 bits", what));
}

[[noreturn]] void too_complex() {
  throw Error(GraphError::kTooLarge,
              fmt::format("a dimension expression may have {} terms, {} names and {} nested divisions", kMaxTerms,
                          kMaxAtoms, kMaxDepth));
}

std::int64_t add_checked(std::int64_t a, std::int64_t b) {
  const auto sum = checked_add(a, b);
  if (!sum) overflow(fmt::format("the dimension {} + {}", a, b));
  return *sum;
}

std::int64_t mul_checked(std::int64_t a, std::int64_t b) {
  const auto product = checked_mul(a, b);
  if (!product) overflow(fmt::format("the dimension {} * {}", a, b));
  return *product;
}

/// Python's `//` and `%`.
std::int64_t divide_integers(std::int64_t a, std::int64_t b, bool remainder) {
  if (b == 0) throw Error(GraphError::kDimInvalid, fmt::format("a dimension divides {} by zero", a));
  if (b == -1) return remainder ? 0 : mul_checked(a, -1);
  const std::int64_t rest = a % b;
  const bool adjust = rest != 0 && (rest < 0) != (b < 0);
  if (remainder) return adjust ? rest + b : rest;
  return adjust ? a / b - 1 : a / b;
}

DimProduct multiply(const DimProduct& a, const DimProduct& b) {
  DimProduct product;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(product));
  return product;
}

/// A divisor that can be taken out of terms: one product with a coefficient, or an integer.
struct Monomial {
  DimProduct product;
  std::int64_t coefficient = 0;
};

std::optional<Monomial> monomial(const Dim& dim) {
  const DimTerms* terms = DimBuilder::terms(dim);
  if (terms == nullptr) return Monomial{{}, DimBuilder::constant(dim)};
  if (terms->terms.size() != 1 || DimBuilder::constant(dim) != 0) return std::nullopt;
  return Monomial{terms->terms[0].product, terms->terms[0].coefficient};
}

/// dividend = divisor * quotient + rest, where no term of rest is a multiple of the divisor.
struct Division {
  Dim quotient, rest;
};

Division divide(const Dim& dividend, const Dim& divisor) {
  const auto by = monomial(divisor);
  if (!by) return dividend == divisor ? Division{1, 0} : Division{0, dividend};
  DimBuilder quotient, rest;
  const auto part = [&](const DimProduct& product, std::int64_t coefficient) {
    const bool divides = divide_integers(coefficient, by->coefficient, true) == 0 &&
                         std::includes(product.begin(), product.end(), by->product.begin(), by->product.end());
    if (!divides) return rest.add(product, coefficient);
    DimProduct factor;
    std::set_difference(product.begin(), product.end(), by->product.begin(), by->product.end(),
                        std::back_inserter(factor));
    quotient.add(factor, divide_integers(coefficient, by->coefficient, false));
  };
  if (const DimTerms* terms = DimBuilder::terms(dividend)) {
    for (const auto& term : terms->terms) part(term.product, term.coefficient);
  }
  if (DimBuilder::constant(dividend) != 0) part({}, DimBuilder::constant(dividend));
  return {quotient.build(), rest.build()};
}

Dim quotient_atom(const Dim& dividend, const Dim& divisor, bool remainder) {
  return DimBuilder::of({{}, std::make_shared<const DimQuotient>(DimQuotient{remainder, dividend, divisor})});
}

/// `//` or `%` of a rest that `divide` left.
Dim divide_rest(const Dim& rest, const Dim& divisor, bool remainder) {
  if (rest == Dim(0)) return 0;
  if (rest.constant() && divisor.constant()) return divide_integers(*rest.constant(), *divisor.constant(), remainder);
  return quotient_atom(rest, divisor, remainder);
}

void check_divisor(const Dim& divisor) {
  if (divisor == Dim(0)) throw Error(GraphError::kDimInvalid, "a dimension divides by zero");
}

std::int64_t evaluate_atom(const DimAtom& atom, const DimValues& values) {
  if (atom.quotient) {
    return divide_integers(atom.quotient->dividend.evaluate(values), atom.quotient->divisor.evaluate(values),
                           atom.quotient->remainder);
  }
  const auto found = values.find(atom.name);
  if (found == values.end()) {
    throw Error(GraphError::kDimUnbound, fmt::format("the dimension \"{}\" has no value", atom.name),
                JsonObject{{"dim", atom.name}});
  }
  return found->second;
}

void collect_names(const Dim& dim, std::set<std::string>& names) {
  const DimTerms* terms = DimBuilder::terms(dim);
  if (terms == nullptr) return;
  for (const auto& term : terms->terms) {
    for (const auto& atom : term.product) {
      if (atom.quotient) {
        collect_names(atom.quotient->dividend, names);
        collect_names(atom.quotient->divisor, names);
      } else {
        names.insert(atom.name);
      }
    }
  }
}

}  // namespace

std::strong_ordering operator<=>(const DimAtom& a, const DimAtom& b) {
  if (const auto order = a.name <=> b.name; order != 0 || a.quotient == b.quotient) return order;
  if (const auto order = a.quotient->remainder <=> b.quotient->remainder; order != 0) return order;
  if (const auto order = a.quotient->dividend <=> b.quotient->dividend; order != 0) return order;
  return a.quotient->divisor <=> b.quotient->divisor;
}

bool DimProductOrder::operator()(const DimProduct& a, const DimProduct& b) const {
  if (a.size() != b.size()) return a.size() > b.size();
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end()) < 0;
}

void DimBuilder::add(std::int64_t constant) { constant_ = add_checked(constant_, constant); }

void DimBuilder::add(const DimProduct& product, std::int64_t coefficient) {
  if (product.empty()) return add(coefficient);
  auto& sum = terms_[product];
  sum = add_checked(sum, coefficient);
}

void DimBuilder::add(const Dim& dim, std::int64_t factor) {
  add(mul_checked(dim.constant_, factor));
  if (!dim.terms_) return;
  for (const auto& term : dim.terms_->terms) add(term.product, mul_checked(term.coefficient, factor));
}

Dim DimBuilder::build() const {
  DimTerms result;
  for (const auto& [product, coefficient] : terms_) {
    if (coefficient == 0) continue;
    if (coefficient == std::numeric_limits<std::int64_t>::min()) overflow("a dimension");
    for (const auto& atom : product) {
      result.size += 1;
      if (!atom.quotient) continue;
      for (const Dim& part : {atom.quotient->dividend, atom.quotient->divisor}) {
        result.size += part.terms_ ? part.terms_->size : 0;
        result.depth = std::max(result.depth, 1 + (part.terms_ ? part.terms_->depth : 0));
      }
    }
    result.terms.push_back({product, coefficient});
    if (result.terms.size() > kMaxTerms || result.size > kMaxAtoms || result.depth > kMaxDepth) too_complex();
  }
  Dim dim(constant_);
  if (!result.terms.empty()) {
    // Its magnitude could not be written after a minus sign.
    if (constant_ == std::numeric_limits<std::int64_t>::min()) overflow("a dimension");
    dim.terms_ = std::make_shared<const DimTerms>(std::move(result));
  }
  return dim;
}

Dim DimBuilder::of(DimAtom atom) {
  DimBuilder builder;
  builder.add(DimProduct{std::move(atom)}, 1);
  return builder.build();
}

Dim::Dim(std::int64_t value) : constant_(value) {}

std::optional<std::int64_t> Dim::constant() const {
  if (terms_) return std::nullopt;
  return constant_;
}

std::int64_t Dim::evaluate(const DimValues& values) const {
  std::int64_t sum = constant_;
  if (!terms_) return sum;
  for (const auto& term : terms_->terms) {
    std::int64_t product = term.coefficient;
    for (const auto& atom : term.product) product = mul_checked(product, evaluate_atom(atom, values));
    sum = add_checked(sum, product);
  }
  return sum;
}

std::vector<std::string> Dim::names() const {
  std::set<std::string> names;
  collect_names(*this, names);
  return {names.begin(), names.end()};
}

Dim operator+(const Dim& a, const Dim& b) {
  DimBuilder sum;
  sum.add(a);
  sum.add(b);
  return sum.build();
}

Dim operator-(const Dim& a, const Dim& b) {
  DimBuilder difference;
  difference.add(a);
  difference.add(b, -1);
  return difference.build();
}

Dim operator*(const Dim& a, const Dim& b) {
  DimBuilder product;
  product.add(a, DimBuilder::constant(b));
  const DimTerms* left = DimBuilder::terms(a);
  const DimTerms* right = DimBuilder::terms(b);
  if (right == nullptr) return product.build();
  for (const auto& term : right->terms) {
    product.add(term.product, mul_checked(term.coefficient, DimBuilder::constant(a)));
  }
  if (left == nullptr) return product.build();
  if (left->terms.size() * right->terms.size() > kMaxTerms * kMaxTerms / 4 || left->size + right->size > kMaxAtoms) {
    too_complex();
  }
  for (const auto& l : left->terms) {
    for (const auto& r : right->terms) {
      product.add(multiply(l.product, r.product), mul_checked(l.coefficient, r.coefficient));
    }
  }
  return product.build();
}

Dim Dim::floor_divide(const Dim& a, const Dim& b) {
  check_divisor(b);
  const Division division = divide(a, b);
  return division.quotient + divide_rest(division.rest, b, false);
}

Dim Dim::remainder(const Dim& a, const Dim& b) {
  check_divisor(b);
  return divide_rest(divide(a, b).rest, b, true);
}

std::strong_ordering operator<=>(const Dim& a, const Dim& b) {
  const DimTerms* left = a.terms_.get();
  const DimTerms* right = b.terms_.get();
  if (left != right) {
    if (left == nullptr || right == nullptr) return (left != nullptr) <=> (right != nullptr);
    if (const auto order = left->terms.size() <=> right->terms.size(); order != 0) return order;
    for (std::size_t i = 0; i < left->terms.size(); ++i) {
      const auto& l = left->terms[i];
      const auto& r = right->terms[i];
      if (const auto order = std::lexicographical_compare_three_way(l.product.begin(), l.product.end(),
                                                                    r.product.begin(), r.product.end());
          order != 0) {
        return order;
      }
      if (const auto order = l.coefficient <=> r.coefficient; order != 0) return order;
    }
  }
  return a.constant_ <=> b.constant_;
}

Shape evaluate(const SymbolicShape& shape, const DimValues& values) {
  Shape sizes;
  sizes.reserve(shape.size());
  for (const Dim& dim : shape) {
    sizes.push_back(dim.evaluate(values));
    if (sizes.back() < 0) {
      throw Error(GraphError::kDimInvalid,
                  fmt::format("the size {} is {}; sizes are not negative", dim.text(), sizes.back()));
    }
  }
  return sizes;
}

std::int64_t element_count(const Shape& shape) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    const auto product = checked_mul(count, size);
    if (!product || *product > kMaxElements) {
      throw Error(GraphError::kSizeOverflow,
                  fmt::format("{} has more elements than a tensor may have (2^59)", shape_text(shape)),
                  JsonObject{{"shape", JsonArray(shape.begin(), shape.end())}});
    }
    count = *product;
  }
  return count;
}

Dim element_count(const SymbolicShape& shape) {
  Dim count = 1;
  for (const Dim& dim : shape) count = count * dim;
  return count;
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    const auto product = checked_mul(stride, std::max<std::int64_t>(shape[i], 1));
    if (!product) overflow("the size of " + shape_text(shape));
    stride = *product;
  }
  return strides;
}

}  // namespace alknet::graph
