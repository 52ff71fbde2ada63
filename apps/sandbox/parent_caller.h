#pragma once

#include <memory>
#include <string>
#include <utility>

#include "alknet/base/json.h"
#include "alknet/call/connection.h"
#include "alknet/call/registry.h"

namespace alknet::sandbox {

/// Where `compute/submit` has Bytes. In its entries and results `{"$bytes": i}` means the i-th of them, which is data
/// here.
inline const std::shared_ptr<const call::Operation>& submission() {
  static const auto operation = [] {
    call::Registration made;
    made.spec.name = "compute/submit";
    made.spec.type = call::OperationType::kMutation;
    made.spec.input_schema = parse_json(R"({"properties":{"bytes":{"items":{"TypeDef:Bytes":true,"type":"string"}}}})");
    made.spec.output_schema = made.spec.input_schema;
    made.handler = call::OnceHandler([](call::OperationContext&, Message) -> Task<Message> {
      throw Error(BaseError::kInternal, "[sandbox] a description only");
      co_return Message{};
    });
    return std::make_shared<const call::Operation>(std::move(made));
  }();
  return operation;
}

/// Calls the host on behalf of one of its requests: each call names it as `parent`. On the connection's executor.
class ParentCaller final : public call::Caller {
 public:
  ParentCaller(std::shared_ptr<call::Connection> host, std::string parent)
      : host_(std::move(host)), parent_(std::move(parent)) {}

  Task<Message> call(std::string operation, Message input, call::CallOptions options = {}) override {
    call::CallOptions made = mine(std::move(options));
    if (operation.ends_with(submission()->spec().name)) made.known = submission();
    return host_->call(std::move(operation), std::move(input), std::move(made));
  }
  AsyncGenerator<Message> subscribe(std::string operation, Message input, call::CallOptions options = {}) override {
    return host_->subscribe(std::move(operation), std::move(input), mine(std::move(options)));
  }

 private:
  /// What a script may say of its calls: how long they may take. The rest is the host's affair.
  call::CallOptions mine(call::CallOptions options) const {
    call::CallOptions made;
    made.timeout = options.timeout;
    made.on_id = std::move(options.on_id);
    made.parent = parent_;
    return made;
  }

  std::shared_ptr<call::Connection> host_;
  std::string parent_;
};

}  // namespace alknet::sandbox
