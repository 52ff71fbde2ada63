#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "alknet/call/operation.h"
#include "alknet/compute/operations/service.h"

namespace alknet::compute {

/// Everything under `compute/`, and `tensor/<op>` for every operation of the table. The registrations refer to
/// `service`, which must outlive them.
///
/// Tensors, plans, stores, executions and kernels are resources of the caller's owner, named by handles. Handlers do
/// their work on the service's compute thread, in the order of the calls; what they take and give is in the specs.
std::vector<call::Registration> compute_operations(ComputeService& service);

// The parts, by file.
std::vector<call::Registration> data_operations(ComputeService& service);      ///< create, write, read, dispose, ...
std::vector<call::Registration> info_operations(ComputeService& service);      ///< devices, stats, shape, gradcheck
std::vector<call::Registration> gradient_operations(ComputeService& service);  ///< backward, requires_grad
std::vector<call::Registration> kernel_operations(ComputeService& service);    ///< register_kernel, dispatch_kernel
std::vector<call::Registration> graph_operations(ComputeService& service);     ///< compile, open, run, grad, train_step
std::vector<call::Registration> submit_operations(ComputeService& service);    ///< submit
std::vector<call::Registration> model_loading(ComputeService& service);        ///< load_model, stream_model, open_model
std::vector<call::Registration> model_saving(ComputeService& service);         ///< save_model

/// `model/<name>/embed` and `forward` for a sentence-transformers folder, which is loaded before this returns. Waits
/// for the compute thread: not to be called on it. Throws what SentenceEncoder::load throws.
std::vector<call::Registration> sentence_model_operations(ComputeService& service, const std::string& name,
                                                          const std::filesystem::path& folder);

/// The same for a model whose tensors may still come. Calls start each layer when its tensors are there, and other
/// callers' work goes on meanwhile. From here on `source` is used on the service's compute thread.
std::vector<call::Registration> sentence_model_operations(ComputeService& service, const std::string& name,
                                                          ModelFiles files, std::shared_ptr<tensor::Source> source);

}  // namespace alknet::compute
