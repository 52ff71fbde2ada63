#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <set>

#include "alknet/base/base64.h"
#include "alknet/base/hash.h"
#include "alknet/call/error.h"
#include "alknet/net/credentials.h"
#include "alknet/net/gnutls_handles.h"
#include "alknet/net/peers.h"
#include "alknet/schema/schema.h"

namespace alknet::net {

namespace {

constexpr std::string_view kPeersSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Peers of an alknet node",
  "type": "object",
  "required": ["peers"],
  "additionalProperties": false,
  "properties": {"peers": {"type": "array", "maxItems": 100000, "items": {"$ref": "#/$defs/peer"}}},
  "$defs": {
    "fingerprint": {"type": "string", "pattern": "^(ed25519|sha256):[0-9a-f]{64}$"},
    "names": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 256}, "maxItems": 1000},
    "peer": {
      "type": "object",
      "required": ["peer_id"],
      "additionalProperties": false,
      "properties": {
        "peer_id": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
        "fingerprints": {"type": "array", "items": {"$ref": "#/$defs/fingerprint"}, "maxItems": 16},
        "retiring": {"type": "array", "maxItems": 16, "items": {
          "type": "object",
          "required": ["fingerprint", "valid_until"],
          "additionalProperties": false,
          "properties": {
            "fingerprint": {"$ref": "#/$defs/fingerprint"},
            "valid_until": {"type": "string",
                            "pattern": "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$"}
          }
        }},
        "auth_token_hash": {"type": "string", "pattern": "^sha256:[0-9a-f]{32}:[0-9a-f]{64}$"},
        "scopes": {"$ref": "#/$defs/names"},
        "resources": {"type": "object", "additionalProperties": {"$ref": "#/$defs/names"}},
        "display_name": {"type": "string", "maxLength": 256},
        "enabled": {"type": "boolean"},
        "address": {"type": "string", "minLength": 1, "maxLength": 512}
      }
    }
  }
})";

constexpr std::size_t kSaltBytes = 16;

std::string time_text(WallClock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(WallClock::to_time_t(time)));
}

/// Of a text that the schema accepted.
WallClock::time_point time_of(const std::string& text) {
  std::tm parts{};
  std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
              &parts.tm_min, &parts.tm_sec);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return WallClock::from_time_t(::timegm(&parts));
}

std::vector<std::string> strings_of(const JsonObject& object, std::string_view member) {
  std::vector<std::string> all;
  if (const auto* found = object.if_contains(member)) {
    for (const auto& item : found->as_array()) all.emplace_back(item.as_string());
  }
  return all;
}

std::string string_of(const JsonObject& object, std::string_view member) {
  const auto* found = object.if_contains(member);
  return found == nullptr ? "" : std::string(found->as_string());
}

PeerEntry entry_of(const JsonObject& object) {
  PeerEntry entry;
  entry.peer_id = string_of(object, "peer_id");
  entry.fingerprints = strings_of(object, "fingerprints");
  if (const auto* retiring = object.if_contains("retiring")) {
    for (const auto& item : retiring->as_array()) {
      entry.retiring.push_back(
          {string_of(item.as_object(), "fingerprint"), time_of(string_of(item.as_object(), "valid_until"))});
    }
  }
  entry.auth_token_hash = string_of(object, "auth_token_hash");
  entry.scopes = strings_of(object, "scopes");
  if (const auto* resources = object.if_contains("resources")) {
    for (const auto& [name, actions] : resources->as_object()) {
      entry.resources[name] = strings_of(resources->as_object(), name);
    }
  }
  entry.display_name = string_of(object, "display_name");
  if (const auto* enabled = object.if_contains("enabled")) entry.enabled = enabled->as_bool();
  entry.address = string_of(object, "address");
  return entry;
}

Json json_of(const PeerEntry& entry) {
  JsonObject object{{"peer_id", entry.peer_id}};
  const auto strings = [](const std::vector<std::string>& all) { return JsonArray(all.begin(), all.end()); };
  object.emplace("fingerprints", strings(entry.fingerprints));
  if (!entry.retiring.empty()) {
    JsonArray retiring;
    for (const auto& old : entry.retiring) {
      retiring.push_back(JsonObject{{"fingerprint", old.fingerprint}, {"valid_until", time_text(old.valid_until)}});
    }
    object.emplace("retiring", std::move(retiring));
  }
  if (!entry.auth_token_hash.empty()) object.emplace("auth_token_hash", entry.auth_token_hash);
  object.emplace("scopes", strings(entry.scopes));
  if (!entry.resources.empty()) {
    JsonObject resources;
    for (const auto& [name, actions] : entry.resources) resources.emplace(name, strings(actions));
    object.emplace("resources", std::move(resources));
  }
  if (!entry.display_name.empty()) object.emplace("display_name", entry.display_name);
  object.emplace("enabled", entry.enabled);
  if (!entry.address.empty()) object.emplace("address", entry.address);
  return object;
}

