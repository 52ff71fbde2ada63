#include "alknet/compute/store.h"

#include <fmt/format.h>

#include <mutex>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

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
  explicit State(Context store_context) : context(std::move(store_context)) {}

  Context context;
  std::mutex mutex;
  std::vector<tensor::File> files;
  std::map<std::string, Tensor, std::less<>> tensors;
};

Store::Store(Context context) : state_(std::make_shared<State>(std::move(context))) {}

const Context& Store::context() const { return state_->context; }

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
  if (const auto it = state_->tensors.find(name); it != state_->tensors.end()) return it->second;
  for (const auto& file : state_->files) {
    if (!file.find(name)) continue;
    const auto view = file.tensor(name);
    const auto dtype = graph_dtype(view.dtype());
    if (!dtype) {
      throw Error(ComputeError::kUnsupported,
                  fmt::format("the entry {} is {}, which graphs cannot compute with; convert it", name,
                              schema::name(view.dtype())));
    }
    Tensor tensor =
        state_->context.wrap(*dtype, Shape(view.shape().begin(), view.shape().end()), view.bytes(), std::string(name));
    return state_->tensors.emplace(std::string(name), std::move(tensor)).first->second;
  }
  return {};
}

}  // namespace alknet::compute
