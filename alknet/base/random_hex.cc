#include "alknet/base/random_hex.h"

#include <fmt/format.h>

#include <random>

namespace alknet {

std::string random_hex(std::size_t bytes) {
  std::random_device random;
  std::string text;
  while (text.size() < 2 * bytes) text += fmt::format("{:08x}", random());
  text.resize(2 * bytes);
  return text;
}

}  // namespace alknet
