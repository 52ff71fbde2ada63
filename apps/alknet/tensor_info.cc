#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>

#include "alknet/base/progress.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/file_facts.h"
#include "apps/alknet/open_tensors.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

using tensor::File;

struct InfoOptions {
  std::string path;
  bool statistics = false;
  bool tree = false;
};

std::string shape_text(const JsonArray& shape) {
  std::string text = "[";
  for (const Json& size : shape) text += (text.size() > 1 ? ", " : "") + json_text(size);
  return text + "]";
}

/// Long metadata (schemas, vocabularies) are cut; `--json` has them whole.
void show_metadata(const JsonObject& metadata, std::string& out) {
  for (const auto& [key, value] : metadata) {
    out += fmt::format("  {}: {}\n", std::string_view(key), shorten(std::string_view(value.as_string()), 100));
  }
}

std::uint64_t bytes_of(const JsonObject& fact) { return fact.at("bytes").to_number<std::uint64_t>(); }

/// The cells of a tensor after its name.
std::vector<std::string> cells(const JsonObject& fact, bool statistics) {
  const auto text = [&](std::string_view key) { return std::string(fact.at(key).as_string()); };
  std::vector<std::string> row = {text("kind"), text("dtype"), shape_text(fact.at("shape").as_array()),
                                  bytes_text(bytes_of(fact))};
  for (const std::string_view key : {"min", "max"}) {
    if (!statistics) break;
    const Json* value = fact.if_contains(key);
    row.push_back(value ? json_text(*value) : "");
  }
  return row;
}

/// Orders parts of names as people count: numbers by value, before words by their bytes.
struct PartOrder {
  static std::optional<std::uint64_t> number(const std::string& part) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    return value;
  }
  bool operator()(const std::string& a, const std::string& b) const {
    const auto left = number(a), right = number(b);
    if (left && right && *left != *right) return *left < *right;
    if (left.has_value() != right.has_value()) return left.has_value();
    return a < b;
  }
};

/// What the file's schema says of a tensor; nothing when it says nothing.
std::string description(const Json& schema, std::string_view name) {
  const Json* properties = schema.is_object() ? schema.get_object().if_contains("properties") : nullptr;
  const Json* entry = properties && properties->is_object() ? properties->get_object().if_contains(name) : nullptr;
  const Json* text = entry && entry->is_object() ? entry->get_object().if_contains("description") : nullptr;
  return text && text->is_string() ? std::string(text->get_string()) : std::string();
}

/// A part of the names, which are split at dots: a tensor, a group of tensors, or both.
struct Branch {
  std::map<std::string, Branch, PartOrder> parts;
  const JsonObject* tensor = nullptr;
  std::uint64_t tensors = 0;  // here and below
  std::uint64_t bytes = 0;
};

Branch make_tree(const JsonArray& tensors) {
  Branch root;
  for (const Json& entry : tensors) {
    const JsonObject& fact = entry.as_object();
    const std::string_view name = fact.at("name").as_string();
    Branch* at = &root;
    for (std::size_t begin = 0; begin <= name.size();) {
      const std::size_t end = std::min(name.find('.', begin), name.size());
      at = &at->parts[std::string(name.substr(begin, end - begin))];
      ++at->tensors;
      at->bytes += bytes_of(fact);
      begin = end + 1;
    }
    at->tensor = &fact;
  }
  return root;
}

/// Adds the rows below `branch`, deeper ones behind `indent`. A group with a single part shares its row. Recursion is
/// bounded by the length of a name.
void add_rows(const Branch& branch, const std::string& indent, bool statistics, Table& table) {
  for (auto part = branch.parts.begin(); part != branch.parts.end(); ++part) {
    const bool last = std::next(part) == branch.parts.end();
    std::string name = part->first;
    const Branch* at = &part->second;
    while (at->tensor == nullptr && at->parts.size() == 1) {
      name += "." + at->parts.begin()->first;
      at = &at->parts.begin()->second;
    }
    const bool top = indent.empty();
    std::vector<std::string> row = {indent + (top ? "" : last ? "└─ " : "├─ ") + name};
    if (at->tensor != nullptr) {
      for (std::string& cell : cells(*at->tensor, statistics)) row.push_back(std::move(cell));
    } else {
      row.insert(row.end(), {fmt::format("{} tensors", at->tensors), "", "", bytes_text(at->bytes)});
      if (statistics) row.insert(row.end(), 2, "");
    }
    table.add(std::move(row));
    // The first level stands at the margin; what is below it starts the lines.
    add_rows(*at, top ? " " : indent + (last ? "   " : "│  "), statistics, table);
  }
}

void info(const InfoOptions& options, const Globals& globals) {
  if (options.tree && globals.json) throw UsageError("--tree is for people and --json for programs: leave one out");
  const File file = open_tensors(options.path);
  Progress progress("Reading", file.size(), Unit::kBytes, options.statistics && !globals.quiet);
  const Json facts =
      tensor::file_facts(file, options.statistics, [&](std::uint64_t bytes) { progress.advance(bytes); });
  progress.finish();
  if (globals.json) return print_json(facts);
  const JsonArray& tensors = facts.at("tensors").as_array();
  std::string out =
      fmt::format("{}: {}, {}, {} tensor{}\n", options.path, std::string_view(facts.at("format").as_string()),
                  bytes_text(file.size()), tensors.size(), tensors.size() == 1 ? "" : "s");
  show_metadata(facts.at("metadata").as_object(), out);
  using Align = Table::Align;
  std::vector<Table::Column> columns = {{"NAME"}, {"KIND"}, {"DTYPE"}, {"SHAPE"}, {"BYTES", Align::kRight}};
  if (options.statistics) {
    columns.push_back({"MIN", Align::kRight});
    columns.push_back({"MAX", Align::kRight});
  }
  const Json& schema = facts.at("schema");
  const bool described = !options.tree && std::any_of(tensors.begin(), tensors.end(), [&](const Json& entry) {
    return !description(schema, std::string_view(entry.at("name").as_string())).empty();
  });
  if (described) columns.push_back({"ABOUT"});
  Table table(columns);
  if (options.tree) {
    add_rows(make_tree(tensors), "", options.statistics, table);
  } else {
    for (const Json& entry : tensors) {
      std::vector<std::string> row = {std::string(entry.at("name").as_string())};
      for (std::string& cell : cells(entry.as_object(), options.statistics)) row.push_back(std::move(cell));
      if (described) row.push_back(shorten(description(schema, row.front()), 100));
      table.add(std::move(row));
    }
  }
  out += "\n" + table.text(use_color(globals));
  print(out);
}

}  // namespace

void add_tensor_info(CLI::App& group, Globals& globals) {
  const auto options = std::make_shared<InfoOptions>();
  CLI::App* command = group.add_subcommand("info", "Show what a file holds");
  command->add_option("FILE", options->path, "Metatensor or safetensors file")->required();
  command->add_flag("--tree", options->tree, "Group names by their dots, with the bytes of each group");
  command->add_flag("--stats", options->statistics, "Read all values and show the smallest and largest");
  add_json_flag(*command, globals);
  set_examples(*command,
               "  alknet tensor info --tree model.safetensors\n"
               "  alknet tensor info --stats --json weights.mt\n");
  command->callback([options, &globals] { info(*options, globals); });
}

}  // namespace alknet::app
