#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "alknet/compute/store.h"
#include "alknet/tensor/entry.h"

namespace alknet::compute {

/// What a checkpoint says beside its tensors.
struct CheckpointOptions {
  /// The `description` of a tensor in the file's schema; nothing for an empty text. Null: `describe_state`.
  std::function<std::string(std::string_view name)> describe = {};
  /// Whether a tensor is written; null: all are.
  std::function<bool(std::string_view name)> include = {};
  tensor::Metadata metadata = {};
};

/// Writes the tensors of a store as one metatensor with checksums and a schema that says what each is: parameters,
/// running statistics, moments, the step, `rng`. All or nothing: until it is there whole, the old file stays. No run
/// may be assigning. Throws Error `io_error`, for example when the disk is full.
void save_checkpoint(const std::string& path, const Store& store, const CheckpointOptions& options = {});

/// A checkpoint in memory.
struct Checkpoint {
  Store store;  ///< Writable.
  tensor::Metadata metadata;
};

/// Reads a checkpoint, whose checksums are compared first. `seed` is for states that it lacks. Throws Error `io_error`,
/// the TensorError of a header that is damaged, or `model_invalid` that says what is damaged and what to do.
Checkpoint load_checkpoint(const std::string& path, const Context& context, std::uint64_t seed = 0);

/// What a state of a training graph is, by its name: "optim.fc.weight.exp_avg" is the moment exp_avg of fc.weight.
std::string describe_state(std::string_view name);

}  // namespace alknet::compute
