#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/graph/dim.h"
#include "alknet/graph/dtype.h"
#include "alknet/tensor/records.h"

namespace alknet::compute {

/// What a sample has under one name.
struct DatasetField {
  std::string path;  ///< Of a number, or of a counted Array of numbers, in the records: "image".
  /// Of the tensors made of it: f32, f64, i32 or i64; the field's numbers are converted.
  graph::Dtype dtype = graph::Dtype::kF32;
  double scale = 1;  ///< Float dtypes: every number is multiplied by it.
};

/// Samples by number: the records of a metatensor, of which some fields are read as tensors of one dtype and shape.
/// Immutable, thread-safe, cheap to copy; keeps the file alive.
class Dataset {
 public:
  /// Throws Error `not_found` for an unknown path, `dtype_mismatch` for a field that holds no numbers, `unsupported`
  /// for another dtype than those above.
  Dataset(const tensor::RecordsView& records, std::vector<DatasetField> fields);

  std::size_t size() const { return order_ ? order_->size() : records_; }
  std::size_t fields() const { return readers_.size(); }
  graph::Dtype dtype(std::size_t field) const;
  const graph::Shape& shape(std::size_t field) const;  ///< Of one sample.
  std::size_t bytes(std::size_t field) const;          ///< Of one sample.

  /// Writes one field of sample `index`; `out` has `bytes(field)` bytes. Throws Error `index_out_of_range`.
  void read(std::size_t index, std::size_t field, std::span<std::byte> out) const;

  /// The samples of these numbers, in this order, as a set of its own. Throws Error `index_out_of_range`.
  Dataset subset(std::span<const std::size_t> indices) const;

 private:
  class Reader;
  template <typename Source, typename Target>
  class ColumnReader;
  static std::shared_ptr<const Reader> make_reader(const tensor::RecordsView& records, const DatasetField& field);

  std::size_t records_ = 0;
  std::vector<std::shared_ptr<const Reader>> readers_;
  std::shared_ptr<const std::vector<std::size_t>> order_;  ///< Record of each sample; null: all records in order.
};

/// Two sets of sample numbers, each rising.
struct Split {
  std::vector<std::size_t> train, held_out;
};

/// Holds out `held_out` samples, of every class in proportion to its size (remainders by the largest fraction, ties by
/// the lower class), chosen by `seed`: the same on every machine. `labels` are those of all samples. Throws Error
/// `invalid_argument` when there are fewer samples than that.
Split stratified_split(std::span<const std::int64_t> labels, std::size_t held_out, std::uint64_t seed);

/// A permutation of 0 .. count-1, by sorting random words of (`seed`, `step`): the same on every machine.
std::vector<std::size_t> random_permutation(std::size_t count, std::uint64_t seed, std::uint64_t step);

}  // namespace alknet::compute
