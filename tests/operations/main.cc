#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "alknet/base/error.h"
#include "alknet/compute/conformance.h"
#include "alknet/compute/devices.h"
#include "tests/operations/grad.h"
#include "tests/operations/perf.h"
#include "tests/operations/run.h"
#include "tests/operations/support.h"

namespace {

using namespace alknet;

/// 0 when every operation meets its bound.
int test(const std::string& device, const std::vector<std::string>& ops, bool quick) {
  const auto backend = compute::Devices().open(device);
  const bool gpu = backend->id() != "cpu";
  const auto report = compute::run_conformance(
      *backend, {.ops = ops, .quick = quick, .flushes_denormals = gpu, .gpu_bounds = gpu, .ulp = {}});
  for (const auto& failure : report.failures) std::cout << "failed   " << failure << '\n';
  for (const auto& refused : report.unsupported) std::cout << "refused  " << refused << '\n';
  std::cout << report.cases << " cases on " << backend->id() << ", " << report.failures.size() << " failures\n";
  return report.failures.empty() ? 0 : 1;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int support(const std::string& file, bool check) {
  const std::string document = operations::support_document();
  if (file.empty()) {
    std::cout << document;
  } else if (!check) {
    std::ofstream(file, std::ios::binary) << document;
  } else if (text_of(file) != document) {
    std::cerr << file << " is out of date: run `alknet_operations support " << file << "`\n";
    return 1;
  }
  return 0;
}

int program(int argc, char** argv) {
  CLI::App app("Every operation of the op table: tested, measured, listed by device", "alknet_operations");
  app.require_subcommand(1);
  app.fallthrough();
  int status = 0;
  std::string device = "cpu", path, dtype = "f32";
  std::vector<std::string> ops;
  bool quick = false, check = false;
  operations::PerfOptions perf;
  app.add_option("--device", device, "cpu, gpu or gpu:N")->capture_default_str();

  CLI::App* test_mode = app.add_subcommand("test", "Compare each operation with a float64 reference, within its bound");
  test_mode->add_option("OPERATION", ops, "Only these");
  test_mode->add_flag("--quick", quick, "Fewer shapes");
  test_mode->callback([&] { status = test(device, ops, quick); });

  CLI::App* grad_mode = app.add_subcommand("grad", "Compare gradients with central differences in f64, on the CPU");
  grad_mode->add_option("OPERATION", ops, "Only these");
  grad_mode->callback([&] { status = operations::check_gradients(ops, std::cout) ? 0 : 1; });

  CLI::App* perf_mode = app.add_subcommand("perf", "Measure each operation at a typical size");
  perf_mode->add_option("OPERATION", perf.ops, "Only these");
  perf_mode->add_option("--dtype", dtype, "Of the inputs")->capture_default_str();
  perf_mode->add_option("--seconds", perf.seconds, "For each operation")->capture_default_str();
  perf_mode->callback([&] {
    const auto parsed = graph::parse_dtype(dtype);
    if (!parsed) throw Error(BaseError::kInvalidArgument, "there is no dtype " + dtype);
    perf.dtype = *parsed;
    operations::measure(compute::Devices().open(device), perf, std::cout);
  });

  CLI::App* support_mode = app.add_subcommand("support", "Print docs/operation_support.md: what runs where");
  support_mode->add_option("FILE", path, "Write it there");
  support_mode->add_flag("--check", check, "Fail when FILE differs instead");
  support_mode->callback([&] { status = support(path, check); });

  CLI::App* run = app.add_subcommand("run", "Run the graphs in FOLDER (for tests/operations_reference.py)");
  run->add_option("FOLDER", path, "Holds cases.json and inputs.bin")->required();
  run->callback([&] { operations::run_folder(device, path); });

  CLI::App* answer = app.add_subcommand("answer", "Answer graphs line by line (for tests/operations_hostile.py)");
  answer->callback([&] { operations::answer_lines(device, std::cin, std::cout); });

  CLI11_PARSE(app, argc, argv);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return program(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "alknet_operations: " << error.what() << '\n';
    return 1;
  }
}
