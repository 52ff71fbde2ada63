#include "apps/worker/service.h"

#include <utility>
#include <vector>

#include "alknet/call/descriptor_transport.h"
#include "alknet/compute/operations/compute_operations.h"

namespace alknet::worker {

namespace {

compute::ComputeServiceOptions compute_options(std::string device) {
  compute::ComputeServiceOptions options;
  options.device = std::move(device);
  options.threads = 1;
  options.robust = true;
  options.measure_kernels = true;
  return options;
}

}  // namespace

Service::Service(Loop& loop, std::string device, std::uint64_t memory)
    : loop_(loop),
      memory_(memory),
      compute_(compute_options(std::move(device))),
      registry_(std::make_shared<call::Registry>()),
      dispatcher_(loop, registry_) {
  for (const auto part : {compute::data_operations, compute::kernel_operations, compute::submit_operations}) {
    registry_->curated().add(part(compute_));
  }
}

Service::~Service() {
  if (host_) host_->close();
  compute_.settle();
}

void Service::serve(int link) {
  call::OwnerLimits limits;
  limits.resources.max_bytes = memory_;
  auto owner =
      std::make_shared<call::Owner>(call::Owner::Kind::kProgram, "host", call::Identity::local_program(), limits);
  call::ConnectionOptions options;
  options.sandbox_link = true;
  options.limits.attachment_bytes = memory_;
  options.limits.bytes_in_flight = memory_ + options.limits.frame;
  options.limits.bytes_unsent = options.limits.bytes_in_flight;
  host_ = call::Connection::open(loop_, call::make_descriptor_transport(loop_, link), &dispatcher_, std::move(owner),
                                 options);
  host_->on_close([this](const Error&) { loop_.stop(); });
}

}  // namespace alknet::worker
