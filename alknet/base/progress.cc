#include "alknet/base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "alknet/base/utf8.h"

namespace alknet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr std::size_t kBarCells = 24;
constexpr std::string_view kWipeLine = "\r\x1b[K";

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

void write_stderr(std::string_view text) {
  // A terminal that went away must not stop the job whose progress it showed.
  while (!text.empty()) {
    const auto put = ::write(STDERR_FILENO, text.data(), text.size());
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string amount_text(std::uint64_t amount, Unit unit) {
  return unit == Unit::kBytes ? bytes_text(amount) : thousands(amount);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 359999.0));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

/// The first `columns` code points of `text`, without control characters.
std::string fit(std::string_view text, std::size_t columns) {
  std::string fitted;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size() && used < columns;) {
    const char32_t code = next_code_point(text, i);
    if (code < 0x20 || code == 0x7F) continue;
    append_utf8(fitted, code);
    ++used;
  }
  return fitted;
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

ProgressTerminal ProgressTerminal::standard_error() {
  ProgressTerminal terminal;
  const char* kind = std::getenv("TERM");
  const bool dumb = kind && std::string_view(kind) == "dumb";
  if (!::isatty(STDERR_FILENO) || dumb) return terminal;
  terminal.write = write_stderr;
  terminal.now = [] { return Clock::now(); };
  terminal.color = !is_set("NO_COLOR");
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.columns = size.ws_col;
  return terminal;
}

class Progress::State {
 public:
  State(std::string label, std::uint64_t total, Unit unit, ProgressTerminal terminal)
      : terminal_(std::move(terminal)), label_(std::move(label)), total_(total), unit_(unit) {
    if (find_invalid_utf8(label_)) label_ = "?";
    if (!terminal_.write) return;
    started_ = drawn_ = terminal_.now();
    draw(started_);
  }

  void advance(std::uint64_t amount) {
    const std::lock_guard lock(mutex_);
    done_ += amount;
    if (!terminal_.write) return;
    const auto now = terminal_.now();
    if (now - drawn_ < kRedrawInterval && done_ != total_) return;
    draw(now);
  }

  void set_label(std::string label) {
    const std::lock_guard lock(mutex_);
    label_ = find_invalid_utf8(label) ? "?" : std::move(label);
    if (terminal_.write) draw(terminal_.now());
  }

  void finish() {
    const std::lock_guard lock(mutex_);
    if (terminal_.write) terminal_.write(kWipeLine);
    terminal_.write = nullptr;
  }

 private:
  void draw(Clock::time_point now) {
    drawn_ = now;
    const double seconds = std::chrono::duration<double>(now - started_).count();
    std::string tail;
    double fraction = 0;
    if (total_ != 0) {
      fraction = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
      tail = fmt::format(" {:3.0f}%  {} of {}", 100 * fraction, amount_text(done_, unit_), amount_text(total_, unit_));
    } else {
      tail = fmt::format("  {}", amount_text(done_, unit_));
    }
    if (seconds >= 0.5 && done_ != 0) {
      const double rate = static_cast<double>(done_) / seconds;
      tail += fmt::format(", {}/s", amount_text(static_cast<std::uint64_t>(rate), unit_));
      if (done_ < total_) tail += fmt::format(", {} left", duration_text(static_cast<double>(total_ - done_) / rate));
    }
    terminal_.write(compose(fraction, tail));
  }

  /// The line, the bar left out where the terminal is too narrow for it.
  std::string compose(double fraction, const std::string& tail) const {
    const std::size_t columns = std::max<std::size_t>(terminal_.columns, 2) - 1;
    const std::size_t label = count_code_points(label_);
    if (total_ == 0 || label + tail.size() + kBarCells + 3 > columns) {
      return fmt::format("{}{}", kWipeLine, fit(label_ + tail, columns));
    }
    const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(kBarCells));
    const auto color = [&](std::string_view code) { return terminal_.color ? code : std::string_view(); };
    return fmt::format("{}{} [{}{}{}{}]{}", kWipeLine, fit(label_, columns), color("\x1b[32m"),
                       std::string(filled, '#'), color("\x1b[0m"), std::string(kBarCells - filled, '.'), tail);
  }

  std::mutex mutex_;
  ProgressTerminal terminal_;
  std::string label_;
  std::uint64_t total_;
  Unit unit_;
  std::uint64_t done_ = 0;
  Clock::time_point started_{};
  Clock::time_point drawn_{};
};

Progress::Progress(std::string label, std::uint64_t total, Unit unit, bool enabled)
    : Progress(std::move(label), total, unit, enabled ? ProgressTerminal::standard_error() : ProgressTerminal{}) {}

Progress::Progress(std::string label, std::uint64_t total, Unit unit, ProgressTerminal terminal)
    : state_(std::make_unique<State>(std::move(label), total, unit, std::move(terminal))) {}

Progress::~Progress() {
  try {
    state_->finish();
  } catch (const std::exception&) {
    // Only a terminal of a test can throw here; a destructor must not.
  }
}

void Progress::advance(std::uint64_t amount) { state_->advance(amount); }
void Progress::set_label(std::string label) { state_->set_label(std::move(label)); }
void Progress::finish() { state_->finish(); }

}  // namespace alknet
