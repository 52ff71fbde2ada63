#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "alknet/graph/composers.h"

namespace alknet::graph {
namespace {

/// A dimension's name: the letter, or kEllipsis + its place from the right for those of "...".
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kEllipsis = 1000;

bool contains(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// A value whose dimensions have names, all different.
struct Named {
  Ref ref;
  Labels labels;
};

/// Contracts from left to right: each pair is one matmul, or a product when nothing is summed.
class Einsum {
 public:
  explicit Einsum(Composition& c) : c_(c) { parse(std::string(c.text("equation"))); }

  Ref run() {
    for (Named& operand : operands_) operand = diagonal(std::move(operand));
    find_sizes();
    if (!given_output_) default_output();
    for (const Label label : output_) {
      if (!sizes_.contains(label)) fail("names an output that no operand has");
    }
    Named result = operands_.front();
    for (std::size_t i = 1; i < operands_.size(); ++i) {
      result = contract(std::move(result), operands_[i], needed_after(i));
    }
    result = summed(std::move(result), output_);
    return permuted(result, output_).ref;
  }

 private:
  [[noreturn]] void fail(std::string_view message) const { c_.rule().fail_attribute("equation", message); }

  void parse(std::string text) {
    std::erase(text, ' ');
    const auto arrow = text.find("->");
    given_output_ = arrow != std::string::npos;
    const std::string left = text.substr(0, arrow);
    std::vector<std::string> terms(1);
    for (const char letter : left) {
      if (letter == ',') {
        terms.emplace_back();
      } else {
        terms.back() += letter;
      }
    }
    const auto& refs = c_.list(0);
    if (terms.size() != refs.size()) fail(fmt::format("has {} operands, but {} are given", terms.size(), refs.size()));
    for (std::size_t i = 0; i < terms.size(); ++i) {
      Named operand{refs[i], labels_of(terms[i], c_.rank(refs[i]))};
      if (std::ssize(operand.labels) != c_.rank(refs[i])) {
        fail(
            fmt::format("names {} dimensions of operand {}, which has {}", operand.labels.size(), i, c_.rank(refs[i])));
      }
      operands_.push_back(std::move(operand));
    }
    if (!given_output_) return;
    output_ = labels_of(text.substr(arrow + 2), std::nullopt);
    for (std::size_t i = 0; i < output_.size(); ++i) {
      if (std::count(output_.begin(), output_.end(), output_[i]) > 1) fail("names an output dimension twice");
    }
  }

  /// Of an operand of `rank`, or of the output, where "..." is all that operands had there.
  Labels labels_of(const std::string& term, std::optional<std::int64_t> rank) {
    Labels labels;
    bool dots = false;
    for (std::size_t i = 0; i < term.size(); ++i) {
      const char letter = term[i];
      if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')) {
        labels.push_back(letter);
        continue;
      }
      if (term.compare(i, 3, "...") != 0 || dots) fail("may hold letters, commas, one \"->\" and one \"...\" a term");
      dots = true;
      i += 2;
      std::int64_t count = ellipsis_;
      if (rank) {
        count = *rank - (std::ssize(term) - 3);
        if (count < 0) fail("names more dimensions than an operand has");
        ellipsis_ = std::max(ellipsis_, count);
      }
      for (std::int64_t k = count; k-- > 0;) labels.push_back(kEllipsis + static_cast<Label>(k));
    }
    return labels;
  }

  /// Letters that occur once, in alphabetical order, after "...".
  void default_output() {
    for (std::int64_t k = ellipsis_; k-- > 0;) output_.push_back(kEllipsis + static_cast<Label>(k));
    std::map<Label, std::size_t> counts;
    for (const Labels& labels : original_) {
      for (const Label label : labels) ++counts[label];
    }
    for (const auto& [label, count] : counts) {
      if (count == 1 && label < kEllipsis) output_.push_back(label);
    }
  }

  /// Takes the elements with equal places in dimensions of one name: every (size + 1)-th of both in one.
  Named diagonal(Named operand) {
    original_.push_back(operand.labels);
    for (std::size_t i = 0; i < operand.labels.size(); ++i) {
      const auto again = std::find(operand.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, operand.labels.end(),
                                   operand.labels[i]);
      if (again == operand.labels.end()) continue;
      const auto j = static_cast<std::size_t>(again - operand.labels.begin());
      const Dim size = shape(operand)[i];
      if (shape(operand)[j] != size) c_.rule().fail_shape("a repeated dimension of an operand has two sizes");
      Labels order = operand.labels;
      JsonArray dims;
      for (std::size_t d = 0; d < order.size(); ++d) {
        if (d != i && d != j) dims.push_back(static_cast<std::int64_t>(d));
      }
      dims.push_back(static_cast<std::int64_t>(i));
      dims.push_back(static_cast<std::int64_t>(j));
      operand.ref = c_.node("permute", {operand.ref}, {{"dims", dims}});
      SymbolicShape flat = shape(operand);
      flat.pop_back();
      flat.back() = size * size;
      const auto last = std::ssize(flat) - 1;
      const auto known = size.constant();
      if (!known) fail("repeats a dimension whose size is not known before the run");
      operand.ref = c_.node("slice", {c_.writer().reshape(operand.ref, flat)}, {{"dim", last}, {"step", *known + 1}});
      const Label label = order[i];
      order.erase(order.begin() + static_cast<std::ptrdiff_t>(j));
      order.erase(order.begin() + static_cast<std::ptrdiff_t>(i));
      order.push_back(label);
      operand.labels = std::move(order);
      i = std::size_t(-1);
    }
    return operand;
  }

  /// Sizes by name; a size of 1 broadcasts.
  void find_sizes() {
    for (const Named& operand : operands_) {
      for (std::size_t d = 0; d < operand.labels.size(); ++d) {
        const Dim size = shape(operand)[d];
        const auto [place, added] = sizes_.try_emplace(operand.labels[d], size);
        if (added || place->second == size || size == Dim(1)) continue;
        if (place->second != Dim(1)) {
          c_.rule().fail_shape(
              fmt::format("operands have the sizes {} and {} in one dimension", place->second.text(), size.text()));
        }
        place->second = size;
      }
    }
  }

  const SymbolicShape& shape(const Named& named) const { return c_.shape(named.ref); }

  /// Names that the output or an operand after `index` has.
  Labels needed_after(std::size_t index) const {
    Labels needed = output_;
    for (std::size_t i = index + 1; i < operands_.size(); ++i) {
      needed.insert(needed.end(), operands_[i].labels.begin(), operands_[i].labels.end());
    }
    return needed;
  }

  /// Sums away what is not in `kept`.
  Named summed(Named value, const Labels& kept) {
    JsonArray dims;
    Labels left;
    for (std::size_t d = 0; d < value.labels.size(); ++d) {
      if (contains(kept, value.labels[d])) {
        left.push_back(value.labels[d]);
      } else {
        dims.push_back(static_cast<std::int64_t>(d));
      }
    }
    if (dims.empty()) return value;
    const Dtype own = c_.dtype(value.ref);
    const Ref sum = c_.node("sum", {value.ref}, {{"dim", dims}});  // of integers: i64
    if (c_.dtype(sum) == own) return {sum, left};
    return {c_.node("cast", {sum}, {{"dtype", dtype_name(own)}}), left};
  }

  /// Dimensions in the order of `order`, which has the same names.
  Named permuted(const Named& value, const Labels& order) {
    JsonArray dims;
    bool same = true;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto at = std::find(value.labels.begin(), value.labels.end(), order[i]) - value.labels.begin();
      dims.push_back(static_cast<std::int64_t>(at));
      same = same && static_cast<std::size_t>(at) == i;
    }
    return same ? value : Named{c_.node("permute", {value.ref}, {{"dims", dims}}), order};
  }

