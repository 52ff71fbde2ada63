#include "alknet/base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <utility>

#include "alknet/base/json.h"

namespace alknet {
namespace {

struct Level {
  LogLevel level;
  std::string_view name;
  spdlog::level::level_enum spdlog;
};
constexpr std::array<Level, 6> kLevels{{{LogLevel::kTrace, "trace", spdlog::level::trace},
                                        {LogLevel::kDebug, "debug", spdlog::level::debug},
                                        {LogLevel::kInfo, "info", spdlog::level::info},
                                        {LogLevel::kWarning, "warning", spdlog::level::warn},
                                        {LogLevel::kError, "error", spdlog::level::err},
                                        {LogLevel::kOff, "off", spdlog::level::off}}};

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
  Output(LogLevel level, LogFormat as, spdlog::sink_ptr sink) : format(as), logger_("alknet", std::move(sink)) {
    logger_.set_level(row(level).spdlog);
    logger_.flush_on(spdlog::level::trace);
    logger_.set_pattern(format == LogFormat::kJson ? "%v" : "%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    logger_.set_error_handler([](const std::string&) {});
  }
  bool enabled(LogLevel level) const { return logger_.should_log(row(level).spdlog); }
  void write(LogLevel level, std::string_view line) const {
    logger_.log(row(level).spdlog, spdlog::string_view_t(line.data(), line.size()));
  }

  const LogFormat format;

 private:
  mutable spdlog::logger logger_;
};

Logger::Logger() = default;
Logger::Logger(std::shared_ptr<const Output> output, std::string fields)
    : output_(std::move(output)), fields_(std::move(fields)) {}

Logger Logger::to_stderr(LogLevel level, LogFormat format) {
  spdlog::sink_ptr sink;
  const char* no_color = std::getenv("NO_COLOR");
  if (format == LogFormat::kJson || (no_color && *no_color)) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  }
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

bool Logger::enabled(LogLevel level) const noexcept {
  return output_ && level != LogLevel::kOff && output_->enabled(level);
}

void Logger::log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const noexcept {
  if (!enabled(level)) return;
  try {
    std::string line;
    if (output_->format == LogFormat::kJson) {
      line = fmt::format(R"({{"time":"{}","level":"{}","message":{})", now_text(), log_level_name(level),
                         json_text(Json(message)));
    } else {
      append_message(line, message);
    }
    append_fields(line, fields, output_->format);
    line += fields_;
    if (output_->format == LogFormat::kJson) line += '}';
    output_->write(level, line);
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
