#include "apps/alknet/remote.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <optional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/net/dial.h"
#include "alknet/net/peers.h"
#include "apps/alknet/durations.h"
#include "apps/alknet/node_files.h"

namespace alknet::app {
namespace {

constexpr std::uint64_t kMaxTokenBytes = 4'096;

/// Where the target is and how it is recognised.
std::string find_target(const RemoteOptions& options, net::DialOptions& dialling) {
  const net::PeersFile file(options.peers_file.empty() ? default_peers_file()
                                                       : std::filesystem::path(options.peers_file));
  const auto peers = file.current();
  const net::PeerEntry* entry = nullptr;
  if (is_address(options.target)) {
    for (const auto& known : peers->entries()) {
      if (known.address == options.target) entry = &known;
    }
  } else {
    entry = peers->find(options.target);
    if (entry == nullptr || entry->address.empty()) {
      throw UsageError(
          fmt::format("\"{}\" is neither an address (quic://HOST:PORT, ws://HOST:PORT, unix:PATH) nor a peer "
                      "with an address in {}",
                      options.target, file.path().string()));
    }
  }
  dialling.expected.fingerprints = options.fingerprints;
  if (dialling.expected.fingerprints.empty() && entry != nullptr) dialling.expected.fingerprints = entry->fingerprints;
  std::string address = entry == nullptr ? options.target : entry->address;
  if (address.starts_with("quic://") && dialling.expected.fingerprints.empty() && options.ca_file.empty()) {
    throw UsageError(
        fmt::format("{}: how should this node be recognised? Give --fingerprint (`alknet peer show` prints it "
                    "there), --ca FILE, or add it: alknet peer add ID --address {} --fingerprint F",
                    address, address));
  }
  return address;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

Task<Json> call_json(call::Connection& connection, std::string operation, Json input, call::CallOptions options) {
  Message message;
  message.value = std::move(input);
  const auto known = options.known;
  if (known) known->input_bytes().decode(message);
  Message output = co_await connection.call(std::move(operation), std::move(message), std::move(options));
  if (known) known->output_bytes().encode(output);
  co_return std::move(output.value);
}

Task<void> take_items(call::Connection& connection, std::string operation, Json input, call::CallOptions options,
                      const std::function<bool(const Json&)>& take) {
  Message message;
  message.value = std::move(input);
  const auto known = options.known;
  if (known) known->input_bytes().decode(message);
  auto items = connection.subscribe(std::move(operation), std::move(message), std::move(options));
  while (auto item = co_await items.next()) {
    if (known) known->output_bytes().encode(*item);
    if (!take(item->value)) break;
  }
}

/// The scope that an operation most likely asks for.
std::string_view scope_of(std::string_view operation) {
  const std::string_view space = operation.substr(0, operation.find('/'));
  return space == "tensor" ? "compute" : space == "services" ? "peers" : space;
}

/// The error of a node that does not describe an operation. To a caller what it may not use is as absent, so the node
/// does not say which of the two it is.
Error not_described(const Error& error, std::string_view operation) {
  return {
      error.code(),
      fmt::format("{}{} Or this caller lacks its scope, most likely {}: on the node, give it to the caller's entry of "
                  "the peers file, or to everybody by `alknet serve --allow {}`",
                  error.message(), error.message().ends_with('?') ? "" : ".", scope_of(operation), scope_of(operation)),
      error.details()};
}

}  // namespace

bool is_address(std::string_view word) {
  return word.find("://") != std::string_view::npos || word.starts_with("unix:");
}

void add_remote_options(CLI::App& command, RemoteOptions& options) {
  command.add_option("TARGET", options.target, "quic://, tls://, ws:// or wss://HOST:PORT, unix:PATH, or a peer's id")
      ->required();
  add_dial_options(command, options);
}

void add_dial_options(CLI::App& command, RemoteOptions& options) {
  command.add_option("--fingerprint", options.fingerprints, "The node's key or certificate: ed25519:… or sha256:…")
      ->allow_extra_args(false);
  command.add_option("--ca", options.ca_file, "Certificates of the authorities that vouch for the node");
  command.add_option("--token-file", options.token_file, "A file with the bearer token for ws:// and wss://");
  CLI::Option* certificate =
      command.add_option("--certificate", options.certificate, "Our certificate chain (PEM), for tls:// and quic://");
  CLI::Option* key = command.add_option("--certificate-key", options.certificate_key, "Its private key (PEM)");
  certificate->needs(key);
  key->needs(certificate);
  command.add_option("--peers", options.peers_file, "The peers file (default: peers.json in the configuration folder)");
  command.add_option("--key", options.key_file, "This machine's key file; made when it is missing");
  command.add_option("--timeout", options.timeout, "For connecting, and for an answer")->capture_default_str();
}

Remote::Remote(const RemoteOptions& options, const Globals& globals) : timeout_(parse_duration(options.timeout)) {
  net::DialOptions dialling;
  const std::string address = find_target(options, dialling);
  if (address.starts_with("quic://")) {
    dialling.credentials.key =
        load_or_make_key(options.key_file.empty() ? default_key_file() : std::filesystem::path(options.key_file));
    if (!options.ca_file.empty()) dialling.expected.authorities_pem = read_file(options.ca_file, 16U << 20U);
  }
  dialling.tls.ca_file = options.ca_file;
  if (!options.certificate.empty()) {
    // Read here too, so that a key that others may read is refused on every transport.
    dialling.credentials.certificate = net::Certificate::load(options.certificate, options.certificate_key);
    dialling.tls.certificate_file = options.certificate;
    dialling.tls.private_key_file = options.certificate_key;
  }
  if (!options.token_file.empty()) {
    net::require_private_file(options.token_file, "the token file");
    dialling.token = trimmed(read_file(options.token_file, kMaxTokenBytes));
    if (dialling.token->empty()) {
      throw UsageError(fmt::format("--token-file {}: the file is empty; alknet peer rotate PEER --token makes a token",
                                   options.token_file));
    }
  }
  dialling.timeout = timeout_;
  if (globals.verbose) dialling.logger = Logger::to_stderr(LogLevel::kDebug);
  connection_ = run(net::dial(loop_, address, std::move(dialling)));
}

Remote::~Remote() {
  if (!connection_) return;
  // Without the farewell the node would keep this caller's resources until its idle timeout.
  connection_->on_close([this](const Error&) { loop_.stop(); });
  connection_->close();
  loop_.run();
  connection_.reset();
}

template <typename T>
T Remote::run(Task<T> task) {
  std::optional<Outcome<T>> outcome;
  start(loop_, std::move(task), [&](Outcome<T> result) {
    outcome.emplace(std::move(result));
    loop_.stop();
  });
  loop_.run();
  try {
    return outcome->take();
  } catch (const Error& error) {
    if (!connection_) throw;
    throw net::call_failure(*connection_, error);
  }
}

Json Remote::call(const std::string& operation, Json input) {
  call::CallOptions options;
  options.timeout = timeout_;
  return run(call_json(*connection_, operation, std::move(input), options));
}

call::OperationSpec Remote::describe(const std::string& operation) {
  return call::OperationSpec::from_json(call("services/schema", JsonObject{{"name", operation}}));
}

/// The operation with handlers that are never called: what is known of it is its schemas.
std::shared_ptr<const call::Operation> Remote::known(const std::string& operation) {
  call::Registration registration;
  try {
    registration.spec = describe(operation);
  } catch (const Error& error) {
    if (error.code() != call::CallError::kNotFound) throw;
    throw not_described(error, operation);
  }
  if (registration.spec.type == call::OperationType::kSubscription) {
    registration.handler =
        call::StreamHandler([](call::OperationContext&, Message) -> AsyncGenerator<Message> { co_return; });
  } else {
    registration.handler =
        call::OnceHandler([](call::OperationContext&, Message input) -> Task<Message> { co_return input; });
  }
  return std::make_shared<const call::Operation>(std::move(registration));
}

Json Remote::call_by_schema(const std::string& operation, Json input) {
  call::CallOptions options;
  options.timeout = timeout_;
  options.known = known(operation);
  return run(call_json(*connection_, operation, std::move(input), options));
}

void Remote::subscribe(const std::string& operation, Json input, const std::function<bool(const Json& item)>& take) {
  call::CallOptions options;
  options.known = known(operation);
  run(take_items(*connection_, operation, std::move(input), options, take));
}

}  // namespace alknet::app
