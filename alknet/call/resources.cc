#include "alknet/call/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace alknet::call {

namespace {

Error exhausted(std::string_view limit, std::uint64_t most) {
  return {CallError::kResourceExhausted,
          fmt::format("this caller may hold no more than {} {} of resources: dispose of some first", most, limit),
          JsonObject{{"limit", limit}, {"most", most}}};
}

}  // namespace

void ResourceAccount::charge(std::uint64_t count, std::uint64_t bytes) {
  if (count > quota_.max_count || count_ > quota_.max_count - count) throw exhausted("count", quota_.max_count);
  if (bytes > quota_.max_bytes || bytes_ > quota_.max_bytes - bytes) throw exhausted("bytes", quota_.max_bytes);
  if (payer_) payer_->charge(count, bytes);
  count_ += count;
  bytes_ += bytes;
}

void ResourceAccount::release(std::uint64_t count, std::uint64_t bytes) {
  if (payer_) payer_->release(count, bytes);
  count_ -= count;
  bytes_ -= bytes;
}

ResourceQuota ResourceAccount::left() const {
  ResourceQuota left{quota_.max_count - count_, quota_.max_bytes - bytes_};
  if (!payer_) return left;
  const ResourceQuota theirs = payer_->left();
  return {std::min(left.max_count, theirs.max_count), std::min(left.max_bytes, theirs.max_bytes)};
}

std::string ResourceTable::add(std::shared_ptr<Resource> resource, const void* scope) {
  std::string handle = fmt::format("h{}", last_host_ + 1);
  insert(handle, std::move(resource), scope);
  ++last_host_;
  return handle;
}

void ResourceTable::add_as(std::string_view handle, std::shared_ptr<Resource> resource, const void* scope) {
  std::uint64_t number = 0;
  const auto* end = handle.data() + handle.size();
  const auto parsed = handle.size() < 2 || handle[0] != 'c' || handle[1] == '0'
                          ? std::from_chars_result{nullptr, std::errc::invalid_argument}
                          : std::from_chars(handle.data() + 1, end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    throw Error(CallError::kInvalidInput,
                fmt::format("the handle \"{}\" must be \"c\" and a number without leading zeros", handle));
  }
  if (scope == nullptr && number <= last_caller_) {
    throw Error(
        CallError::kInvalidInput,
        fmt::format("the handle {} must have a number above c{}: each is used once, rising", handle, last_caller_));
  }
  if (entries_.contains(handle)) {
    throw Error(CallError::kInvalidInput, fmt::format("the handle {} is in use", handle));
  }
  insert(std::string(handle), std::move(resource), scope);
  if (scope == nullptr) last_caller_ = number;
}

void ResourceTable::insert(std::string handle, std::shared_ptr<Resource> resource, const void* scope) {
  const std::uint64_t size = resource->bytes();
  account_->charge(1, size);
  if (scope != nullptr) scopes_[scope].insert(handle);
  entries_.emplace(std::move(handle), Entry{std::move(resource), size, scope});
  bytes_ += size;
}

void ResourceTable::leave_scope(const void* scope, std::string_view handle) {
  const auto found = scopes_.find(scope);
  if (found == scopes_.end()) return;
  if (const auto held = found->second.find(handle); held != found->second.end()) found->second.erase(held);
  if (found->second.empty()) scopes_.erase(found);
}

void ResourceTable::keep(const void* scope, std::span<const std::string_view> handles) {
  for (const std::string_view handle : handles) {
    const auto found = entries_.find(handle);
    if (found == entries_.end() || found->second.scope != scope) continue;
    found->second.scope = nullptr;
    leave_scope(scope, handle);
  }
}

void ResourceTable::end_scope(const void* scope) {
  const auto found = scopes_.find(scope);
  if (found == scopes_.end()) return;
  const auto handles = std::move(found->second);
  scopes_.erase(found);
  for (const std::string& handle : handles) take(handle);
}

std::size_t ResourceTable::temporary() const {
  std::size_t count = 0;
  for (const auto& [scope, handles] : scopes_) count += handles.size();
  return count;
}

std::size_t ResourceTable::count_in(const void* scope) const {
  const auto found = scopes_.find(scope);
  return found == scopes_.end() ? 0 : found->second.size();
}

std::shared_ptr<Resource> ResourceTable::find(std::string_view handle) const {
  const auto found = entries_.find(handle);
  return found == entries_.end() ? nullptr : found->second.resource;
}

std::shared_ptr<Resource> ResourceTable::find_or_throw(std::string_view handle) const {
  if (auto found = find(handle)) return found;
  throw Error(CallError::kInvalidInput,
              fmt::format("there is no handle {}: it was disposed of, or is another caller's", handle),
              JsonObject{{"handle", handle}});
}

void ResourceTable::throw_kind(std::string_view handle) const {
  throw Error(CallError::kInvalidInput, fmt::format("the handle {} is a {}", handle, find_or_throw(handle)->kind()),
              JsonObject{{"handle", handle}});
}

std::shared_ptr<Resource> ResourceTable::take(std::string_view handle) {
  const auto found = entries_.find(handle);
  if (found == entries_.end()) return nullptr;
  auto resource = std::move(found->second.resource);
  const Entry gone{nullptr, found->second.bytes, found->second.scope};
  if (gone.scope != nullptr) leave_scope(gone.scope, handle);
  entries_.erase(found);  // `handle` may lie in it
  bytes_ -= gone.bytes;
  account_->release(1, gone.bytes);
  return resource;
}

void ResourceTable::recount(std::string_view handle) {
  const auto found = entries_.find(handle);
  if (found == entries_.end()) return;
  const std::uint64_t size = found->second.resource->bytes();
  std::uint64_t& counted = found->second.bytes;
  if (size > counted) account_->charge(0, size - counted);
  if (size < counted) account_->release(0, counted - size);
  bytes_ += size - counted;
  counted = size;
}

void ResourceTable::clear() {
  const auto dropped = std::exchange(entries_, {});  // a destructor may ask the table
  scopes_.clear();
  account_->release(dropped.size(), std::exchange(bytes_, 0));
}

}  // namespace alknet::call
