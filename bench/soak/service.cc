#include "bench/soak/service.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "alknet/call/context.h"
#include "bench/soak/workplace.h"

namespace alknet::bench::soak {
namespace {

using call::OnceHandler;
using call::OperationContext;
using call::Registration;
using call::StreamHandler;

constexpr std::string_view kAnything = "{}";
constexpr std::string_view kText =
    R"({"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false})";
constexpr std::string_view kBytes =
    R"({"type":"object","properties":{"data":{"TypeDef:Bytes":true}},"required":["data"]})";
constexpr std::string_view kMilliseconds =
    R"({"type":"object","properties":{"ms":{"type":"integer","minimum":0}},"required":["ms"]})";
constexpr std::string_view kItems = R"({"type":"object","properties":{"count":{"type":"integer","minimum":0},
    "size":{"type":"integer","minimum":0}},"required":["count","size"]})";
constexpr std::string_view kNumber = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})";

Registration operation(std::string name, std::string_view input, call::Handler handler) {
  Registration made;
  made.spec.name = std::move(name);
  made.spec.input_schema = parse_json(input);
  if (std::holds_alternative<StreamHandler>(handler)) made.spec.type = call::OperationType::kSubscription;
  made.handler = std::move(handler);
  made.environment = call::ScopedEnvironment({"soak/*"});
  return made;
}

std::int64_t integer(const Message& message, std::string_view member) {
  return message.value.at(member).to_number<std::int64_t>();
}

Message object(JsonObject value) { return {std::move(value), {}}; }

/// Counts something as long as it lives.
class Counted {
 public:
  explicit Counted(std::int64_t& count) : count_(&count) { ++*count_; }
  ~Counted() { --*count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::int64_t* count_;
};

class KeptBytes final : public call::Resource {
 public:
  KeptBytes(std::int64_t& count, std::size_t size) : counted_(count), bytes_(size) {}
  std::uint64_t bytes() const override { return bytes_.size(); }
  std::string_view kind() const override { return "bytes"; }

 private:
  Counted counted_;
  std::vector<std::byte> bytes_;
};

/// A handler that is counted while it runs.
OnceHandler counted(Service& service, OnceHandler handler) {
  return [&service, handler = std::move(handler)](OperationContext& context, Message input) -> Task<Message> {
    const auto run = [](Service& in, OnceHandler inner, OperationContext& with, Message message) -> Task<Message> {
      const Counted alive(in.handlers);
      auto task = inner(with, std::move(message));
      co_return co_await std::move(task);
    };
    return run(service, handler, context, std::move(input));
  };
}

Task<Message> echo(OperationContext&, Message input) { co_return input; }

Task<Message> sleep(OperationContext&, Message input) {
  const std::chrono::milliseconds time(integer(input, "ms"));
  co_await sleep_for(time);
  co_return object({});
}

Task<Message> fail(OperationContext&, Message input) {
  if (input.value.at("how").as_string() == "declared") {
    throw call::domain_error("SOAK_FAILED", "as declared", JsonObject{{"n", 7}});
  }
  throw std::runtime_error("a text that callers must not see");
  co_return Message{};
}

Task<Message> twice(OperationContext&, Message input) { co_return object({{"n", 2 * integer(input, "n")}}); }

Task<Message> nested(OperationContext& context, Message input) {
  const std::int64_t n = integer(input, "n");
  std::int64_t sum = 0;
  for (int round = 0; round < 2; ++round) {
    Message asked = object({{"n", n}});
    const Message doubled = co_await context.call("soak/double", std::move(asked));
    sum += integer(doubled, "n");
  }
  Message asked = object({{"count", n}, {"size", 10}});
  auto items = context.subscribe("soak/items", std::move(asked));
  while (const auto item = co_await items.next()) sum += integer(*item, "n");
  co_return object({{"sum", sum}});
}

Task<Message> nested_sleep(OperationContext& context, Message input) {
  auto slept = context.call("soak/sleep", std::move(input));
  co_return co_await std::move(slept);
}

AsyncGenerator<Message> items(Service& service, Message input) {
  const Counted alive(service.handlers);
  const std::int64_t count = integer(input, "count");
  const std::string text(static_cast<std::size_t>(integer(input, "size")), 'i');
  for (std::int64_t n = 0; n < count; ++n) {
    Message item = object({{"n", n}, {"text", text}});
    co_yield std::move(item);
  }
}

Registration failing(Service& service) {
  Registration made = operation("soak/fail", kAnything, counted(service, fail));
  made.spec.errors = {{"SOAK_FAILED", "What soak/fail is for.", parse_json(kNumber)}};
  return made;
}

Registration internal(Registration made) {
  made.spec.visibility = call::Visibility::kInternal;
  return made;
}

Registration with_bytes(Registration made) {
  made.spec.output_schema = made.spec.input_schema;
  return made;
}

Registration for_scope(Registration made, std::string scope) {
  made.spec.access.required_scopes = {std::move(scope)};
  return made;
}

}  // namespace

