#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/print_values.h"
#include "alknet/compute/eager/tape.h"

namespace alknet::compute {
namespace {

// PyTorch's default print options.
constexpr std::int64_t kThreshold = 1000;  // elements above which only the edges are shown
constexpr std::int64_t kEdge = 3;
constexpr std::size_t kLineWidth = 80;
constexpr std::size_t kIndent = 7;  // of "tensor("

/// Positions of a dimension that are shown; -1 stands for those left out.
std::vector<std::int64_t> shown_positions(std::int64_t size, bool summarize) {
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < size; ++i) {
    if (summarize && size > 2 * kEdge && i == kEdge) {
      positions.push_back(-1);
      i = size - kEdge;
    }
    positions.push_back(i);
  }
  return positions;
}

class Printer {
 public:
  explicit Printer(const Tensor& tensor)
      : shape_(tensor.shape()), summarize_(tensor.element_count() > kThreshold), values_(tensor) {
    collect(0, 0);
    format_.emplace(values_, shown_);
  }

  std::string text() { return block(0, 0, kIndent); }

 private:
  /// Indexes of the elements that are shown.
  void collect(std::size_t dim, std::int64_t base) {
    if (dim == shape_.size()) {
      shown_.push_back(base);
      return;
    }
    for (const std::int64_t i : shown_positions(shape_[dim], summarize_)) {
      if (i >= 0) collect(dim + 1, base * shape_[dim] + i);
    }
  }

  std::string block(std::size_t dim, std::int64_t base, std::size_t indent) const {
    if (dim == shape_.size()) return format_->text(base);
    const std::size_t below = shape_.size() - dim;
    if (below == 1) return row(base, indent);
    std::string text = "[";
    for (const std::int64_t i : shown_positions(shape_[dim], summarize_)) {
      if (text.size() > 1) text += "," + std::string(below - 1, '\n') + std::string(indent + 1, ' ');
      text += i < 0 ? "..." : block(dim + 1, base * shape_[dim] + i, indent + 1);
    }
    return text + "]";
  }

  std::string row(std::int64_t base, std::size_t indent) const {
    const std::size_t each = format_->width() + 2;
    const std::size_t per_line = std::max<std::size_t>(1, (kLineWidth - std::min(kLineWidth, indent)) / each);
    std::string text = "[";
    std::size_t on_line = 0;
    for (const std::int64_t i : shown_positions(shape_.back(), summarize_)) {
      if (on_line == per_line) {
        text += ",\n" + std::string(indent + 1, ' ');
        on_line = 0;
      } else if (on_line > 0) {
        text += ", ";
      }
      text += i < 0 ? " ..." : format_->text(base * shape_.back() + i);
      ++on_line;
    }
    return text + "]";
  }

  const Shape& shape_;
  bool summarize_;
  PrintValues values_;
  std::vector<std::int64_t> shown_;
  std::optional<PrintFormat> format_;
};

std::vector<std::string> suffixes(const Tensor& tensor) {
  std::vector<std::string> list;
  if (tensor.device() != "cpu") list.push_back(fmt::format("device='{}'", tensor.device()));
  const bool empty = tensor.element_count() == 0;
  if (empty && tensor.rank() != 1) {
    std::string size;
    for (const std::int64_t each : tensor.shape()) size += fmt::format("{}{}", size.empty() ? "" : ", ", each);
    list.push_back(fmt::format("size=({})", size));
  }
  const Dtype dtype = tensor.dtype();
  const bool plain = dtype == Dtype::kF32 || (!empty && (dtype == Dtype::kI64 || dtype == Dtype::kBool));
  if (!plain) list.push_back(fmt::format("dtype={}", graph::dtype_name(dtype)));
  const auto& autograd = TensorAccess::state(tensor)->autograd;
  if (autograd) {
    list.push_back(autograd->node ? fmt::format("grad_fn=<{}>", autograd->node->name()) : "requires_grad=True");
  }
  return list;
}

}  // namespace

std::string Tensor::to_string() const {
  if (!*this) return "tensor(none)";
  std::string text = "tensor(" + (element_count() == 0 ? std::string("[]") : Printer(*this).text());
  const auto newline = text.rfind('\n');
  std::size_t line = newline == std::string::npos ? text.size() : text.size() - newline - 1;
  for (const std::string& suffix : suffixes(*this)) {
    if (line + suffix.size() + 3 > kLineWidth) {
      text += ",\n" + std::string(kIndent, ' ') + suffix;
      line = kIndent + suffix.size();
    } else {
      text += ", " + suffix;
      line += suffix.size() + 2;
    }
  }
  return text + ")";
}

}  // namespace alknet::compute
