#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/net/peers.h"
#include "apps/alknet/durations.h"
#include "apps/alknet/node_files.h"
#include "apps/alknet/output.h"
#include "apps/alknet/remote.h"

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

struct PeerCommand {
  std::string file;  ///< empty: the default
  std::string key;   ///< likewise
  std::string id, fingerprint, address, display_name;
  std::vector<std::string> scopes;
  std::vector<std::string> rights;  ///< "TYPE:ID=ACTION,ACTION"
  bool token = false;
  std::string grace = "24h";
};

fs::path peers_path(const PeerCommand& command) {
  return command.file.empty() ? default_peers_file() : fs::path(command.file);
}
fs::path key_path(const PeerCommand& command) {
  return command.key.empty() ? default_key_file() : fs::path(command.key);
}

Json entry_json(const net::PeerEntry& entry) {
  JsonArray retiring;
  for (const auto& old : entry.retiring) retiring.emplace_back(old.fingerprint);
  return JsonObject{{"peer_id", entry.peer_id},
                    {"display_name", entry.display_name},
                    {"enabled", entry.enabled},
                    {"address", entry.address},
                    {"fingerprints", JsonArray(entry.fingerprints.begin(), entry.fingerprints.end())},
                    {"retiring", std::move(retiring)},
                    {"has_token", !entry.auth_token_hash.empty()},
                    {"scopes", JsonArray(entry.scopes.begin(), entry.scopes.end())},
                    {"resources", entry.identity().to_json().at("resources")}};
}

/// "model:minilm=run,read" as a resource and its actions.
void add_right(net::PeerEntry& entry, const std::string& right) {
  const std::size_t equals = right.find('=');
  if (equals == std::string::npos || equals == 0 || right.find(':') > equals || equals + 1 == right.size()) {
    throw UsageError(fmt::format("--resource {}: write TYPE:ID=ACTION,ACTION, for example model:minilm=run", right));
  }
  auto& actions = entry.resources[right.substr(0, equals)];
  for (std::size_t at = equals + 1; at <= right.size();) {
    const std::size_t comma = std::min(right.find(',', at), right.size());
    actions.push_back(right.substr(at, comma - at));
    at = comma + 1;
  }
}

void print_token(const std::string& token, const Globals& globals, JsonObject& document) {
  if (globals.json) {
    document.emplace("token", token);
  } else {
    print(fmt::format("token (shown this once; only its hash is kept): {}\n", token));
  }
}

void add(const PeerCommand& command, const Globals& globals) {
  net::PeerEntry entry;
  entry.peer_id = command.id;
  if (!command.fingerprint.empty()) entry.fingerprints = {command.fingerprint};
  entry.address = command.address;
  entry.display_name = command.display_name;
  entry.scopes = command.scopes;
  for (const std::string& right : command.rights) add_right(entry, right);
  std::string token;
  if (command.token) {
    token = net::new_auth_token();
    entry.auth_token_hash = net::auth_token_hash(token);
  }
  if (entry.fingerprints.empty() && token.empty()) {
    throw UsageError(fmt::format(
        "{} needs --fingerprint (what `alknet peer show` prints on that machine), --token, or both", command.id));
  }
  if (!entry.address.empty() && !is_address(entry.address)) {
    throw UsageError(fmt::format("--address {}: write quic://HOST:PORT, tls://, ws:// or wss://HOST:PORT, or unix:PATH",
                                 entry.address));
  }
  make_folder_of(peers_path(command));
  net::PeersFile file(peers_path(command));
  file.update([&](net::PeerList& list) {
    if (list.find(entry.peer_id) != nullptr) {
      throw UsageError(
          fmt::format("{0} is in {1} already: give it a new key or token with alknet peer rotate {0}, change "
                      "its rights in the file, or remove it first",
                      entry.peer_id, file.path().string()));
    }
    list.add(entry);
  });
  JsonObject document = entry_json(entry).as_object();
  if (!globals.json) print(fmt::format("added {} to {}\n", entry.peer_id, file.path().string()));
  if (!token.empty()) print_token(token, globals, document);
  if (globals.json) print_json(document);
}

void list(const PeerCommand& command, const Globals& globals) {
  const net::PeersFile file(peers_path(command));
  const auto peers = file.current();
  if (globals.json) {
    JsonArray array;
    for (const auto& entry : peers->entries()) array.push_back(entry_json(entry));
    return print_json(array);
  }
  if (peers->entries().empty()) {
    return print(fmt::format("no peers in {}: alknet peer add ID --fingerprint F\n", file.path().string()));
  }
  Table table({{"PEER"}, {"STATE"}, {"ADDRESS"}, {"SCOPES"}, {"KEY"}});
  for (const auto& entry : peers->entries()) {
    const std::string key = !entry.fingerprints.empty()     ? entry.fingerprints.front().substr(0, 20) + "…"
                            : entry.auth_token_hash.empty() ? "-"
                                                            : "token";
    table.add({entry.peer_id, entry.enabled ? "enabled" : "disabled", entry.address.empty() ? "-" : entry.address,
               entry.scopes.empty() ? "-" : fmt::format("{}", fmt::join(entry.scopes, " ")), key});
  }
  print(table.text(use_color(globals)));
}

/// Without an id: who this node is. With one: all that is known of that peer.
void show(const PeerCommand& command, const Globals& globals) {
  if (command.id.empty()) {
    const net::PrivateKey key = load_or_make_key(key_path(command));
    if (globals.json) {
      return print_json(JsonObject{{"fingerprint", key.fingerprint()}, {"key_file", key_path(command).string()}});
    }
    return print(fmt::format("{}\n", key.fingerprint()));
  }
  const auto peers = net::PeersFile(peers_path(command)).current();
  const net::PeerEntry* entry = peers->find(command.id);
  if (entry == nullptr) {
    throw Error(BaseError::kNotFound, fmt::format("there is no peer {}: see alknet peer list", command.id));
  }
  globals.json ? print_json(entry_json(*entry)) : print(json_pretty(entry_json(*entry)) + "\n");
}

