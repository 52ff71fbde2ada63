#include "tests/operations/run.h"

#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <istream>
#include <ostream>
#include <typeinfo>
#include <vector>

#include "alknet/base/base64.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/graph/json.h"

namespace alknet::operations {
namespace {

using Bytes = std::vector<std::byte>;

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes bytes(std::filesystem::file_size(path));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

compute::Context open_context(const std::string& device) {
  return {std::make_shared<compute::BufferManager>(), compute::Devices().open(device)};
}

/// Runs one graph. `input_bytes(i, n)` are the n bytes of its input i; `outputs` makes the answer of the results.
Json run_graph(const compute::Context& context, const Json& document,
               const std::function<std::span<const std::byte>(std::size_t, std::size_t)>& input_bytes,
               const std::function<JsonObject(const compute::Tensor&)>& describe) {
  Message message;
  message.value = document;
  const graph::Graph graph = graph::from_message(message);
  auto plan = compute::Plan::compile(graph, context.backend());
  std::vector<compute::Tensor> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const graph::Shape shape = graph::evaluate(graph.inputs[i].shape, {});
    const auto bytes =
        static_cast<std::size_t>(graph::element_count(shape)) * graph::dtype_bytes(graph.inputs[i].dtype);
    inputs.push_back(context.from_bytes(graph.inputs[i].dtype, shape, input_bytes(i, bytes)));
  }
  JsonArray outputs;
  for (const compute::Tensor& tensor : compute::Session(plan, compute::Store(context)).run(inputs)) {
    JsonObject output = describe(tensor);
    output["dtype"] = graph::dtype_name(tensor.dtype());
    output["shape"] = JsonArray(tensor.shape().begin(), tensor.shape().end());
    outputs.push_back(std::move(output));
  }
  return JsonObject{{"outputs", std::move(outputs)}};
}

JsonObject refusal(const Error& error) { return {{"error", error.code_name()}, {"message", error.message()}}; }

Json answer(const compute::Context& context, std::string_view line) {
  try {
    const Json made = parse_json(line);
    std::vector<Bytes> inputs;
    for (const Json& text : made.at("inputs").as_array()) {
      inputs.push_back(parse_base64(text.as_string()).value_or(Bytes()));
    }
    return run_graph(
        context, made.at("graph"), [&](std::size_t i, std::size_t) { return std::span<const std::byte>(inputs.at(i)); },
        [](const compute::Tensor& tensor) -> JsonObject {
          constexpr std::size_t kMostBytes = 8 << 20;
          const auto elements = static_cast<std::size_t>(graph::element_count(tensor.shape()));
          if (elements * graph::dtype_bytes(tensor.dtype()) > kMostBytes) {
            tensor.context().backend()->synchronize();
            return JsonObject{};
          }
          return JsonObject{{"data", base64_text(tensor.read())}};
        });
  } catch (const Error& error) {
    return refusal(error);
  } catch (const std::exception& error) {
    return JsonObject{{"error", "unexpected"}, {"message", fmt::format("{}: {}", typeid(error).name(), error.what())}};
  }
}

}  // namespace

void run_folder(const std::string& device, const std::filesystem::path& folder) {
  const auto text = read_file(folder / "cases.json");
  const auto data = read_file(folder / "inputs.bin");
  const Json cases = parse_json({reinterpret_cast<const char*>(text.data()), text.size()});
  const compute::Context context = open_context(device);
  JsonArray results;
  Bytes outputs;
  for (const Json& each : cases.as_array()) {
    try {
      results.push_back(run_graph(
          context, each.at("graph"),
          [&](std::size_t i, std::size_t bytes) {
            return std::span(data).subspan(each.at("offsets").at(i).to_number<std::size_t>(), bytes);
          },
          [&](const compute::Tensor& tensor) {
            const auto bytes = tensor.read();
            JsonObject place{{"offset", outputs.size()}, {"bytes", bytes.size()}};
            outputs.insert(outputs.end(), bytes.begin(), bytes.end());
            return place;
          }));
    } catch (const Error& error) {
      results.push_back(refusal(error));
    }
  }
  std::ofstream(folder / "results.json") << json_text(results);
  std::ofstream file(folder / "outputs.bin", std::ios::binary);
  file.write(reinterpret_cast<const char*>(outputs.data()), static_cast<std::streamsize>(outputs.size()));
}

void answer_lines(const std::string& device, std::istream& in, std::ostream& out) {
  const compute::Context context = open_context(device);
  for (std::string line; std::getline(in, line);) out << json_text(answer(context, line)) << std::endl;
}

}  // namespace alknet::operations
