#include "alknet/net/mcp/tools.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "alknet/net/mcp/protocol.h"
#include "alknet/schema/schema.h"

namespace alknet::net::mcp {

namespace {

using call::CallError;

// Output schemas allow `error` instead of the output: the official client validates failed results as well.
constexpr std::string_view kDefinitions = R"([
  {
    "name": "search",
    "title": "Search operations",
    "description": "Finds the operations of this node that you may call: names, titles and descriptions. Give no arguments to list all.",
    "inputSchema": {
      "type": "object",
      "properties": {
        "query": {"type": "string", "description": "a word in the name, title, description or tags"},
        "prefix": {"type": "string", "description": "what the name begins with, such as a namespace"}
      },
      "additionalProperties": false
    },
    "outputSchema": {
      "type": "object",
      "properties": {"operations": {"type": "array", "items": {"type": "object"}}, "error": {"type": "object"}}
    },
    "annotations": {"readOnlyHint": true, "openWorldHint": false}
  },
  {
    "name": "schema",
    "title": "Describe an operation",
    "description": "The full specification of one operation: its input and output schemas and the errors it may end with. Read it before the first call.",
    "inputSchema": {
      "type": "object",
      "properties": {"name": {"type": "string", "description": "the operation, such as services/list"}},
      "required": ["name"],
      "additionalProperties": false
    },
    "outputSchema": {"type": "object", "properties": {"name": {"type": "string"}, "error": {"type": "object"}}},
    "annotations": {"readOnlyHint": true, "openWorldHint": false}
  },
  {
    "name": "call",
    "title": "Call an operation",
    "description": "Calls one operation with an input that conforms to its input schema. Bytes are base64 text.",
    "inputSchema": {
      "type": "object",
      "properties": {
        "operation": {"type": "string", "description": "the operation, such as services/list"},
        "input": {"description": "its input; an empty object when it is left out"}
      },
      "required": ["operation"],
      "additionalProperties": false
    },
    "outputSchema": {
      "type": "object",
      "properties": {
        "output": {"description": "what the operation answered"},
        "error": {"type": "object", "description": "instead of the output: code, message, retryable, details"}
      }
    }
  },
  {
    "name": "batch",
    "title": "Call several operations",
    "description": "Calls several operations at the same time. Answers {output} or {error} for each, in order.",
    "inputSchema": {
      "type": "object",
      "properties": {
        "calls": {
          "type": "array",
          "items": {
            "type": "object",
            "properties": {"operation": {"type": "string"}, "input": {}},
            "required": ["operation"],
            "additionalProperties": false
          }
        }
      },
      "required": ["calls"],
      "additionalProperties": false
    },
    "outputSchema": {
      "type": "object",
      "properties": {"results": {"type": "array", "items": {"type": "object"}}},
      "required": ["results"]
    }
  }
])";

constexpr std::array<std::string_view, 4> kToolNames{"search", "schema", "call", "batch"};

void check_arguments(std::string_view name, const Json& arguments) {
  const Json definitions = parse_json(kDefinitions);
  for (const Json& tool : definitions.get_array()) {
    if (tool.at("name") != Json(name)) continue;
    const auto errors = schema::Schema::from_json(tool.at("inputSchema")).validate(arguments, {.max_errors = 1});
    if (errors.empty()) return;
    throw Error(CallError::kInvalidInput, fmt::format("the arguments of {} are invalid at \"{}\": {}", name,
                                                      errors[0].instance_path, errors[0].message));
  }
}

Json input_of(const Json& call) {
  const auto* input = call.get_object().if_contains("input");
  return input == nullptr ? Json(JsonObject{}) : *input;
}

/// The result of a tool that gave `value`, an object, or failed with it.
Json tool_result(Json value, bool failed, bool structured) {
  const Json* shown = &value;
  if (const auto* output = value.get_object().if_contains("output")) shown = output;
  JsonObject block{{"type", "text"}, {"text", json_text(*shown)}};
  JsonArray content;
  content.emplace_back(std::move(block));
  JsonObject result;
  result.emplace("content", std::move(content));
  result.emplace("isError", failed);
  if (structured) result.emplace("structuredContent", std::move(value));
  return result;
}

}  // namespace