JsonObject json_of(const std::vector<PeerEntry>& entries) {
  JsonArray peers;
  for (const auto& entry : entries) peers.push_back(json_of(entry));
  return {{"peers", std::move(peers)}};
}

std::string token_digest(std::string_view salt_hex, std::string_view token) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(salt_hex)));
  hash.update(std::as_bytes(std::span(token)));
  return hash.hex();
}

/// Throws `configuration` unless `document` conforms to the schema.
void validate_peers(const Json& document, std::string_view source) {
  static const schema::Schema schema = schema::Schema::parse(kPeersSchema);
  const auto violations = schema.validate(document, {.max_errors = 20});
  if (violations.empty()) return;
  JsonArray list;
  for (const auto& violation : violations) {
    list.push_back(JsonObject{{"instance_path", violation.instance_path}, {"message", violation.message}});
  }
  throw Error(call::CallError::kConfiguration,
              fmt::format("[peers] {}: {}: {}", source, violations.front().instance_path, violations.front().message),
              JsonObject{{"path", source}, {"violations", std::move(list)}});
}

}  // namespace

call::Identity PeerEntry::identity() const {
  call::Identity identity;
  identity.id = peer_id;
  identity.scopes = scopes;
  identity.resources = resources;
  return identity;
}

std::vector<std::string> PeerEntry::accepted_fingerprints(WallClock::time_point now) const {
  std::vector<std::string> accepted = fingerprints;
  for (const RetiringFingerprint& old : retiring) {
    if (now <= old.valid_until) accepted.push_back(old.fingerprint);
  }
  return accepted;
}

std::string new_auth_token() {
  std::array<std::byte, 32> bytes{};
  gnutls::check(gnutls_rnd(GNUTLS_RND_KEY, bytes.data(), bytes.size()), "peers", "no random numbers");
  std::string text = base64_text(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string auth_token_hash(std::string_view token) {
  std::array<std::byte, kSaltBytes> salt{};
  gnutls::check(gnutls_rnd(GNUTLS_RND_NONCE, salt.data(), salt.size()), "peers", "no random numbers");
  const std::string salt_hex = hex_text(salt);
  return fmt::format("sha256:{}:{}", salt_hex, token_digest(salt_hex, token));
}

PeerList PeerList::parse(std::string_view text, std::string_view source) {
  Json document;
  try {
    document = parse_json(text);
  } catch (const Error& error) {
    throw Error(call::CallError::kConfiguration, fmt::format("[peers] {}: {}", source, error.message()),
                JsonObject{{"path", source}});
  }
  validate_peers(document, source);
  PeerList list;
  for (const auto& item : document.at("peers").as_array()) list.entries_.push_back(entry_of(item.as_object()));
  try {
    list.check();
  } catch (const Error& error) {
    throw Error(call::CallError::kConfiguration, fmt::format("{}: {}", source, error.message()),
                JsonObject{{"path", source}});
  }
  return list;
}

std::string PeerList::text() const { return json_pretty(json_of(entries_)) + "\n"; }

const Json& PeerList::json_schema() {
  static const Json schema = parse_json(kPeersSchema);
  return schema;
}

void PeerList::check() const {
  std::set<std::string_view> ids;
  std::set<std::string_view> fingerprints;
  const auto refuse = [](std::string_view member, std::string_view value, std::size_t index) {
    throw Error(call::CallError::kConfiguration,
                fmt::format("[peers] /peers/{}/{}: `{}` belongs to another entry", index, member, value));
  };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!ids.insert(entries_[i].peer_id).second) refuse("peer_id", entries_[i].peer_id, i);
    for (const auto& fingerprint : entries_[i].fingerprints) {
      if (!fingerprints.insert(fingerprint).second) refuse("fingerprints", fingerprint, i);
    }
    for (const auto& old : entries_[i].retiring) {
      if (!fingerprints.insert(old.fingerprint).second) refuse("retiring", old.fingerprint, i);
    }
  }
}

