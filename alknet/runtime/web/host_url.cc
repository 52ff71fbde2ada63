#include <ada.h>

#include <algorithm>
#include <optional>

#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

using Url = ada::url_aggregator;

/// [href, where its parts begin and end..., origin], in the order that url.js names them.
Value parts_of(Realm realm, const Url& url) {
  const ada::url_components& parts = url.get_components();
  const std::string_view href = url.get_href();
  const auto end = static_cast<std::uint32_t>(href.size());
  const auto or_end = [&](std::uint32_t place, std::uint32_t otherwise) {
    return place == ada::url_components::omitted ? otherwise : place;
  };
  const std::uint32_t hash = or_end(parts.hash_start, end);
  const auto number = [&](std::uint32_t place) { return realm.number(place); };
  const std::array<Value, 9> values = {realm.string(href),
                                       number(parts.protocol_end),
                                       number(parts.username_end),
                                       number(parts.host_start),
                                       number(parts.host_end),
                                       number(parts.pathname_start),
                                       number(or_end(parts.search_start, hash)),
                                       number(hash),
                                       realm.string(url.get_origin())};
  return realm.array(values);
}

/// (input, base or undefined): the parts, or undefined when that is no URL.
Value parse_url(Realm realm, const Value&, Arguments arguments) {
  std::optional<Url> base;
  if (!arguments[1].is_undefined()) {
    const auto parsed = ada::parse<Url>(arguments[1].to_string());
    if (!parsed) return {};
    base = *parsed;
  }
  const auto url = ada::parse<Url>(arguments[0].to_string(), base ? &*base : nullptr);
  return url ? parts_of(realm, *url) : Value();
}

struct Setter {
  std::string_view part;
  void (*set)(Url&, std::string_view);
};

constexpr std::array<Setter, 9> kSetters = {{
    {"hash", [](Url& url, std::string_view text) { url.set_hash(text); }},
    {"host", [](Url& url, std::string_view text) { url.set_host(text); }},
    {"hostname", [](Url& url, std::string_view text) { url.set_hostname(text); }},
    {"password", [](Url& url, std::string_view text) { url.set_password(text); }},
    {"pathname", [](Url& url, std::string_view text) { url.set_pathname(text); }},
    {"port", [](Url& url, std::string_view text) { url.set_port(text); }},
    {"protocol", [](Url& url, std::string_view text) { url.set_protocol(text); }},
    {"search", [](Url& url, std::string_view text) { url.set_search(text); }},
    {"username", [](Url& url, std::string_view text) { url.set_username(text); }},
}};

/// (href, part, text): the parts of the URL with that part set, as the setter of the standard does.
Value set_url(Realm realm, const Value&, Arguments arguments) {
  auto url = ada::parse<Url>(arguments[0].to_string());
  const auto setter = std::find_if(kSetters.begin(), kSetters.end(),
                                   [part = arguments[1].to_string()](const Setter& s) { return s.part == part; });
  if (!url || setter == kSetters.end()) return {};
  setter->set(*url, arguments[2].to_string());
  return parts_of(realm, *url);
}

constexpr std::array<MethodSpec, 2> kUrlFunctions = {{
    {"parseUrl", 2, parse_url},
    {"setUrl", 3, set_url},
}};

}  // namespace

std::span<const MethodSpec> url_functions() { return kUrlFunctions; }

}  // namespace alknet::runtime::web
