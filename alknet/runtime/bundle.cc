#include "alknet/runtime/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/base/bytes.h"
#include "alknet/base/error.h"

namespace alknet::runtime {
namespace {

constexpr std::string_view kMagic = "alknetJ1";
constexpr std::size_t kHeaderBytes = 16;  // the magic, the count, a reserved word

// A row of the table: offset and size of each.
enum Field : std::size_t { kPath, kBytecode, kSourceMap, kFields };
constexpr std::size_t kRowBytes = kFields * 2 * sizeof(std::uint32_t);

constexpr std::string_view kIndex = "/index";
constexpr std::string_view kSuffix = ".js";

// Bytecode is read in place by a reader that wants no alignment, but maps of pages like it.
constexpr std::size_t kAlignment = 8;

}  // namespace

std::string_view bundle_name(std::string_view path) {
  if (path.ends_with(kSuffix)) path.remove_suffix(kSuffix.size());
  if (path.ends_with(kIndex)) path.remove_suffix(kIndex.size());
  return path;
}

Bundles::Bundles(std::span<const std::byte> archive) : archive_(archive) {
  const auto* text = reinterpret_cast<const char*>(archive.data());
  if (archive.size() < kHeaderBytes || std::string_view(text, kMagic.size()) != kMagic) {
    throw Error(BaseError::kInvalidArgument, "these bytes are no archive of bundles: build it with alknet-jsc");
  }
  count_ = load_le<std::uint32_t>(archive.data() + kMagic.size());
  if (count_ > (archive.size() - kHeaderBytes) / kRowBytes) {
    throw Error(BaseError::kInvalidArgument, "the archive of bundles is cut off: build it again");
  }
}

std::string_view Bundles::text_at(std::size_t index, std::size_t field) const {
  const std::byte* row = archive_.data() + kHeaderBytes + index * kRowBytes + field * 2 * sizeof(std::uint32_t);
  const auto offset = load_le<std::uint32_t>(row);
  const auto size = load_le<std::uint32_t>(row + sizeof(std::uint32_t));
  return {reinterpret_cast<const char*>(archive_.data()) + offset, size};
}

Bundle Bundles::operator[](std::size_t index) const {
  Bundle bundle;
  bundle.path = text_at(index, kPath);
  bundle.name = bundle_name(bundle.path);
  bundle.bytecode = std::as_bytes(std::span(text_at(index, kBytecode)));
  bundle.source_map = text_at(index, kSourceMap);
  return bundle;
}

std::size_t Bundles::find(std::string_view name) const {
  std::size_t begin = 0;
  std::size_t end = count_;
  while (begin < end) {
    const std::size_t middle = (begin + end) / 2;
    if (bundle_name(text_at(middle, kPath)) < name) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin < count_ && bundle_name(text_at(begin, kPath)) == name ? begin : count_;
}

std::vector<std::string_view> Bundles::names() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < count_; ++i) {
    const std::string_view name = bundle_name(text_at(i, kPath));
    if (name.find("/chunk-") == std::string_view::npos) names.push_back(name);
  }
  return names;
}

std::vector<std::byte> make_archive(std::vector<BundleInput> modules) {
  const auto name = [](const BundleInput& module) { return bundle_name(module.path); };
  std::sort(modules.begin(), modules.end(),
            [&](const BundleInput& a, const BundleInput& b) { return name(a) < name(b); });
  const auto twice = std::adjacent_find(modules.begin(), modules.end(),
                                        [&](const BundleInput& a, const BundleInput& b) { return name(a) == name(b); });
  if (twice != modules.end()) {
    throw Error(BaseError::kInvalidArgument, fmt::format("two modules are imported as \"{}\"", name(*twice)));
  }
  std::vector<std::byte> archive(kHeaderBytes + modules.size() * kRowBytes);
  std::copy_n(reinterpret_cast<const std::byte*>(kMagic.data()), kMagic.size(), archive.begin());
  store_le(archive.data() + kMagic.size(), static_cast<std::uint32_t>(modules.size()));
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const std::array<std::span<const std::byte>, kFields> parts = {std::as_bytes(std::span(modules[i].path)),
                                                                   modules[i].bytecode.span(),
                                                                   std::as_bytes(std::span(modules[i].source_map))};
    for (std::size_t field = 0; field < kFields; ++field) {
      archive.resize((archive.size() + kAlignment - 1) / kAlignment * kAlignment);
      const std::size_t offset = archive.size();
      archive.insert(archive.end(), parts[field].begin(), parts[field].end());
      if (archive.size() > UINT32_MAX) throw Error(BaseError::kInvalidArgument, "the bundles take more than 4 GiB");
      std::byte* row = archive.data() + kHeaderBytes + i * kRowBytes + field * 2 * sizeof(std::uint32_t);
      store_le(row, static_cast<std::uint32_t>(offset));
      store_le(row + sizeof(std::uint32_t), static_cast<std::uint32_t>(parts[field].size()));
    }
  }
  return archive;
}

}  // namespace alknet::runtime
