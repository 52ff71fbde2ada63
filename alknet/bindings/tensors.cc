#include "alknet/bindings/tensors.h"

#include <string>
#include <vector>

#include "alknet/bindings/graph_host.h"
#include "alknet/call/error.h"
#include "alknet/graph/call_types.h"
#include "alknet/graph/op_table.h"
#include "alknet/runtime/convert.h"

namespace alknet::bindings {
namespace {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

/// The error as a caller of the operation would see it: its code in capitals.
runtime::ScriptError as_operation_error(Realm realm, const Error& error) {
  const call::WireError said = call::wire_error(error);
  const Value value = realm.error_value(error);
  value.define("code", realm.string(said.code));
  value.define("retryable", realm.boolean(said.retryable));
  if (!said.details.is_null()) value.define("details", runtime::from_json(realm, said.details));
  return realm.thrown(value);
}

Value infer(Realm realm, const Value&, Arguments arguments) {
  const std::string name = arguments[0].to_string();
  const Json input = runtime::to_json(arguments[1]);
  if (!input.is_object()) throw realm.type_error("[infer] the input is no object");
  std::vector<graph::ValueType> types;
  try {
    types = graph::infer_call(graph::OpTable::builtin(), name, input.get_object());
  } catch (const runtime::ScriptError&) {
    throw;
  } catch (const Error& error) {
    throw as_operation_error(realm, error);
  }
  std::vector<Value> results;
  results.reserve(types.size());
  for (const auto& type : types) results.push_back(type_value(realm, type));
  return realm.array(results);
}

}  // namespace

runtime::NativeModule graph_module() {
  runtime::NativeModule module;
  module.name = "alknet:graph";
  module.exports = {"infer", "validate", "GraphView"};
  module.evaluate = [](Realm realm) {
    return std::vector<Value>{realm.function("infer", 2, infer), realm.function("validate", 1, validate_graph),
                              define_graph_view(realm)};
  };
  return module;
}

}  // namespace alknet::bindings
