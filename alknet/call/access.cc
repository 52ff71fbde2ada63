#include "alknet/call/access.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "alknet/call/error.h"

namespace alknet::call {

namespace {

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool allows(const std::vector<std::string>& actions, std::string_view action) {
  return contains(actions, action) || contains(actions, "*");
}

/// Whether one of the identity's resources of `type`, the one called `id` when that is given, allows `action`.
bool allows_resource(const Identity& identity, std::string_view type, std::string_view action, const std::string* id) {
  const std::string prefix = fmt::format("{}:", type);
  if (id != nullptr) {
    for (const std::string& key : {prefix + *id, prefix + "*"}) {
      const auto found = identity.resources.find(key);
      if (found != identity.resources.end() && allows(found->second, action)) return true;
    }
    return false;
  }
  for (auto entry = identity.resources.lower_bound(prefix);
       entry != identity.resources.end() && entry->first.starts_with(prefix); ++entry) {
    if (allows(entry->second, action)) return true;
  }
  return false;
}

Error forbidden(std::string message, Json required) {
  return {CallError::kForbidden, std::move(message), JsonObject{{"required", std::move(required)}}};
}

/// The first reason why `identity` does not meet `access`.
std::optional<Error> refusal(const AccessControl& access, const std::optional<Identity>& identity,
                             const std::string* resource_id) {
  if (identity && identity->unrestricted) return std::nullopt;
  if (access.open()) return std::nullopt;
  if (!identity) {
    return Error(CallError::kForbidden, "authentication required: connect with a known key, or send an auth_token");
  }
  for (const std::string& scope : access.required_scopes) {
    if (!contains(identity->scopes, scope)) {
      return forbidden(fmt::format("the scope {} is required", scope), JsonArray{Json(scope)});
    }
  }
  const auto& any = access.required_scopes_any;
  if (!any.empty() &&
      std::none_of(any.begin(), any.end(), [&](const std::string& s) { return contains(identity->scopes, s); })) {
    return forbidden(fmt::format("one of the scopes {} is required", fmt::join(any, ", ")),
                     JsonArray(any.begin(), any.end()));
  }
  if (!access.resource_type.empty() &&
      !allows_resource(*identity, access.resource_type, access.resource_action, resource_id)) {
    const std::string resource =
        fmt::format("{}:{}", access.resource_type, resource_id != nullptr ? *resource_id : "*");
    return forbidden(fmt::format("the right to {} {} is required", access.resource_action, resource),
                     JsonObject{{"resource", resource}, {"action", access.resource_action}});
  }
  return std::nullopt;
}

Json strings_json(const std::vector<std::string>& strings) { return JsonArray(strings.begin(), strings.end()); }

std::vector<std::string> strings_from(const JsonObject& object, std::string_view member) {
  std::vector<std::string> strings;
  const auto* value = object.if_contains(member);
  if (value == nullptr) return strings;
  const auto fail = [&] {
    return Error(CallError::kInvalidInput, fmt::format("`{}` must be an array of strings", member));
  };
  if (!value->is_array()) throw fail();
  for (const Json& item : value->get_array()) {
    if (!item.is_string()) throw fail();
    strings.emplace_back(item.get_string());
  }
  return strings;
}

std::string text_from(const JsonObject& object, std::string_view member) {
  const auto* value = object.if_contains(member);
  if (value == nullptr) return {};
  if (!value->is_string()) throw Error(CallError::kInvalidInput, fmt::format("`{}` must be a string", member));
  return std::string(value->get_string());
}

const JsonObject& object_of(const Json& value, std::string_view what) {
  if (const auto* object = value.if_object()) return *object;
  throw Error(CallError::kInvalidInput, fmt::format("{} must be an object", what));
}

}  // namespace

Identity Identity::local_program() {
  Identity identity;
  identity.id = "local";
  identity.unrestricted = true;
  return identity;
}

Json Identity::to_json() const {
  JsonObject held;
  for (const auto& [resource, actions] : resources) held.emplace(resource, strings_json(actions));
  return JsonObject{{"id", id}, {"scopes", strings_json(scopes)}, {"resources", std::move(held)}};
}

Identity Identity::from_json(const Json& value) {
  const JsonObject& object = object_of(value, "an identity");
  Identity identity;
  identity.id = text_from(object, "id");
  identity.scopes = strings_from(object, "scopes");
  if (const auto* resources = object.if_contains("resources")) {
    const JsonObject& held = object_of(*resources, "`resources`");
    for (const auto& [resource, actions] : held) identity.resources[resource] = strings_from(held, resource);
  }
  return identity;
}

Identity Identity::narrowed_to(const Identity& limit) const {
  if (limit.unrestricted) return *this;
  if (unrestricted) return limit;
  Identity narrowed;
  narrowed.id = id;
  for (const std::string& scope : scopes) {
    if (contains(limit.scopes, scope)) narrowed.scopes.push_back(scope);
  }
  for (const auto& [resource, actions] : resources) {
    const std::string_view type = std::string_view(resource).substr(0, resource.find(':'));
    const std::string name = resource.substr(std::min(resource.size(), type.size() + 1));
    for (const std::string& action : actions) {
      if (allows_resource(limit, type, action, &name)) narrowed.resources[resource].push_back(action);
    }
  }
  return narrowed;
}

Json AccessControl::to_json() const {
  JsonObject object;
  if (!required_scopes.empty()) object.emplace("required_scopes", strings_json(required_scopes));
  if (!required_scopes_any.empty()) object.emplace("required_scopes_any", strings_json(required_scopes_any));
  if (!resource_type.empty()) {
    object.emplace("resource_type", resource_type);
    object.emplace("resource_action", resource_action);
  }
  return object;
}

AccessControl AccessControl::from_json(const Json& value) {
  const JsonObject& object = object_of(value, "`access_control`");
  return {strings_from(object, "required_scopes"), strings_from(object, "required_scopes_any"),
          text_from(object, "resource_type"), text_from(object, "resource_action")};
}

void check_access(const AccessControl& access, const std::optional<Identity>& identity,
                  const std::string* resource_id) {
  if (auto error = refusal(access, identity, resource_id)) throw std::move(*error);
}

bool may_access(const AccessControl& access, const std::optional<Identity>& identity) {
  return !refusal(access, identity, nullptr);
}

}  // namespace alknet::call
