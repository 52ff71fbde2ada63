#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/call/registry.h"
#include "alknet/runtime/sandbox_host.h"

namespace alknet::app {

/// The files of `serve --ops`: scripts of this node's user that register operations. Each runs in a helper process,
/// where its handlers stay, with the files of its folder that it imports; its operations are the node's own (Local),
/// with the rights of the user's programs. A file that changes, or one that it imports, is loaded again: the new
/// operations take the place of the old ones at once when they are ready, and what runs in the old helper may end. One
/// that fails then leaves the old ones as they are.
///
/// On the loop's thread. Host and registry must outlive it.
class OperationFiles {
 public:
  /// Takes what a file's script prints.
  using Output = std::function<void(const std::string& file, std::string_view text)>;

  /// Without `output` it goes to the log.
  OperationFiles(Loop& loop, runtime::SandboxHost& host, std::shared_ptr<call::Registry> registry, Logger logger,
                 Output output = {});
  ~OperationFiles();
  OperationFiles(const OperationFiles&) = delete;
  OperationFiles& operator=(const OperationFiles&) = delete;

  /// Loads a file and offers its operations. Throws what reading it and running it threw.
  Task<void> add(std::string path);

  /// Loads again what changed, or all of them; failures are logged.
  void reload(bool all);

  /// Looks each second for files that changed, from now on.
  void watch();

 private:
  struct File;
  struct Version;
  static Task<void> load(OperationFiles& self, std::shared_ptr<File> file);
  static void require_free(const File& file, const call::OperationSpec& spec);
  void offer(File& file, const Version& version, const runtime::SandboxEvent& event);
  void take_back(File& file, const std::string& name);
  void publish(const std::shared_ptr<File>& file, const std::shared_ptr<Version>& version);
  void restart(const std::shared_ptr<File>& file, const std::shared_ptr<Version>& version);
  void load_logged(const std::shared_ptr<File>& file);

  Loop& loop_;
  runtime::SandboxHost& host_;
  std::shared_ptr<call::Registry> registry_;
  Logger logger_;
  Output output_;
  std::vector<std::shared_ptr<File>> files_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for callbacks that may come later
};

}  // namespace alknet::app
