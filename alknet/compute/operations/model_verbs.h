#pragma once

#include <string>
#include <variant>
#include <vector>

#include "alknet/call/operation.h"
#include "alknet/compute/operations/spec.h"

// A model is served as `model/<name>/<verb>`, with the verbs that it can: `embed` and `forward` of a sentence encoder,
// `generate` (a subscription: one token an item) of a language model.

namespace alknet::compute {

/// What a model can do.
struct ModelVerb {
  ComputeOperation operation;  ///< Its name is the verb; kCommonErrors and kModelErrors are declared anyway.
  call::Handler handler;
};

/// The registrations of a model's verbs, under `model/<name>/`. Descriptions of verbs are followed by whose they are.
std::vector<call::Registration> model_operations(ComputeService& service, const std::string& name,
                                                 std::vector<ModelVerb> verbs);

}  // namespace alknet::compute
