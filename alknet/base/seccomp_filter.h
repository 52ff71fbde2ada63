#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct scmp_arg_cmp;

/// What both filters of seccomp.h are made with: libseccomp, with errors that have a remedy. Internal.

namespace alknet::seccomp {

struct Release {
  void operator()(void* context) const;
};
using Filter = std::unique_ptr<void, Release>;

/// A filter whose answer to calls without a rule is `otherwise`, an action of libseccomp.
Filter make_filter(std::uint32_t otherwise);

void add(const Filter& filter, std::uint32_t action, std::string_view name, std::span<const scmp_arg_cmp> where = {});

/// From here on it holds.
void load(const Filter& filter);

}  // namespace alknet::seccomp
