#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/once.h"
#include "alknet/call/bytes_places.h"
#include "alknet/call/operation.h"
#include "alknet/schema/schema.h"

namespace alknet::call {

/// A registration that was checked and compiled. Immutable; safe to use from any thread.
class Operation {
 public:
  /// Throws `operation_invalid` with details `operation` and what is wrong: the name, a schema (with `compiled_late`
  /// when it is first used), a handler that does not fit the type, a leaf with an environment.
  explicit Operation(Registration registration);

  const OperationSpec& spec() const { return registration_.spec; }
  const Registration& registration() const { return registration_; }

  /// The schemas in which Bytes are `{"$bytes": i}`.
  const schema::Schema& input() const { return compiled().input; }
  const schema::Schema& output() const { return compiled().output; }
  const BytesPlaces& input_bytes() const { return compiled().input_bytes; }
  const BytesPlaces& output_bytes() const { return compiled().output_bytes; }

 private:
  struct Compiled {
    explicit Compiled(const OperationSpec& spec);

    schema::Schema input;
    schema::Schema output;
    BytesPlaces input_bytes;
    BytesPlaces output_bytes;
  };
  const Compiled& compiled() const;

  Registration registration_;
  mutable Once once_;
  mutable std::optional<Compiled> compiled_;
};

using OperationPtr = std::shared_ptr<const Operation>;

/// Operations by name, sorted. Immutable and shared.
using OperationMap = std::map<std::string, OperationPtr, std::less<>>;
using Snapshot = std::shared_ptr<const OperationMap>;

/// Namespaces that only the curated layer may have.
bool is_reserved_namespace(std::string_view name_space);

/// One layer of operations that changes while the program runs: the curated one, a connection's overlay, a session's.
/// Readers take a snapshot, which never changes. Thread-safe.
class Layer {
 public:
  Snapshot snapshot() const;

  /// Adds operations, all or none. Throws `name_taken` when one is there already (or comes twice).
  void add(std::vector<Registration> registrations);

  /// Replaces all operations at once.
  void replace(std::vector<Registration> registrations);

  /// Puts these in place of what `prefix` ("model/minilm/") had.
  void replace_prefix(std::string_view prefix, std::vector<Registration> registrations);

  /// Puts these in place of those of `names`, at once. Throws `name_taken` as `add` does; then nothing has changed.
  void exchange(const std::vector<std::string>& names, std::vector<Registration> registrations);

  /// Removes by name; names that are not there do not matter.
  void remove(const std::vector<std::string>& names);

  void clear();

  /// Rises with each change, so that lists made of a snapshot can be kept.
  std::uint64_t version() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;
  Snapshot snapshot_ = std::make_shared<const OperationMap>();
};

/// The layer that a program serves to everybody: its own operations and what it imported on purpose.
class Registry {
 public:
  Layer& curated() { return *curated_; }
  const Layer& curated() const { return *curated_; }

  /// Adds operations to a connection's or session's layer, under `name_prefix` ("gpu1/") when there is one. Throws
  /// `name_taken` for a name that curated has and for reserved namespaces; the remedy is a prefix.
  void add_overlay(Layer& overlay, std::vector<Registration> registrations, std::string_view name_prefix = {}) const;

 private:
  std::shared_ptr<Layer> curated_ = std::make_shared<Layer>();
};

/// The layers that one call sees, in the order in which they are asked, as they were when it began.
class Lookup {
 public:
  Lookup() = default;
  explicit Lookup(std::vector<Snapshot> layers) : layers_(std::move(layers)) {}

  /// The operation, or null. One leading slash is ignored.
  OperationPtr find(std::string_view name) const;

  /// Every operation that `find` would answer, by name.
  OperationMap all() const;

 private:
  std::vector<Snapshot> layers_;
};

}  // namespace alknet::call
