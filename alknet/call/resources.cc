#include "alknet/call/resources.h"

#include <fmt/format.h>

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

std::string ResourceTable::add(std::shared_ptr<Resource> resource) {
  std::string handle = fmt::format("h{}", last_host_ + 1);
  insert(handle, std::move(resource));
  ++last_host_;
  return handle;
}

void ResourceTable::add_as(std::string_view handle, std::shared_ptr<Resource> resource) {
  std::uint64_t number = 0;
  const auto* end = handle.data() + handle.size();
  const auto parsed = handle.size() < 2 || handle[0] != 'c' || handle[1] == '0'
                          ? std::from_chars_result{nullptr, std::errc::invalid_argument}
                          : std::from_chars(handle.data() + 1, end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    throw Error(CallError::kInvalidInput,
                fmt::format("the handle \"{}\" must be \"c\" and a number without leading zeros", handle));
  }
  if (number <= last_caller_) {
    throw Error(
        CallError::kInvalidInput,
        fmt::format("the handle {} must have a number above c{}: each is used once, rising", handle, last_caller_));
  }
  insert(std::string(handle), std::move(resource));
  last_caller_ = number;
}

void ResourceTable::insert(std::string handle, std::shared_ptr<Resource> resource) {
  const std::uint64_t size = resource->bytes();
  if (entries_.size() >= quota_.max_count) throw exhausted("count", quota_.max_count);
  if (size > quota_.max_bytes || bytes_ > quota_.max_bytes - size) throw exhausted("bytes", quota_.max_bytes);
  entries_.emplace(std::move(handle), Entry{std::move(resource), size});
  bytes_ += size;
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
  bytes_ -= found->second.bytes;
  entries_.erase(found);
  return resource;
}

void ResourceTable::recount(std::string_view handle) {
  const auto found = entries_.find(handle);
  if (found == entries_.end()) return;
  const std::uint64_t size = found->second.resource->bytes();
  const std::uint64_t others = bytes_ - found->second.bytes;
  if (size > quota_.max_bytes || others > quota_.max_bytes - size) throw exhausted("bytes", quota_.max_bytes);
  found->second.bytes = size;
  bytes_ = others + size;
}

void ResourceTable::clear() {
  const auto dropped = std::exchange(entries_, {});  // a destructor may ask the table
  bytes_ = 0;
}

}  // namespace alknet::call
