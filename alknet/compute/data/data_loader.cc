#include "alknet/compute/data/data_loader.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "alknet/base/error.h"

namespace alknet::compute {
namespace {

/// The streams of a loader's seed: 0 orders the samples, this one and those behind it augment them.
constexpr std::uint32_t kAugmentStream = 1;

}  // namespace

class DataLoader::State {
 public:
  State(Dataset dataset, Context context, DataLoaderOptions options)
      : dataset_(std::move(dataset)), context_(std::move(context)), options_(std::move(options)) {
    if (options_.batch_size == 0) {
      throw Error(BaseError::kInvalidArgument, "a batch of 0 samples: give a batch size of 1 or more");
    }
  }
  ~State() { stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::size_t batches() const {
    const std::size_t whole = dataset_.size() / options_.batch_size;
    return options_.drop_last || dataset_.size() % options_.batch_size == 0 ? whole : whole + 1;
  }

  void start(std::uint64_t epoch, std::size_t first) {
    stop();
    epoch_ = epoch;
    made_ = taken_ = first;
    if (options_.shuffle) order_ = random_permutation(dataset_.size(), options_.seed, epoch);
    if (options_.prefetch > 0 && first < batches())
      worker_ = std::jthread([this](const std::stop_token& stop) { fill(stop); });
  }

  std::optional<std::vector<Tensor>> next() {
    if (taken_ >= batches()) return std::nullopt;
    const HostBatch batch = options_.prefetch > 0 ? take() : make(taken_);
    ++taken_;
    std::vector<Tensor> tensors;
    for (std::size_t field = 0; field < dataset_.fields(); ++field) {
      Shape shape{static_cast<std::int64_t>(batch.size)};
      shape.insert(shape.end(), dataset_.shape(field).begin(), dataset_.shape(field).end());
      tensors.push_back(context_.from_bytes(dataset_.dtype(field), std::move(shape), batch.fields[field], "batch"));
    }
    return tensors;
  }

 private:
  struct HostBatch {
    std::size_t size = 0;
    std::vector<std::vector<std::byte>> fields;
  };

  HostBatch make(std::size_t number) const {
    const std::size_t first = number * options_.batch_size;
    HostBatch batch;
    batch.size = std::min(options_.batch_size, dataset_.size() - first);
    for (std::size_t field = 0; field < dataset_.fields(); ++field) {
      batch.fields.emplace_back(batch.size * dataset_.bytes(field));
    }
    std::vector<std::span<std::byte>> sample(dataset_.fields());
    for (std::size_t i = 0; i < batch.size; ++i) {
      const std::size_t index = options_.shuffle ? order_[first + i] : first + i;
      for (std::size_t field = 0; field < dataset_.fields(); ++field) {
        const std::size_t bytes = dataset_.bytes(field);
        sample[field] = std::span(batch.fields[field]).subspan(i * bytes, bytes);
        dataset_.read(index, field, sample[field]);
      }
      if (options_.augment) {
        RandomStream random(options_.seed, kAugmentStream + static_cast<std::uint32_t>(index), epoch_);
        options_.augment(sample, random);
      }
    }
    return batch;
  }

  /// The prefetch thread.
  void fill(const std::stop_token& stop) {
    for (; made_ < batches(); ++made_) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return ready_.size() < options_.prefetch; })) return;
      lock.unlock();
      HostBatch batch;
      std::exception_ptr error;
      try {
        batch = make(made_);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      ready_.push_back(std::move(batch));
      error_ = error;
      changed_.notify_all();
      if (error) return;
    }
  }

  HostBatch take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty(); });
    if (ready_.size() == 1 && error_) std::rethrow_exception(error_);
    HostBatch batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return batch;
  }

  void stop() {
    worker_ = {};  // asks it to stop and joins it
    ready_.clear();
    error_ = nullptr;
  }

  Dataset dataset_;
  Context context_;
  DataLoaderOptions options_;
  std::uint64_t epoch_ = 0;
  std::size_t taken_ = SIZE_MAX;  ///< No epoch was started.
  std::vector<std::size_t> order_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<HostBatch> ready_;  ///< Guarded by mutex_, as is error_: what making the last of them threw.
  std::exception_ptr error_;
  std::size_t made_ = 0;  ///< Of the prefetch thread.
  std::jthread worker_;   ///< Last: it uses the others.
};

DataLoader::DataLoader(Dataset dataset, Context context, DataLoaderOptions options)
    : state_(std::make_unique<State>(std::move(dataset), std::move(context), std::move(options))) {}
DataLoader::~DataLoader() = default;
DataLoader::DataLoader(DataLoader&&) noexcept = default;
DataLoader& DataLoader::operator=(DataLoader&&) noexcept = default;

std::size_t DataLoader::batches() const { return state_->batches(); }
void DataLoader::start(std::uint64_t epoch, std::size_t first) { state_->start(epoch, first); }
std::optional<std::vector<Tensor>> DataLoader::next() { return state_->next(); }

}  // namespace alknet::compute
