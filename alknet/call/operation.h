#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "alknet/base/message.h"
#include "alknet/base/task.h"
#include "alknet/call/access.h"
#include "alknet/call/capabilities.h"
#include "alknet/call/error.h"

namespace alknet::call {

class OperationContext;

enum class OperationType {
  kQuery,         ///< reads; one answer
  kMutation,      ///< changes something; one answer
  kSubscription,  ///< any number of answers, then an end
};
enum class Visibility {
  kExternal,  ///< peers may call it
  kInternal,  ///< only handlers may, from inside their own calls
};

/// "query", "mutation", "subscription".
std::string_view operation_type_name(OperationType type);

/// A domain error that an operation may end with.
struct ErrorSpec {
  std::string code;  ///< in capitals
  std::string description;
  Json schema = JsonObject{};  ///< of the error's `details`
  int http_status = 500;
};

/// What an operation is: its documentation, its form over HTTP and its help on the command line.
struct OperationSpec {
  std::string name;  ///< "ns/op", no leading slash; deeper names are allowed
  OperationType type = OperationType::kQuery;
  Visibility visibility = Visibility::kExternal;
  Json input_schema = JsonObject{};   ///< JSON Schema with `TypeDef:*` kinds
  Json output_schema = JsonObject{};  ///< of the answer, or of each item of a subscription
  std::vector<ErrorSpec> errors;
  AccessControl access;
  std::string resource_id_path;  ///< JSON pointer into the input, to the id that `access.resource_type` is checked for
  std::string title;
  std::string description;
  std::vector<std::string> tags;
  std::string version;
  std::optional<std::chrono::milliseconds> default_timeout;

  /// The part of the name before its first slash.
  std::string_view name_space() const;

  /// The spec of that declared error, or null.
  const ErrorSpec* find_error(std::string_view code) const;

  /// The form of `services/schema`. `from_json` throws `operation_invalid` for what is missing or mistyped.
  Json to_json() const;
  static OperationSpec from_json(const Json& value);
};

/// The code of a query or mutation, and of a subscription. The input conforms to the schema and its Bytes are
/// `{"$bytes": i}`. The context lives until the handler has ended. Handlers run on the dispatcher's executor and must
/// not block: `co_await run_on(pool, work)` moves work away. They end early, by `aborted` at a `co_await`, when the
/// caller gives up or the deadline passes. What they may throw: Error; see error.h for what the caller sees of it.
using OnceHandler = std::function<Task<Message>(OperationContext&, Message)>;
using StreamHandler = std::function<AsyncGenerator<Message>(OperationContext&, Message)>;
using Handler = std::variant<OnceHandler, StreamHandler>;

/// Where an operation comes from; decides whether it may call others and where it may be registered.
enum class Provenance { kLocal, kFromOpenApi, kFromMcp, kFromJsonSchema, kFromCall, kSession };

/// Whether operations of this kind may make nested calls.
constexpr bool composes(Provenance provenance) {
  return provenance == Provenance::kLocal || provenance == Provenance::kSession;
}

/// Which operations a handler may reach by nested calls: names, "ns/*" for a namespace, "*" for all. Empty: none.
class ScopedEnvironment {
 public:
  ScopedEnvironment() = default;
  /// What comes twice counts once.
  explicit ScopedEnvironment(std::vector<std::string> patterns);

  bool reaches(std::string_view operation) const;

  /// What both reach, in no more patterns than both have together.
  ScopedEnvironment narrowed_to(const ScopedEnvironment& limit) const;
  const std::vector<std::string>& patterns() const { return patterns_; }

 private:
  std::vector<std::string> patterns_;
};

/// An operation as it is put on a registry. Everything that decides about security is set here and only here.
struct Registration {
  OperationSpec spec;
  Handler handler;  ///< a StreamHandler exactly when the spec is a subscription
  Provenance provenance = Provenance::kLocal;

  /// The schemas are compiled when they are first used: for the many operations of the program itself, whose schemas
  /// tests know to be usable and of which a run calls few.
  bool compiled_late = false;

  /// Under whose authority its nested calls run; none by default, so that only open operations answer them.
  Identity authority;
  ScopedEnvironment environment;

  Capabilities capabilities;                       ///< its own secrets
  std::vector<std::string> accepted_capabilities;  ///< names of secrets that a calling handler may pass on to it
};

}  // namespace alknet::call