class CallGroup::Sink final : public call::CallSink {
 public:
  void responded(Message output, const call::Operation& operation) override {
    JsonObject answer;
    try {
      operation.output_bytes().encode(output);
      answer.emplace("output", std::move(output.value));
    } catch (const Error& error) {
      const call::WireError failure{"INTERNAL", error.message(), false, nullptr};
      answer.emplace("error", failure.to_json());
    }
    done.set_value(std::move(answer));
  }
  void completed() override {}
  void failed(const call::WireError& error) override {
    JsonObject answer;
    answer.emplace("error", error.to_json());
    done.set_value(std::move(answer));
  }

  Completion<Json> done;
  call::CallHandle handle;
};

void CallGroup::cancel() {
  cancelled_ = true;
  for (const auto& sink : std::exchange(running_, {})) {
    sink->handle.abort();
    sink->failed({"ABORTED", "the call was cancelled", false, nullptr});
  }
}

std::shared_ptr<CallGroup::Sink> CallGroup::start(call::Dispatcher& dispatcher,
                                                  const std::shared_ptr<call::Owner>& owner, std::string operation,
                                                  Json input, const std::optional<std::string>& token) {
  auto sink = std::make_shared<Sink>();
  const auto found = dispatcher.find(*owner, operation);
  if (found && found->spec().type == call::OperationType::kSubscription) {
    sink->failed(
        {"INVALID_OPERATION_TYPE", operation + " is a subscription, which tools cannot follow", false, nullptr});
    return sink;
  }
  call::CallRequest request;
  request.operation = std::move(operation);
  request.input.value = std::move(input);
  request.auth_token = token;
  sink->handle = dispatcher.start(owner, std::move(request), sink);
  running_.push_back(sink);
  if (cancelled_) cancel();
  return sink;
}

Task<Json> CallGroup::outcome(std::shared_ptr<Sink> sink) { co_return co_await sink->done.wait(); }

Json tool_definitions(std::string_view revision) {
  Json tools = parse_json(kDefinitions);
  if (revision == kOldest) {
    for (Json& tool : tools.get_array()) {
      tool.get_object().erase("title");
      tool.get_object().erase("outputSchema");
    }
  }
  return tools;
}

bool is_tool(std::string_view name) {
  return std::find(kToolNames.begin(), kToolNames.end(), name) != kToolNames.end();
}

namespace {

Task<Json> run_one(ToolCaller caller, std::shared_ptr<CallGroup> group, std::string operation, Json input,
                   bool wrapped) {
  const auto sink = group->start(caller.dispatcher, caller.owner, std::move(operation), std::move(input), caller.token);
  Json answer = co_await CallGroup::outcome(sink);
  const bool failed = answer.get_object().contains("error");
  if (!failed && !wrapped) {
    Json output = std::move(answer.at("output"));
    answer = std::move(output);
  }
  co_return tool_result(std::move(answer), failed, caller.structured);
}

Task<Json> run_batch(ToolCaller caller, std::shared_ptr<CallGroup> group, JsonArray calls) {
  if (calls.size() > caller.max_batch) {
    throw Error(CallError::kInvalidInput, fmt::format("a batch has at most {} calls", caller.max_batch));
  }
  std::vector<std::shared_ptr<CallGroup::Sink>> sinks;
  for (const Json& call : calls) {
    std::string operation(call.at("operation").get_string());
    sinks.push_back(group->start(caller.dispatcher, caller.owner, std::move(operation), input_of(call), caller.token));
  }
  JsonArray results;
  for (const auto& sink : sinks) {
    Json answer = co_await CallGroup::outcome(sink);
    results.push_back(std::move(answer));
  }
  JsonObject all;
  all.emplace("results", std::move(results));
  co_return tool_result(std::move(all), false, caller.structured);
}

}  // namespace

Task<Json> run_tool(ToolCaller caller, std::shared_ptr<CallGroup> group, std::string name, Json arguments) {
  check_arguments(name, arguments);
  if (name == "batch") return run_batch(std::move(caller), std::move(group), arguments.at("calls").get_array());
  if (name == "call") {
    std::string operation(arguments.at("operation").get_string());
    return run_one(std::move(caller), std::move(group), std::move(operation), input_of(arguments), true);
  }
  const std::string operation = name == "search" ? "services/list" : "services/schema";
  return run_one(std::move(caller), std::move(group), operation, std::move(arguments), false);
}

}  // namespace alknet::net::mcp
