#include "alknet/base/seccomp_filter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <string>
#include <system_error>
#include <vector>

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

/// A call is meant when all the conditions of one of these hold.
using Alternatives = std::vector<std::vector<scmp_arg_cmp>>;

scmp_arg_cmp compared(unsigned place, scmp_compare how, std::uint64_t value, std::uint64_t bits = 0) {
  return {place, how, value, bits};
}

/// The argument `place`, of which the kernel reads 32 bits and a filter sees 64, is one of `values`.
Alternatives any_of(unsigned place, std::initializer_list<unsigned> values) {
  Alternatives any;
  for (const unsigned value : values) any.push_back({compared(place, SCMP_CMP_MASKED_EQ, 0xffffffff, value)});
  return any;
}

/// The argument `place` has all bits of one of `flags`.
Alternatives any_flag(unsigned place, std::initializer_list<int> flags) {
  Alternatives any;
  for (const int flag : flags) {
    const auto bits = static_cast<scmp_datum_t>(flag);
    any.push_back({compared(place, SCMP_CMP_MASKED_EQ, bits, bits)});
  }
  return any;
}

Alternatives alternatives(const FilteredCall& call) {
  const auto self = static_cast<scmp_datum_t>(::getpid());
  const auto& where = call.where;
  if (where == kPrivate) {
    return {{compared(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0), compared(3, SCMP_CMP_MASKED_EQ, MAP_SHARED, 0)}};
  }
  if (where == kNotExecutable) return {{compared(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}};
  if (where == kThisProcess) return {{compared(0, SCMP_CMP_EQ, self)}};
  if (where == kOtherProcess) return {{compared(0, SCMP_CMP_NE, self)}};
  if (where == kNoThread) return {{compared(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)}};
  if (where == kLimitSet) return {{compared(2, SCMP_CMP_NE, 0)}};
  if (where == kFileMade) {
    return any_flag(call.name == "open" ? 1 : 2, {O_CREAT, O_TRUNC, O_TMPFILE & ~O_DIRECTORY});
  }
  if (where == kConfinement) return any_of(0, {PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_PTRACER, PR_SET_MM});
  if (where == kSignalsOfFiles) return any_of(1, {F_SETOWN, F_SETOWN_EX, F_SETSIG});
  if (where == kSignalsOrInput) return any_of(1, {FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX});
  return Alternatives(1);  // without conditions
}

std::uint32_t action_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllowed: return SCMP_ACT_ALLOW;
    case Verdict::kRefused: return SCMP_ACT_ERRNO(EACCES);
    case Verdict::kMissing: return SCMP_ACT_ERRNO(ENOSYS);
    case Verdict::kEnds: break;
  }
  return SCMP_ACT_KILL_PROCESS;
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

void add(const Filter& filter, std::span<const FilteredCall> calls) {
  for (const FilteredCall& call : calls) {
    const int number = seccomp_syscall_resolve_name(std::string(call.name).c_str());
    if (number == __NR_SCMP_ERROR) throw unsupported(fmt::format("the call {} is unknown", call.name), EINVAL);
    for (const auto& all : alternatives(call)) {
      check(call.name, seccomp_rule_add_array(filter.get(), action_of(call.verdict), number,
                                              static_cast<unsigned>(all.size()), all.data()));
    }
  }
}

void add(const Filter& filter, Verdict verdict, int number) {
  check("an unknown call", seccomp_rule_add_array(filter.get(), action_of(verdict), number, 0, nullptr));
}

}  // namespace alknet::seccomp
