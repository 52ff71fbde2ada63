#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/graph/json.h"

namespace {

using namespace alknet;

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes(std::filesystem::file_size(path));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

/// The outputs of a graph that is one call of an operation that no graph can hold: eagerly.
std::vector<compute::Tensor> call(const graph::Graph& graph, const std::vector<compute::Tensor>& inputs) {
  const graph::Node& node = graph.nodes.front();
  return compute::apply(node.op, std::vector<compute::Argument>(inputs.begin(), inputs.end()), node.attrs);
}

/// Runs one graph on inputs that lie in `data`; appends its outputs to `results` and says where.
Json run_case(const compute::Context& context, const Json& json, std::span<const std::byte> data,
              std::vector<std::byte>& results) {
  try {
    Message message;
    message.value = json.at("graph");
    const graph::Graph graph = graph::from_message(message);
    std::vector<compute::Tensor> inputs;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      const auto offset = json.at("offsets").at(i).to_number<std::size_t>();
      const graph::Shape shape = graph::evaluate(graph.inputs[i].shape, {});
      const std::size_t bytes = graph::storage_bytes(graph.inputs[i].dtype, graph::element_count(shape));
      inputs.push_back(context.from_bytes(graph.inputs[i].dtype, shape, data.subspan(offset, bytes)));
    }
    JsonArray outputs;
    const bool eager = graph::OpTable::builtin().at(graph.nodes.front().op).data_dependent();
    const auto plan = eager ? nullptr : compute::Plan::compile(graph, context.backend());
    for (const auto& tensor :
         eager ? call(graph, inputs) : compute::Session(plan, compute::Store(context)).run(inputs)) {
      const auto bytes = tensor.read();
      const graph::Shape& shape = tensor.shape();
      outputs.push_back(JsonObject{{"dtype", graph::dtype_name(tensor.dtype())},
                                   {"shape", JsonArray(shape.begin(), shape.end())},
                                   {"offset", results.size()},
                                   {"bytes", bytes.size()}});
      results.insert(results.end(), bytes.begin(), bytes.end());
    }
    return JsonObject{{"outputs", std::move(outputs)}};
  } catch (const Error& error) {
    return JsonObject{{"error", error.code_name()}, {"message", error.message()}};
  }
}

}  // namespace

/// For tests/operations_reference.py: alknet_operation_run DEVICE FOLDER reads cases.json (a list of {graph, offsets of
/// the inputs in inputs.bin}), and writes results.json ({outputs} or {error, message} a case) and outputs.bin.
int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: alknet_operation_run DEVICE FOLDER\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[2];
    const auto text = read_file(folder / "cases.json");
    const auto data = read_file(folder / "inputs.bin");
    const Json cases = parse_json({reinterpret_cast<const char*>(text.data()), text.size()});
    compute::Devices devices;
    const compute::Context context(std::make_shared<compute::BufferManager>(), devices.open(argv[1]));
    JsonArray results;
    std::vector<std::byte> outputs;
    for (const Json& each : cases.as_array()) results.push_back(run_case(context, each, data, outputs));
    std::ofstream(folder / "results.json") << json_text(results);
    std::ofstream file(folder / "outputs.bin", std::ios::binary);
    file.write(reinterpret_cast<const char*>(outputs.data()), static_cast<std::streamsize>(outputs.size()));
  } catch (const std::exception& error) {
    std::cerr << "alknet_operation_run: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