const PeerEntry* PeerList::find(std::string_view peer_id) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const PeerEntry& entry) { return entry.peer_id == peer_id; });
  return found == entries_.end() ? nullptr : &*found;
}

PeerEntry* PeerList::find(std::string_view peer_id) {
  return const_cast<PeerEntry*>(static_cast<const PeerList*>(this)->find(peer_id));
}

const PeerEntry* PeerList::find_by_fingerprint(std::string_view fingerprint, WallClock::time_point now) const {
  for (const auto& entry : entries_) {
    for (const auto& known : entry.fingerprints) {
      if (known == fingerprint) return &entry;
    }
    for (const auto& old : entry.retiring) {
      if (old.fingerprint == fingerprint && now <= old.valid_until) return &entry;
    }
  }
  return nullptr;
}

std::optional<WallClock::time_point> PeerList::retires(std::string_view fingerprint) const {
  for (const auto& entry : entries_) {
    for (const auto& old : entry.retiring) {
      if (old.fingerprint == fingerprint) return old.valid_until;
    }
  }
  return std::nullopt;
}

const PeerEntry* PeerList::find_by_token(std::string_view token) const {
  const PeerEntry* match = nullptr;
  for (const auto& entry : entries_) {
    if (entry.auth_token_hash.empty()) continue;
    const std::string_view stored = entry.auth_token_hash;
    constexpr std::size_t kSaltAt = std::string_view("sha256:").size();
    const std::string digest = token_digest(stored.substr(kSaltAt, 2 * kSaltBytes), token);
    if (gnutls_memcmp(digest.data(), stored.substr(kSaltAt + 2 * kSaltBytes + 1).data(), digest.size()) == 0) {
      match = &entry;
    }
  }
  return match;
}

void PeerList::add(PeerEntry entry) {
  validate_peers(json_of(std::vector{entry}), entry.peer_id);
  entries_.push_back(std::move(entry));
  try {
    check();
  } catch (...) {
    entries_.pop_back();
    throw;
  }
}

PeerEntry& PeerList::get(std::string_view peer_id) {
  PeerEntry* entry = find(peer_id);
  if (entry == nullptr)
    throw Error(call::CallError::kNotFound,
                fmt::format("[peers] there is no peer `{}`: see alknet peer list", peer_id));
  return *entry;
}

void PeerList::remove(std::string_view peer_id) {
  entries_.erase(entries_.begin() + (&get(peer_id) - entries_.data()));
}

void PeerList::rotate(std::string_view peer_id, std::string fingerprint, WallClock::time_point old_valid_until) {
  PeerList changed = *this;
  PeerEntry& entry = changed.get(peer_id);
  const auto now = WallClock::now();
  std::erase_if(entry.retiring, [&](const RetiringFingerprint& old) { return old.valid_until < now; });
  for (auto& old : entry.fingerprints) entry.retiring.push_back({std::move(old), old_valid_until});
  entry.fingerprints = {std::move(fingerprint)};
  validate_peers(json_of(std::vector{entry}), entry.peer_id);
  changed.check();
  *this = std::move(changed);
}

void PeerList::set_enabled(std::string_view peer_id, bool enabled) { get(peer_id).enabled = enabled; }

const PeerEntry& admit(const PeerList& peers, const call::PeerCredentials& credentials, WallClock::time_point now) {
  const auto refuse = [](std::string reason) { return Error(call::CallError::kUnauthorized, std::move(reason)); };
  const PeerEntry* entry = nullptr;
  if (credentials.fingerprint) {
    entry = peers.find_by_fingerprint(*credentials.fingerprint, now);
    if (entry == nullptr) {
      throw refuse(
          fmt::format("{} is not among the peers of this node; let it in there: alknet peer add ID "
                      "--fingerprint {}",
                      *credentials.fingerprint, *credentials.fingerprint));
    }
  } else if (credentials.bearer_token) {
    entry = peers.find_by_token(*credentials.bearer_token);
    if (entry == nullptr)
      throw refuse("the bearer token is not that of a peer of this node: alknet peer rotate ID --token makes one");
  } else {
    throw refuse("show a key, a certificate or a bearer token that is among the peers of this node");
  }
  if (!entry->enabled) {
    throw refuse(fmt::format("the peer `{0}` is disabled; there: alknet peer enable {0}", entry->peer_id));
  }
  return *entry;
}

}  // namespace alknet::net
