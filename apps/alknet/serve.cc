#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <map>
#include <memory>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/service.h"
#include "alknet/net/http/client.h"
#include "alknet/net/linked_peers.h"
#include "alknet/net/node.h"
#include "alknet/runtime/sandbox_host.h"
#include "alknet/stream/quic_connection.h"
#include "alknet/stream/tensor_server.h"
#include "alknet/stream/token_issuer.h"
#include "alknet/tensor/source.h"
#include "apps/alknet/durations.h"
#include "apps/alknet/imports.h"
#include "apps/alknet/kernel_workers.h"
#include "apps/alknet/models.h"
#include "apps/alknet/node_files.h"
#include "apps/alknet/open_tensors.h"
#include "apps/alknet/operation_files.h"
#include "apps/alknet/output.h"
#include "apps/alknet/peer_models.h"
#include "apps/alknet/peer_targets.h"
#include "apps/alknet/settings.h"

namespace alknet::app {
namespace {

constexpr std::string_view kDefaultListen = "http://127.0.0.1:8080";

struct ServeCommand {
  std::vector<std::string> listen, http, ws;
  std::vector<std::string> models;
  std::vector<std::string> allow, origins;
  std::vector<std::string> peers;  // NAME or NAME=ADDRESS
  std::vector<std::string> operation_files;
  ImportOptions imports;
  std::string device;
  std::string peers_file, key_file, certificate, certificate_key, client_ca;
  std::string log_format = "text", log_level = "info";
  std::string drain = "10s";
  std::string max_memory = "4G";
  std::string frame_limit = "16M";
  std::size_t max_calls = 4'096;
  std::size_t max_scripts = runtime::CallerSessionLimits().sessions;
  std::string script_time = "10m";
  bool plaintext_tokens = false;
  bool measure_kernels = false;
};

Logger make_logger(const ServeCommand& command) {
  const auto level = parse_log_level(command.log_level);
  if (!level)
    throw UsageError(fmt::format("--log-level {}: trace, debug, info, warning, error or off", command.log_level));
  if (command.log_format != "text" && command.log_format != "json") {
    throw UsageError(fmt::format("--log {}: text or json", command.log_format));
  }
  return Logger::to_stderr(*level, command.log_format == "json" ? LogFormat::kJson : LogFormat::kText);
}

std::vector<std::string> addresses(const ServeCommand& command) {
  std::vector<std::string> all = command.listen;
  const auto with_scheme = [](const std::string& place, std::string_view scheme) {
    return place.find("://") == std::string::npos ? fmt::format("{}://{}", scheme, place) : place;
  };
  for (const auto& place : command.http) all.push_back(with_scheme(place, "http"));
  for (const auto& place : command.ws) all.push_back(with_scheme(place, "ws"));
  if (all.empty()) all.emplace_back(kDefaultListen);
  return all;
}

net::NodeOptions node_options(const ServeCommand& command, const Logger& logger) {
  net::NodeOptions options;
  options.logger = logger;
  options.version = ALKNET_VERSION;
  options.credentials.key =
      load_or_make_key(command.key_file.empty() ? default_key_file() : std::filesystem::path(command.key_file));
  options.peers_file = command.peers_file.empty() ? default_peers_file() : std::filesystem::path(command.peers_file);
  if (!command.certificate.empty()) {
    options.credentials.certificate = net::Certificate::load(command.certificate, command.certificate_key);
    options.tls.certificate_file = command.certificate;
    options.tls.private_key_file = command.certificate_key;
  }
  if (!command.client_ca.empty()) {
    options.client_authorities_pem = read_file(command.client_ca, 16U << 20U);
    options.tls.ca_file = command.client_ca;
  }
  options.anonymous_scopes = command.allow;
  options.allowed_origins = command.origins;
  options.allow_plaintext_credentials = command.plaintext_tokens;
  options.owner_limits.max_running_calls = static_cast<std::uint32_t>(command.max_calls);
  options.owner_limits.resources.max_bytes = parse_size(command.max_memory);
  options.link_limits.frame = parse_size(command.frame_limit);
  return options;
}

/// Throws UsageError for an address that needs a certificate when there is none.
void require_certificate(const ServeCommand& command) {
  for (const std::string& address : addresses(command)) {
    for (const std::string_view scheme : {"https://", "wss://", "tls://"}) {
      if (command.certificate.empty() && address.starts_with(scheme)) {
        throw UsageError(fmt::format("{} needs --certificate and --certificate-key", address));
      }
    }
  }
}

/// "minilm" of "all-MiniLM-L6-v2": the name under which operations call the default model; other models keep theirs, in
/// small letters.
std::string operation_name_of(const std::string& model) {
  if (model == kDefaultModel || model == "minilm") return "minilm";
  std::string name = std::filesystem::path(model).filename().string();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

/// The full name of a model that a caller names. Throws `not_found` when the catalogue lacks it.
std::string catalog_name(std::string_view name) {
  try {
    return std::string(catalog_model(name).name);
  } catch (const UsageError&) {
    throw Error(BaseError::kNotFound,
                fmt::format("there is no model \"{}\" in the catalogue of this node; it has {}", name, kDefaultModel));
  }
}

/// What `minilm` stands for.
std::string full_name(const std::string& model) { return model == "minilm" ? std::string(kDefaultModel) : model; }

/// Registers one `--model`: NAME, a folder, NAME@PEER, or ALIAS=one of these.
void add_model_operations(call::Registry& registry, compute::ComputeService& service, const std::string& argument,
                          const PeerModels& peers, const Globals& globals) {
  const std::size_t equals = argument.find('=');
  const std::string model = equals == std::string::npos ? argument : argument.substr(equals + 1);
  const std::size_t at = std::filesystem::is_directory(model) ? std::string::npos : model.rfind('@');
  const std::string name =
      equals == std::string::npos ? operation_name_of(model.substr(0, at)) : argument.substr(0, equals);
  std::vector<call::Registration> operations;
  if (at == std::string::npos) {
    const auto folder = resolve_model(full_name(model), globals);
    operations = compute::sentence_model_operations(service, name, folder);
  } else {
    PeerModels::Model found = peers.open(full_name(model.substr(0, at)), model.substr(at + 1));
    operations = compute::sentence_model_operations(service, name, std::move(found.files), std::move(found.tensors));
  }
  registry.curated().replace_prefix(fmt::format("model/{}/", name), std::move(operations));
}

/// Puts what the models are now in place of what they were; one that cannot be used stays as it was.
void reload_models(call::Registry& registry, compute::ComputeService& service, const ServeCommand& command,
                   const PeerModels& peers, const Globals& globals, const Logger& logger) {
  for (const std::string& model : command.models) {
    try {
      add_model_operations(registry, service, model, peers, globals);
    } catch (const std::exception& error) {
      logger.error("a model was not reloaded", {{"model", model}, {"reason", error.what()}});
    }
  }
  logger.info("models reloaded");
}

/// The signals that end the program, as a descriptor that the thread waits on; blocked before any thread starts.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  /// The next signal.
  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

 private:
  sigset_t set_{};
};

/// What the files of `--ops` and the scripts of callers stand on; without files there are `seldom` any. On the loop's
/// thread.
struct Scripts {
  Scripts(Loop& loop, const std::shared_ptr<call::Registry>& registry, const Logger& logger, bool seldom)
      : dispatcher(loop, registry, calling(logger)),
        host(loop, dispatcher, hosting(logger, seldom)),
        files(loop, host, registry, logger) {}

