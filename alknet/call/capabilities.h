#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::call {

/// A secret that an operation needs outwards: a token, a key. Its memory is zeroed when it goes. It is never part of an
/// input, an output, a log line or an error, and there is no way to print it.
class Secret {
 public:
  explicit Secret(std::string_view value);
  ~Secret();
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  /// Valid as long as the secret.
  std::string_view value() const { return {value_.get(), size_}; }

 private:
  std::unique_ptr<char[]> value_;
  std::size_t size_;
};

/// The named secrets that a handler holds. Copies share them. Immutable once shared; safe to read from any thread.
class Capabilities {
 public:
  void add(std::string name, std::shared_ptr<const Secret> secret);

  /// The secret of that name, or null.
  std::shared_ptr<const Secret> find(std::string_view name) const;

  bool empty() const { return secrets_.empty(); }

 private:
  struct Named {
    std::string name;
    std::shared_ptr<const Secret> secret;
  };
  std::vector<Named> secrets_;
};

}  // namespace alknet::call
