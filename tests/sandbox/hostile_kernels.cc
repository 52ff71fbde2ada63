#include "tests/sandbox/hostile_kernels.h"

#include <optional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/gpu/instance.h"

namespace alknet::hostile {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kElements = 256;

std::shared_ptr<call::Owner> make_caller() {
  call::Identity identity{"stranger", {"compute"}, {}, false};
  return std::make_shared<call::Owner>(call::Owner::Kind::kConnection, "stranger", std::move(identity));
}

}  // namespace

std::vector<Script> kernels_in(const std::filesystem::path& folder) { return scripts_in(folder, ".wgsl"); }

KernelHost::KernelHost(std::chrono::milliseconds deadline) {
  platform::KernelWorkerOptions options;
  options.dispatch_deadline = deadline;
  workers_ = std::make_shared<platform::KernelWorkerHost>(loop_, options);
  compute::ComputeServiceOptions computing;
  computing.device = "cpu";
  computing.threads = 1;
  computing.kernel_workers = workers_;
  service_ = std::make_unique<compute::ComputeService>(std::move(computing));
  for (const auto part : {compute::data_operations, compute::kernel_operations}) {
    registry_->curated().add(part(*service_));
  }
  dispatcher_ = std::make_unique<call::Dispatcher>(loop_, registry_);
  bystander_ = make_caller();
  bystanders_tensor_ = call(bystander_, "compute/create_tensor",
                            JsonObject{{"dtype", "f32"}, {"shape", JsonArray{2}}, {"values", JsonArray{3, 4}}})
                           .value;
}

KernelHost::~KernelHost() {
  end(bystander_);
  wait_until_gone();
  service_->settle();
}

std::string KernelHost::reason() {
  const gpu::Survey survey = gpu::survey();
  return survey.adapters.empty() ? survey.reason : std::string();
}

Message KernelHost::call(const std::shared_ptr<call::Owner>& owner, std::string operation, Json input) {
  call::CallRequest request;
  request.operation = std::move(operation);
  request.input = {std::move(input), {}};
  std::optional<alknet::Outcome<Message>> answer;
  alknet::start(loop_, dispatcher_->call(owner, std::move(request)), [&](alknet::Outcome<Message> outcome) {
    answer.emplace(std::move(outcome));
    loop_.stop();
  });
  loop_.run();
  return answer->take();
}

void KernelHost::register_kernel(const std::shared_ptr<call::Owner>& owner, const Script& kernel) {
  call(owner, "compute/register_kernel",
       JsonObject{
           {"kernel", JsonObject{{"name", kernel.name},
                                 {"language", "wgsl"},
                                 {"source", kernel.source},
                                 {"inputs", JsonArray{JsonObject{{"name", "x"}, {"dtype", "f32"}}}},
                                 {"outputs", JsonArray{JsonObject{{"name", "y"}, {"dtype", "f32"}, {"shape", "x"}}}},
                                 {"workgroups", JsonArray{4}}}}});
}

Json KernelHost::dispatch(const std::shared_ptr<call::Owner>& owner, const std::string& name) {
  Json x = call(owner, "compute/create_tensor", JsonObject{{"dtype", "f32"}, {"shape", JsonArray{kElements}}}).value;
  const Message ran =
      call(owner, "compute/dispatch_kernel", JsonObject{{"kernel", name}, {"inputs", JsonArray{std::move(x)}}});
  return call(owner, "compute/read_tensor", JsonObject{{"tensor", ran.value.at("outputs").at(0)}, {"as", "values"}})
      .value.at("values");
}

void KernelHost::end(const std::shared_ptr<call::Owner>& owner) {
  owner->end();
  service_->settle();
}

void KernelHost::wait_until_gone() {
  while (workers_->workers() > 0) {
    loop_.post_after(std::chrono::milliseconds(1), [this] { loop_.stop(); });
    loop_.run();
  }
}

Outcome KernelHost::run(const Script& kernel) {
  Outcome outcome;
  outcome.host_before = resident_bytes();
  const auto caller = make_caller();
  auto begin = Clock::now();
  try {
    register_kernel(caller, kernel);
    begin = Clock::now();
    dispatch(caller, kernel.name);
    outcome.code = "completed";
  } catch (const Error& error) {
    outcome.code = call::wire_code(error);
    outcome.what = error.message();
    if (outcome.code == "DEVICE_LOST") wait_until_gone();
  }
  outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  outcome.host_after = resident_bytes();
  end(caller);
  wait_until_gone();
  return outcome;
}

bool KernelHost::unharmed() {
  const Script honest{"honest",
                      "",
                      {},
                      {},
                      "@group(0) @binding(1) var<storage, read> x: array<f32>;\n"
                      "@group(0) @binding(2) var<storage, read_write> y: array<f32>;\n"
                      "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
                      "  y[id.x] = x[id.x] + f32(id.x);\n}\n"};
  const auto caller = make_caller();
  register_kernel(caller, honest);
  const Json values = dispatch(caller, honest.name);
  bool right = true;
  for (std::int64_t i = 0; i < kElements; ++i) {
    right = right && values.at(static_cast<std::size_t>(i)).to_number<double>() == static_cast<double>(i);
  }
  end(caller);
  wait_until_gone();
  const Message kept =
      call(bystander_, "compute/read_tensor", JsonObject{{"tensor", bystanders_tensor_}, {"as", "values"}});
  return right && kept.value.at("values") == Json(JsonArray{3.0, 4.0});
}

}  // namespace alknet::hostile
