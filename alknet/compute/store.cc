#include "alknet/compute/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/tensor/block_formats.h"
#include "alknet/tensor/records.h"

namespace alknet::compute {
namespace {

/// The dtype that graphs use for a file's; nothing for those that only files have.
std::optional<Dtype> graph_dtype(schema::FileDtype dtype) {
  using schema::FileDtype;
  switch (dtype) {
    case FileDtype::kBool: return Dtype::kBool;
    case FileDtype::kI8: return Dtype::kI8;
    case FileDtype::kU8: return Dtype::kU8;
    case FileDtype::kI32: return Dtype::kI32;
    case FileDtype::kU32: return Dtype::kU32;
    case FileDtype::kI64: return Dtype::kI64;
    case FileDtype::kF16: return Dtype::kF16;
    case FileDtype::kBF16: return Dtype::kBF16;
    case FileDtype::kF32: return Dtype::kF32;
    case FileDtype::kF64: return Dtype::kF64;
    default: return std::nullopt;
  }
}

}  // namespace

struct Store::State {
  State(Context store_context, std::uint64_t initial_seed) : context(std::move(store_context)), seed(initial_seed) {}

  /// Weights in blocks, under the shape of their values; empty for another entry.
  Tensor blocks(const tensor::File& file, std::string_view name) const {
    const schema::FileEntry* entry = file.schema_entry(name);
    const tensor::BlockFormat* format = entry ? tensor::find_block_format(*entry) : nullptr;
    if (format == nullptr) return {};
    std::string spelled(format->name);
    std::ranges::transform(spelled, spelled.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    const auto dtype = graph::parse_dtype(spelled);
    if (!dtype) return {};
    return context.wrap(*dtype, file.records(name).logical_shape(), file.tensor(name).bytes(), std::string(name));
  }

  /// With `mutex` held.
  Tensor find(std::string_view name) {
    if (const auto it = tensors.find(name); it != tensors.end()) return it->second;
    for (const auto& file : files) {
      if (!file.find(name)) continue;
      if (Tensor found = blocks(file, name)) return tensors.emplace(std::string(name), std::move(found)).first->second;
      const auto view = file.tensor(name);
      const auto dtype = graph_dtype(view.dtype());
      if (!dtype) {
        throw Error(ComputeError::kUnsupported,
                    fmt::format("the entry {} is {}, which graphs cannot compute with; convert it", name,
                                schema::name(view.dtype())));
      }
      Tensor tensor =
          context.wrap(*dtype, Shape(view.shape().begin(), view.shape().end()), view.bytes(), std::string(name));
      return tensors.emplace(std::string(name), std::move(tensor)).first->second;
    }
    return {};
  }

  const Context context;
  const std::uint64_t seed;
  std::shared_mutex runs;
  std::mutex mutex;  ///< Guards what follows.
  std::vector<tensor::File> files;
  std::map<std::string, Tensor, std::less<>> tensors;
};

Store::Store(Context context, std::uint64_t seed) : state_(std::make_shared<State>(std::move(context), seed)) {}

const Context& Store::context() const { return state_->context; }
std::uint64_t Store::seed() const { return state_->seed; }
std::shared_mutex& Store::runs() const { return state_->runs; }

void Store::add_file(tensor::File file) {
  const std::lock_guard lock(state_->mutex);
  state_->files.push_back(std::move(file));
}

void Store::set(std::string name, Tensor tensor) {
  const std::lock_guard lock(state_->mutex);
  state_->tensors[std::move(name)] = std::move(tensor);
}

Tensor Store::find(std::string_view name) const {
  const std::lock_guard lock(state_->mutex);
  return state_->find(name);
}

Tensor Store::find_or_make(std::string_view name, FunctionRef<Tensor()> make) {
  const std::lock_guard lock(state_->mutex);
  Tensor tensor = state_->find(name);
  if (!tensor) {
    tensor = make();
    state_->tensors.emplace(std::string(name), tensor);
  }
  return tensor;
}

std::vector<std::string> Store::names() const {
  const std::lock_guard lock(state_->mutex);
  std::set<std::string, std::less<>> names;
  for (const auto& [name, tensor] : state_->tensors) names.insert(name);
  for (const auto& file : state_->files) {
    for (const auto& entry : file.entries()) {
      if (!file.is_reserved(entry)) names.emplace(entry.name);
    }
  }
  return {names.begin(), names.end()};
}

Store Store::writable() const {
  Store copies(context(), seed());
  const std::shared_lock no_writer(runs());
  for (const std::string& name : names()) {
    const Tensor tensor = find(name);
    copies.set(name, context().from_bytes(tensor.dtype(), tensor.shape(), tensor.read(), name));
  }
  return copies;
}

}  // namespace alknet::compute
