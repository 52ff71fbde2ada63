#include "alknet/call/capabilities.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace alknet::call {

Secret::Secret(std::string_view value) : value_(std::make_unique<char[]>(value.size())), size_(value.size()) {
  std::copy(value.begin(), value.end(), value_.get());
}

Secret::~Secret() { explicit_bzero(value_.get(), size_); }

void Capabilities::add(std::string name, std::shared_ptr<const Secret> secret) {
  const auto same = [&](const Named& named) { return named.name == name; };
  secrets_.erase(std::remove_if(secrets_.begin(), secrets_.end(), same), secrets_.end());
  secrets_.push_back({std::move(name), std::move(secret)});
}

std::shared_ptr<const Secret> Capabilities::find(std::string_view name) const {
  for (const Named& named : secrets_) {
    if (named.name == name) return named.secret;
  }
  return nullptr;
}

}  // namespace alknet::call
