#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/generate/cpp.h"
#include "alknet/compute/generate/documents.h"
#include "alknet/compute/generate/eager_api.h"
#include "alknet/compute/generate/javascript.h"

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Leaves an unchanged file alone, so that nothing is compiled again for it.
void write_if_changed(const std::filesystem::path& path, const std::string& text) {
  if (std::filesystem::exists(path) && text_of(path) == text) return;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw alknet::Error(alknet::BaseError::kIoError, "cannot write " + path.string());
}

using Generate = std::vector<alknet::compute::GeneratedFile> (*)(const alknet::graph::OpTable&);

struct Output {
  std::string_view name;
  Generate generate;
};
constexpr Output kOutputs[] = {
    {"cpp", alknet::compute::generate_cpp},
    {"eager", alknet::compute::generate_eager_api},
    {"docs", alknet::compute::generate_documentation},
    {"js", alknet::compute::generate_javascript},
};

Generate find_generator(std::string_view name) {
  for (const Output& output : kOutputs) {
    if (output.name == name) return output.generate;
  }
  return nullptr;
}

}  // namespace

/// alknet-opgen WHAT FOLDER [--check]
int main(int argc, char** argv) {
  const Generate generate = argc > 2 ? find_generator(argv[1]) : nullptr;
  const bool check = argc == 4 && std::string_view(argv[3]) == "--check";
  if (generate == nullptr || (argc == 4 && !check) || argc > 4) {
    std::cerr << "usage: alknet-opgen cpp|eager|docs|js FOLDER [--check]\n"
                 "Writes into FOLDER, from the op table: cpp, the CPU kernels; eager, the C++ functions; docs,\n"
                 "operations.md; js, the sources of @alknet/tensor. With --check it compares and fails when a file "
                 "differs.\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[2];
    std::filesystem::create_directories(folder);
    for (const auto& file : generate(alknet::graph::OpTable::builtin())) {
      if (!check) write_if_changed(folder / file.name, file.text);
      if (check && text_of(folder / file.name) != file.text) {
        throw alknet::Error(alknet::BaseError::kInvalidArgument,
                            (folder / file.name).string() + " is out of date: run this without --check");
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "alknet-opgen: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
