#include "alknet/compute/error.h"

#include "alknet/base/error.h"

namespace alknet::compute {

const std::error_category& compute_category() noexcept {
  static const NamedCategory<21> kCategory("compute", {"unsupported",      "out_of_memory",     "index_out_of_range",
                                                       "shape_mismatch",   "missing_input",     "missing_parameter",
                                                       "stale_buffer",     "read_only",         "unknown_device",
                                                       "context_mismatch", "tokenizer_invalid", "model_invalid",
                                                       "invalid_text",     "not_finite",        "stale_version",
                                                       "graph_freed",      "singular_matrix",   "not_positive_definite",
                                                       "kernel_invalid",   "unknown_kernel",    "untrusted_kernel"});
  return kCategory;
}

}  // namespace alknet::compute