  /// The dimensions of these names at their full size.
  Named broadcast(Named value, const Labels& labels) {
    SymbolicShape full = shape(value);
    for (std::size_t d = 0; d < full.size(); ++d) {
      if (contains(labels, value.labels[d])) full[d] = sizes_.at(value.labels[d]);
    }
    value.ref = c_.writer().expand(value.ref, full);
    return value;
  }

  Dim count(const Labels& labels) const {
    Dim total = 1;
    for (const Label label : labels) total = total * sizes_.at(label);
    return total;
  }

  static Labels joined(std::initializer_list<const Labels*> lists) {
    Labels all;
    for (const Labels* list : lists) all.insert(all.end(), list->begin(), list->end());
    return all;
  }

  SymbolicShape sizes(const Labels& labels) const {
    SymbolicShape shape;
    for (const Label label : labels) shape.push_back(sizes_.at(label));
    return shape;
  }

  Named contract(Named a, Named b, const Labels& needed) {
    a = summed(std::move(a), joined({&needed, &b.labels}));
    b = summed(std::move(b), joined({&needed, &a.labels}));
    Labels batch, inner, left, right;
    for (const Label label : a.labels) {
      (!contains(b.labels, label) ? left : contains(needed, label) ? batch : inner).push_back(label);
    }
    for (const Label label : b.labels) {
      if (!contains(a.labels, label)) right.push_back(label);
    }
    const Labels result = joined({&batch, &left, &right});
    if (inner.empty()) {
      // Outer dimensions: b's stay behind, a's get places of size 1 there.
      a = permuted(a, joined({&batch, &left}));
      b = permuted(b, joined({&batch, &right}));
      SymbolicShape a_shape = shape(a), b_shape = shape(b);
      a_shape.insert(a_shape.end(), right.size(), 1);
      b_shape.insert(b_shape.begin() + std::ssize(batch), left.size(), 1);
      return {c_.node("mul", {c_.writer().reshape(a.ref, a_shape), c_.writer().reshape(b.ref, b_shape)}), result};
    }
    a = broadcast(permuted(a, joined({&batch, &left, &inner})), joined({&batch, &left, &inner}));
    b = broadcast(permuted(b, joined({&batch, &inner, &right})), joined({&batch, &inner, &right}));
    SymbolicShape a_shape = sizes(batch), b_shape = a_shape;
    a_shape.insert(a_shape.end(), {count(left), count(inner)});
    b_shape.insert(b_shape.end(), {count(inner), count(right)});
    const Ref product = c_.node("matmul", {c_.writer().reshape(a.ref, a_shape), c_.writer().reshape(b.ref, b_shape)});
    return {c_.writer().reshape(product, sizes(result)), result};
  }

  Composition& c_;
  bool given_output_ = false;
  std::vector<Named> operands_;
  std::vector<Labels> original_;  ///< Of the operands, before diagonals are taken.
  Labels output_;
  std::int64_t ellipsis_ = 0;  ///< Dimensions that "..." stands for at most.
  std::map<Label, Dim> sizes_;
};

std::vector<Ref> einsum(Composition& c) { return {Einsum(c).run()}; }

constexpr std::array kEinsumComposers = {Composer{"einsum", einsum}};

}  // namespace

std::span<const Composer> einsum_composers() { return kEinsumComposers; }

}  // namespace alknet::graph
