#include "bench/protocol.h"

#include <chrono>
#include <exception>
#include <iostream>

#include "alknet/base/json.h"
#include "bench/process_memory.h"

namespace alknet::bench {
namespace {

Json answer(const Json& request, const Cases& cases, Case& current, const std::string& version) {
  const JsonObject& object = request.as_object();
  if (const Json* parameters = object.if_contains("prepare")) {
    current = cases.at(std::string(parameters->at("case").as_string()))(*parameters);
    current();
    return JsonObject{{"ready", true}, {"version", version}};
  }
  const auto count = object.at("run").to_number<int>();
  const PeakMemory memory;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) current();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  return JsonObject{{"seconds", time.count()}, {"peak_bytes", memory.bytes()}};
}

}  // namespace

void serve(const Cases& cases, const std::string& version) {
  Case current;
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
