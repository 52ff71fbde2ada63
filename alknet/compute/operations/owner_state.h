#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/call/resources.h"
#include "alknet/compute/context.h"
#include "alknet/compute/kernel_times.h"
#include "alknet/compute/kernels/kernel_registry.h"
#include "alknet/compute/operations/service.h"

namespace alknet::compute {

class KernelResource;
class WorkerKernels;

/// What the service keeps for one owner: its Context, its kernels and the order of its `compute/submit` calls. A hidden
/// resource in the owner's table, so that it ends with the owner.
class OwnerState final : public call::Resource {
 public:
  OwnerState(ComputeService& service, const call::Owner* owner) : service_(service), owner_(owner) {}
  ~OwnerState() override;

  std::uint64_t bytes() const override { return 0; }
  std::string_view kind() const override { return "compute state"; }

  /// Only on the compute thread: the owner's context, made at first use, and made anew after its device was lost. Then
  /// tensors of before answer `device_lost`, and registered expressions are there again.
  Context& context();

  /// Only on the compute thread: adds an expression to the operations of the context.
  const OpSpec& register_expression(const Json& entry);

  /// Only on the compute thread: kernels in shader source.
  KernelRegistry& kernels();

  /// What kernels of this owner's calls took; any thread.
  const KernelTimes& times() const { return *times_; }

  /// On the dispatcher's executor: the kernels that this owner registered, by name.
  std::map<std::string, std::shared_ptr<const KernelResource>, std::less<>> kernels_by_name;

  /// On the dispatcher's executor: how many were registered so far, also those disposed of since.
  std::size_t kernels_registered = 0;

  /// On the dispatcher's executor: the name may no longer be dispatched. A kernel in shader source goes; an expression
  /// stays an operation of the context, which graphs may use, until the owner ends.
  void forget_kernel(const KernelResource& kernel);

  /// On the dispatcher's executor: the turns of numbered calls, from 1.
  class Turns {
   public:
    /// Ends a turn when it goes, however the call ended.
    class Turn {
     public:
      /// `turns` are the owner's.
      Turn(std::shared_ptr<OwnerState> owner, Turns& turns, std::uint64_t number)
          : owner_(std::move(owner)), turns_(&turns), number_(number) {}
      Turn(Turn&&) = default;
      Turn& operator=(Turn&&) = delete;
      ~Turn();

     private:
      std::shared_ptr<OwnerState> owner_;
      Turns* turns_;
      std::uint64_t number_;
    };

    /// Takes a number. Nothing when it was used before. `ready` is complete when the turn has come.
    std::optional<Completion<>> take(std::uint64_t number);

   private:
    void end(std::uint64_t number);

    std::uint64_t next_ = 1;
    std::map<std::uint64_t, Completion<>> waiting_;  // from `next_` on, those that run or wait
    std::set<std::uint64_t> ended_;                  // above `next_`
  };
  Turns turns;

  /// On the dispatcher's executor: the process of this owner's kernels; null before the first.
  std::shared_ptr<WorkerKernels> worker;

  /// On the dispatcher's executor: registrations into it, one after the other, so that one process starts.
  Turns registrations;
  std::uint64_t last_registration = 0;

  /// On the dispatcher's executor: what moves tensors here takes turns, so that calls keep their order.
  Turns moves;
  std::uint64_t last_move = 0;

 private:
  /// What belongs to the compute thread, so that it goes there.
  struct Computing {
    std::optional<Context> context;
    std::optional<KernelRegistry> kernels;
    std::vector<Json> expressions;
  };

  ComputeService& service_;
  const call::Owner* owner_;
  const std::shared_ptr<KernelTimes> times_ = std::make_shared<KernelTimes>();
  std::unique_ptr<Computing> computing_ = std::make_unique<Computing>();
};

}  // namespace alknet::compute
