#include "bench/protocol.h"

#include <chrono>
#include <exception>
#include <iostream>
#include <optional>

#include "alknet/base/json.h"
#include "bench/process_memory.h"

namespace alknet::bench {
namespace {

struct Current {
  Case prepared;
  std::optional<PeakMemory> memory;  // since before the first run
};

Json answer(const Json& request, const Cases& cases, Current& current, const std::string& version) {
  const JsonObject& object = request.as_object();
  if (const Json* parameters = object.if_contains("prepare")) {
    current.prepared = cases.at(std::string(parameters->at("case").as_string()))(*parameters);
    current.memory.emplace();
    current.prepared.run();
    if (current.prepared.seconds) current.prepared.seconds(1);
    return JsonObject{{"ready", true}, {"version", version}};
  }
  const auto count = object.at("run").to_number<int>();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) current.prepared.run();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  const double seconds = current.prepared.seconds ? current.prepared.seconds(count) : time.count();
  return JsonObject{{"seconds", seconds}, {"peak_bytes", current.memory->bytes()}};
}

}  // namespace

void serve(const Cases& cases, const std::string& version) {
  Current current;
  for (std::string line; std::getline(std::cin, line);) {
    Json reply;
    try {
      reply = answer(parse_json(line), cases, current, version);
    } catch (const std::exception& error) {
      reply = JsonObject{{"error", error.what()}};
    }
    std::cout << json_text(reply) << std::endl;
  }
}

}  // namespace alknet::bench