  static call::DispatcherOptions calling(const Logger& logger) {
    call::DispatcherOptions options;
    options.logger = logger;
    return options;
  }
  static runtime::SandboxHostOptions hosting(const Logger& logger, bool seldom) {
    runtime::SandboxHostOptions options;
    options.spare = seldom ? 0 : 1;
    options.logger = logger;
    return options;
  }

  call::Dispatcher dispatcher;
  runtime::SandboxHost host;
  OperationFiles files;
};

/// Null when there is no helper program and no file that needs it.
std::unique_ptr<Scripts> make_scripts(Loop& loop, const std::shared_ptr<call::Registry>& registry, const Logger& logger,
                                      const ServeCommand& command) {
  try {
    auto scripts = std::make_unique<Scripts>(loop, registry, logger, command.operation_files.empty());
    const runtime::CallerSessionLimits limits{command.max_scripts, parse_duration(command.script_time)};
    registry->curated().add(runtime::sandbox_operations(scripts->host, *registry, limits));
    return scripts;
  } catch (const Error& error) {
    if (!command.operation_files.empty()) throw;
    logger.warning("scripts of callers are not run", {{"reason", error.what()}});
    return nullptr;
  }
}

/// Runs a task on the loop's thread from this one.
template <typename Body>
auto on_loop(Loop& loop, Body body) {
  return wait_for(loop, body());
}

void serve(const ServeCommand& command, const Globals& globals) {
  const StopSignals signals;
  const Logger logger = make_logger(command);
  const auto drain = parse_duration(command.drain);
  require_certificate(command);
  LoopThread thread;
  Loop& loop = thread.loop();
  const auto tokens = std::make_shared<stream::TokenIssuer>(loop);
  net::NodeOptions serving = node_options(command, logger);
  const auto peers = peer_targets(command.peers, serving.peers_file);
  compute::ComputeServiceOptions computing;
  computing.device = command.device;
  computing.robust = true;
  computing.measure_kernels = command.measure_kernels;
  computing.models.find = [&globals](std::string_view name) -> std::shared_ptr<tensor::Source> {
    const auto folder = resolve_model(catalog_name(name), globals);
    return std::make_shared<tensor::FileSource>(open_tensors((folder / "model.safetensors").string()));
  };
  computing.models.grant_stream = [tokens](const std::optional<call::Identity>& caller, std::string_view,
                                           std::shared_ptr<tensor::Source> model) {
    const auto token = tokens->issue(caller ? std::optional(caller->id) : std::nullopt, std::move(model));
    return compute::StreamGrant{token.text, token.lifetime};
  };
  const PeerModels streamed(loop, serving, peers);
  computing.models.open_stream = [&streamed](std::string_view token, const std::string* peer) {
    return streamed.open_stream(token, peer);
  };
  computing.models.files = [&globals](std::string_view name) {
    return compute::ModelFiles::of_folder(resolve_model(catalog_name(name), globals));
  };
  computing.kernel_workers = make_kernel_workers(loop, command.device, logger);
  compute::ComputeService service(computing);
  const auto registry = std::make_shared<call::Registry>();
  registry->curated().add(compute::compute_operations(service));

  net::HttpClient client(loop, {});
  std::unique_ptr<stream::TensorServer> streams;
  std::unique_ptr<net::Node> node;
  std::unique_ptr<Scripts> scripts;
  const auto close_node = [&] {
    on_loop(loop, [&]() -> Task<void> {
      node.reset();
      scripts.reset();
      streams.reset();
      co_return;
    });
    service.settle();
    on_loop(loop, []() -> Task<void> { co_return; });  // what that posted has run
  };
  try {
    for (const std::string& model : command.models) add_model_operations(*registry, service, model, streamed, globals);
    registry->curated().add(import_operations(loop, client, command.imports, logger));
    on_loop(loop, [&]() -> Task<void> {
      streams = std::make_unique<stream::TensorServer>(loop, tokens, logger);
      serving.on_quic_endpoint = [&](net::quic::Endpoint& endpoint) {
        stream::serve_quic(endpoint, *streams, [&](const call::PeerCredentials& peer) -> std::optional<std::string> {
          return node->admit(peer).id;
        });
      };
      node = std::make_unique<net::Node>(loop, registry, serving);
      call::DiscoveryOptions discovery;
      discovery.list_peers = [&node] { return node->peers(); };
      discovery.list_peers_access.required_scopes = {"peers"};
      registry->curated().add(call::discovery_operations(std::move(discovery)));
      scripts = make_scripts(loop, registry, logger, command);
      for (const std::string& file : command.operation_files) co_await scripts->files.add(file);
      if (scripts) scripts->files.watch();
      for (const auto& [id, address] : peers) node->link_peer(id, address);
      for (const std::string& address : addresses(command)) {
        const std::string bound = node->listen(address);
        if (globals.json) print_json(JsonObject{{"listening", bound}});
      }
      co_return;
    });
    logger.info("ready", {{"operations", registry->curated().snapshot()->size()}});
    while (true) {
      const int signal = signals.wait();
      if (signal == SIGHUP) {
        reload_models(*registry, service, command, streamed, globals, logger);
        loop.post([&node, &scripts] {
          node->refresh_peers();
          if (scripts) scripts->files.reload(true);
        });
        continue;
      }
      break;
    }
    logger.info("stopping", {{"drain", command.drain}});
    on_loop(loop, [&]() -> Task<void> { co_await node->drain(drain); });
  } catch (...) {
    close_node();
    throw;
  }
  close_node();
  logger.info("stopped");
}

}  // namespace

void add_serve(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<ServeCommand>();
  CLI::App* made = program.add_subcommand("serve", "Serve this machine's operations to peers, browsers and curl");
  made->add_option("--listen", command->listen, "quic://HOST:PORT, tls://HOST:PORT or unix:PATH; may be repeated")
      ->allow_extra_args(false);
  made->add_option("--http", command->http, "HOST:PORT of the HTTP gateway and the page; https:// with --certificate")
      ->allow_extra_args(false);
  made->add_option("--ws", command->ws, "HOST:PORT for WebSockets (every HTTP address takes them too)")
      ->allow_extra_args(false);
  made->add_option("--model", command->models,
                   "A model to serve: NAME, FOLDER, NAME@PEER (streamed), or ALIAS=one of these; may be repeated")
      ->allow_extra_args(false);
  add_setting(*made, globals, "device", command->device);
  add_import_options(*made, command->imports);
  made->add_option("--ops", command->operation_files,
                   "A script whose operations are served, from a process of its own; loaded again when it changes")
      ->allow_extra_args(false);
  made->add_option("--allow", command->allow, "What callers without a key or token may do: a scope, such as model")
      ->allow_extra_args(false);
  made->add_option("--origin", command->origins, "Web pages of this origin may call too, such as https://example.com")
      ->allow_extra_args(false);
  made->add_option("--peer", command->peers,
                   "Offer a peer's operations as NAME/…, over one connection: NAME of the peers file, or NAME=ADDRESS")
      ->allow_extra_args(false);
  made->add_option("--peers", command->peers_file, "The peers file (default: peers.json in the configuration folder)");
  made->add_option("--key", command->key_file, "This node's key file; made when it is missing");
  CLI::Option* certificate = made->add_option("--certificate", command->certificate, "Certificate chain (PEM)");
  CLI::Option* key = made->add_option("--certificate-key", command->certificate_key, "Its private key (PEM)");
  certificate->needs(key);
  key->needs(certificate);
  made->add_option("--client-ca", command->client_ca, "Authorities whose client certificates are let in");
  made->add_option("--log", command->log_format, "Log lines as text or json")->capture_default_str();
  made->add_option("--log-level", command->log_level, "trace, debug, info, warning, error or off")
      ->capture_default_str();
  made->add_option("--drain", command->drain, "How long running calls may take after a stop")->capture_default_str();
  made->add_option("--max-calls", command->max_calls, "Calls of one caller at a time")->capture_default_str();
  made->add_option("--max-memory", command->max_memory, "Tensors and other things of one caller")
      ->capture_default_str();
  made->add_option("--max-scripts", command->max_scripts, "Scripts of one caller at a time (isolate/session)")
      ->capture_default_str();
  made->add_option("--script-time", command->script_time, "How long a script of a caller may live")
      ->capture_default_str();
  made->add_option("--max-frame", command->frame_limit, "The longest message")->capture_default_str();
  made->add_flag("--plaintext-tokens", command->plaintext_tokens, "Take tokens without TLS: only behind a proxy");
  made->add_flag("--measure-kernels", command->measure_kernels, "Time each kernel, for compute/stats; slower on a GPU");
  add_json_flag(*made, globals);
  set_examples(*made,
               "  alknet serve --model minilm --allow model\n"
               "  alknet serve --listen quic://0.0.0.0:4433 --http 127.0.0.1:8080 --model minilm\n"
               "  alknet serve --peer gpu1 --allow gpu1\n");
  made->callback([command, &globals] { serve(*command, globals); });
}

}  // namespace alknet::app
