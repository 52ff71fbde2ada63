#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "alknet/base/seccomp.h"

/// What both filters of seccomp.h are made with: libseccomp, with errors that have a remedy. Internal.

namespace alknet::seccomp {

struct Release {
  void operator()(void* context) const;
};
using Filter = std::unique_ptr<void, Release>;

/// A filter whose answer to calls without a rule is `otherwise`, an action of libseccomp.
Filter make_filter(std::uint32_t otherwise);

/// Which calls a rule is for (FilteredCall::where).
inline constexpr std::string_view kPrivate = "private and not executable";
inline constexpr std::string_view kNotExecutable = "not executable";
inline constexpr std::string_view kThisProcess = "this process";
inline constexpr std::string_view kOtherProcess = "of another process";
inline constexpr std::string_view kNoThread = "that starts no thread";
inline constexpr std::string_view kFileMade = "that makes or empties a file";
inline constexpr std::string_view kLimitSet = "that sets a limit";
inline constexpr std::string_view kConfinement = "of the parent's death, of dumps, of tracers, of the memory map";
inline constexpr std::string_view kSignalsOfFiles = "of who gets the signals of a file, and which";
inline constexpr std::string_view kSignalsOrInput = "of who gets the signals of a file, and of input to a terminal";

/// Adds the rules of a list.
void add(const Filter& filter, std::span<const FilteredCall> calls);

/// Adds a rule for every call of this number.
void add(const Filter& filter, Verdict verdict, int number);

/// From here on it holds.
void load(const Filter& filter);

}  // namespace alknet::seccomp
