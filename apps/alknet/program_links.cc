#include "apps/alknet/program_links.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/net/dial.h"
#include "alknet/net/linked_peers.h"
#include "alknet/net/peers.h"
#include "apps/alknet/node_files.h"
#include "apps/alknet/output.h"
#include "apps/alknet/peer_targets.h"

namespace alknet::app {
namespace {

/// A new connection. The peer may call nothing here.
Task<std::shared_ptr<call::Connection>> dial_peer(Loop& loop, std::filesystem::path peers_file, std::string id,
                                                  std::string address) {
  const auto peers = net::PeersFile(peers_file).current();
  net::PeerTarget target = net::peer_target(*peers, id, std::move(address));
  net::DialOptions dialling;
  dialling.expected = std::move(target.expected);
  if (target.address.starts_with("quic://")) dialling.credentials.key = load_or_make_key(default_key_file());
  dialling.owner = std::make_shared<call::Owner>(call::Owner::Kind::kConnection, id, std::nullopt);
  dialling.quic = net::watchful(dialling.quic);
  auto dialled = net::dial(loop, std::move(target.address), std::move(dialling));
  co_return co_await std::move(dialled);
}

Logger warnings() {
  return Logger::to_sink(LogLevel::kWarning, [](LogLevel, std::string_view line) { print_note(line); });
}

}  // namespace

struct ProgramLinks::Peer {
  std::string id;
  Completion<void> first;  // attempt
  std::unique_ptr<net::PeerLink> link;
};

void add_link_options(CLI::App& command, ProgramLinkOptions& options) {
  command
      .add_option("--peer", options.peers,
                  "Reach a peer's operations, as peer=\"NAME\" of a template and NAME/…: NAME of the peers file, or "
                  "NAME=ADDRESS; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--peers", options.peers_file, "The peers file (default: peers.json in the configuration folder)");
  command
      .add_option("--ops", options.operation_files,
                  "Offer the operations that this script registers; it runs in a sandbox. May be repeated")
      ->allow_extra_args(false);
}

ProgramLinks::ProgramLinks(Loop& loop, call::Dispatcher& dispatcher, std::shared_ptr<call::Registry> registry,
                           const ProgramLinkOptions& options)
    : loop_(loop),
      registry_(std::move(registry)),
      peers_file_(options.peers_file.empty() ? default_peers_file() : std::filesystem::path(options.peers_file)),
      file_names_(options.operation_files),
      logger_(warnings()) {
  for (const auto& [id, address] : peer_targets(options.peers, peers_file_)) link(id, address);
  if (file_names_.empty()) return;
  runtime::SandboxHostOptions hosting;
  hosting.spare = 0;
  hosting.logger = logger_;
  helpers_ = std::make_unique<runtime::SandboxHost>(loop_, dispatcher, std::move(hosting));
  const auto says = [](const std::string&, std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  files_ = std::make_unique<OperationFiles>(loop_, *helpers_, registry_, logger_, says);
}

ProgramLinks::~ProgramLinks() = default;

void ProgramLinks::link(const std::string& id, const std::string& address) {
  auto peer = std::make_unique<Peer>();
  peer->id = id;
  net::PeerLinkOptions options;
  options.peer_id = id;
  options.dial = [this, id, address] { return dial_peer(loop_, peers_file_, id, address); };
  options.import.layer = overlay_;
  options.import.visibility = call::Visibility::kExternal;
  options.import.shared = true;  // so that results get the names that `compute/submit` gave them
  options.logger = logger_;
  options.on_attempt = [id, first = peer->first](const Error* failed) mutable {
    if (failed == nullptr) {
      first.set_value();
      return;
    }
    const Error error(failed->code(), fmt::format("--peer {}: {}", id, failed->message()), failed->details());
    first.set_error(std::make_exception_ptr(error));
  };
  peer->link = std::make_unique<net::PeerLink>(loop_, *registry_, std::move(options));
  peers_.push_back(std::move(peer));
}

Task<void> ProgramLinks::ready() {
  for (const auto& peer : peers_) co_await peer->first.wait();
  for (const std::string& file : file_names_) {
    auto adding = files_->add(file);
    co_await std::move(adding);
  }
}

}  // namespace alknet::app
