#pragma once

#include <string>
#include <vector>

namespace alknet::call {

/// What two sides may use beyond the plain protocol once both announced it in `services/list`.
struct Features {
  bool attachments = false;  ///< bytes travel in chunk frames instead of base64
  bool credit = false;       ///< `call.credit` widens the window of a subscription

  static Features all() { return {true, true}; }
  static Features from_names(const std::vector<std::string>& names);
  std::vector<std::string> names() const;

  Features both(const Features& other) const { return {attachments && other.attachments, credit && other.credit}; }
  bool operator==(const Features&) const = default;
};

}  // namespace alknet::call
