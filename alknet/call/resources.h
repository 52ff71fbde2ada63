#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

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

/// The resources of one owner: a connection, a session or a program. Handles are strings, "h<n>" when the table chose
/// them. One thread at a time.
class ResourceTable {
 public:
  explicit ResourceTable(ResourceQuota quota = {}) : quota_(quota) {}

  /// Takes a resource in and returns its new handle. Throws `resource_exhausted` (details `limit`) beyond the quota.
  std::string add(std::shared_ptr<Resource> resource);

  /// The same under a handle that the caller chose ("c<n>", rising). Throws `invalid_input` for another form and for a
  /// number not above all before it.
  void add_as(std::string_view handle, std::shared_ptr<Resource> resource);

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
  const ResourceQuota& quota() const { return quota_; }

 private:
  struct Entry {
    std::shared_ptr<Resource> resource;
    std::uint64_t bytes;
  };
  void insert(std::string handle, std::shared_ptr<Resource> resource);
  std::shared_ptr<Resource> find_or_throw(std::string_view handle) const;
  [[noreturn]] void throw_kind(std::string_view handle) const;

  ResourceQuota quota_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t bytes_ = 0;
  std::uint64_t last_host_ = 0;
  std::uint64_t last_caller_ = 0;
};

}  // namespace alknet::call