AsyncGenerator<Message> Service::watch() {
  const Counted alive(handlers);
  Message first = object({{"n", 0}});
  co_yield std::move(first);
  while (true) {
    const auto place = watchers_.emplace(watchers_.end());
    struct Leave {
      std::list<Watcher>& all;
      std::list<Watcher>::iterator place;
      ~Leave() { all.erase(place); }
    } const leave{watchers_, place};
    const Watcher waiting = *place;
    const std::int64_t n = co_await waiting.wait();
    Message item = object({{"n", n}});
    co_yield std::move(item);
  }
}

std::int64_t Service::push(std::int64_t n) {
  for (Watcher& watcher : watchers_) watcher.set_value(n);
  return static_cast<std::int64_t>(watchers_.size());
}

std::vector<Registration> Service::operations() {
  std::vector<Registration> all;
  const auto once = [&](std::string name, std::string_view input, OnceHandler handler) {
    all.push_back(operation(std::move(name), input, counted(*this, std::move(handler))));
  };
  once("soak/echo", kText, echo);
  once("soak/sleep", kMilliseconds, sleep);
  once("soak/nested", kNumber, nested);
  once("soak/nested_sleep", kMilliseconds, nested_sleep);
  all.push_back(with_bytes(operation("soak/bytes", kBytes, counted(*this, echo))));
  all.push_back(internal(operation("soak/double", kNumber, counted(*this, twice))));
  all.push_back(for_scope(operation("soak/closed", kAnything, counted(*this, echo)), "nobody has this"));
  all.push_back(failing(*this));
  once("soak/keep", kAnything, [this](OperationContext& context, Message input) -> Task<Message> {
    const auto size = static_cast<std::size_t>(integer(input, "bytes"));
    std::string handle = context.add_resource(std::make_shared<KeptBytes>(resources, size));
    co_return object({{"handle", std::move(handle)}});
  });
  once("soak/drop", kAnything, [](OperationContext& context, Message input) -> Task<Message> {
    const std::string handle(input.value.at("handle").as_string());
    const bool was_there = context.resources().take(handle) != nullptr;
    co_return object({{"dropped", was_there}});
  });
  once("soak/open_model", kAnything, [this](OperationContext&, Message) -> Task<Message> {
    const std::optional<std::string> identity(Workplace::kKeyPeer);
    const auto token = tokens_->issue(identity, model_);
    co_return object({{"token", token.text}});
  });
  once("soak/push", kNumber, [this](OperationContext&, Message input) -> Task<Message> {
    co_return object({{"watchers", push(integer(input, "n"))}});
  });
  const StreamHandler give_items = [this](OperationContext&, Message input) { return items(*this, std::move(input)); };
  all.push_back(operation("soak/items", kItems, give_items));
  const StreamHandler give_pushed = [this](OperationContext&, Message) { return watch(); };
  all.push_back(operation("soak/watch", kAnything, give_pushed));
  const OnceHandler tell = [this](OperationContext&, Message) -> Task<Message> { co_return Message{state(), {}}; };
  all.push_back(operation("soak/state", kAnything, tell));
  const OnceHandler end = [this](OperationContext&, Message) -> Task<Message> {
    stop();
    co_return object({});
  };
  all.push_back(operation("soak/stop", kAnything, end));
  return all;
}

}  // namespace alknet::bench::soak
