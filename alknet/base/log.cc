#include "alknet/base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <cstdlib>
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

void append_fields(std::string& line, std::initializer_list<LogField> fields) {
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += value_text(field);
  }
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
  Output(LogLevel level, spdlog::sink_ptr sink) : logger_("alknet", std::move(sink)) {
    logger_.set_level(row(level).spdlog);
    logger_.flush_on(spdlog::level::trace);
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    logger_.set_error_handler([](const std::string&) {});
  }
  bool enabled(LogLevel level) const { return logger_.should_log(row(level).spdlog); }
  void write(LogLevel level, std::string_view line) const {
    logger_.log(row(level).spdlog, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  mutable spdlog::logger logger_;
};

Logger::Logger() = default;
Logger::Logger(std::shared_ptr<const Output> output, std::string fields)
    : output_(std::move(output)), fields_(std::move(fields)) {}

Logger Logger::to_stderr(LogLevel level) {
  spdlog::sink_ptr sink;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color && *no_color) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  }
  return {std::make_shared<const Output>(level, std::move(sink)), ""};
}

Logger Logger::to_sink(LogLevel level, Sink sink) {
  return {std::make_shared<const Output>(level, std::make_shared<FunctionSink>(std::move(sink))), ""};
}

Logger Logger::with(std::initializer_list<LogField> fields) const {
  Logger logger(*this);
  append_fields(logger.fields_, fields);
  return logger;
}

bool Logger::enabled(LogLevel level) const noexcept {
  return output_ && level != LogLevel::kOff && output_->enabled(level);
}

void Logger::log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const noexcept {
  if (!enabled(level)) return;
  try {
    std::string line;
    append_message(line, message);
    append_fields(line, fields);
    line += fields_;
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
