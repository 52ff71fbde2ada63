#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"

namespace alknet::call {

/// Who calls, or under whose authority a handler calls: scopes, and actions on resources.
struct Identity {
  std::string id;
  std::vector<std::string> scopes;

  /// Actions allowed on a resource, by "TYPE:ID"; "TYPE:*" is every resource of that type, the action "*" every action.
  std::map<std::string, std::vector<std::string>, std::less<>> resources;

  /// The person at this machine: passes every check. Never read from a file or the wire.
  bool unrestricted = false;

  /// The identity of a program that runs for its own user.
  static Identity local_program();

  /// {id, scopes, resources}. `from_json` ignores other members; throws `invalid_input` for wrong types.
  Json to_json() const;
  static Identity from_json(const Json& value);

  /// This identity cut down to what `limit` has too: scopes and actions in both.
  Identity narrowed_to(const Identity& limit) const;
};

/// What an operation asks of its caller. All of it must hold.
struct AccessControl {
  std::vector<std::string> required_scopes;      ///< all of these
  std::vector<std::string> required_scopes_any;  ///< and one of these, when there are any
  std::string resource_type;                     ///< and `resource_action` on a resource of this type, unless empty
  std::string resource_action;

  bool open() const { return required_scopes.empty() && required_scopes_any.empty() && resource_type.empty(); }

  Json to_json() const;
  static AccessControl from_json(const Json& value);
};

/// Throws `forbidden` unless `identity` meets `access`; without an identity, "authentication required" unless the
/// operation is open to all. `resource_id` is the resource that the input names, null when the spec names none: then a
/// right to any resource of the type is enough.
void check_access(const AccessControl& access, const std::optional<Identity>& identity, const std::string* resource_id);

/// The same as a verdict, for lists of what a caller may see; resources are not looked at one by one.
bool may_access(const AccessControl& access, const std::optional<Identity>& identity);

}  // namespace alknet::call
