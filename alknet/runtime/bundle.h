#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/shared_bytes.h"

namespace alknet::runtime {

/// One module that our build compiled to bytecode.
struct Bundle {
  std::string_view name;  ///< what scripts import: "@alknet/ujsx", "@alknet/ujsx/jsx-runtime"
  std::string_view path;  ///< where relative imports inside it start: "@alknet/ujsx/index.js"
  std::span<const std::byte> bytecode;
  std::string_view source_map;  ///< of bytecode positions, as JSON; empty: none
};

/// What a module of the path `path` is imported by: the path without ".js" and without a last "/index".
std::string_view bundle_name(std::string_view path);

/// An archive of bundles: a table sorted by name, then the modules. Nothing is copied or parsed before a module is
/// found, so an archive that is part of the program costs memory only for what is used.
///
/// Bytecode is trusted: the only archives are those that `alknet-jsc` made and the linker embedded. Immutable: any
/// thread.
class Bundles {
 public:
  /// No bundles.
  Bundles() = default;

  /// Refers to `archive`, which must stay valid. Throws `invalid_argument` when it is none.
  explicit Bundles(std::span<const std::byte> archive);

  std::size_t size() const { return count_; }

  /// The bundle at `index`, in the order of names.
  Bundle operator[](std::size_t index) const;

  /// The index of a name, or size() when there is none.
  std::size_t find(std::string_view name) const;

  /// Names that scripts may import: those without a chunk that several entries of a package share.
  std::vector<std::string_view> names() const;

  /// The bytecode of a bundle for a ModuleSource, without a copy.
  static SharedBytes content(const Bundle& bundle) { return SharedBytes::wrap(bundle.bytecode, nullptr); }

 private:
  std::string_view text_at(std::size_t index, std::size_t field) const;

  std::span<const std::byte> archive_;
  std::size_t count_ = 0;
};

/// One module for make_archive.
struct BundleInput {
  std::string path;
  SharedBytes bytecode;
  std::string source_map;
};

/// The bytes of an archive. Throws `invalid_argument` when two modules have one name or all is above 4 GiB.
std::vector<std::byte> make_archive(std::vector<BundleInput> modules);

}  // namespace alknet::runtime
