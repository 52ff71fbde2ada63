// Parses a schema as each draft, with formats asserted and not, validates an instance, lowers it and lays it out. The
// verdicts of validate(), is_valid() and the lowered schema agree, and drafts read what 2020-12 cannot. The input is
// the schema's text, optionally followed by a line break, "---", a line break and the instance's text.
#include <cstdint>
#include <string_view>
#include <vector>

#include "alknet/schema/access.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/file_schema.h"
#include "alknet/schema/schema.h"
#include "fuzz/outcome.h"

namespace {

using namespace alknet;          // NOLINT(google-build-using-namespace)
using namespace alknet::schema;  // NOLINT(google-build-using-namespace)
using alknet::fuzz::attempt;
using alknet::fuzz::require;

void read_with(const Schema& schema, LayoutMode mode, std::string_view bytes) {
  const auto measured = layout(schema, mode);
  const auto record = std::as_bytes(std::span(bytes));
  attempt([&] { (void)decode(measured, record); });
  attempt([&] { check_value(measured, record); });
  std::size_t tried = 0;
  for (const auto& field : measured.fields()) {
    if (++tried > 64) break;
    attempt([&] { (void)FieldAccess(measured, field.path).get_json(record); });
  }
  if (mode == LayoutMode::kAligned && measured.size() && *measured.size() <= 4096) {
    const std::vector<std::byte> zeros(*measured.size());
    attempt([&] { check_value(measured, zeros); });
  }
}

void check_verdicts(const Schema& schema, const Json& instance) {
  const bool valid = schema.is_valid(instance);
  const auto errors = schema.validate(instance, {.max_errors = 100});
  require(errors.empty() == valid);
  for (const auto& error : errors) require(error.instance_path.empty() || error.instance_path[0] == '/');
  attempt([&] { require(schema.lower().is_valid(instance) == valid); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kSeparator = "\n---\n";
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find(kSeparator);
  const auto text = input.substr(0, cut);
  const auto rest = cut == std::string_view::npos ? std::string_view() : input.substr(cut + kSeparator.size());
  for (const auto draft : {Draft::k6, Draft::k7}) {
    attempt([&] {
      SchemaOptions options;
      options.draft = draft;
      options.assert_formats = true;
      const auto schema = Schema::parse(text, options);
      attempt([&] { check_verdicts(schema, parse_json(rest)); });
      attempt([&] { check_verdicts(schema, schema.document()); });
    });
  }
  attempt([&] {
    const auto schema = Schema::parse(text);
    attempt([&] { check_verdicts(schema, parse_json(rest)); });
    attempt([&] { check_verdicts(schema, schema.document()); });
    attempt([&] { read_with(schema, LayoutMode::kAligned, rest); });
    attempt([&] { read_with(schema, LayoutMode::kPacked, rest); });
    attempt([&] { (void)file_entries(schema); });
  });
  return 0;
}
