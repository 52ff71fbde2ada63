#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/generate/cpp.h"
#include "alknet/compute/generate/eager_api.h"

namespace {

/// Leaves an unchanged file alone, so that nothing is compiled again for it.
void write_if_changed(const std::filesystem::path& path, const std::string& text) {
  std::ifstream old(path, std::ios::binary);
  if (old && std::string(std::istreambuf_iterator<char>(old), {}) == text) return;
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
};

Generate find_generator(std::string_view name) {
  for (const Output& output : kOutputs) {
    if (output.name == name) return output.generate;
  }
  return nullptr;
}

}  // namespace

/// The build's generator: alknet-opgen cpp|eager FOLDER
int main(int argc, char** argv) {
  const Generate generate = argc == 3 ? find_generator(argv[1]) : nullptr;
  if (generate == nullptr) {
    std::cerr << "usage: alknet-opgen cpp|eager FOLDER\n"
                 "Writes into FOLDER, from the op table: cpp, the CPU kernels; eager, the C++ functions.\n";
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[2]);
    for (const auto& file : generate(alknet::graph::OpTable::builtin())) {
      write_if_changed(std::filesystem::path(argv[2]) / file.name, file.text);
    }
  } catch (const std::exception& error) {
    std::cerr << "alknet-opgen: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
