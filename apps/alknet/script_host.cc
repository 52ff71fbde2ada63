#include "apps/alknet/script_host.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/bindings/schema.h"
#include "alknet/bindings/tensors.h"
#include "alknet/platform/fetch.h"
#include "alknet/platform/webgpu/navigator_gpu.h"
#include "alknet/platform/websocket.h"
#include "alknet/runtime/bundles/embedded.h"
#include "alknet/runtime/error_report.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/script_log.h"
#include "alknet/runtime/transform.h"
#include "alknet/runtime/web/web.h"
#include "apps/alknet/datasets.h"
#include "apps/alknet/output.h"
#include "apps/alknet/settings.h"

namespace alknet::app {
namespace {

/// Where what a script logs goes: standard error, in more or less detail as the program is asked for.
Logger script_logger(const Globals& globals) {
  return Logger::to_stderr(globals.verbose ? LogLevel::kTrace : globals.quiet ? LogLevel::kError : LogLevel::kInfo);
}

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxImportMap = 1U << 24U;

constexpr std::string_view kWrite = ":rw";

/// The path of a word of --allow-fs.
std::string_view path_of(std::string_view word) {
  return word.ends_with(kWrite) ? word.substr(0, word.size() - kWrite.size()) : word;
}

/// Where modules may come from: everywhere, but with --restrict only the script's folder and what may be read.
std::vector<std::string> module_roots(const ScriptOptions& options) {
  if (!options.roots.empty()) return options.roots;
  if (!options.restricted) return {"/"};
  const fs::path main = options.main.empty() ? fs::current_path() / "-" : fs::absolute(options.main);
  std::vector<std::string> roots = {main.lexically_normal().parent_path().string()};
  for (const std::string& word : options.allow_fs) {
    if (std::error_code unknown; fs::exists(path_of(word), unknown)) roots.emplace_back(path_of(word));
  }
  return roots;
}

runtime::ModuleFiles module_files(const std::vector<std::string>& roots) {
  try {
    return runtime::ModuleFiles(roots);
  } catch (const Error& error) {
    throw UsageError(error);
  }
}

/// What console prints: warnings and errors go to standard error.
void print_console(ScriptProgram& program, runtime::ConsoleLevel level, std::string_view text) {
  const std::string line = std::string(text) + "\n";
  if (program.output_to_error || level == runtime::ConsoleLevel::kWarn || level == runtime::ConsoleLevel::kError) {
    write_error(program, line);
  } else {
    print(line);
  }
}

platform::FsPrivileges fs_privileges(const ScriptOptions& options) {
  if (!options.restricted) return platform::FsPrivileges::everything();
  std::vector<platform::FsRule> rules;
  for (const std::string& word : options.allow_fs) {
    rules.push_back({std::string(path_of(word)), word.ends_with(kWrite)});
  }
  return platform::FsPrivileges(rules);
}

platform::FetchPrivileges fetch_privileges(const ScriptOptions& options) {
  if (!options.restricted) return platform::FetchPrivileges::everything();
  try {
    return platform::FetchPrivileges(options.allow_fetch);
  } catch (const Error& error) {
    throw UsageError(error);
  }
}

}  // namespace

ImportMapFile read_import_map(const std::string& file) {
  if (file.empty()) return {};
  try {
    const Json document = parse_json(read_file(file, kMaxImportMap));
    runtime::ImportMap map(document, fs::absolute(file).lexically_normal().parent_path().string());
    return {document.as_object(), std::move(map)};  // the map refuses what is no object
  } catch (const Error& error) {
    throw UsageError(Error(error.code(), fmt::format("--import-map {}: {}", file, error.message()), error.details()));
  }
}

void add_script_options(CLI::App& command, const Globals& globals, ScriptOptions& options) {
  add_setting(command, globals, "device", options.device);
  command.add_option("--import-map", options.import_map,
                     "What other names than paths stand for: a web import map (JSON)");
  command.add_option("--root", options.roots, "Modules come only from files under this folder; may be repeated")
      ->allow_extra_args(false);
  CLI::Option* restricted = command.add_flag("--restrict", options.restricted,
                                             "No operations, devices, files and network but what is allowed");
  command
      .add_option("--allow-fetch", options.allow_fetch,
                  "With --restrict: a server, such as https://example.com; may be repeated")
      ->allow_extra_args(false)
      ->needs(restricted);
  command
      .add_option("--allow-fs", options.allow_fs,
                  "With --restrict: a file or folder to read, or with :rw behind it to change; may be repeated")
      ->allow_extra_args(false)
      ->needs(restricted);
}

ScriptHost::ScriptHost(const ScriptOptions& options, const Globals& globals)
    : links_(options.links), operations_(options.device, globals), fetch_privileges_(fetch_privileges(options)) {
  if (options.restricted && !links_.empty()) {
    throw UsageError("--restrict: a restricted script has no operations, so leave out --peer and --ops");
  }
  prepare_program(options, globals);
  make_isolate(options);
  install_platform(options, globals);
}

void ScriptHost::prepare_program(const ScriptOptions& options, const Globals& globals) {
  program_.arguments = options.arguments;
  program_.main = options.main;
  program_.output_to_error = options.output_to_error;
  program_.exit = [this](int status) {
    if (!exit_) exit_ = status;
    isolate_->interrupt();
    loop_.stop();
  };
  program_.dataset = [&globals, restricted = options.restricted](const std::string& name) {
    if (restricted) {
      throw Error(runtime::RuntimeError::kPermissionDenied,
                  "[dataset] a script with --restrict may fetch no data sets");
    }
    return resolve_dataset(name, globals).string();
  };
  program_.writable = [privileges = fs_privileges(options)](const std::string& path) {
    return privileges.resolve(path, true).string();
  };
}

platform::FsOptions ScriptHost::fs_options(const ScriptOptions& options) {
  platform::FsOptions files;
  files.privileges = fs_privileges(options);
  files.pool = [this]() -> Executor& { return file_pool(); };
  return files;
}

void ScriptHost::make_isolate(const ScriptOptions& options) {
  runtime::ScriptResolverOptions resolving;
  resolving.bundles = runtime::embedded_bundles();
  resolving.import_map = read_import_map(options.import_map).map;
  resolving.files = module_files(module_roots(options));
  transformer_ = std::make_shared<runtime::Transformer>(resolving.bundles, options.element_places);
  resolving.transformer = transformer_;
  runtime::IsolateOptions isolate;
  isolate.executor = &loop_;
  isolate.modules.push_back(program_module(program_));
  if (!options.restricted) {
    isolate.modules.push_back(operations_.host_module(loop_));
    isolate.modules.push_back(operations_.gpu_module(loop_));
  }
  isolate.modules.push_back(bindings::graph_module());
  isolate.modules.push_back(bindings::schema_module());
  isolate.modules.push_back(platform::fs_module(fs_options(options)));
  isolate.on_uncaught = [this](const runtime::ScriptError& error) {
    if (take_uncaught_ && take_uncaught_(error.plain())) return;
    if (!uncaught_) uncaught_ = error.plain();
    loop_.stop();
  };
  for (const auto& module : isolate.modules) resolving.native.push_back(module.name);
  resolver_ = std::make_shared<runtime::ScriptResolver>(std::move(resolving));
  isolate.resolver = resolver_;
  isolate_ = std::make_unique<runtime::Isolate>(std::move(isolate));
}

void ScriptHost::install_platform(const ScriptOptions& options, const Globals& globals) {
  runtime::WebOptions web;
  web.print = [this](runtime::ConsoleLevel level, std::string_view text) {
    try {
      print_console(program_, level, text);
    } catch (const OutputClosed&) {
      program_.exit(1);
    }
  };
  web.fetch = [this](runtime::Realm realm, const runtime::Value& request) { return fetch(realm, request); };
  platform::WebSocketOptions sockets;
  sockets.loop = &loop_;
  sockets.privileges = fetch_privileges_;
  sockets.user_agent = "alknet/" ALKNET_VERSION;
  web.connect = platform::make_connect(std::move(sockets));
  web.user_agent = "alknet/" ALKNET_VERSION;
  web.hardware_concurrency = std::max(1U, std::thread::hardware_concurrency());
  runtime::install_web(*isolate_, std::move(web));
  runtime::install_log(*isolate_, script_logger(globals));
  isolate_->realm().global().define_hidden("fs", platform::make_fs(isolate_->realm(), fs_options(options)));
  if (options.restricted) return;
  platform::webgpu::WebGpuOptions gpu;
  gpu.instance = [gpus = operations_.gpus()] { return gpus->instance(); };
  gpu.device = [gpus = operations_.gpus()](const std::string& id) { return gpus->open(id); };
  platform::webgpu::install_webgpu(isolate_->realm(), std::move(gpu));
}

ScriptHost::~ScriptHost() {
  isolate_.reset();
  operations_.end();
}

Executor& ScriptHost::file_pool() {
  if (file_pool_ == nullptr) file_pool_ = std::make_unique<PoolExecutor>();
  return *file_pool_;
}

runtime::Value ScriptHost::fetch(runtime::Realm realm, const runtime::Value& request) {
  if (!network_) {
    net::HttpClientOptions client;
    client.user_agent = "alknet/" ALKNET_VERSION;
    platform::FetchOptions options;
    options.client = std::make_shared<net::HttpClient>(loop_, std::move(client));
    options.privileges = fetch_privileges_;
    network_ = platform::make_fetch(std::move(options));
  }
  return network_(realm, request);
}

void ScriptHost::open_links() {
  if (links_.empty()) return;
  std::optional<Outcome<void>> ended;
  start(loop_, operations_.open_links(loop_, links_), [this, &ended](Outcome<void> outcome) {
    ended.emplace(std::move(outcome));
    loop_.stop();
  });
  while (!ended) loop_.run();
  ended->take();
}

ScriptHost::Times ScriptHost::times() const {
  return {transformer_->time_spent(), isolate_->bytecode_time(), operations_.making_time(), operations_.devices_time()};
}

std::string ScriptHost::module_of(const std::string& file) {
  return resolver_->resolve(fs::absolute(file).lexically_normal().string(), "");
}

void ScriptHost::throw_pending() {
  if (exit_) throw ScriptExit(*exit_);
  if (!uncaught_) uncaught_ = isolate_->take_uncaught();
  if (uncaught_) throw Error(*std::exchange(uncaught_, std::nullopt));
}

void ScriptHost::turn() {
  throw_pending();
  loop_.run();
  throw_pending();
}

std::shared_ptr<bool> ScriptHost::watch_idle() {
  auto idle = std::make_shared<bool>(false);
  isolate_->when_idle([this, idle] {
    *idle = true;
    loop_.stop();
  });
  return idle;
}

runtime::Value ScriptHost::wait(const runtime::Value& promise) {
  const auto pending = [&] { return runtime::promise_state(promise) == runtime::PromiseState::kPending; };
  const auto wake = [this](runtime::Realm, const runtime::Value&) { loop_.stop(); };
  runtime::when_settled(promise, wake, wake);
  while (pending()) {
    const auto idle = watch_idle();
    turn();
    if (*idle && pending()) {
      throw Error(runtime::RuntimeError::kScriptThrew,
                  "the script waits (await) for a promise that nothing can settle any more");
    }
  }
  throw_pending();
  runtime::Value result = runtime::promise_result(promise);
  if (runtime::promise_state(promise) == runtime::PromiseState::kRejected) {
    throw isolate_->realm().thrown(std::move(result)).plain();
  }
  return result;
}

void ScriptHost::finish() {
  const auto idle = watch_idle();
  while (!*idle) turn();
}

}  // namespace alknet::app
