#include "alknet/base/log.h"

#include <fmt/format.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <system_error>
#include <utility>

#include "alknet/base/json.h"

namespace alknet {
namespace {

struct Level {
  LogLevel level;
  std::string_view name;
  spdlog::level::level_enum spdlog;
  const char* color;  // on a terminal
};
constexpr std::array<Level, 6> kLevels{{{LogLevel::kTrace, "trace", spdlog::level::trace, "\x1b[37m"},
                                        {LogLevel::kDebug, "debug", spdlog::level::debug, "\x1b[36m"},
                                        {LogLevel::kInfo, "info", spdlog::level::info, "\x1b[32m"},
                                        {LogLevel::kWarning, "warning", spdlog::level::warn, "\x1b[33m\x1b[1m"},
                                        {LogLevel::kError, "error", spdlog::level::err, "\x1b[31m\x1b[1m"},
                                        {LogLevel::kOff, "off", spdlog::level::off, ""}}};

const Level& row(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }

LogLevel level_of(spdlog::level::level_enum level) {
  for (const auto& entry : kLevels) {
    if (entry.spdlog == level) return entry.level;
  }
  return LogLevel::kError;
}

/// Whether a text can stand in a line without quotes.
bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '"' || c == '=' || c == '\\') return false;
  }
  return !text.empty();
}

std::string value_text(const LogField& field) {
  return std::visit(
      [](const auto& value) -> std::string {
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string_view>) {
          return is_plain(value) ? std::string(value) : json_text(Json(value));
        } else if constexpr (std::is_same_v<Value, double>) {
          return fmt::format("{:g}", value);
        } else {
          return fmt::format("{}", value);
        }
      },
      field.value);
}

std::string json_value(const LogField& field) {
  return std::visit([](const auto& value) { return json_text(Json(value)); }, field.value);
}

void append_fields(std::string& line, std::initializer_list<LogField> fields, LogFormat format) {
  for (const auto& field : fields) {
    if (format == LogFormat::kJson) {
      line += ',' + json_text(Json(field.key)) + ':' + json_value(field);
    } else {
      line += ' ';
      line += field.key;
      line += '=';
      line += value_text(field);
    }
  }
}

/// "2026-01-02T03:04:05.678Z"
std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds);
}

/// A message may quote hostile input, which must not forge lines or control the terminal.
void append_message(std::string& line, std::string_view message) {
  for (const char c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      line += c;
    }
  }
}

/// Passes lines to a function, one at a time.
class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(Logger::Sink function) : function_(std::move(function)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    function_(level_of(message.level), std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  Logger::Sink function_;
};

/// Writes lines to standard error. spdlog's own sinks do not notice that a line was not written.
class StandardErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StandardErrorSink(bool colored) : colored_(colored) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    std::string line(text.data(), text.size());
    if (colored_ && message.color_range_end > message.color_range_start) {
      line.insert(message.color_range_end, "\x1b[0m");
      line.insert(message.color_range_start, row(level_of(message.level)).color);
    }
    if (torn_) line.insert(line.begin(), '\n');
    write_all(line);
  }
  void flush_() override {}

  void write_all(std::string_view line) {
    for (std::size_t written = 0; written < line.size();) {
      const ssize_t count = ::write(STDERR_FILENO, line.data() + written, line.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        torn_ = torn_ || written > 0;
        throw std::system_error(errno, std::generic_category());
      }
      written += static_cast<std::size_t>(count);
    }
    torn_ = false;
  }

  bool colored_;
  bool torn_ = false;  // a line ends in the middle
};

bool wants_colors() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && terminal != nullptr && std::string_view(terminal) != "dumb" &&
         ::isatty(STDERR_FILENO) == 1;
}

std::string compose(LogFormat format, LogLevel level, std::string_view message, std::initializer_list<LogField> fields,
                    std::string_view more_fields) {
  std::string line;
  if (format == LogFormat::kJson) {
    line = fmt::format(R"({{"time":"{}","level":"{}","message":{})", now_text(), log_level_name(level),
                       json_text(Json(message)));
  } else {
    append_message(line, message);
  }
  append_fields(line, fields, format);
  line += more_fields;
  if (format == LogFormat::kJson) line += '}';
  return line;
}

}  // namespace

