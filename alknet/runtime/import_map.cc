#include "alknet/runtime/import_map.h"

#include <fmt/format.h>

#include <filesystem>

#include "alknet/runtime/error.h"
#include "alknet/schema/uri.h"

namespace alknet::runtime {
namespace {

[[noreturn]] void refuse(const std::string& where, std::string_view what) {
  throw Error(RuntimeError::kModuleInvalid, fmt::format("import map: {}: {}", where, what),
              JsonObject{{"file", "import map"}, {"member", where}});
}

/// A key or an address as it is compared: paths are absolute, the rest is as it was written.
std::string normal_form(std::string_view text, const std::string& folder) {
  return specifier_path(text, folder).value_or(std::string(text));
}

}  // namespace

std::optional<std::string> specifier_path(std::string_view specifier, std::string_view folder) {
  constexpr std::string_view kScheme = "file://";
  std::string text;
  if (specifier.starts_with(kScheme)) {
    const std::string_view rest = specifier.substr(kScheme.size());
    if (!rest.starts_with('/')) {
      throw Error(RuntimeError::kModuleNotFound,
                  fmt::format("{} is on another machine: a file: URL begins with file:///", specifier),
                  JsonObject{{"specifier", specifier}});
    }
    text = schema::percent_decode(rest.substr(0, rest.find_first_of("?#")));
  } else if (specifier.starts_with('/')) {
    text = specifier;
  } else if (specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." || specifier == "..") {
    text = fmt::format("{}/{}", folder, specifier);
  } else {
    return std::nullopt;
  }
  return std::filesystem::path(text).lexically_normal().string();
}

std::string file_url(std::string_view path) {
  constexpr std::string_view kPlain = "/-._~!$&'()*+,;=:@";
  std::string url = "file://";
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      url += c;
    } else {
      url += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return url;
}

ImportMap::ImportMap(const Json& document, const std::string& folder) {
  const JsonObject* object = document.if_object();
  if (object == nullptr) refuse("the document", "it must be an object with the members imports and scopes");
  for (const auto& [name, value] : *object) {
    if (name == "imports") {
      imports_ = read_table(value, "imports", folder);
    } else if (name == "scopes") {
      if (!value.is_object()) refuse("scopes", "it must be an object");
      for (const auto& [prefix, table] : value.get_object()) {
        scopes_[normal_form(prefix, folder)] =
            read_table(table, fmt::format("scopes[\"{}\"]", std::string(prefix)), folder);
      }
    } else if (name != "integrity") {
      refuse(std::string(name), "there is no such member: it has imports and scopes");
    }
  }
}

ImportMap::Table ImportMap::read_table(const Json& document, const std::string& where, const std::string& folder) {
  const JsonObject* object = document.if_object();
  if (object == nullptr) refuse(where, "it must be an object of specifiers and addresses");
  Table table;
  for (const auto& [key, value] : *object) {
    const std::string place = fmt::format("{}[\"{}\"]", where, std::string(key));
    if (key.empty()) refuse(place, "a specifier is not empty");
    std::optional<std::string> address;
    if (value.is_string()) {
      address = normal_form(value.get_string(), folder);
      if (key.ends_with('/') && !address->ends_with('/')) {
        refuse(place, "its address must end with \"/\" as the specifier does");
      }
    } else if (!value.is_null()) {
      refuse(place, "an address is a string, or null to forbid the specifier");
    }
    table[normal_form(key, folder)] = std::move(address);
  }
  return table;
}

std::optional<std::string> ImportMap::find(const Table& table, std::string_view specifier, std::string_view referrer) {
  for (const auto& [key, address] : table) {
    const bool prefix = key.ends_with('/') && specifier.starts_with(key);
    if (specifier != key && !prefix) continue;
    if (!address) {
      throw Error(RuntimeError::kModuleNotFound,
                  fmt::format("the import map forbids \"{}\" ({} is null)", specifier, key),
                  JsonObject{{"specifier", specifier}, {"referrer", referrer}});
    }
    if (specifier == key) return address;
    std::string joined = *address + std::string(specifier.substr(key.size()));
    if (!joined.starts_with('/')) return joined;
    joined = std::filesystem::path(joined).lexically_normal().string();
    if (joined.starts_with(*address)) return joined;
    throw Error(
        RuntimeError::kModuleNotFound,
        fmt::format("\"{}\" leaves the folder {} that the import map gives for \"{}\"", specifier, *address, key),
        JsonObject{{"specifier", specifier}, {"referrer", referrer}});
  }
  return std::nullopt;
}

std::optional<std::string> ImportMap::resolve(std::string_view specifier, std::string_view referrer) const {
  for (const auto& [prefix, table] : scopes_) {
    if (prefix != referrer && !(prefix.ends_with('/') && referrer.starts_with(prefix))) continue;
    if (auto found = find(table, specifier, referrer)) return found;
  }
  return find(imports_, specifier, referrer);
}

}  // namespace alknet::runtime
