#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/call/operation.h"
#include "alknet/net/import/openapi_document.h"

namespace alknet::net {

/// Reads one operation of an OpenAPI document: its parameters, body and answers become the schemas of the operation
/// and the form of its endpoint. Borrows its arguments.
class OperationReader {
 public:
  OperationReader(const OpenApiDocument& document, ImportWork& work, DocumentPlace path_item, DocumentPlace operation)
      : document_(document), work_(work), path_item_(std::move(path_item)), operation_(std::move(operation)) {}

  /// The input schema; fills in the endpoint's parameters and body.
  Json read_input(HttpEndpoint& endpoint);

  /// The output schema; fills in the endpoint's answer and the declared errors.
  Json read_answers(HttpEndpoint& endpoint, std::vector<call::ErrorSpec>& errors);

 private:
  struct Answers;

  std::vector<DocumentPlace> merged_parameters() const;
  void add_parameter(const DocumentPlace& place, HttpEndpoint& endpoint, SchemaTranslator& translator,
                     JsonObject& properties, JsonArray& required);
  void add_body(const DocumentPlace& body, HttpEndpoint& endpoint, SchemaTranslator& translator, JsonObject& properties,
                JsonArray& required);
  Json form_schema(const DocumentPlace& media, HttpBody& body, SchemaTranslator& translator);
  void read_success(const DocumentPlace& answer, bool empty_status, SchemaTranslator& translator, Answers& found);
  call::ErrorSpec read_error(const std::string& status, const DocumentPlace& answer);
  void add_undeclared_path_parameters(HttpEndpoint& endpoint, JsonObject& properties, JsonArray& required);
  Json answer_schema(const Answers& found, HttpEndpoint& endpoint, SchemaTranslator& translator) const;
  std::string input_name(const std::string& name, std::string_view place, bool has_body);

  const OpenApiDocument& document_;
  ImportWork& work_;
  DocumentPlace path_item_;
  DocumentPlace operation_;
  std::set<std::string> used_names_;
};

}  // namespace alknet::net
