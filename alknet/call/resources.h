#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <unordered_map>

#include "alknet/call/error.h"

namespace alknet::call {

/// Something that an owner holds by name between calls: a tensor, a plan, a loaded model.
class Resource {
 public:
  virtual ~Resource() = default;

  /// What counts against the owner's quota.
  virtual std::uint64_t bytes() const = 0;

  /// For people: "tensor", "plan".
  virtual std::string_view kind() const = 0;
};

struct ResourceQuota {
  std::uint64_t max_count = 100'000;
  std::uint64_t max_bytes = std::uint64_t{4} << 30;
};

/// What is held under a quota, and with it under that of whoever it is held for. The tables that count against it share
/// it. One thread at a time.
class ResourceAccount {
 public:
  /// `payer`: what is charged here is charged there too; may be null.
  explicit ResourceAccount(const ResourceQuota& quota, std::shared_ptr<ResourceAccount> payer = nullptr)
      : quota_(quota), payer_(std::move(payer)) {}

  /// Throws `resource_exhausted` (details `limit`) when it is beyond a quota; then nothing is charged.
  void charge(std::uint64_t count, std::uint64_t bytes);
  void release(std::uint64_t count, std::uint64_t bytes);

  /// What may still be charged.
  ResourceQuota left() const;
  const ResourceQuota& quota() const { return quota_; }

 private:
  const ResourceQuota quota_;
  const std::shared_ptr<ResourceAccount> payer_;
  std::uint64_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

/// The resources of one owner: a connection, a session or a program. Handles are strings, "h<n>" when the table chose
/// them. One thread at a time.
///
/// What is made on the way to something else has a scope, an address that stands for it: it goes when the scope ends,
/// unless it is kept or taken before.
class ResourceTable {
 public:
  /// What it holds counts against the account of `payer` too; may be null.
  explicit ResourceTable(const ResourceQuota& quota = {}, std::shared_ptr<ResourceAccount> payer = nullptr)
      : account_(std::make_shared<ResourceAccount>(quota, std::move(payer))) {}
  ~ResourceTable() { clear(); }
  ResourceTable(const ResourceTable&) = delete;
  ResourceTable& operator=(const ResourceTable&) = delete;

  /// Takes a resource in and returns its new handle. Throws `resource_exhausted` (details `limit`) beyond the quota.
  std::string add(std::shared_ptr<Resource> resource, const void* scope = nullptr);

  /// The same under a handle that the caller chose ("c<n>"). Throws `invalid_input` for another form, for a number not
  /// above all before it, and in a scope, whose callers do not know of each other, for one that is in use.
  void add_as(std::string_view handle, std::shared_ptr<Resource> resource, const void* scope = nullptr);

  /// Takes these handles out of a scope; others do not matter.
  void keep(const void* scope, std::span<const std::string_view> handles);

  /// Drops what is still in a scope.
  void end_scope(const void* scope);

  /// How many handles a scope has.
  std::size_t count_in(const void* scope) const;

  /// How many handles are in any.
  std::size_t temporary() const;

  /// The resource of a handle, or null.
  std::shared_ptr<Resource> find(std::string_view handle) const;

  /// The resource of a handle as T. Throws `invalid_input` for an unknown handle and for one of another kind.
  template <typename T>
  std::shared_ptr<T> get(std::string_view handle) const {
    if (auto found = std::dynamic_pointer_cast<T>(find_or_throw(handle))) return found;
    throw_kind(handle);
  }

  /// Removes and returns it; null when it was not there.
  std::shared_ptr<Resource> take(std::string_view handle);

  /// Counts again what a resource takes after it changed its size. Throws `resource_exhausted` beyond the quota.
  void recount(std::string_view handle);

  /// Drops everything.
  void clear();

  std::uint64_t count() const { return entries_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  const ResourceQuota& quota() const { return account_->quota(); }

  /// What may still be added, by this quota and the payer's.
  ResourceQuota left() const { return account_->left(); }

  /// For tables that count against this one.
  const std::shared_ptr<ResourceAccount>& account() const { return account_; }

 private:
  struct Entry {
    std::shared_ptr<Resource> resource;
    std::uint64_t bytes;
    const void* scope;
  };
  void insert(std::string handle, std::shared_ptr<Resource> resource, const void* scope);
  void leave_scope(const void* scope, std::string_view handle);
  std::shared_ptr<Resource> find_or_throw(std::string_view handle) const;
  [[noreturn]] void throw_kind(std::string_view handle) const;

  std::shared_ptr<ResourceAccount> account_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::unordered_map<const void*, std::set<std::string, std::less<>>> scopes_;  // none is empty
  std::uint64_t bytes_ = 0;
  std::uint64_t last_host_ = 0;
  std::uint64_t last_caller_ = 0;
};

}  // namespace alknet::call
