#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "alknet/call/dispatcher.h"
#include "alknet/compute/operations/service.h"

namespace alknet::worker {

/// What the helper serves its host: the operations of a ComputeService on tensors and kernels, for this one owner. The
/// device checks bounds, and each dispatch is waited for, so that its time is its own. On the loop's thread.
class Service {
 public:
  /// `memory`: what tensors may take.
  Service(Loop& loop, std::string device, std::uint64_t memory);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Takes over the socket to the host; the loop stops when the host is gone. Once.
  void serve(int link);

 private:
  Loop& loop_;
  const std::uint64_t memory_;
  compute::ComputeService compute_;
  std::shared_ptr<call::Registry> registry_;
  call::Dispatcher dispatcher_;
  std::shared_ptr<call::Connection> host_;
};

}  // namespace alknet::worker
