#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/call/context.h"
#include "alknet/call/operation.h"
#include "alknet/compute/operations/service.h"

// How the operations of this folder describe themselves.

namespace alknet::compute {

/// A schema from JSON text, in which a text "@name what it is" stands for a schema that many operations share, with
/// that description:
///
///   @tensor   a handle {$tensor, dtype, shape} of any tensor
///   @operand  the same, or a number
///   @bytes    elements, row-major, little-endian
///   @dtype    bool, i8, ... f64
///   @shape    sizes, at most 32
///   @handle   "h3" or "c7"
///   @ids      handles that the caller chooses for the results
///   @graph    a graph document (`alknet_graph` 1)
///   @type     {dtype, shape}
///
/// An object that has `properties` and does not say `additionalProperties` takes no others.
Json shared_schema(std::string_view text);

/// The schemas by name, without a description. Made once: any thread.
const Json& named_schema(std::string_view name);

/// Kinds of errors that operations declare beside those that all of them do; see spec.cc for the table.
enum ErrorKinds : std::uint8_t {
  kCommonErrors = 1,
  kOperationErrors = 2,  ///< of an operation of the op table
  kGraphErrors = 4,
  kKernelErrors = 8,
  kModelErrors = 16,
};

/// The declared errors of those kinds.
std::vector<call::ErrorSpec> declared_errors(unsigned kinds);

/// Where the tensors must be that a call names.
enum class Tensors : std::uint8_t {
  kHere,      ///< in this process: those in the owner's kernel worker are moved here before the handler starts
  kAnywhere,  ///< the handler looks by itself
};

/// What an operation of the service is; texts are static.
struct ComputeOperation {
  std::string_view name;
  call::OperationType type;
  std::string_view title;
  std::string_view description;
  std::string_view input;   ///< for shared_schema
  std::string_view output;  ///< for shared_schema
  unsigned errors = kCommonErrors;
  std::chrono::seconds timeout{};  ///< other than the dispatcher's
  Tensors tensors = Tensors::kHere;
};

/// The registration of such an operation: its spec, with the scopes that the service asks for, and `handler`. Errors
/// that say a caller's argument is wrong (`invalid_argument`) become `invalid_input`.
call::Registration registration_of(ComputeService& service, const ComputeOperation& operation,
                                   call::OnceHandler handler);
call::Registration registration_of(ComputeService& service, const ComputeOperation& operation,
                                   call::StreamHandler handler);

/// The spec of such an operation, but for errors and access.
call::OperationSpec spec_of(const ComputeOperation& operation);

/// The registration of a spec that is filled in but for errors and access.
call::Registration guarded(ComputeService& service, call::OperationSpec spec, unsigned errors,
                           call::OnceHandler handler, Tensors tensors = Tensors::kHere);
call::Registration guarded(ComputeService& service, call::OperationSpec spec, unsigned errors,
                           call::StreamHandler handler);

/// Moves the tensors here that `input` names and the owner's kernel worker has. Calls of one owner wait for each other,
/// in the order in which they came here.
Task<void> bring_tensors(ComputeService& service, call::OperationContext& context, const Json& input);

/// An operation with the function that does it.
struct ComputeEntry {
  const ComputeOperation& operation;
  Task<Message> (*handle)(ComputeService& service, call::OperationContext& context, Message input);
};

/// The registrations of all of them.
std::vector<call::Registration> registrations_of(ComputeService& service, std::initializer_list<ComputeEntry> entries);

}  // namespace alknet::compute
