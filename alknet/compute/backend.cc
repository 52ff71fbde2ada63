#include "alknet/compute/backend.h"

namespace alknet::compute {

std::string Computation::name() const {
  std::string name = op ? op->name : std::string();
  for (const auto& step : program.steps) {
    if (!name.empty()) name += '+';
    name += step.op->name;
  }
  return name;
}

}  // namespace alknet::compute
