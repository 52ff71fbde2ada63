#include "alknet/compute/operations/operations_test_support.h"

#include "alknet/call/error.h"

namespace alknet::compute {

ServedOperations::ServedOperations(ComputeServiceOptions options) {
  if (options.device.empty()) options.device = "cpu";
  options.threads = 1;
  service = std::make_unique<ComputeService>(std::move(options));
  registry = std::make_shared<call::Registry>();
  registry->curated().add(compute_operations(*service));
}

OperationsTest::OperationsTest(ServedOperations* served) : served_here_(served == nullptr ? *served_ : *served) {
  call::DispatcherOptions options;
  options.check_outputs = true;
  dispatcher = std::make_unique<call::Dispatcher>(executor, served_here_.registry, std::move(options));
}

OperationsTest::~OperationsTest() {
  end(owner);
  service().settle();
}

std::shared_ptr<call::Owner> OperationsTest::make_owner(call::Owner::Kind kind, const call::ResourceQuota& quota) {
  call::OwnerLimits limits;
  limits.resources = quota;
  call::Identity identity{"tester", {"compute", "model"}, {}, false};
  return std::make_shared<call::Owner>(kind, "tester", std::move(identity), limits);
}

namespace {

Task<void> end_owner(ComputeService& service, std::shared_ptr<call::Owner> owner) {
  owner->end();
  auto nothing = [] {};
  co_await run_on(service.compute(), std::move(nothing));
}

Task<Message> start_call(call::Dispatcher& dispatcher, std::shared_ptr<call::Owner> owner, call::CallRequest request) {
  co_return co_await dispatcher.call(std::move(owner), std::move(request));
}

}  // namespace

void OperationsTest::end(const std::shared_ptr<call::Owner>& of) { wait_for(executor, end_owner(service(), of)); }

Message OperationsTest::call(std::string operation, Message input, std::shared_ptr<call::Owner> as) {
  call::CallRequest request;
  request.operation = std::move(operation);
  request.input = std::move(input);
  return wait_for(executor, start_call(*dispatcher, as ? std::move(as) : owner, std::move(request)));
}

Json OperationsTest::call(std::string operation, Json input, std::shared_ptr<call::Owner> as) {
  return call(std::move(operation), Message{std::move(input), {}}, std::move(as)).value;
}

std::string OperationsTest::code(std::string operation, Json input, std::shared_ptr<call::Owner> as) {
  const auto error = thrown_by([&] { call(std::move(operation), std::move(input), std::move(as)); });
  return error ? call::wire_code(*error) : "no error";
}

Json OperationsTest::tensor(Dtype dtype, const Shape& shape, std::span<const std::byte> bytes) {
  Message input;
  JsonObject object{{"dtype", graph::dtype_name(dtype)}, {"shape", JsonArray(shape.begin(), shape.end())}};
  object.emplace("data", attach_bytes(input, SharedBytes::copy(bytes)));
  input.value = std::move(object);
  return call("compute/create_tensor", std::move(input)).value;
}

std::vector<std::byte> OperationsTest::read(const Json& handle) {
  const Message output = call("compute/read_tensor", Message{JsonObject{{"tensor", handle}}, {}});
  const auto bytes = attached_bytes(output, output.value.at("data")).span();
  return {bytes.begin(), bytes.end()};
}

std::uint64_t OperationsTest::live_bytes() {
  std::uint64_t live = 0;
  const Json stats = call("compute/stats", "{}");
  for (const Json& device : stats.at("devices").as_array()) {
    live += device.at("live").to_number<std::uint64_t>();
  }
  return live;
}

}  // namespace alknet::compute
