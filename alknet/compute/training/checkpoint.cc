#include "alknet/compute/training/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/training/train_step.h"
#include "alknet/schema/file_dtype.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/verify.h"
#include "alknet/tensor/writer.h"

namespace alknet::compute {
namespace {

/// Files spell dtypes in capitals.
schema::FileDtype file_dtype(Dtype dtype) {
  std::string name(graph::dtype_name(dtype));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return schema::parse_file_dtype(name).value();
}

Json checkpoint_schema(const std::vector<std::pair<std::string, Tensor>>& tensors, const CheckpointOptions& options) {
  JsonObject properties;
  JsonArray order;
  for (const auto& [name, tensor] : tensors) {
    JsonObject property;
    const std::string about = options.describe ? options.describe(name) : describe_state(name);
    if (!about.empty()) property["description"] = about;
    property["TypeDef:Tensor"] = JsonObject{{"dtype", schema::name(file_dtype(tensor.dtype()))},
                                            {"shape", JsonArray(tensor.shape().begin(), tensor.shape().end())}};
    properties[name] = std::move(property);
    order.emplace_back(name);
  }
  return JsonObject{{"TypeDef:Struct", true}, {"properties", std::move(properties)}, {"required", std::move(order)}};
}

}  // namespace

std::string describe_state(std::string_view name) {
  constexpr std::string_view kMoment = "optim.", kSum = "grad.";
  if (name == kOptimizerStep) return "steps that the optimizer has taken";
  if (name == "rng") return "state of the random nodes: seed and step, low words first";
  if (name.ends_with(".running_mean")) return "running mean of each channel";
  if (name.ends_with(".running_var")) return "running variance of each channel";
  if (name.starts_with(kSum)) return fmt::format("gradients of {} added up so far", name.substr(kSum.size()));
  if (!name.starts_with(kMoment)) return "trained parameter";
  const std::string_view rest = name.substr(kMoment.size());
  const std::size_t dot = rest.rfind('.');
  if (dot == std::string_view::npos) return "state of the optimizer";
  return fmt::format("moment {} of {}", rest.substr(dot + 1), rest.substr(0, dot));
}

void save_checkpoint(const std::string& path, const Store& store, const CheckpointOptions& options) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const std::string& name : store.names()) {
    if (!options.include || options.include(name)) tensors.emplace_back(name, store.find(name));
  }
  tensor::Writer writer(path, {.schema = schema::Schema::from_json(checkpoint_schema(tensors, options)),
                               .metadata = options.metadata,
                               .checksums = true});
  std::vector<tensor::Writer::Id> ids;
  ids.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    ids.push_back(writer.declare({.name = name, .dtype = file_dtype(tensor.dtype()), .shape = tensor.shape()}));
  }
  writer.start();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::vector<std::byte> bytes = tensors[i].second.read();
    writer.write(ids[i], 0, bytes);
  }
  writer.close();
}

Checkpoint load_checkpoint(const std::string& path, const Context& context, std::uint64_t seed) {
  const auto file = tensor::File::open(path, {.access = tensor::Access::kRead});
  for (const auto& fault : tensor::verify(file)) {
    throw Error(
        ComputeError::kModelInvalid,
        fmt::format("the checkpoint {} is damaged: {}; resume from another, or train anew", path, fault.message));
  }
  Store store(context, seed);
  store.add_file(file);
  return {store.writable(), file.metadata()};
}

}  // namespace alknet::compute
