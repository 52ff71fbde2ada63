// File header: open any bytes; when they open, touch every view, print every value and verify all of it.
#include <cstddef>
#include <cstdint>

#include "alknet/base/error.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/file_schema.h"
#include "alknet/tensor/values.h"
#include "alknet/tensor/verify.h"

namespace {

// Whatever a file holds, the only way to fail is an Error.
template <typename Action>
void tolerate_errors(Action action) {
  try {
    action();
  } catch (const alknet::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tolerate_errors([&] {
    using namespace alknet::tensor;
    const File file = File::from_bytes(alknet::SharedBytes::copy(std::as_bytes(std::span(data, size))));
    std::uint64_t touched = 0;
    for (const Entry& entry : file.entries()) {
      const auto bytes = file.tensor(entry).data();
      for (const std::byte byte : bytes) touched += std::to_integer<std::uint64_t>(byte);
      if (file.find(entry.name) != &entry) __builtin_trap();
      tolerate_errors([&] { file.tensor(entry).as<float>(); });
      tolerate_errors(
          [&] { write_json(file, select(file, entry.name), [&](std::string_view text) { touched += text.size(); }); });
    }
    // Entries that agree with a schema do so however it is read.
    tolerate_errors([&] {
      file.check_schema();
      if (!file.has_schema()) return;
      try {
        FileSchema(file.schema()).check(file.entries(), file.path(), [](const alknet::Error& error) { throw error; });
      } catch (const alknet::Error&) {
        __builtin_trap();
      }
    });
    tolerate_errors([&] { touched += file_facts(file, true).as_object().size(); });
    touched += verify(file).size();
    if (touched == UINT64_MAX) __builtin_trap();
  });
  return 0;
}
