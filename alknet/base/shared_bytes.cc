#include "alknet/base/shared_bytes.h"

#include <fmt/format.h>

#include "alknet/base/error.h"

namespace alknet {

SharedBytes::SharedBytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
    : bytes_(bytes), owner_(std::move(owner)) {}

SharedBytes SharedBytes::take(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const std::span<const std::byte> span(*owner);
  return {span, std::move(owner)};
}

SharedBytes SharedBytes::copy(std::span<const std::byte> bytes) {
  return take(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

SharedBytes SharedBytes::copy(std::string_view text) { return copy(std::as_bytes(std::span(text))); }

SharedBytes SharedBytes::wrap(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  return {bytes, std::move(owner)};
}

SharedBytes SharedBytes::slice(std::size_t offset, std::size_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[SharedBytes::slice] bytes {}..+{} are outside {} bytes", offset, size, bytes_.size()));
  }
  return {bytes_.subspan(offset, size), owner_};
}

}  // namespace alknet
