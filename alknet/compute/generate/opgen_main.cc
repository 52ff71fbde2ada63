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

/// Writes the text into the file, or with `check` fails when the file holds another.
void write_document(const std::filesystem::path& path, const std::string& text, bool check) {
  if (!check) return write_if_changed(path, text);
  std::ifstream file(path, std::ios::binary);
  if (!file || std::string(std::istreambuf_iterator<char>(file), {}) != text) {
    throw alknet::Error(alknet::BaseError::kInvalidArgument,
                        path.string() + " is out of date: write it without --check");
  }
}

}  // namespace

/// The generator: of the build's CPU kernels (cpp) and C++ functions (eager), and of what is checked in (docs, dts).
int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const bool check = argc == 4 && std::string(argv[3]) == "--check";
  const Generate generate = find_generator(what);
  if (!(argc == 3 || (check && generate == nullptr)) || (generate == nullptr && what != "docs" && what != "dts")) {
    std::cerr << "usage: alknet-opgen cpp FOLDER           write the CPU kernels of the op table\n"
                 "       alknet-opgen eager FOLDER         write the C++ functions of the op table\n"
                 "       alknet-opgen docs FILE [--check]  write docs/operations.md, or compare it\n"
                 "       alknet-opgen dts FILE [--check]   the same of js/tensor/operations.d.ts\n";
    return 2;
  }
  try {
    const auto& ops = alknet::graph::OpTable::builtin();
    if (generate != nullptr) {
      std::filesystem::create_directories(argv[2]);
      for (const auto& file : generate(ops)) write_if_changed(std::filesystem::path(argv[2]) / file.name, file.text);
    }
    if (what == "docs") write_document(argv[2], alknet::compute::operations_markdown(ops), check);
    if (what == "dts") write_document(argv[2], alknet::compute::operations_declarations(ops), check);
  } catch (const std::exception& error) {
    std::cerr << "alknet-opgen: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
