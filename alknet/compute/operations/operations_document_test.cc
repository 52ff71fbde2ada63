#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "alknet/base/files.h"
#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/compute/operations/tiny_bert.h"

// The reference in docs/compute-operations.md says what the registered specs say.

namespace alknet::compute {
namespace {

constexpr std::string_view kBegin = "<!-- From the registered specs; see operations_document_test.cc. -->\n";
constexpr std::string_view kEnd = "<!-- End of the part from the specs. -->\n";

std::string type_text(const Json& schema);

std::string members_text(const JsonObject& properties, const Json* required) {
  std::string text;
  for (const auto& [name, schema] : properties) {
    const bool needed = required != nullptr &&
                        std::ranges::any_of(required->as_array(), [&](const Json& one) { return one == Json(name); });
    text += fmt::format("{}`{}`{} {}", text.empty() ? "" : ", ", std::string_view(name), needed ? "" : "?",
                        type_text(schema));
  }
  return text;
}

std::string joined(const JsonArray& list, std::string (*text)(const Json&)) {
  std::vector<std::string> parts;
  for (const Json& each : list) parts.push_back(text(each));
  return fmt::format("{}", fmt::join(parts, " or "));
}

/// A type as a reader needs it: "tensor", "[integer]", "{`name` string, `count`? integer}".
std::string type_text(const Json& schema) {
  const JsonObject& object = schema.as_object();
  if (object.contains("TypeDef:Tensor")) return "tensor";
  if (object.contains("TypeDef:Bytes")) return "bytes";
  if (const Json* title = object.if_contains("title"); title != nullptr && *title == Json("Graph")) return "graph";
  if (const Json* pattern = object.if_contains("pattern")) {
    return pattern->as_string().starts_with("^[hc]") ? "handle"
           : pattern->as_string().starts_with("^c")  ? "id"
                                                     : "text";
  }
  if (const Json* values = object.if_contains("enum")) {
    if (values->as_array().size() > 8) return "dtype";
    return joined(values->as_array(), [](const Json& value) { return fmt::format("`{}`", json_text(value)); });
  }
  if (const Json* value = object.if_contains("const")) return fmt::format("`{}`", json_text(*value));
  if (const Json* any = object.if_contains("anyOf")) return joined(any->as_array(), type_text);
  if (const Json* items = object.if_contains("items")) return fmt::format("[{}]", type_text(*items));
  if (const Json* rest = object.if_contains("additionalProperties"); rest != nullptr && rest->is_object()) {
    return fmt::format("{{name: {}}}", type_text(*rest));
  }
  if (const Json* properties = object.if_contains("properties")) {
    return fmt::format("{{{}}}", members_text(properties->as_object(), object.if_contains("required")));
  }
  const Json* type = object.if_contains("type");
  if (type == nullptr) return "any";
  if (type->is_string()) return std::string(type->get_string());
  return joined(type->as_array(), [](const Json& one) { return std::string(one.as_string()); });
}

/// What a message is: its members, or what it is as a whole.
std::string message_text(const Json& schema) {
  const JsonObject& object = schema.as_object();
  const Json* properties = object.if_contains("properties");
  if (properties == nullptr || object.contains("TypeDef:Tensor")) return type_text(schema);
  const std::string members = members_text(properties->as_object(), object.if_contains("required"));
  return members.empty() ? "nothing" : members;
}

std::string operation_type_text(call::OperationType type) {
  switch (type) {
    case call::OperationType::kQuery: return "query";
    case call::OperationType::kMutation: return "mutation";
    default: return "subscription";
  }
}

struct Group {
  std::string_view name;
  unsigned kind;
};
constexpr Group kGroups[] = {{"any", kCommonErrors},
                             {"operation", kOperationErrors},
                             {"graph", kGraphErrors},
                             {"kernel", kKernelErrors},
                             {"model", kModelErrors}};

std::set<std::string> codes(unsigned kind) {
  std::set<std::string> all;
  for (const auto& error : declared_errors(kind)) all.insert(error.code);
  return all;
}

/// The groups that an operation declares; codes that no group explains, one by one.
std::vector<std::string> errors_of(const call::OperationSpec& spec) {
  std::set<std::string> declared;
  for (const auto& error : spec.errors) declared.insert(error.code);
  std::set<std::string> rest = declared;
  std::vector<std::string> names;
  for (const Group& group : kGroups) {
    const auto some = codes(group.kind);
    if (!std::ranges::includes(declared, some)) continue;
    for (const auto& code : some) rest.erase(code);
    if (group.kind != kCommonErrors) names.emplace_back(group.name);
  }
  for (const auto& code : rest) names.push_back(fmt::format("`{}`", code));
  return names;
}

/// One operation; errors without those of all operations.
std::string operation_text(const call::OperationSpec& spec, const std::string& name) {
  const auto errors = errors_of(spec);
  return fmt::format("`{}` ({}): {}\n- takes {}\n- gives {}\n{}\n", name, operation_type_text(spec.type), spec.title,
                     message_text(spec.input_schema), message_text(spec.output_schema),
                     errors.empty() ? "" : fmt::format("- errors {}\n", fmt::join(errors, ", ")));
}

using OperationsDocument = OperationsTest;

TEST_F(OperationsDocument, SaysWhatTheSpecsSay) {
  std::string text = "\n| errors | codes |\n|---|---|\n";
  for (const Group& group : kGroups) {
    text += fmt::format("| {} | `{}` |\n", group.name, fmt::join(codes(group.kind), "`, `"));
  }
  text += "\nEvery operation has those of the group *any*.\n\n";
  const auto add = [&](const call::OperationMap& operations, std::string_view prefix) {
    for (const auto& [name, operation] : operations) {
      if (!name.starts_with(prefix)) continue;
      const std::string shown = prefix == "model/" ? "model/<name>" + name.substr(name.rfind('/')) : name;
      text += operation_text(operation->spec(), shown);
    }
  };
  add(*registry().curated().snapshot(), "compute/");
  call::Registry models;
  models.curated().add(sentence_model_operations(
      service(), "tiny", tiny_bert_files(),
      std::make_shared<tensor::FileSource>(tensor::File::from_bytes(SharedBytes::take(tiny_bert_weights())))));
  add(*models.curated().snapshot(), "model/");

  const std::filesystem::path path = std::filesystem::path(ALKNET_SOURCE_DIR) / "docs/compute-operations.md";
  std::string document = read_file(path, 1 << 20);
  const std::size_t begin = document.find(kBegin) + kBegin.size(), end = document.find(kEnd);
  ASSERT_LE(begin, end);
  ASSERT_NE(end, std::string::npos);
  if (std::getenv("ALKNET_WRITE_DOCUMENT") != nullptr) write_file(path, document.replace(begin, end - begin, text));
  EXPECT_EQ(read_file(path, 1 << 20).substr(begin, text.size() + kEnd.size()), text + std::string(kEnd))
      << "after a change of a spec: ALKNET_WRITE_DOCUMENT=1 alknet_compute_operations_test "
         "--gtest_filter=OperationsDocument.*";
}

}  // namespace
}  // namespace alknet::compute
