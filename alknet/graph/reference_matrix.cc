#include "alknet/graph/reference_matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace alknet::graph {
namespace {

using Matrix = std::vector<std::vector<long double>>;
using MatrixInputs = std::span<const ReferenceTensor* const>;

/// Solves by Gauss-Jordan elimination with pivoting; `a` becomes its diagonal, whose product is the determinant.
Matrix eliminate(Matrix a, Matrix b, long double& determinant) {
  const std::size_t n = a.size();
  determinant = 1;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t r = k; r < n; ++r) pivot = std::fabs(a[r][k]) > std::fabs(a[pivot][k]) ? r : pivot;
    if (pivot != k) determinant = -determinant;
    std::swap(a[k], a[pivot]);
    std::swap(b[k], b[pivot]);
    determinant *= a[k][k];
    for (std::size_t r = 0; r < n; ++r) {
      const long double factor = r == k ? 0 : a[r][k] / a[k][k];
      for (std::size_t c = k; c < n && factor != 0; ++c) a[r][c] -= factor * a[k][c];
      for (std::size_t c = 0; c < b[r].size() && factor != 0; ++c) b[r][c] -= factor * b[k][c];
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    for (long double& value : b[r]) value /= a[r][r];
  }
  return b;
}

Matrix matrix_at(const ReferenceTensor& tensor, std::size_t index, std::size_t rows, std::size_t columns) {
  const std::size_t count = tensor.data.size() / std::max<std::size_t>(rows * columns, 1);
  Matrix matrix(rows, std::vector<long double>(columns));
  for (std::size_t i = 0; i < rows * columns; ++i) {
    matrix[i / columns][i % columns] = tensor.data[(index % count) * rows * columns + i];
  }
  return matrix;
}

Matrix cholesky(const Matrix& given) {
  const std::size_t n = given.size();
  Matrix l(n, std::vector<long double>(n));
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t c = 0; c <= r; ++c) {
      long double sum = (given[r][c] + given[c][r]) / 2;
      for (std::size_t k = 0; k < c; ++k) sum -= l[r][k] * l[c][k];
      l[r][c] = r == c ? std::sqrt(sum) : sum / l[c][c];
    }
  }
  return l;
}

}  // namespace

std::optional<ReferenceTensor> matrix_reference(std::string_view name, const JsonObject& attrs, MatrixInputs inputs,
                                                const Shape& shape) {
  constexpr std::array kNames = {"inverse", "solve", "cholesky", "det"};
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) return std::nullopt;
  ReferenceTensor result{shape, {}};
  const auto n = static_cast<std::size_t>(inputs[0]->shape.back());
  const bool solves = name == "solve", vector = solves && inputs[1]->shape.size() == 1;
  const std::size_t columns = !solves ? n : vector ? 1 : static_cast<std::size_t>(inputs[1]->shape.back());
  const auto total = static_cast<std::size_t>(element_count(shape));
  const std::size_t each = name == "det" ? 1 : n * columns;
  for (std::size_t i = 0; each > 0 && i < total / each; ++i) {
    const Matrix a = matrix_at(*inputs[0], i, n, n);
    Matrix b(n, std::vector<long double>(columns));
    for (std::size_t r = 0; r < n && !solves; ++r) b[r][r] = 1;
    if (solves) b = matrix_at(*inputs[1], i, n, columns);
    long double determinant = 1;
    b = name == "cholesky" ? cholesky(a) : eliminate(a, b, determinant);
    if (name == "det") {
      result.data.push_back(static_cast<double>(determinant));
      continue;
    }
    const bool turned = name == "cholesky" && attrs.at("upper").as_bool();
    for (std::size_t r = 0; r < n; ++r) {
      for (std::size_t c = 0; c < columns; ++c) result.data.push_back(static_cast<double>(turned ? b[c][r] : b[r][c]));
    }
  }
  return result;
}

}  // namespace alknet::graph