std::string_view log_level_name(LogLevel level) { return row(level).name; }

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (const auto& entry : kLevels) {
    if (entry.name == name) return entry.level;
  }
  return std::nullopt;
}

class Logger::Output {
 public:
  Output(LogLevel level, LogFormat as, spdlog::sink_ptr sink) : format(as), level_(level), sink_(std::move(sink)) {
    sink_->set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  }
  bool enabled(LogLevel level) const { return level >= level_; }
  std::uint64_t lost() const { return lost_; }

  void write(LogLevel level, std::string_view line) const {
    if (const std::uint64_t untold = untold_.exchange(0); untold > 0 && !tell(untold)) {
      untold_ += untold + 1;
      ++lost_;
    } else if (!attempt(level, line)) {
      ++untold_;
      ++lost_;
    }
  }

  const LogFormat format;

 private:
  bool tell(std::uint64_t untold) const {
    std::string reason;
    {
      const std::lock_guard lock(mutex_);
      reason = reason_;
    }
    return attempt(LogLevel::kWarning, compose(format, LogLevel::kWarning, "log lines were lost",
                                               {{"lines", untold}, {"reason", reason}}, ""));
  }

  bool attempt(LogLevel level, std::string_view line) const {
    const auto failed = [&](std::string reason) {
      const std::lock_guard lock(mutex_);
      reason_ = std::move(reason);
      return false;
    };
    try {
      sink_->log(
          spdlog::details::log_msg("alknet", row(level).spdlog, spdlog::string_view_t(line.data(), line.size())));
    } catch (const std::system_error& error) {
      return failed(error.code().message());
    } catch (const std::exception& error) {
      return failed(error.what());
    }
    return true;
  }

  const LogLevel level_;
  const spdlog::sink_ptr sink_;
  mutable std::atomic<std::uint64_t> lost_ = 0;
  mutable std::atomic<std::uint64_t> untold_ = 0;
  mutable std::mutex mutex_;
  mutable std::string reason_;  // of the last line that was lost; under mutex_
};

Logger::Logger() = default;
Logger::Logger(std::shared_ptr<const Output> output, std::string fields)
    : output_(std::move(output)), fields_(std::move(fields)) {}

Logger Logger::to_stderr(LogLevel level, LogFormat format) {
  auto sink = std::make_shared<StandardErrorSink>(format == LogFormat::kText && wants_colors());
  return {std::make_shared<const Output>(level, format, std::move(sink)), ""};
}

Logger Logger::to_sink(LogLevel level, Sink sink, LogFormat format) {
  return {std::make_shared<const Output>(level, format, std::make_shared<FunctionSink>(std::move(sink))), ""};
}

Logger Logger::with(std::initializer_list<LogField> fields) const {
  Logger logger(*this);
  if (output_) append_fields(logger.fields_, fields, output_->format);
  return logger;
}

std::uint64_t Logger::lost_lines() const noexcept { return output_ ? output_->lost() : 0; }

bool Logger::enabled(LogLevel level) const noexcept {
  return output_ && level != LogLevel::kOff && output_->enabled(level);
}

void Logger::log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const noexcept {
  if (!enabled(level)) return;
  try {
    output_->write(level, compose(output_->format, level, message, fields, fields_));
  } catch (const std::exception&) {
    // No memory for a log line: losing the line is what the contract promises instead of failing the caller.
  }
}

void Logger::debug(std::string_view message, std::initializer_list<LogField> fields) const noexcept {
  log(LogLevel::kDebug, message, fields);
}
void Logger::info(std::string_view message, std::initializer_list<LogField> fields) const noexcept {
  log(LogLevel::kInfo, message, fields);
}
void Logger::warning(std::string_view message, std::initializer_list<LogField> fields) const noexcept {
  log(LogLevel::kWarning, message, fields);
}
void Logger::error(std::string_view message, std::initializer_list<LogField> fields) const noexcept {
  log(LogLevel::kError, message, fields);
}

}  // namespace alknet
