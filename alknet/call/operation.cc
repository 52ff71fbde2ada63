#include "alknet/call/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "alknet/call/timeouts.h"

namespace alknet::call {

namespace {

constexpr std::array<std::string_view, 3> kTypeNames{"query", "mutation", "subscription"};
constexpr std::array<std::string_view, 2> kVisibilityNames{"external", "internal"};

[[noreturn]] void invalid(std::string_view operation, std::string_view what) {
  throw Error(CallError::kOperationInvalid, fmt::format("[operation] {}: {}", operation, what),
              JsonObject{{"operation", operation}});
}

/// Reads the members of a spec, saying which one is wrong.
class SpecReader {
 public:
  SpecReader(const JsonObject& object, std::string_view operation) : object_(object), operation_(operation) {}

  std::string text(std::string_view member) const {
    const auto* value = object_.if_contains(member);
    if (value == nullptr) return {};
    if (!value->is_string()) invalid(operation_, fmt::format("`{}` must be a string", member));
    return std::string(value->get_string());
  }

  template <std::size_t N>
  std::size_t choice(std::string_view member, const std::array<std::string_view, N>& names, std::size_t absent) const {
    if (!object_.contains(member)) return absent;
    const std::string name = text(member);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) invalid(operation_, fmt::format("`{}` may not be \"{}\"", member, name));
    return static_cast<std::size_t>(found - names.begin());
  }

  Json schema(std::string_view member) const {
    const auto* value = object_.if_contains(member);
    if (value == nullptr) return JsonObject{};
    if (!value->is_object() && !value->is_bool()) invalid(operation_, fmt::format("`{}` must be a schema", member));
    return *value;
  }

  const JsonArray* array(std::string_view member) const {
    const auto* value = object_.if_contains(member);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) invalid(operation_, fmt::format("`{}` must be an array", member));
    return &value->get_array();
  }

  std::optional<std::int64_t> integer(std::string_view member) const {
    const auto* value = object_.if_contains(member);
    if (value == nullptr) return std::nullopt;
    boost::system::error_code failed;
    const auto number = value->to_number<std::int64_t>(failed);
    if (failed) invalid(operation_, fmt::format("`{}` must be an integer", member));
    return number;
  }

 private:
  const JsonObject& object_;
  std::string_view operation_;
};

}  // namespace

std::string_view operation_type_name(OperationType type) { return kTypeNames.at(static_cast<std::size_t>(type)); }

std::string_view OperationSpec::name_space() const { return std::string_view(name).substr(0, name.find('/')); }

const ErrorSpec* OperationSpec::find_error(std::string_view code) const {
  const auto found = std::find_if(errors.begin(), errors.end(), [&](const ErrorSpec& e) { return e.code == code; });
  return found == errors.end() ? nullptr : &*found;
}

Json OperationSpec::to_json() const {
  JsonObject object{{"name", name},
                    {"namespace", name_space()},
                    {"op_type", operation_type_name(type)},
                    {"visibility", kVisibilityNames.at(static_cast<std::size_t>(visibility))},
                    {"input_schema", input_schema},
                    {"output_schema", output_schema}};
  JsonArray declared;
  for (const ErrorSpec& error : errors) {
    declared.push_back(JsonObject{{"code", error.code},
                                  {"description", error.description},
                                  {"schema", error.schema},
                                  {"http_status", error.http_status}});
  }
  object.emplace("error_schemas", std::move(declared));
  object.emplace("access_control", access.to_json());
  const auto optional = [&](std::string_view member, const std::string& text) {
    if (!text.empty()) object.emplace(member, text);
  };
  optional("resource_id_path", resource_id_path);
  optional("title", title);
  optional("description", description);
  optional("version", version);
  if (!tags.empty()) object.emplace("tags", JsonArray(tags.begin(), tags.end()));
  if (default_timeout) object.emplace("default_timeout_ms", default_timeout->count());
  return object;
}

