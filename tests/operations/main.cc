#include <CLI/CLI.hpp>
#include <iostream>

#include "tests/operations/run.h"

namespace {

using namespace alknet;

int program(int argc, char** argv) {
  CLI::App app("Every operation of the op table: tested, measured, listed by device", "alknet_operations");
  app.require_subcommand(1);
  app.fallthrough();
  std::string device = "cpu", folder;
  app.add_option("--device", device, "cpu, gpu or gpu:N")->capture_default_str();

  CLI::App* run = app.add_subcommand("run", "Run the graphs in FOLDER (for tests/operations_reference.py)");
  run->add_option("FOLDER", folder, "Holds cases.json and inputs.bin")->required();
  run->callback([&] { operations::run_folder(device, folder); });

  CLI::App* answer = app.add_subcommand("answer", "Answer graphs line by line (for tests/operations_hostile.py)");
  answer->callback([&] { operations::answer_lines(device, std::cin, std::cout); });

  CLI11_PARSE(app, argc, argv);
  return 0;
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
