// What alknet makes of files, for header_differential_test.py. Standard input holds any number of files, each behind
// its length (u64, little-endian). For each, one line of JSON on standard output: {"entries": [{"name", "dtype",
// "shape", "bytes" (base64)}]} in data order, or {"error": CODE}.
#include <iostream>
#include <string>

#include "alknet/base/base64.h"
#include "alknet/base/bytes.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/tensor/file.h"

namespace {

using namespace alknet;

Json verdict(std::string_view bytes) {
  try {
    const auto file = tensor::File::from_bytes(SharedBytes::copy(bytes));
    JsonArray entries;
    for (const tensor::Entry& entry : file.entries()) {
      entries.push_back(JsonObject{{"name", entry.name},
                                   {"dtype", schema::name(entry.dtype)},
                                   {"shape", JsonArray(entry.shape.begin(), entry.shape.end())},
                                   {"bytes", base64_text(file.tensor(entry).data())}});
    }
    return JsonObject{{"entries", std::move(entries)}};
  } catch (const Error& error) {
    return JsonObject{{"error", error.code_name()}};
  }
}

}  // namespace

int main() {
  std::byte length[8];
  while (std::cin.read(reinterpret_cast<char*>(length), sizeof length)) {
    std::string bytes(load_le<std::uint64_t>(length), '\0');
    std::cin.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    std::cout << json_text(verdict(bytes)) << '\n';
  }
}
