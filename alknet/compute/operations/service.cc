#include "alknet/compute/operations/service.h"

#include <atomic>
#include <future>
#include <utility>

#include "alknet/call/context.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/resources.h"

namespace alknet::compute {

/// One thread that measures what runs on it.
class ComputeService::MeasuredThread final : public Executor {
 public:
  void post(Callback callback) override { thread_.post(measured(std::move(callback))); }
  TimerId post_after(Clock::duration delay, Callback callback) override {
    return thread_.post_after(delay, measured(std::move(callback)));
  }
  bool cancel(TimerId timer) override {
    const bool cancelled = thread_.cancel(timer);
    if (cancelled) --waiting_;
    return cancelled;
  }
  Clock::time_point now() const override { return thread_.now(); }

  ComputeTimings timings() const {
    const std::chrono::nanoseconds busy(busy_.load());
    return {jobs_.load(), std::chrono::duration<double>(busy).count(), waiting_.load()};
  }

 private:
  Callback measured(Callback callback) {
    ++waiting_;
    return [this, callback = std::move(callback)]() mutable {
      const auto began = Clock::now();
      callback();
      busy_ += std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - began).count();
      ++jobs_;
      --waiting_;
    };
  }

  std::atomic<std::int64_t> busy_ = 0;  // ns
  std::atomic<std::uint64_t> jobs_ = 0, waiting_ = 0;
  PoolExecutor thread_{1};  // last: what runs counts
};

ComputeService::ComputeService(ComputeServiceOptions options)
    : options_(std::move(options)),
      buffers_(std::make_shared<BufferManager>()),
      devices_(std::make_shared<Devices>(Devices::Options{options_.threads, options_.robust, options_.gpus})),
      files_(std::make_unique<PoolExecutor>(1)),
      compute_(std::make_unique<MeasuredThread>()) {}

ComputeService::~ComputeService() {
  files_.reset();
  compute_.reset();
}

Executor& ComputeService::compute() { return *compute_; }

ComputeTimings ComputeService::timings() const { return compute_->timings(); }

Context ComputeService::make_context(const std::shared_ptr<KernelTimes>& times) {
  if (!backend_ || backend_->lost()) {
    backend_ = devices_->open(options_.device);
    note_backend(backend_);
  }
  Context made(buffers_, backend_, devices_);
  if (options_.measure_kernels) made.measure(times);
  return made;
}

void ComputeService::settle() {
  for (Executor* executor : {&files(), &compute()}) {
    const auto ran = std::make_shared<std::promise<void>>();
    executor->post([ran] { ran->set_value(); });
    ran->get_future().wait();
  }
}

std::vector<std::shared_ptr<Backend>> ComputeService::backends() const {
  std::vector<std::shared_ptr<Backend>> all;
  for (const auto& [id, backend] : by_id_) all.push_back(backend);
  return all;
}

void ComputeService::note_backend(const std::shared_ptr<Backend>& backend) { by_id_[backend->id()] = backend; }

std::shared_ptr<OwnerState> ComputeService::owner(call::OperationContext& context) {
  call::Owner& owner = context.owner();
  const std::lock_guard lock(mutex_);
  if (auto found = find(owner)) return found;
  auto made = std::make_shared<OwnerState>(*this, &owner);
  owners_[&owner] = {owner.resources().add(made), made.get()};
  return made;
}

std::shared_ptr<OwnerState> ComputeService::known_owner(call::OperationContext& context) {
  const std::lock_guard lock(mutex_);
  return find(context.owner());
}

std::shared_ptr<OwnerState> ComputeService::find(call::Owner& owner) const {
  const auto known = owners_.find(&owner);
  if (known == owners_.end()) return nullptr;
  auto found = std::dynamic_pointer_cast<OwnerState>(owner.resources().find(known->second.handle));
  return found.get() == known->second.state ? found : nullptr;
}

void ComputeService::forget(const call::Owner* owner, const OwnerState* state) {
  const std::lock_guard lock(mutex_);
  const auto known = owners_.find(owner);
  if (known != owners_.end() && known->second.state == state) owners_.erase(known);
}

OwnerState::~OwnerState() {
  service_.forget(owner_, this);
  if (worker) worker->end();
  service_.release(std::move(computing_));
}

Context& OwnerState::context() {
  auto& own = *computing_;
  if (own.context && own.context->backend()->lost()) {
    own.context.reset();
    own.kernels.reset();
  }
  if (!own.context) {
    own.context = service_.make_context(times_);
    for (const Json& entry : own.expressions) own.context->register_operation(entry);
  }
  return *own.context;
}

const OpSpec& OwnerState::register_expression(const Json& entry) {
  const OpSpec& op = context().register_operation(entry);
  computing_->expressions.push_back(entry);
  return op;
}

KernelRegistry& OwnerState::kernels() {
  Context& own = context();
  if (!computing_->kernels) computing_->kernels.emplace(own, KernelRegistry::Options{service_.options().trusted});
  return *computing_->kernels;
}

void OwnerState::forget_kernel(const KernelResource& kernel) {
  const auto known = kernels_by_name.find(kernel.name());
  if (known == kernels_by_name.end() || known->second.get() != &kernel) return;
  kernels_by_name.erase(known);
  if (kernel.form() == KernelResource::Form::kInWorker) kernel.worker()->remove(kernel.name());
  if (kernel.form() != KernelResource::Form::kSource) return;
  service_.compute().post([computing = computing_.get(), name = kernel.name()] {
    if (computing->kernels) computing->kernels->remove(name);
  });
}

OwnerState::Turns::Turn::~Turn() {
  if (owner_) turns_->end(number_);
}

std::optional<Completion<>> OwnerState::Turns::take(std::uint64_t number) {
  if (number < next_ || ended_.contains(number)) return std::nullopt;
  const auto [place, fresh] = waiting_.try_emplace(number);
  if (!fresh) return std::nullopt;
  if (number == next_) place->second.set_value();
  return place->second;
}

void OwnerState::Turns::end(std::uint64_t number) {
  waiting_.erase(number);
  ended_.insert(number);
  while (ended_.erase(next_) > 0) ++next_;
  if (const auto turn = waiting_.find(next_); turn != waiting_.end()) turn->second.set_value();
}

}  // namespace alknet::compute
