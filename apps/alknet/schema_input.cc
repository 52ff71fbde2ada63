#include "apps/alknet/schema_input.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

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

schema::Schema load_schema(const std::string& path, const schema::SchemaOptions& options) {
  return usable(path, [&] { return schema::Schema::parse(read_input(path, schema::kMaxSchemaText + 1), options); });
}

schema::RegisteredSchema load_registered(const std::string& path) {
  return usable(path, [&] {
    Json document = parse_json(read_input(path, schema::kMaxSchemaText));
    const auto* object = document.if_object();
    const auto* id = object == nullptr ? nullptr : object->if_contains("$id");
    std::string uri(id != nullptr && id->is_string() ? std::string_view(id->get_string()) : std::string_view(path));
    uri.resize(std::min(uri.find('#'), uri.size()));
    return schema::RegisteredSchema{std::move(uri), std::move(document)};
  });
}

schema::Layout load_layout(const schema::Schema& schema, const std::string& path, bool packed) {
  const auto mode = packed ? schema::LayoutMode::kPacked : schema::LayoutMode::kAligned;
  return usable(path, [&] { return schema::layout(schema, mode); });
}

void add_packed_flag(CLI::App& command, bool& packed) {
  command.add_flag("--packed", packed, "The wire form instead of the memory-mapped one");
}

}  // namespace alknet::app
