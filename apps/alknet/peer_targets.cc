#include "apps/alknet/peer_targets.h"

#include <fmt/format.h>

#include "alknet/net/peers.h"
#include "apps/alknet/command.h"

namespace alknet::app {

std::map<std::string, std::string> peer_targets(const std::vector<std::string>& words,
                                                const std::filesystem::path& peers_file) {
  std::map<std::string, std::string> targets;
  if (words.empty()) return targets;
  const auto known = net::PeersFile(peers_file).current();
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string id = word.substr(0, equals);
    const std::string address = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (id.empty()) throw UsageError(fmt::format("--peer {}: give it a name, NAME or NAME=ADDRESS", word));
    const net::PeerEntry* entry = known->find(id);
    const bool has_address = !address.empty() || (entry != nullptr && !entry->address.empty());
    const bool needs_key = address.empty() || address.starts_with("quic://");
    if (!has_address || (needs_key && entry == nullptr)) {
      throw UsageError(
          fmt::format("--peer {}: {} has no such peer{}: alknet peer add {} --fingerprint F --address "
                      "quic://HOST:PORT",
                      word, peers_file.string(), entry == nullptr ? "" : " with an address", id));
    }
    if (!targets.emplace(id, address).second)
      throw UsageError(fmt::format("--peer {} is given twice: name it once", id));
  }
  return targets;
}

}  // namespace alknet::app
