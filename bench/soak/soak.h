#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace alknet::bench::soak {

struct SoakOptions {
  double minutes = 30;
  std::size_t connections = 1'000;
  std::size_t killed = 20;  ///< further users, whose process is killed and begun anew all the time
  double rate = 100;        ///< actions a second, of all users together
  std::uint64_t seed = 1;
  std::optional<int> actions;  ///< of each user, instead of the minutes; then memory is not judged
  double most_rise = 0.05;     ///< of resident memory: the last tenth of the time beside the sixth tenth
  bool json = false;           ///< print the summary as JSON too
};

/// Runs a server and its users, prints a line every ten seconds and a summary. True when no answer was lost, memory
/// stayed flat, and the server was empty at the end.
bool run_soak(const SoakOptions& options);

/// The process of the users that are killed.
void run_killed_users(const std::string& folder, const std::string& addresses, const SoakOptions& options);

/// By how much a process' memory rose in the second half of a run: the median of the last tenth of the samples beside
/// that of the sixth tenth. The first half is the warm-up, until each user's connection has met each kind of work.
double rise(const std::vector<std::uint64_t>& samples);

/// A folder for one run, which goes with it.
class RunFolder {
 public:
  RunFolder();
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace alknet::bench::soak
