#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace alknet {

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kOff };

/// "trace", "debug", "info", "warning", "error", "off".
std::string_view log_level_name(LogLevel level);
/// The level of such a name, or nothing.
std::optional<LogLevel> parse_log_level(std::string_view name);

/// How log lines look.
enum class LogFormat {
  kText,  ///< `message key=value key="two words"`, for people
  kJson,  ///< one object a line: `time` (RFC 3339, UTC), `level`, `message` and the fields, for programs
};

/// One `key=value` of a log line. Borrows its texts: use it only as an argument.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <std::signed_integral T>
  LogField(std::string_view name, T number) : key(name), value(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) LogField(std::string_view name, T number)
      : key(name), value(static_cast<std::uint64_t>(number)) {}
};

/// Writes log lines.
///
/// Passed explicitly to what logs; there is no default logger. Copies share the sink and are cheap. Thread-safe.
/// Logging never throws and never fails the caller. Lines that cannot be written, for example because the disk is full,
/// are counted, and the first line that can be written again is preceded by one that says how many were lost and why.
class Logger {
 public:
  using Sink = std::function<void(LogLevel level, std::string_view line)>;

  /// Logs nothing.
  Logger();

  /// Lines "TIME LEVEL message fields" on standard error, coloured when that is a terminal and NO_COLOR is not set; or
  /// JSON.
  static Logger to_stderr(LogLevel level, LogFormat format = LogFormat::kText);

  /// Each line goes to `sink`, one call at a time; text without time and level. A line at which it throws is lost.
  static Logger to_sink(LogLevel level, Sink sink, LogFormat format = LogFormat::kText);

  /// A logger that adds `fields` to each line, for example the peer of a connection.
  Logger with(std::initializer_list<LogField> fields) const;

  /// Lines that could not be written so far, by this logger and its copies.
  std::uint64_t lost_lines() const noexcept;

  /// Whether lines of `level` are written; ask before computing an expensive field.
  bool enabled(LogLevel level) const noexcept;

  void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept;
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept;
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept;
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept;
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept;

 private:
  class Output;
  Logger(std::shared_ptr<const Output> output, std::string fields);

  std::shared_ptr<const Output> output_;  // null: logs nothing
  std::string fields_;                    // those of with(), in the output's format
};

}  // namespace alknet
