#include "apps/alknet/schema_input.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

template <typename Action>
auto usable(const std::string& path, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    throw UsageError(Error(error.code(), fmt::format("{}: {}", path, error.message()), error.details()));
  }
}

}  // namespace

schema::Schema load_schema(const std::string& path) {
  return usable(path, [&] { return schema::Schema::parse(read_input(path, schema::kMaxSchemaText + 1)); });
}

schema::Layout load_layout(const schema::Schema& schema, const std::string& path, bool packed) {
  const auto mode = packed ? schema::LayoutMode::kPacked : schema::LayoutMode::kAligned;
  return usable(path, [&] { return schema::layout(schema, mode); });
}

void add_packed_flag(CLI::App& command, bool& packed) {
  command.add_flag("--packed", packed, "The wire form instead of the memory-mapped one");
}

}  // namespace alknet::app
