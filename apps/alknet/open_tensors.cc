#include "apps/alknet/open_tensors.h"

#include <fmt/format.h>

#include "alknet/base/error.h"
#include "alknet/tensor/import/import.h"

namespace alknet::app {

tensor::File open_tensors(const std::string& path, const tensor::OpenOptions& options) {
  const tensor::Format* format = tensor::find_format(path);
  if (format == nullptr || format->open == nullptr) return tensor::File::open(path, options);
  throw Error(BaseError::kUnsupported, fmt::format("not a metatensor or safetensors file but {}: {}: convert it first: "
                                                   "alknet tensor convert {} OUT.mt",
                                                   format->about, path, path));
}

}  // namespace alknet::app
