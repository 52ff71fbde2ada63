#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "alknet/base/error.h"
#include "alknet/compute/generate/cpp.h"
#include "alknet/compute/generate/documents.h"

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

namespace {

using alknet::graph::OpTable;

void write_kernels(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& file : alknet::compute::generate_cpp(OpTable::builtin())) {
    write_if_changed(folder / file.name, file.text);
  }
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

/// The generator: of the build's CPU kernels (cpp), and of what is checked in (docs, dts).
int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const bool check = argc == 4 && std::string(argv[3]) == "--check";
  if (!(argc == 3 || (check && what != "cpp")) || (what != "cpp" && what != "docs" && what != "dts")) {
    std::cerr << "usage: alknet-opgen cpp FOLDER        write the CPU kernels of the op table\n"
                 "       alknet-opgen docs FILE [--check]  write docs/operations.md, or compare it\n"
                 "       alknet-opgen dts FILE [--check]   the same of js/tensor/operations.d.ts\n";
    return 2;
  }
  try {
    if (what == "cpp") write_kernels(argv[2]);
    if (what == "docs") write_document(argv[2], alknet::compute::operations_markdown(OpTable::builtin()), check);
    if (what == "dts") write_document(argv[2], alknet::compute::operations_declarations(OpTable::builtin()), check);
  } catch (const std::exception& error) {
    std::cerr << "alknet-opgen: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
