#include "alknet/compute/operations/compute_operations.h"

#include <iterator>
#include <utility>

#include "alknet/compute/operations/tensor_operations.h"

namespace alknet::compute {

std::vector<call::Registration> compute_operations(ComputeService& service) {
  std::vector<call::Registration> all;
  for (const auto part : {data_operations, info_operations, gradient_operations, kernel_operations, graph_operations,
                          submit_operations, model_loading, model_saving, tensor_operations}) {
    auto some = part(service);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  for (call::Registration& registration : all) registration.compiled_late = true;
  return all;
}

}  // namespace alknet::compute
