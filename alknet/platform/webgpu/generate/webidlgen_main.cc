#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "alknet/base/error.h"
#include "alknet/platform/webgpu/generate/c_header.h"
#include "alknet/platform/webgpu/generate/emit.h"
#include "alknet/platform/webgpu/generate/idl.h"

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw alknet::Error(alknet::BaseError::kIoError, "cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

/// alknet-webidlgen OUT IDL... -- HEADER...
int main(int argc, char** argv) {
  try {
    std::string idl;
    alknet::platform::webgpu::CHeader header;
    bool in_headers = false;
    for (int i = 2; i < argc; ++i) {
      const std::string argument = argv[i];
      if (argument == "--") {
        in_headers = true;
      } else if (in_headers) {
        header.parse(text_of(argument));
      } else {
        idl += text_of(argument);
      }
    }
    if (!in_headers) {
      std::cerr << "usage: alknet-webidlgen OUT IDL... -- HEADER...\n";
      return 2;
    }
    std::ofstream out(argv[1], std::ios::binary | std::ios::trunc);
    out << alknet::platform::webgpu::emit_tables(alknet::platform::webgpu::parse_idl(idl), header);
    out.close();
    if (!out) throw alknet::Error(alknet::BaseError::kIoError, std::string("cannot write ") + argv[1]);
  } catch (const std::exception& error) {
    std::cerr << "alknet-webidlgen: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
