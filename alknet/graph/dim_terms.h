#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alknet/graph/dim.h"

namespace alknet::graph {

/// `dividend // divisor` or `dividend % divisor`, which do not simplify.
struct DimQuotient {
  bool remainder = false;
  Dim dividend, divisor;
};

/// A factor of a product: a name or a quotient.
struct DimAtom {
  std::string name;                             ///< Empty for a quotient.
  std::shared_ptr<const DimQuotient> quotient;  ///< Null for a name.
};
std::strong_ordering operator<=>(const DimAtom& a, const DimAtom& b);
inline bool operator==(const DimAtom& a, const DimAtom& b) { return (a <=> b) == 0; }

/// Sorted.
using DimProduct = std::vector<DimAtom>;

/// Longer products first: the order in which people write polynomials.
struct DimProductOrder {
  bool operator()(const DimProduct& a, const DimProduct& b) const;
};

/// The terms of a Dim beside its constant: products with coefficients, none of them 0.
struct DimTerms {
  struct Term {
    DimProduct product;
    std::int64_t coefficient = 0;
  };
  std::vector<Term> terms;  ///< In DimProductOrder, each product once.
  std::size_t size = 0;     ///< Atoms in all, those inside quotients included.
  std::size_t depth = 0;    ///< Nesting of quotients.
};

/// Adds terms up and makes a Dim of them; what dim.cc's arithmetic is written in.
class DimBuilder {
 public:
  using Terms = std::map<DimProduct, std::int64_t, DimProductOrder>;

  void add(std::int64_t constant);
  void add(const DimProduct& product, std::int64_t coefficient);
  void add(const Dim& dim, std::int64_t factor = 1);
  Dim build() const;

  static Dim of(DimAtom atom);
  static std::int64_t constant(const Dim& dim) { return dim.constant_; }
  static const DimTerms* terms(const Dim& dim) { return dim.terms_.get(); }

 private:
  std::int64_t constant_ = 0;
  Terms terms_;
};

}  // namespace alknet::graph
