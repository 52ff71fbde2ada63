#include "apps/alknet/operation_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/runtime/module_tree.h"

namespace alknet::app {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kStart{30};     // that a file may take to become ready
constexpr seconds kFarewell{10};  // that calls of an old version may take
constexpr milliseconds kFirstWait{100};
constexpr seconds kLongestWait{30};

/// What tells two states of a file apart.
struct Stamp {
  std::filesystem::file_time_type time{};
  std::uintmax_t size = 0;
  bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const std::filesystem::path& path) {
  std::error_code missing;
  return {std::filesystem::last_write_time(path, missing), std::filesystem::file_size(path, missing)};
}

using Stamps = std::map<std::filesystem::path, Stamp>;

bool changed(const Stamps& stamps) {
  return std::any_of(stamps.begin(), stamps.end(),
                     [](const auto& each) { return stamp_of(each.first) != each.second; });
}

}  // namespace

/// One helper with what a file registered in it.
struct OperationFiles::Version {
  std::unique_ptr<runtime::SandboxSession> session;
  Completion<void> ready;
  bool published = false;
};

struct OperationFiles::File {
  std::string path;
  Stamps stamps;                     ///< of the file and what it imported when it was last read
  std::shared_ptr<Version> version;  ///< whose operations are offered
  std::vector<std::string> names;    ///< of these
  milliseconds wait = kFirstWait;    ///< before the next restart
};

OperationFiles::OperationFiles(Loop& loop, runtime::SandboxHost& host, std::shared_ptr<call::Registry> registry,
                               Logger logger, Output output)
    : loop_(loop), host_(host), registry_(std::move(registry)), logger_(std::move(logger)), output_(std::move(output)) {
  if (output_) return;
  output_ = [log = logger_](const std::string& file, std::string_view text) {
    log.info("script", {{"file", file}, {"says", text}});
  };
}

OperationFiles::~OperationFiles() {
  *alive_ = false;
  for (const auto& file : files_) registry_->curated().remove(file->names);
}

Task<void> OperationFiles::add(std::string path) {
  const auto file = std::make_shared<File>();
  file->path = std::move(path);
  co_await load(*this, file);
  files_.push_back(file);
}

Task<void> OperationFiles::load(OperationFiles& self, std::shared_ptr<File> file) {
  // Taken before anything is read: what changes meanwhile is seen at the next look.
  file->stamps.try_emplace(file->path);
  for (auto& [path, stamp] : file->stamps) stamp = stamp_of(path);
  runtime::ModuleTree tree = runtime::read_module_tree(file->path);
  Stamps stamps{{file->path, file->stamps.at(file->path)}};
  for (const auto* paths : {&tree.files, &tree.absent}) {
    for (const auto& path : *paths) {
      const auto known = file->stamps.find(path);
      stamps.emplace(path, known == file->stamps.end() ? stamp_of(path) : known->second);
    }
  }
  file->stamps = std::move(stamps);
  runtime::SandboxSessionOptions options;
  options.script.take(std::move(tree));
  options.script.operations = {"*"};
  options.script.keep = true;
  options.script.limits.memory_bytes = std::uint64_t{256} << 20;
  options.script.limits.output_bytes = std::numeric_limits<std::int64_t>::max();  // it goes to the log
  options.authority = call::Identity::local_program();
  options.provenance = call::Provenance::kLocal;
  const auto version = std::make_shared<Version>();
  const std::weak_ptr<Version> weak = version;
  const auto alive = self.alive_;
  options.on_event = [&self, alive, weak, file](const runtime::SandboxEvent& event) {
    const auto made = weak.lock();
    if (!*alive || !made) return;
    using Kind = runtime::SandboxEvent::Kind;
    if (event.kind == Kind::kReady) made->ready.set_value();
    if (event.kind == Kind::kOutput) self.output_(file->path, event.text);
    if (!made->published || file->version != made) return;
    try {
      if (event.kind == Kind::kOperation) self.offer(*file, *made, event);
      if (event.kind == Kind::kRemoved) self.take_back(*file, event.text);
    } catch (const Error& error) {
      self.logger_.error("an operation was not offered", {{"file", file->path}, {"reason", error.what()}});
    }
  };
  options.on_end = [&self, alive, weak, file](const std::optional<Error>& error) {
    const auto made = weak.lock();
    if (!*alive || !made) return;
    const Error why = error.value_or(Error(BaseError::kInternal, "the script ended"));
    if (!made->ready.set_error(std::make_exception_ptr(why))) {
      self.logger_.error("a file of operations stopped", {{"file", file->path}, {"reason", why.what()}});
      self.restart(file, made);
    }
  };
  version->session = self.host_.open(std::move(options));
  const TimerId late = self.loop_.post_after(kStart, [weak] {
    if (const auto made = weak.lock()) {
      made->ready.set_error(
          std::make_exception_ptr(Error(call::CallError::kTimeout, "the script was not ready in 30 s")));
    }
  });
  co_await version->ready.wait();
  self.loop_.cancel(late);
  self.publish(file, version);
  file->wait = kFirstWait;
}

