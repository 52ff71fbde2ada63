#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "alknet/base/error.h"
#include "alknet/compute/generate/cpp.h"

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

}  // namespace

/// The build's generator: alknet-opgen cpp FOLDER
int main(int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "cpp") {
    std::cerr << "usage: alknet-opgen cpp FOLDER\nWrites the CPU kernels of the op table into FOLDER.\n";
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[2]);
    for (const auto& file : alknet::compute::generate_cpp(alknet::graph::OpTable::builtin())) {
      write_if_changed(std::filesystem::path(argv[2]) / file.name, file.text);
    }
  } catch (const std::exception& error) {
    std::cerr << "alknet-opgen: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