OperationSpec OperationSpec::from_json(const Json& value) {
  if (!value.is_object()) invalid("?", "a spec must be an object");
  const JsonObject& object = value.get_object();
  OperationSpec spec;
  spec.name = SpecReader(object, "?").text("name");
  const SpecReader reader(object, spec.name);
  if (spec.name.empty()) invalid("?", "`name` is missing");
  spec.type = static_cast<OperationType>(reader.choice("op_type", kTypeNames, 0));
  spec.visibility = static_cast<Visibility>(reader.choice("visibility", kVisibilityNames, 0));
  spec.input_schema = reader.schema("input_schema");
  spec.output_schema = reader.schema("output_schema");
  if (const auto* declared = reader.array("error_schemas")) {
    for (const Json& item : *declared) {
      if (!item.is_object()) invalid(spec.name, "`error_schemas` must hold objects");
      const SpecReader error(item.get_object(), spec.name);
      ErrorSpec read{error.text("code"), error.text("description"), error.schema("schema")};
      if (read.code.empty()) invalid(spec.name, "an error of `error_schemas` lacks `code`");
      read.http_status =
          static_cast<int>(std::clamp<std::int64_t>(error.integer("http_status").value_or(500), 400, 599));
      spec.errors.push_back(std::move(read));
    }
  }
  if (const auto* access = object.if_contains("access_control")) {
    try {
      spec.access = AccessControl::from_json(*access);
    } catch (const Error& error) {
      invalid(spec.name, error.message());
    }
  }
  spec.resource_id_path = reader.text("resource_id_path");
  spec.title = reader.text("title");
  spec.description = reader.text("description");
  spec.version = reader.text("version");
  if (const auto* tags = reader.array("tags")) {
    for (const Json& tag : *tags) {
      if (!tag.is_string()) invalid(spec.name, "`tags` must hold strings");
      spec.tags.emplace_back(tag.get_string());
    }
  }
  if (const auto timeout = reader.integer("default_timeout_ms")) {
    if (*timeout <= 0) invalid(spec.name, "`default_timeout_ms` must be positive");
    spec.default_timeout = timeout_of(*timeout);
  }
  return spec;
}

namespace {

/// Whether everything that `pattern`, or the operation of that name, means is among what `wider` means.
bool covers(std::string_view wider, std::string_view pattern) {
  if (!wider.ends_with('*')) return wider == pattern;
  return pattern.starts_with(wider.substr(0, wider.size() - 1));
}

}  // namespace

ScopedEnvironment::ScopedEnvironment(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {
  std::set<std::string_view> seen;
  std::vector<std::string> once;
  for (const std::string& pattern : patterns_) {
    if (seen.insert(pattern).second) once.push_back(pattern);
  }
  patterns_ = std::move(once);
}

bool ScopedEnvironment::reaches(std::string_view operation) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const std::string& pattern) { return covers(pattern, operation); });
}

namespace {

/// A list of patterns, to ask many times what it covers.
class PatternSet {
 public:
  explicit PatternSet(const std::vector<std::string>& patterns) : all_(patterns.begin(), patterns.end()) {
    for (const std::string_view pattern : patterns) {
      if (pattern.ends_with('*')) prefixes_.insert(pattern.substr(0, pattern.size() - 1));
    }
  }

  /// Whether one of the list, but not of the same words, covers `pattern`.
  bool has_wider(std::string_view pattern) const {
    const std::size_t own = pattern.ends_with('*') ? pattern.size() - 1 : pattern.size() + 1;
    for (std::size_t size = 0; size < own; ++size) {
      if (prefixes_.contains(pattern.substr(0, size))) return true;
    }
    return false;
  }
  bool covers(std::string_view pattern) const { return all_.contains(pattern) || has_wider(pattern); }

  /// Those of the list that `pattern` covers, put behind `found`.
  void append_covered(std::string_view pattern, std::vector<std::string>& found) const {
    if (!pattern.ends_with('*')) return;
    const std::string_view prefix = pattern.substr(0, pattern.size() - 1);
    for (auto each = all_.lower_bound(prefix); each != all_.end() && each->starts_with(prefix); ++each) {
      found.emplace_back(*each);
    }
  }

 private:
  std::set<std::string_view> all_;
  std::set<std::string_view> prefixes_;
};

}  // namespace

ScopedEnvironment ScopedEnvironment::narrowed_to(const ScopedEnvironment& limit) const {
  const PatternSet ours(patterns_);
  const PatternSet theirs(limit.patterns_);
  std::vector<std::string> both;
  for (const std::string& mine : patterns_) {
    if (ours.has_wider(mine)) continue;  // so that no two of them cover the same: lists stay as long as both were
    if (theirs.covers(mine)) {
      both.push_back(mine);
    } else {
      theirs.append_covered(mine, both);
    }
  }
  return ScopedEnvironment(std::move(both));
}

}  // namespace alknet::call