void rotate(const PeerCommand& command, const Globals& globals) {
  const auto until = net::WallClock::now() + parse_duration(command.grace);
  net::PeersFile file(peers_path(command));
  JsonObject document{{"peer_id", command.id}};
  std::string token;
  if (command.token) token = net::new_auth_token();
  if (token.empty() && command.fingerprint.empty()) {
    throw UsageError("rotate needs --fingerprint with the new key, --token for a new token, or both");
  }
  file.update([&](net::PeerList& peers) {
    if (!command.fingerprint.empty()) peers.rotate(command.id, command.fingerprint, until);
    if (token.empty()) return;
    net::PeerEntry* entry = peers.find(command.id);
    if (entry == nullptr)
      throw Error(BaseError::kNotFound, fmt::format("there is no peer {}: see alknet peer list", command.id));
    entry->auth_token_hash = net::auth_token_hash(token);
  });
  if (!command.fingerprint.empty() && !globals.json) {
    print(fmt::format("{} has a new key; the old one is accepted until {:%Y-%m-%d %H:%M} UTC\n", command.id,
                      fmt::gmtime(net::WallClock::to_time_t(until))));
  }
  if (!token.empty()) print_token(token, globals, document);
  if (globals.json) print_json(document);
}

/// A change of one peer that needs nothing but its id.
void change(const PeerCommand& command, const Globals& globals, std::string_view done,
            const std::function<void(net::PeerList&)>& what) {
  net::PeersFile(peers_path(command)).update(what);
  globals.json ? print_json(JsonObject{{"peer_id", command.id}, {"done", done}})
               : print(fmt::format("{} is {}\n", command.id, done));
}

}  // namespace

void add_peer(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<PeerCommand>();
  CLI::App* group = program.add_subcommand("peer", "Who this node is, and which peers it knows");
  group->require_subcommand(1);
  set_examples(*group,
               "  alknet peer show\n  alknet peer add gpu1 --fingerprint ed25519:… --address quic://gpu1:4433\n");
  const auto verb = [&](const char* name, const char* about, const std::string& examples) {
    CLI::App* made = group->add_subcommand(name, about);
    made->add_option("--peers", command->file, "The peers file (default: peers.json in the configuration folder)");
    add_json_flag(*made, globals);
    set_examples(*made, examples);
    return made;
  };
  const auto id = [&](CLI::App* made) { return made->add_option("PEER", command->id, "The peer's id"); };

  CLI::App* adding = verb("add", "Let a peer connect, or know where to dial it",
                          "  alknet peer add laptop --fingerprint ed25519:… --scope compute --scope model\n"
                          "  alknet peer add web --token --resource model:minilm=run\n");
  id(adding)->required();
  adding->add_option("--fingerprint", command->fingerprint, "Its key: what `alknet peer show` prints on that machine");
  adding->add_option("--address", command->address, "Where it is reached: quic://HOST:PORT");
  adding->add_option("--name", command->display_name, "A name for people");
  adding->add_option("--scope", command->scopes, "What it may do; may be repeated")->allow_extra_args(false);
  adding->add_option("--resource", command->rights, "TYPE:ID=ACTION,…; may be repeated")->allow_extra_args(false);
  adding->add_flag("--token", command->token, "Make a bearer token for it and show it once");
  adding->callback([command, &globals] { add(*command, globals); });

  CLI::App* listing = verb("list", "List the peers", "  alknet peer list\n  alknet peer list --json\n");
  listing->callback([command, &globals] { list(*command, globals); });

  CLI::App* showing = verb("show", "Show this node's own fingerprint, or one peer",
                           "  alknet peer show\n  alknet peer show gpu1 --json\n");
  id(showing);
  showing->add_option("--key", command->key, "This node's key file; made when it is missing");
  showing->callback([command, &globals] { show(*command, globals); });

  CLI::App* rotating = verb("rotate", "Give a peer a new key or token",
                            "  alknet peer rotate gpu1 --fingerprint ed25519:… --grace 24h\n"
                            "  alknet peer rotate web --token\n");
  id(rotating)->required();
  rotating->add_option("--fingerprint", command->fingerprint, "The new key");
  rotating->add_option("--grace", command->grace, "How long the old key stays accepted")->capture_default_str();
  rotating->add_flag("--token", command->token, "A new bearer token; the old one ends now");
  rotating->callback([command, &globals] { rotate(*command, globals); });

  CLI::App* removing = verb("remove", "Forget a peer", "  alknet peer remove gpu1\n  alknet peer remove web --json\n");
  id(removing)->required();
  removing->callback([command, &globals] {
    change(*command, globals, "removed", [&](net::PeerList& peers) { peers.remove(command->id); });
  });
  for (const bool enabled : {true, false}) {
    const char* name = enabled ? "enable" : "disable";
    CLI::App* switching =
        verb(name, enabled ? "Let a disabled peer connect again" : "Keep a peer's entry but refuse it",
             fmt::format("  alknet peer {0} gpu1\n  alknet peer {0} web --json\n", name));
    id(switching)->required();
    switching->callback([command, enabled, &globals] {
      change(*command, globals, enabled ? "enabled" : "disabled",
             [&](net::PeerList& peers) { peers.set_enabled(command->id, enabled); });
    });
  }
}

}  // namespace alknet::app
