#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/call/dispatcher.h"
#include "alknet/call/registry.h"
#include "alknet/net/peer_link.h"
#include "alknet/runtime/sandbox_host.h"
#include "apps/alknet/operation_files.h"

namespace CLI {
class App;
}

namespace alknet::app {

/// What a script of this machine's user is given beside the machine's own operations.
struct ProgramLinkOptions {
  std::vector<std::string> peers;            ///< NAME of the peers file, or NAME=ADDRESS
  std::vector<std::string> operation_files;  ///< scripts that register operations, each run in a sandbox
  std::string peers_file = {};               ///< empty: the default

  bool empty() const { return peers.empty() && operation_files.empty(); }
};

/// Adds the flags that say so.
void add_link_options(CLI::App& command, ProgramLinkOptions& options);

/// Keeps the operations of peers (`gpu1/tensor/matmul`) and of files (as `serve --ops`) there for a script. A peer that
/// is lost is dialled again. On the loop's thread; the arguments of the constructor must outlive it.
class ProgramLinks {
 public:
  /// Throws UsageError for a peer that could never be reached, `sandbox_failed` when files need a helper that is
  /// missing.
  ProgramLinks(Loop& loop, call::Dispatcher& dispatcher, std::shared_ptr<call::Registry> registry,
               const ProgramLinkOptions& options);
  ~ProgramLinks();
  ProgramLinks(const ProgramLinks&) = delete;
  ProgramLinks& operator=(const ProgramLinks&) = delete;

  /// Where the peers' operations are, for the script's owner.
  const std::shared_ptr<call::Layer>& overlay() const { return overlay_; }

  /// Ends when every peer is linked and every file offered. Throws why one cannot be.
  Task<void> ready();

 private:
  struct Peer;
  void link(const std::string& id, const std::string& address);

  Loop& loop_;
  std::shared_ptr<call::Registry> registry_;
  std::filesystem::path peers_file_;
  std::vector<std::string> file_names_;
  Logger logger_;
  std::shared_ptr<call::Layer> overlay_ = std::make_shared<call::Layer>();
  std::vector<std::unique_ptr<Peer>> peers_;
  std::unique_ptr<runtime::SandboxHost> helpers_;
  std::unique_ptr<OperationFiles> files_;
};

}  // namespace alknet::app
