#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace alknet {

/// What a Progress counts, which decides how numbers are printed.
enum class Unit {
  kBytes,  ///< "12.4 MB of 90.9 MB, 8.1 MB/s"
  kItems,  ///< "120 of 2,000, 35/s"
};

/// The terminal that a progress bar draws on; replaced in tests.
struct ProgressTerminal {
  std::function<void(std::string_view)> write;                 ///< Receives text with control sequences.
  std::function<std::chrono::steady_clock::time_point()> now;  ///< The clock for rate and remaining time.
  std::size_t columns = 80;                                    ///< Lines are cut to this width.
  bool color = true;                                           ///< False: no colour.

  /// Standard error when that is a terminal, else nothing to write to. Without colour when NO_COLOR is set or TERM is
  /// "dumb".
  static ProgressTerminal standard_error();
};

/// One line on standard error that shows how far a long job is: label, bar, percent, amount, rate, remaining time.
///
/// Silent when standard error is no terminal or `enabled` is false. Redraws at most ten times a second. The line is
/// wiped by `finish`, or by the destructor when an exception ends the job. All functions are thread-safe.
class Progress {
 public:
  /// `total` 0 means unknown: no percent, no remaining time.
  Progress(std::string label, std::uint64_t total, Unit unit, bool enabled = true);
  Progress(std::string label, std::uint64_t total, Unit unit, ProgressTerminal terminal);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Another `amount` is done.
  void advance(std::uint64_t amount);

  /// Replaces the label, for jobs of several steps.
  void set_label(std::string label);

  /// Wipes the line. Later calls do nothing.
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// A byte count for people: "512 B", "1.5 kB", "90.9 MB" (powers of 1000).
std::string bytes_text(std::uint64_t bytes);

}  // namespace alknet