void OperationFiles::require_free(const File& file, const call::OperationSpec& spec) {
  if (!call::is_reserved_namespace(spec.name_space())) return;
  throw Error(call::CallError::kNameTaken,
              fmt::format("{}: {} is in a namespace of alknet's own: choose another", file.path, spec.name));
}

void OperationFiles::offer(File& file, const Version& version, const runtime::SandboxEvent& event) {
  auto added = version.session->operation(std::string(event.spec.at("name").as_string()));
  if (!added) return;  // taken back since
  require_free(file, added->spec);
  const std::string name = added->spec.name;
  std::vector<std::string> before;
  if (std::find(file.names.begin(), file.names.end(), name) != file.names.end()) before.push_back(name);
  std::vector<call::Registration> one;
  one.push_back(*std::move(added));
  registry_->curated().exchange(before, std::move(one));
  if (before.empty()) file.names.push_back(name);
}

void OperationFiles::take_back(File& file, const std::string& name) {
  if (std::erase(file.names, name) != 0) registry_->curated().remove({name});
}

void OperationFiles::publish(const std::shared_ptr<File>& file, const std::shared_ptr<Version>& version) {
  std::vector<call::Registration> operations = version->session->operations();
  std::vector<std::string> names;
  for (const call::Registration& operation : operations) {
    require_free(*file, operation.spec);
    names.push_back(operation.spec.name);
  }
  registry_->curated().exchange(file->names, std::move(operations));
  file->names = std::move(names);
  version->published = true;
  if (file->version && file->version != version) {
    loop_.post_after(kFarewell, [old = file->version] { old->session->end(); });
  }
  file->version = version;
  logger_.info("operations loaded", {{"file", file->path}, {"operations", file->names.size()}});
}

void OperationFiles::restart(const std::shared_ptr<File>& file, const std::shared_ptr<Version>& version) {
  if (file->version != version) return;  // an old one
  const milliseconds wait = file->wait;
  file->wait = std::min<milliseconds>(2 * file->wait, kLongestWait);
  loop_.post_after(wait, [this, alive = alive_, file, version] {
    if (*alive && file->version == version) load_logged(file);
  });
}

void OperationFiles::load_logged(const std::shared_ptr<File>& file) {
  const auto alive = alive_;
  start(loop_, load(*this, file), [this, alive, file](const Outcome<void>& outcome) {
    if (outcome.ok() || !*alive) return;
    try {
      std::rethrow_exception(outcome.error());
    } catch (const std::exception& error) {
      logger_.error("a file of operations was not loaded", {{"file", file->path}, {"reason", error.what()}});
    }
    if (file->version && file->version->session->ended()) restart(file, file->version);
  });
}

void OperationFiles::reload(bool all) {
  for (const auto& file : files_) {
    if (all || changed(file->stamps)) load_logged(file);
  }
}

void OperationFiles::watch() {
  loop_.post_after(seconds(1), [this, alive = alive_] {
    if (!*alive) return;
    reload(false);
    watch();
  });
}

}  // namespace alknet::app
