#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "alknet/base/machine_memory.h"
#include "alknet/base/progress.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/session.h"
#include "alknet/gpu/instance.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

/// A device as the command shows it, whatever kind it is.
struct Row {
  std::string id, name, type, backend, driver;
  JsonObject limits;
  std::vector<std::string> features;
  std::vector<gpu::MatrixConfig> matrix_units = {};
  bool usable = true;
  std::string reason = {};
  double add_bandwidth = 0;  ///< bytes/s, when measured
  double matmul_speed = 0;   ///< floating-point operations/s, when measured
};

/// The value of the first line "KEY : VALUE" of /proc/cpuinfo.
std::string cpu_fact(std::string_view key) {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
  }
  return "";
}

Row cpu_row() {
  Row row{"cpu", cpu_fact("model name"), "cpu", "native", "", {}, {}};
  row.limits["threads"] = std::thread::hardware_concurrency();
  row.limits["memoryBytes"] = machine_memory();
  constexpr std::string_view kVectorSets[] = {"sse4_2",  "avx",         "avx2",        "fma",     "f16c",
                                              "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile"};
  std::istringstream flags(cpu_fact("flags"));
  for (std::string flag; flags >> flag;) {
    if (std::find(std::begin(kVectorSets), std::end(kVectorSets), flag) != std::end(kVectorSets)) {
      row.features.push_back(flag);
    }
  }
  return row;
}

std::vector<Row> survey() {
  std::vector<Row> rows = {cpu_row()};
  const gpu::Survey gpus = gpu::survey();
  for (const auto& adapter : gpus.adapters) {
    Row row{adapter.id,       adapter.name,           std::string(gpu::adapter_type_name(adapter.type)),
            adapter.backend,  adapter.driver,         {},
            adapter.features, adapter.matrix_configs, adapter.usable,
            adapter.reason};
    for (const auto& limit : adapter.limits) row.limits[limit.name] = limit.value;
    rows.push_back(std::move(row));
  }
  if (gpus.adapters.empty()) rows.push_back({"gpu", "", "", "webgpu", gpus.provider, {}, {}, {}, false, gpus.reason});
  return rows;
}

/// Seconds of the fastest of some runs of a one-node graph on tensors of those shapes.
double fastest_run(const std::shared_ptr<compute::Backend>& backend, std::string_view op, const graph::Shape& shape) {
  graph::GraphBuilder builder;
  const graph::SymbolicShape symbolic(shape.begin(), shape.end());
  const auto a = builder.input("a", graph::Dtype::kF32, symbolic);
  const auto b = builder.input("b", graph::Dtype::kF32, symbolic);
  builder.output("c", builder.node(op, {a, b}));
  const compute::Context context(std::make_shared<compute::BufferManager>(), backend);
  compute::Session session(compute::Plan::compile(std::move(builder).build(), backend), compute::Store(context));
  const std::vector<float> ones(static_cast<std::size_t>(graph::element_count(shape)), 1.0f);
  const std::array inputs = {context.from<float>(ones, shape), context.from<float>(ones, shape)};
  const auto out = session.run(inputs);
  backend->synchronize();
  double best = 1e30;
  for (int run = 0; run < 5; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    session.run(inputs, out);
    backend->synchronize();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

void measure(std::vector<Row>& rows, const Globals& globals) {
  compute::Devices::Options options;
  options.robust = false;
  compute::Devices devices(options);
  Progress progress("Measuring", 2 * rows.size(), Unit::kItems, !globals.quiet);
  for (Row& row : rows) {
    if (!row.usable) continue;
    const auto backend = devices.open(row.id);
    const bool hardware = row.type == "discrete" || row.type == "integrated";
    const std::int64_t elements = hardware ? 16 << 20 : 4 << 20;
    const std::int64_t side = hardware ? 4096 : row.type == "cpu" ? 1024 : 256;
    row.add_bandwidth = 3 * 4 * static_cast<double>(elements) / fastest_run(backend, "add", {elements});
    progress.advance(1);
    row.matmul_speed = 2 * static_cast<double>(side * side * side) / fastest_run(backend, "matmul", {side, side});
    progress.advance(1);
  }
}

Json document(const std::vector<Row>& rows, bool bench) {
  JsonArray array;
  for (const Row& row : rows) {
    JsonObject object{{"id", row.id},
                      {"name", row.name},
                      {"type", row.type},
                      {"backend", row.backend},
                      {"driver", row.driver},
                      {"limits", row.limits},
                      {"features", JsonArray(row.features.begin(), row.features.end())},
                      {"usable", row.usable}};
    JsonArray units;
    for (const auto& unit : row.matrix_units) {
      units.push_back(JsonObject{{"component", unit.component},
                                 {"result", unit.result},
                                 {"rows", unit.rows},
                                 {"columns", unit.columns},
                                 {"depth", unit.depth}});
    }
    object["matrix_units"] = std::move(units);
    if (!row.reason.empty()) object["reason"] = row.reason;
    if (bench && row.usable) {
      object["bench"] = JsonObject{{"add_bytes_per_second", row.add_bandwidth}, {"matmul_flops", row.matmul_speed}};
    }
    array.push_back(std::move(object));
  }
  return array;
}

void print_rows(const std::vector<Row>& rows, bool bench, const Globals& globals) {
  std::vector<Table::Column> columns = {{"ID"}, {"NAME"}, {"TYPE"}, {"BACKEND"}, {"DRIVER"}};
  if (bench) {
    columns.push_back({"ADD", Table::Align::kRight});
    columns.push_back({"MATMUL", Table::Align::kRight});
  }
  Table table(columns);
  for (const Row& row : rows) {
    if (!row.usable) continue;
    std::vector<std::string> cells = {row.id, row.name, row.type, row.backend, row.driver};
    if (bench) {
      cells.push_back(fmt::format("{:.1f} GB/s", row.add_bandwidth / 1e9));
      cells.push_back(fmt::format("{:.1f} GFLOP/s", row.matmul_speed / 1e9));
    }
    table.add(std::move(cells));
  }
  std::string out = table.text(use_color(globals));
  for (const Row& row : rows) {
    if (!row.usable) out += fmt::format("\n{} cannot be used: {}\n", row.id, row.reason);
  }
  if (globals.verbose) {
    for (const Row& row : rows) {
      out += fmt::format("\n{}\n  features: {}\n", row.id, fmt::join(row.features, ", "));
      for (const auto& unit : row.matrix_units) {
        out +=
            fmt::format("  {:44} {} x {} x {}\n", fmt::format("matrix units: {}, sums {}", unit.component, unit.result),
                        unit.rows, unit.columns, unit.depth);
      }
      for (const auto& [name, value] : row.limits) {
        out += fmt::format("  {:44} {}\n", std::string_view(name), json_text(value));
      }
    }
  } else {
    out += "\nLimits and features: alknet devices --verbose\n";
  }
  print(out);
}

}  // namespace

void add_devices(CLI::App& program, Globals& globals) {
  const auto bench = std::make_shared<bool>(false);
  CLI::App* command = program.add_subcommand("devices", "List the devices that can compute, with limits and features");
  command->add_flag("--bench", *bench, "Measure addition bandwidth and matrix product speed on each");
  add_json_flag(*command, globals);
  set_examples(*command, "  alknet devices --bench\n  alknet devices --json\n");
  command->callback([bench, &globals] {
    std::vector<Row> rows = survey();
    if (*bench) measure(rows, globals);
    globals.json ? print_json(document(rows, *bench)) : print_rows(rows, *bench, globals);
  });
}

}  // namespace alknet::app
