#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The numbers of the metatensor format. Each has an error of its own in error.h.
namespace alknet::tensor {

inline constexpr std::uint64_t kHeaderPrefixBytes = 8;  ///< The little-endian length before the header.
inline constexpr std::uint64_t kMinHeaderBytes = 2;
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr int kMaxJsonDepth = 64;
inline constexpr std::size_t kMaxEntries = 1'000'000;
inline constexpr std::size_t kMaxNameBytes = 1'024;
inline constexpr std::size_t kMaxRank = 32;

/// Empty arrays that one value may print as: a shape such as [1000000000, 0] costs a file nothing.
inline constexpr std::uint64_t kMaxEmptyArrays = 1'000'000;

inline constexpr std::uint64_t kRegionAlignment = 64;        ///< Of the data region, unless an `align` is larger.
inline constexpr std::uint64_t kMinStructAlignment = 16;     ///< Of a struct tensor's entry.
inline constexpr std::uint64_t kBlobReferenceAlignment = 8;  ///< Of a blob tensor's entry.
inline constexpr std::uint64_t kBlobReferenceBytes = 16;     ///< u64 offset, u64 length.

inline constexpr std::string_view kMetadataMember = "__metadata__";
inline constexpr std::string_view kPadPrefix = "__pad__.";
inline constexpr std::string_view kBlobPrefix = "__blob__.";
inline constexpr std::string_view kVersionKey = "metatensor";
inline constexpr std::string_view kVersion = "1";
inline constexpr std::string_view kSchemaKey = "metatensor.schema";
inline constexpr std::string_view kChecksumKey = "metatensor.checksum";
inline constexpr std::string_view kFormatKey = "format";

}  // namespace alknet::tensor
