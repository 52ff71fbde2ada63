// jsoncons as a peer: JSON Schema validation. The protocol is that of alknet_bench.cc.
#include <jsoncons/config/version.hpp>
#include <jsoncons/json.hpp>
#include <jsoncons_ext/jsonschema/jsonschema.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

using jsoncons::json;

struct Case {
  jsoncons::jsonschema::json_schema<json> schema;
  json instance;

  void run() const {
    if (!schema.is_valid(instance)) throw std::runtime_error("the instance is not valid");
  }
};

json answer(const json& request, std::unique_ptr<Case>& current) {
  json out(jsoncons::json_object_arg);
  if (request.contains("prepare")) {
    const auto& parameters = request["prepare"];
    current.reset(new Case{jsoncons::jsonschema::make_json_schema(parameters["schema"]), parameters["instance"]});
    current->run();
    std::ostringstream version;
    version << "jsoncons " << jsoncons::version();
    out["ready"] = true;
    out["version"] = version.str();
    return out;
  }
  const auto count = request["run"].as<int>();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) current->run();
  out["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return out;
}

}  // namespace

int main() {
  std::unique_ptr<Case> current;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << answer(json::parse(line), current) << std::endl;
    } catch (const std::exception& error) {
      json out(jsoncons::json_object_arg);
      out["error"] = error.what();
      std::cout << out << std::endl;
    }
  }
}
