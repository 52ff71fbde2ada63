// F5: JSON Schema.
#include "alknet/base/error.h"
#include "alknet/schema/schema.h"
#include "bench/cases.h"

namespace alknet::bench {
namespace {

/// F5: the verdict of a compiled schema on a parsed instance.
Case validate(const Json& parameters) {
  const auto schema = schema::Schema::from_json(parameters.at("schema"));
  return [schema, instance = parameters.at("instance")] {
    if (!schema.is_valid(instance)) throw Error(BaseError::kInternal, "validate: the instance is not valid");
  };
}

}  // namespace

Cases validation_cases() { return {{"validate", validate}}; }

}  // namespace alknet::bench
