#include "alknet/compute/operations/model_verbs.h"

#include <fmt/format.h>

#include <utility>

namespace alknet::compute {

std::vector<call::Registration> model_operations(ComputeService& service, const std::string& name,
                                                 std::vector<ModelVerb> verbs) {
  std::vector<call::Registration> all;
  for (ModelVerb& verb : verbs) {
    call::OperationSpec spec = spec_of(verb.operation);
    spec.name = fmt::format("model/{}/{}", name, verb.operation.name);
    spec.description = fmt::format("{} By the model {}.", verb.operation.description, name);
    const unsigned errors = verb.operation.errors | kModelErrors;
    std::visit([&](auto& handler) { all.push_back(guarded(service, std::move(spec), errors, std::move(handler))); },
               verb.handler);
  }
  return all;
}

}  // namespace alknet::compute
