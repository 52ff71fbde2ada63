#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/base/files.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/error.h"
#include "apps/alknet/output.h"
#include "apps/alknet/schema_input.h"

namespace alknet::app {
namespace {

struct CodecOptions {
  std::string schema;
  std::string out = "-";
  bool packed = false;
};

void refuse_standard_input(const CodecOptions& options) {
  if (options.schema != "-") return;
  throw UsageError("schema: standard input has the value: name a file for the schema");
}

/// A Tensor or a Blob in the schema needs a file around it.
void refuse_files(const schema::Layout& layout, const CodecOptions& options) {
  const auto& root = layout.node();
  if (!root.holds_tensor && root.kind != schema::Kind::kTensor && !layout.of(root).blobs) return;
  throw UsageError(fmt::format("{}: its tensors and blobs are in a file: use `alknet tensor pack` and `tensor get`",
                               options.schema));
}

/// What `encode` does not look at: `minimum`, `pattern` and other keywords beyond the kinds.
void check_keywords(const schema::Schema& schema, const Json& value) {
  const auto errors = schema.validate(value, {.max_errors = 1});
  if (errors.empty()) return;
  const auto& first = errors.front();
  throw Error(schema::SchemaError::kInstanceInvalid,
              fmt::format("encode at \"{}\": {}", first.instance_path, first.message),
              JsonObject{{"instance_path", first.instance_path}, {"pointer", first.schema_path}});
}

void encode(const CodecOptions& options) {
  refuse_standard_input(options);
  if (options.out == "-" && output_is_terminal()) {
    throw UsageError("encode: bytes would garble the terminal: use --out FILE, or a pipe");
  }
  const auto schema = load_schema(options.schema);
  const auto layout = load_layout(schema, options.schema, options.packed);
  refuse_files(layout, options);
  const Json value = parse_json(read_input("-", kMaxInstanceBytes));
  const auto bytes = schema::encode(layout, value, {.max_bytes = kMaxInstanceBytes});
  check_keywords(schema, value);
  if (options.out != "-") return write_file(options.out, bytes);
  print({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void decode(const CodecOptions& options) {
  refuse_standard_input(options);
  const auto schema = load_schema(options.schema);
  const auto layout = load_layout(schema, options.schema, options.packed);
  refuse_files(layout, options);
  const std::string bytes = read_input("-", kMaxInstanceBytes);
  print_json(schema::decode(layout, std::as_bytes(std::span(bytes))));
}

}  // namespace

void add_schema_encode(CLI::App& group, Globals&) {
  const auto options = std::make_shared<CodecOptions>();
  CLI::App* command = group.add_subcommand("encode", "Turn JSON on standard input into the bytes that a schema says");
  command->add_option("SCHEMA", options->schema, "Schema with TypeDef kinds")->required();
  add_packed_flag(*command, options->packed);
  command->add_option("--out", options->out, "Write the bytes to a file, whole or not at all")->type_name("FILE");
  set_examples(*command,
               "  echo '{\"x\": 1, \"y\": 2}' | alknet schema encode point.schema.json --out point.bin\n"
               "  echo '{\"x\": 1, \"y\": 2}' | alknet schema encode point.schema.json --packed | xxd\n");
  command->callback([options] { encode(*options); });
}

void add_schema_decode(CLI::App& group, Globals& globals) {
  const auto options = std::make_shared<CodecOptions>();
  CLI::App* command = group.add_subcommand("decode", "Turn bytes on standard input back into JSON");
  command->add_option("SCHEMA", options->schema, "Schema with TypeDef kinds")->required();
  add_packed_flag(*command, options->packed);
  add_json_flag(*command, globals);
  set_examples(*command,
               "  alknet schema decode point.schema.json < point.bin\n"
               "  alknet schema decode point.schema.json --packed < frame.bin | jq .x\n");
  command->callback([options] { decode(*options); });
}

}  // namespace alknet::app
