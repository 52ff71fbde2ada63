#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "alknet/base/base64.h"
#include "alknet/base/files.h"
#include "alknet/base/near_names.h"
#include "alknet/base/progress.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/error.h"
#include "alknet/tensor/file_schema.h"
#include "alknet/tensor/record_writer.h"
#include "apps/alknet/output.h"
#include "apps/alknet/schema_input.h"

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLineBytes = std::size_t{256} << 20;
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{2} << 30;

struct PackArguments {
  std::string output;
  std::vector<std::string> inputs;
  std::string schema;
  std::string entry;
  std::string names;
  std::string name_field = "name";
  std::string content_field = "content";
  std::vector<std::string> metadata;
  bool checksums = false;
};

/// An error with where in the inputs it happened.
Error at_input(const Error& error, const std::string& input, std::optional<std::uint64_t> line) {
  JsonObject details = error.details().is_object() ? error.details().get_object() : JsonObject();
  details["input"] = input;
  if (line) details["line"] = *line;
  const std::string place = line ? fmt::format("{}:{}", input, *line) : input;
  return {error.code(), fmt::format("{}: {}", place, error.message()), std::move(details)};
}

/// The lines of a file or of standard input, one at a time.
class LineReader {
 public:
  explicit LineReader(const std::string& path)
      : path_(path), file_(path == "-" ? stdin : std::fopen(path.c_str(), "rb")) {
    if (file_ == nullptr) throw io_error("cannot open", path, errno);
  }
  ~LineReader() {
    std::free(line_);
    if (file_ != stdin) std::fclose(file_);
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line without its end, or nothing; valid until the next call.
  std::optional<std::string_view> next() {
    errno = 0;
    const ssize_t got = ::getline(&line_, &capacity_, file_);
    if (got < 0) {
      if (std::ferror(file_) != 0) throw io_error("cannot read", path_, errno);
      return std::nullopt;
    }
    ++number_;
    read_ = static_cast<std::size_t>(got);
    if (read_ > kMaxLineBytes) {
      throw Error(BaseError::kInvalidArgument, fmt::format("{}:{}: the line has {}, at most {} are allowed", path_,
                                                           number_, bytes_text(read_), bytes_text(kMaxLineBytes)));
    }
    std::string_view text(line_, read_);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

  std::uint64_t number() const { return number_; }  ///< Of the last line, from 1.
  std::size_t bytes() const { return read_; }       ///< Of the last line, with its end.

 private:
  std::string path_;
  std::FILE* file_;
  char* line_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t read_ = 0;
  std::uint64_t number_ = 0;
};

/// All regular files below a folder, sorted by path.
std::vector<fs::path> files_below(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_regular_file()) files.push_back(at->path());
  }
  if (error) throw io_error("cannot list", folder, error.value());
  std::ranges::sort(files);
  return files;
}

class Packer {
 public:
  Packer(const PackArguments& arguments, const Globals& globals)
      : arguments_(arguments),
        schema_(load_schema(arguments.schema)),
        entries_(file_entries()),
        entry_(choose_entry()),
        progress_("Packing", total_bytes(), Unit::kBytes, !globals.quiet) {}

  std::uint64_t run() {
    choose_names();
    refuse_other_entries();
    tensor::Writer writer(arguments_.output,
                          {.schema = schema_, .metadata = metadata(), .checksums = arguments_.checksums});
    if (entry_.form == schema::EntryForm::kStruct) {
      records_.emplace(writer, entry_.name);
    } else {
      blobs_.emplace(writer, entry_.name);
    }
    if (names_entry_) names_.emplace(writer, *names_entry_);
    writer.start();
    for (const std::string& input : arguments_.inputs) {
      fs::is_directory(input) ? pack_folder(input) : pack_lines(input);
    }
    writer.close();
    progress_.finish();
    return records_ ? records_->count() : blobs_->count();
  }

  const std::string& entry() const { return entry_.name; }

 private:
  std::vector<schema::FileEntry> file_entries() const {
    try {
      return schema::file_entries(schema_);
    } catch (const Error& error) {
      throw UsageError(Error(error.code(), fmt::format("{}: {}", arguments_.schema, error.message()), error.details()));
    }
  }

