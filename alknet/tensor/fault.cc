#include "alknet/tensor/fault.h"

#include <fmt/format.h>

#include "alknet/base/json.h"

namespace alknet::tensor {

std::string quoted(std::string_view name) {
  static constexpr std::size_t kShown = 120;
  std::string text = "\"";
  std::size_t shown = std::min(name.size(), kShown);
  while (shown > 0 && shown < name.size() && (static_cast<unsigned char>(name[shown]) & 0xC0) == 0x80) --shown;
  for (const char c : name.substr(0, shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text + (shown < name.size() ? "...\"" : "\"");
}

Error file_error(TensorError code, const Where& where, std::string_view what, std::string_view remedy) {
  std::string message = fmt::format("{}: {}", what, where.path);
  JsonObject details{{"path", where.path}};
  if (where.entry) {
    message += fmt::format(", entry {}", quoted(*where.entry));
    details["entry"] = *where.entry;
  }
  if (where.offset) {
    message += fmt::format(", byte {}", *where.offset);
    details["offset"] = *where.offset;
  }
  if (!remedy.empty()) message += fmt::format(": {}", remedy);
  return {code, std::move(message), std::move(details)};
}

}  // namespace alknet::tensor
