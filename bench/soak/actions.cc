#include "bench/soak/actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace alknet::bench::soak {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kForever = 3'600'000;  // ms; nobody waits for it
constexpr std::int64_t kEndless = 1'000'000;  // items; nobody reads so many

Message object(JsonObject value) { return {std::move(value), {}}; }

Request echo(User& user, std::size_t size) {
  Request request;
  request.operation = "soak/echo";
  std::string text = user.new_text(size);
  request.input = object({{"text", text}});
  request.right = [text = std::move(text)](const Message& answer) {
    return answer.value.at("text").as_string() == text;
  };
  return request;
}

Request sleep(std::int64_t time, const char* operation = "soak/sleep") {
  Request request;
  request.operation = operation;
  request.input = object({{"ms", time}});
  return request;
}

Request bytes(User& user, std::size_t size) {
  const SharedBytes& noise = user.crowd().noise;
  const SharedBytes sent = noise.slice(user.below(noise.size() - size + 1), size);
  Request request;
  request.operation = "soak/bytes";
  request.input = object({});
  request.input.value.as_object()["data"] = attach_bytes(request.input, sent);
  request.right = [sent](const Message& answer) {
    return std::ranges::equal(attached_bytes(answer, answer.value.at("data")).span(), sent.span());
  };
  return request;
}

std::unique_ptr<Beside> beside(User& user, Task<void> task) {
  return std::make_unique<Beside>(user.crowd().loop, std::move(task));
}

Task<void> call(User& user) {
  Request request = echo(user, user.below(40) == 0 ? user.below(65'536) : user.below(2'048));
  co_await user.ask(std::move(request));
}

Task<void> call_many_at_once(User& user) {
  std::vector<std::unique_ptr<Beside>> running;
  for (std::size_t left = 2 + user.below(15); left > 0; --left) {
    running.push_back(beside(user, user.ask(left % 3 == 0 ? sleep(user.up_to(50).count()) : echo(user, 100))));
  }
  for (const auto& one : running) co_await one->ended();
}

Task<void> call_with_bytes(User& user) {
  Request request = bytes(user, user.below(40) == 0 ? user.crowd().noise.size() : user.below(64 << 10));
  co_await user.ask(std::move(request));
}

Task<void> call_slow(User& user) {
  Request request = sleep(user.up_to(200).count());
  co_await user.ask(std::move(request));
}

Task<void> abort_call(User& user) {
  constexpr std::array<const char*, 2> kOperations{"soak/sleep", "soak/nested_sleep"};
  Beside call(user.crowd().loop, user.ask(sleep(kForever, kOperations.at(user.below(2)))));
  const milliseconds time = user.up_to(100);
  co_await sleep_for(time);
  call.stop();
  co_await call.ended();
}

Task<void> abort_bytes(User& user) {
  Beside call(user.crowd().loop, user.ask(bytes(user, user.crowd().noise.size())));
  const milliseconds time = user.up_to(20);
  co_await sleep_for(time);
  call.stop();
  co_await call.ended();
}

Task<void> time_out(User& user) {
  Request request = sleep(kForever, user.below(2) == 0 ? "soak/sleep" : "soak/nested_sleep");
  request.timeout = milliseconds(10) + user.up_to(90);
  request.fails_with = "timeout";
  co_await user.ask(std::move(request));
}

Task<void> fail(User& user) {
  struct Failure {
    const char* operation;
    const char* input;
    const char* code;
  };
  constexpr std::array<Failure, 5> kFailures{{{"soak/fail", R"({"how":"declared"})", "domain"},
                                              {"soak/fail", R"({"how":"thrown"})", "internal"},
                                              {"soak/echo", R"({"txet":1})", "invalid_input"},
                                              {"soak/double", R"({"n":1})", "not_found"},
                                              {"soak/closed", "{}", "forbidden"}}};
  const Failure& failure = kFailures.at(user.below(kFailures.size() - (user.unrestricted() ? 1 : 0)));
  Request request;
  request.operation = failure.operation;
  request.input = {parse_json(failure.input), {}};
  request.fails_with = failure.code;
  co_await user.ask(std::move(request));
}

Task<void> call_nested(User& user) {
  const auto n = static_cast<std::int64_t>(user.below(60));
  Request request;
  request.operation = "soak/nested";
  request.input = object({{"n", n}});
  request.right = [n](const Message& answer) {
    return answer.value.at("sum").to_number<std::int64_t>() == 4 * n + n * (n - 1) / 2;
  };
  co_await user.ask(std::move(request));
}

Task<void> read_all(User& user) {
  const auto count = static_cast<std::int64_t>(user.below(400));
  const Reading reading{count, static_cast<std::int64_t>(user.below(200)), count};
  co_await user.read(reading);
}

Task<void> read_more_than_the_window(User& user) {
  constexpr std::int64_t kItems = 700;
  constexpr std::int64_t kBytes = 8'192;
  const Reading reading{kItems, kBytes, kItems, milliseconds(1)};
  co_await user.read(reading);
}

Task<void> read_half(User& user) {
  const Reading reading{kEndless, static_cast<std::int64_t>(user.below(500)),
                        static_cast<std::int64_t>(user.below(600)), milliseconds(user.below(8) == 0 ? 1 : 0)};
  co_await user.read(reading);
}

/// The first item answers it, and the server must notice that nobody reads the others.
Task<void> call_endless_subscription(User& user) {
  Request request;
  request.operation = "soak/items";
  request.input = object({{"count", kEndless}, {"size", 100}});
  request.right = [](const Message& answer) { return answer.value.at("n") == Json(0); };
  co_await user.ask(std::move(request));
}

Task<void> keep_and_drop(User& user) {
  const bool keep = user.handles.empty();
  Request request;
  request.operation = keep ? "soak/keep" : "soak/drop";
  if (keep) {
    request.input = object({{"bytes", user.below(1'024)}});
    request.right = [&handles = user.handles](const Message& answer) {
      handles.emplace_back(answer.value.at("handle").as_string());
      return true;
    };
  } else {
    request.input = object({{"handle", user.handles.back()}});
    request.right = [](const Message& answer) { return answer.value.at("dropped").as_bool(); };
    user.handles.pop_back();
  }
  co_await user.ask(std::move(request));
}

Task<void> close_and_redial(User& user) {
  std::vector<std::unique_ptr<Beside>> running;
  for (std::size_t left = user.below(9); left > 0; --left) {
    running.push_back(beside(user, user.ask(sleep(kForever))));
    running.push_back(beside(user, user.read({kEndless, 100, kEndless, milliseconds(1)})));
    running.push_back(beside(user, user.ask(bytes(user, user.below(64 << 10)))));
  }
  const milliseconds time = user.up_to(30);
  co_await sleep_for(time);
  co_await user.redial(std::move(running));
}

constexpr std::array<Action, 16> kActions{{{80, call},
                                           {12, call_many_at_once},
                                           {12, call_with_bytes},
                                           {12, call_slow},
                                           {16, abort_call},
                                           {1, abort_bytes},
                                           {8, time_out},
                                           {8, fail},
                                           {10, call_nested},
                                           {12, read_all},
                                           {1, read_more_than_the_window},
                                           {12, read_half},
                                           {2, call_endless_subscription},
                                           {6, keep_and_drop},
                                           {8, close_and_redial},
                                           {4, stream_tensors}}};

}  // namespace

std::span<const Action> actions() { return kActions; }

}  // namespace alknet::bench::soak