  /// The entry that is named, or the only one that records or blobs can be appended to.
  const schema::FileEntry& choose_entry() const {
    std::vector<const schema::FileEntry*> growing;
    std::vector<std::string_view> names;
    for (const auto& entry : entries_) {
      if (entry.form == schema::EntryForm::kFlat) continue;
      if (entry.name == arguments_.entry) return entry;
      growing.push_back(&entry);
      names.push_back(entry.name);
    }
    if (arguments_.entry.empty() && growing.size() == 1) return *growing.front();
    throw UsageError(fmt::format(
        "{}: {}{}: name a struct or blob tensor by --entry; there are {}", arguments_.schema,
        arguments_.entry.empty() ? "the schema does not say which entry to fill" : "no such entry: " + arguments_.entry,
        did_you_mean(arguments_.entry, names), names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }

  bool has_folders() const {
    return std::ranges::any_of(arguments_.inputs, [](const std::string& input) { return fs::is_directory(input); });
  }

  /// Files of a folder have names; blobs need a second entry for them.
  void choose_names() {
    if (!has_folders() || entry_.form == schema::EntryForm::kStruct) return;
    if (has_lines()) throw UsageError("folders and JSON Lines are not mixed in a blob tensor: pack them one by one");
    const std::string wanted = arguments_.names.empty() ? "names" : arguments_.names;
    for (const auto& entry : entries_) {
      if (entry.name == wanted && entry.name != entry_.name && entry.form == schema::EntryForm::kBlob) {
        names_entry_ = wanted;
        return;
      }
    }
    throw UsageError(
        fmt::format("{}: no blob tensor \"{}\" for the names of the files: add one of String to the schema, or "
                    "name another by --names",
                    arguments_.schema, wanted));
  }

  bool has_lines() const {
    return std::ranges::any_of(arguments_.inputs, [](const std::string& input) { return !fs::is_directory(input); });
  }

  void refuse_other_entries() const {
    for (const auto& entry : entries_) {
      if (!entry.required || entry.name == entry_.name || entry.name == names_entry_) continue;
      throw UsageError(fmt::format("{}: the schema requires the entry {} too, and pack fills {}: make it optional",
                                   arguments_.schema, entry.name, entry_.name));
    }
  }

  tensor::Metadata metadata() const {
    tensor::Metadata metadata;
    for (const std::string& text : arguments_.metadata) {
      const auto equals = text.find('=');
      if (equals == std::string::npos) throw UsageError(fmt::format("--metadata {}: write KEY=VALUE", text));
      metadata.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return metadata;
  }

  /// For the progress bar: 0 (unknown) when an input is no file.
  std::uint64_t total_bytes() const {
    std::uint64_t total = 0;
    for (const std::string& input : arguments_.inputs) {
      std::error_code error;
      if (fs::is_directory(input)) {
        for (const fs::path& path : files_below(input)) total += fs::file_size(path, error);
      } else if (fs::is_regular_file(input)) {
        total += fs::file_size(input, error);
      } else {
        return 0;
      }
    }
    return total;
  }

  /// One instance, validated by the whole of the schema, keywords too.
  void append(const Json& instance) {
    const auto errors = schema_.validate(*entry_.node->tensor.element, instance, {.max_errors = 2});
    if (!errors.empty()) {
      throw Error(schema::SchemaError::kInstanceInvalid,
                  fmt::format("at \"{}\": {}", errors.front().instance_path, errors.front().message),
                  JsonObject{{"instance_path", errors.front().instance_path}});
    }
    records_ ? records_->append(instance) : blobs_->append_json(instance);
  }

  void pack_lines(const std::string& input) {
    LineReader lines(input);
    while (const auto line = lines.next()) {
      progress_.advance(lines.bytes());
      if (line->find_first_not_of(" \t") == std::string_view::npos) continue;
      try {
        append(parse_json(*line));
      } catch (const Error& error) {
        throw at_input(error, input, lines.number());
      }
    }
  }

  void pack_folder(const std::string& folder) {
    for (const fs::path& path : files_below(folder)) {
      const std::string name = path.lexically_relative(folder).generic_string();
      try {
        require_utf8(name, "the file's name");
        const std::string content = read_file(path, kMaxFileBytes);
        records_ ? append(file_record(name, content)) : blobs_->append(content);
        if (names_) names_->append(name);
        progress_.advance(content.size());
      } catch (const Error& error) {
        throw at_input(error, path.string(), std::nullopt);
      }
    }
  }

  /// The record of a file: its name and its content; other fields are left to their defaults.
  Json file_record(const std::string& name, const std::string& content) const {
    const schema::Node& record = *entry_.node->tensor.element;
    const auto* field = record.property(arguments_.content_field);
    if (field == nullptr || record.property(arguments_.name_field) == nullptr) {
      throw UsageError(
          fmt::format("{}: records of files need the fields {} and {}: name others by --name-field and "
                      "--content-field",
                      arguments_.schema, arguments_.name_field, arguments_.content_field));
    }
    return JsonObject{{arguments_.name_field, name}, {arguments_.content_field, content_json(*field->node, content)}};
  }

  static Json content_json(const schema::Node& field, const std::string& content) {
    const schema::Node* item = field.kind == schema::Kind::kBlob ? field.items : &field;
    if (item == nullptr) return parse_json(content);
    if (item->kind == schema::Kind::kBytes) return Json(base64_text(std::as_bytes(std::span(content))));
    if (schema::info(item->kind).form != schema::KindForm::kText) return parse_json(content);
    require_utf8(content, "the file");
    return Json(content);
  }

  const PackArguments& arguments_;
  schema::Schema schema_;
  std::vector<schema::FileEntry> entries_;
  const schema::FileEntry& entry_;
  std::optional<std::string> names_entry_;
  std::optional<tensor::RecordWriter> records_;
  std::optional<tensor::BlobWriter> blobs_;
  std::optional<tensor::BlobWriter> names_;
  Progress progress_;
};

void pack(const PackArguments& arguments, const Globals& globals) {
  if (arguments.schema == "-" && std::ranges::count(arguments.inputs, "-") != 0) {
    throw UsageError("standard input can be the schema or an input, not both");
  }
  Packer packer(arguments, globals);
  const std::uint64_t items = packer.run();
  const std::uint64_t bytes = fs::file_size(arguments.output);
  if (globals.json) {
    return print_json(
        JsonObject{{"output", arguments.output}, {"entry", packer.entry()}, {"items", items}, {"bytes", bytes}});
  }
  if (globals.quiet) return;
  print(fmt::format("{}: {} item{} in {}, {}\n", arguments.output, items, items == 1 ? "" : "s", packer.entry(),
                    bytes_text(bytes)));
}

}  // namespace

void add_tensor_pack(CLI::App& group, Globals& globals) {
  CLI::App* command = group.add_subcommand("pack", "Build a dataset from JSON Lines or from the files of a folder");
  const auto arguments = std::make_shared<PackArguments>();
  command->add_option("OUT", arguments->output, "File to write, whole or not at all")->required();
  command->add_option("INPUT", arguments->inputs, "JSON Lines files, folders; - is standard input")->required();
  command->add_option("--schema", arguments->schema, "The schema of OUT; - is standard input")
      ->required()
      ->type_name("FILE");
  command->add_option("--entry", arguments->entry, "The struct or blob tensor to fill, when the schema has several")
      ->type_name("NAME");
  command->add_option("--names", arguments->names, "Folders in a blob tensor: the blob tensor for the names (names)")
      ->type_name("NAME");
  command->add_option("--name-field", arguments->name_field, "Folders in records: the field for the name (name)");
  command->add_option("--content-field", arguments->content_field,
                      "Folders in records: the field for the content (content)");
  command->add_option("--metadata", arguments->metadata, "Metadata of OUT; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  command->add_flag("--checksums", arguments->checksums, "Store a checksum of every tensor");
  add_json_flag(*command, globals);
  set_examples(
      *command,
      "  alknet tensor pack people.mt people.jsonl --schema people.schema.json\n"
      "  gzip -dc log.jsonl.gz | alknet tensor pack log.mt - --schema log.schema.json --entry events\n"
      "  alknet tensor pack images.mt photos/ --schema images.schema.json\n"
      "\nA line is one JSON instance: a record, or the value of a blob. A file of a folder is one blob, its path in\n"
      "the folder goes to the blob tensor `names`; or one record with the fields `name` and `content`.\n");
  command->callback([arguments, &globals] { pack(*arguments, globals); });
}

}  // namespace alknet::app
