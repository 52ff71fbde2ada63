#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "alknet/compute/data/dataset.h"
#include "alknet/compute/data/random_stream.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// The fields of one sample, row-major, which an augmentation may change in place.
using SampleFields = std::span<const std::span<std::byte>>;

struct DataLoaderOptions {
  std::size_t batch_size = 64;
  bool shuffle = false;      ///< A new order each epoch, by seed and epoch alone.
  std::uint64_t seed = 0;    ///< Of the order and the augmentation.
  bool drop_last = false;    ///< Leave out a last batch that is smaller.
  std::size_t prefetch = 2;  ///< Batches made ahead by a thread of its own; 0: made by `next`.
  /// Called for every sample, on the prefetch thread, with random words that belong to the sample and the epoch.
  std::function<void(SampleFields fields, RandomStream& random)> augment = {};
};

/// Batches of a data set as tensors: [batch] + the shape of each field. What comes is a function of the options, the
/// epoch and the batch alone, not of threads. One thread at a time.
class DataLoader {
 public:
  /// Throws Error `invalid_argument` for a batch size of 0.
  DataLoader(Dataset dataset, Context context, DataLoaderOptions options = {});
  ~DataLoader();
  DataLoader(DataLoader&&) noexcept;
  DataLoader& operator=(DataLoader&&) noexcept;

  /// Batches in an epoch.
  std::size_t batches() const;

  /// Begins an epoch, at batch `first` of it. Batches that were made ahead are dropped.
  void start(std::uint64_t epoch, std::size_t first = 0);

  /// The next batch, one tensor a field; nothing at the end of the epoch. Rethrows what reading or augmenting threw.
  std::optional<std::vector<Tensor>> next();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace alknet::compute
