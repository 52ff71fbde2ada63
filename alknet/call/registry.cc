#include "alknet/call/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace alknet::call {

namespace {

constexpr std::array<std::string_view, 6> kReservedNamespaces{"services", "compute", "tensor",
                                                              "model",    "desktop", "isolate"};
constexpr std::size_t kMaxName = 256;

Error bad_registration(std::string_view operation, std::string_view what) {
  return {CallError::kOperationInvalid, fmt::format("[operation] {}: {}", operation, what),
          JsonObject{{"operation", operation}}};
}

Error name_taken(std::string_view name, std::string_view why) {
  return {CallError::kNameTaken,
          fmt::format("[registry] {} {}: register it under a namespace prefix of its own", name, why),
          JsonObject{{"operation", name}}};
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || name.front() == '/' || name.back() == '/') return false;
  if (name.find('/') == std::string_view::npos || name.find("//") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '.';
  });
}

schema::Schema compile(const std::string& operation, std::string_view which, const Json& document) {
  try {
    return schema::Schema::from_json(BytesPlaces::attached_form(document));
  } catch (const Error& error) {
    throw Error(CallError::kOperationInvalid,
                fmt::format("[operation] {}: the {} schema is unusable: {}", operation, which, error.message()),
                JsonObject{{"operation", operation}, {"schema", which}, {"reason", error.details()}});
  }
}

OperationMap compile_all(std::vector<Registration> registrations) {
  OperationMap operations;
  for (Registration& registration : registrations) {
    auto operation = std::make_shared<const Operation>(std::move(registration));
    const std::string& name = operation->spec().name;
    if (!operations.emplace(name, operation).second) throw name_taken(name, "is registered twice");
  }
  return operations;
}

}  // namespace

Operation::Compiled::Compiled(const OperationSpec& spec)
    : input(compile(spec.name, "input", spec.input_schema)),
      output(compile(spec.name, "output", spec.output_schema)),
      input_bytes(spec.input_schema),
      output_bytes(spec.output_schema) {}

const Operation::Compiled& Operation::compiled() const {
  once_.run([this] { compiled_.emplace(spec()); });
  return *compiled_;
}

Operation::Operation(Registration registration) : registration_(std::move(registration)) {
  if (!registration_.compiled_late) compiled();
  const OperationSpec& spec = registration_.spec;
  if (!is_name(spec.name)) {
    throw bad_registration(spec.name,
                           "a name is \"namespace/operation\" of letters, digits, `_`, `-` and `.`, at most 256 bytes");
  }
  const bool streams = std::holds_alternative<StreamHandler>(registration_.handler);
  if (streams != (spec.type == OperationType::kSubscription)) {
    throw bad_registration(spec.name, fmt::format("a {} needs a handler that {}", operation_type_name(spec.type),
                                                  streams ? "answers once" : "is a stream"));
  }
  const bool callable =
      std::visit([](const auto& handler) { return static_cast<bool>(handler); }, registration_.handler);
  if (!callable) throw bad_registration(spec.name, "the handler is empty");
  if (!composes(registration_.provenance) && !registration_.environment.patterns().empty()) {
    throw bad_registration(spec.name, "an imported operation calls no others: it may not have an environment");
  }
  if (!composes(registration_.provenance) && !registration_.accepted_capabilities.empty()) {
    throw bad_registration(spec.name, "an imported operation accepts no capabilities");
  }
}

bool is_reserved_namespace(std::string_view name_space) {
  return std::find(kReservedNamespaces.begin(), kReservedNamespaces.end(), name_space) != kReservedNamespaces.end();
}

Snapshot Layer::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void Layer::add(std::vector<Registration> registrations) {
  OperationMap added = compile_all(std::move(registrations));
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<OperationMap>(*snapshot_);
  for (auto& [name, operation] : added) {
    if (!next->emplace(name, std::move(operation)).second) throw name_taken(name, "is registered already");
  }
  snapshot_ = std::move(next);
  ++version_;
}

void Layer::replace(std::vector<Registration> registrations) {
  auto next = std::make_shared<const OperationMap>(compile_all(std::move(registrations)));
  const std::lock_guard lock(mutex_);
  snapshot_.swap(next);
  ++version_;
}

void Layer::replace_prefix(std::string_view prefix, std::vector<Registration> registrations) {
  OperationMap added = compile_all(std::move(registrations));
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<OperationMap>(*snapshot_);
  std::erase_if(*next, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  for (auto& [name, operation] : added) {
    if (!next->emplace(name, std::move(operation)).second) throw name_taken(name, "is registered already");
  }
  snapshot_ = std::move(next);
  ++version_;
}

void Layer::exchange(const std::vector<std::string>& names, std::vector<Registration> registrations) {
  OperationMap added = compile_all(std::move(registrations));
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<OperationMap>(*snapshot_);
  for (const std::string& name : names) next->erase(name);
  for (auto& [name, operation] : added) {
    if (!next->emplace(name, std::move(operation)).second) throw name_taken(name, "is registered already");
  }
  snapshot_ = std::move(next);
  ++version_;
}

void Layer::remove(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<OperationMap>(*snapshot_);
  for (const std::string& name : names) next->erase(name);
  snapshot_ = std::move(next);
  ++version_;
}

void Layer::clear() { replace({}); }

std::uint64_t Layer::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

void Registry::add_overlay(Layer& overlay, std::vector<Registration> registrations,
                           std::string_view name_prefix) const {
  const Snapshot curated = curated_->snapshot();
  for (Registration& registration : registrations) {
    std::string& name = registration.spec.name;
    name.insert(0, name_prefix);
    if (is_reserved_namespace(registration.spec.name_space())) throw name_taken(name, "is in a reserved namespace");
    if (curated->contains(name)) throw name_taken(name, "is one of this node's own operations");
  }
  overlay.add(std::move(registrations));
}

OperationPtr Lookup::find(std::string_view name) const {
  if (name.starts_with('/')) name.remove_prefix(1);
  for (const Snapshot& layer : layers_) {
    if (const auto found = layer->find(name); found != layer->end()) return found->second;
  }
  return nullptr;
}

OperationMap Lookup::all() const {
  OperationMap operations;
  for (const Snapshot& layer : layers_) operations.insert(layer->begin(), layer->end());
  return operations;
}

}  // namespace alknet::call
