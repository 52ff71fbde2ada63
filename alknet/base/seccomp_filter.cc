#include "alknet/base/seccomp_filter.h"

#include <fmt/format.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "alknet/base/error.h"

namespace alknet::seccomp {

namespace {

constexpr std::string_view kRemedy =
    "the kernel must have CONFIG_SECCOMP_FILTER and the container must let a program use it (Docker's default profile "
    "does); programs of your own run without a sandbox by `alknet run`";

Error unsupported(std::string_view what, int error) {
  return {BaseError::kUnsupported, fmt::format("[sandbox] no filter of system calls: {}: {}: {}", what,
                                               std::generic_category().message(error), kRemedy)};
}

/// Throws unless `result`, of a function of libseccomp, is 0.
void check(std::string_view what, int result) {
  if (result != 0) throw unsupported(what, -result);
}

}  // namespace

void Release::operator()(void* context) const { seccomp_release(context); }

Filter make_filter(std::uint32_t otherwise) {
  Filter filter(seccomp_init(otherwise));
  if (!filter) throw unsupported("seccomp_init", ENOMEM);
  // A tree in place of a list: fewer steps at each call.
  check("optimising", seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  return filter;
}

void load(const Filter& filter) {
  // Without it only root may set a filter; with it no program that is started gains rights.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw unsupported("no_new_privs", errno);
  check("loading", seccomp_load(filter.get()));
}

void add(const Filter& filter, std::uint32_t action, std::string_view name, std::span<const scmp_arg_cmp> where) {
  const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
  if (number == __NR_SCMP_ERROR) throw unsupported(fmt::format("the call {} is unknown", name), EINVAL);
  check(name, seccomp_rule_add_array(filter.get(), action, number, static_cast<unsigned>(where.size()), where.data()));
}

}  // namespace alknet::seccomp
