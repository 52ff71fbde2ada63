#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/message.h"
#include "alknet/base/task.h"
#include "alknet/call/context.h"
#include "alknet/compute/operations/resources.h"
#include "alknet/compute/operations/service.h"

// How inputs of operations name what the owner holds, and how results become handles. All on the dispatcher's executor.

namespace alknet::compute {

/// The tensor behind {"$tensor", "dtype", "shape"}. Throws `dtype_mismatch` or `shape_mismatch` when the handle says
/// other than the table has, `invalid_input` for an unknown handle, FOREIGN_HANDLE for a tensor of a peer, and the
/// error of the call that was to make it.
std::shared_ptr<TensorResource> tensor_of(call::OperationContext& context, const Json& handle);

/// A resource of another kind by its handle. Throws as `tensor_of`.
template <typename Resource>
std::shared_ptr<Resource> resource_of(call::OperationContext& context, std::string_view handle);

/// Throws the error that a handle stands for, if it does: as it was where the running operation declares it, else as
/// FAILED_RESULT with {code, message, details} of it.
void throw_if_failed(const call::OperationContext& context, const call::Resource& resource);

Json tensor_json(std::string_view handle, const TensorResource& tensor);

/// What the owner may still keep, read before the work so that nothing is computed in vain. Plain data.
struct Room {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;

  /// Throws `resource_exhausted` (details `limit`) when so much more does not fit.
  void require(std::uint64_t more_count, std::uint64_t more_bytes) const;
};

/// Throws `invalid_input` for an owner that keeps nothing.
Room room_of(call::OperationContext& context);

/// The member `ids` of an input: handles that the caller chose for the results, none when it is absent. Throws
/// `invalid_input` unless they are "c<n>", rising.
std::vector<std::string> ids_of(const JsonObject& input);

/// Keeps results, all or none, under `ids` or new handles, and returns these. Throws `invalid_input` when there are ids
/// but not as many, `resource_exhausted` beyond the quota.
std::vector<std::string> keep(call::OperationContext& context, std::span<const std::shared_ptr<call::Resource>> results,
                              std::span<const std::string> ids);

/// One tensor kept, as its handle.
Json keep_tensor(call::OperationContext& context, const std::shared_ptr<TensorResource>& tensor,
                 std::span<const std::string> ids);

/// The answer of an operation whose result is the one tensor that `make` makes on the compute thread.
Task<Message> answer_tensor(ComputeService& service, call::OperationContext& context,
                            std::function<std::shared_ptr<TensorResource>()> make, std::vector<std::string> ids);

/// Several; null stays null and takes no id.
JsonArray keep_tensors(call::OperationContext& context, std::span<const std::shared_ptr<TensorResource>> tensors,
                       std::span<const std::string> ids);

template <typename Resource>
std::shared_ptr<Resource> resource_of(call::OperationContext& context, std::string_view handle) {
  if (const auto found = context.resources().find(handle)) throw_if_failed(context, *found);
  return context.resources().get<Resource>(handle);
}

// Members of inputs that the schema has checked.

const JsonObject& members(const Message& input);
std::string_view text_member(const JsonObject& object, std::string_view name);
/// Null when it is absent.
const Json* member(const JsonObject& object, std::string_view name);
bool flag(const JsonObject& object, std::string_view name);
[[noreturn]] void throw_no_integer(const Json& value, std::string_view what);

/// A number as an integer of 64 bits. Throws `invalid_input` when it is none: JSON Schema calls 1e30 an integer too.
template <typename T>
T integer_of(const Json& value, std::string_view what) {
  boost::system::error_code failed;
  const T number = value.to_number<T>(failed);
  if (failed) throw_no_integer(value, what);
  return number;
}

Dtype dtype_member(const JsonObject& object);
Shape shape_member(const JsonObject& object);
/// A list of texts; empty when it is absent.
std::vector<std::string> texts_member(const JsonObject& object, std::string_view name);

}  // namespace alknet::compute
