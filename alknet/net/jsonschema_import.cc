#include "alknet/net/jsonschema_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "alknet/net/http/url.h"
#include "alknet/net/import/openapi_document.h"

namespace alknet::net {

namespace {

constexpr std::array<std::string_view, 3> kBodyless{"GET", "HEAD", "DELETE"};

[[noreturn]] void misfit(const call::OperationSpec& spec, std::string_view what) {
  throw Error(call::CallError::kOperationInvalid, fmt::format("[jsonschema] {}: {}", spec.name, what),
              JsonObject{{"operation", spec.name}});
}

/// Splits "https://host/path" before the path, so that braces never reach the host.
void split_url(const call::OperationSpec& spec, const std::string& url, HttpEndpoint& endpoint) {
  const auto scheme = url.find("://");
  const auto slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  endpoint.base = url.substr(0, slash);
  endpoint.path = slash == std::string::npos ? "/" : url.substr(slash);
  try {
    (void)Url::parse(endpoint.base);
  } catch (const Error& error) {
    misfit(spec, fmt::format("its URL cannot be called: {}", error.message()));
  }
}

/// The names in braces.
std::vector<std::string> template_names(const call::OperationSpec& spec, std::string_view path) {
  std::vector<std::string> names;
  while (true) {
    const auto open = path.find('{');
    if (open == std::string_view::npos) return names;
    const auto close = path.find('}', open);
    if (close == std::string_view::npos || close == open + 1) misfit(spec, "its URL has a brace that is not closed");
    names.emplace_back(path.substr(open + 1, close - open - 1));
    path = path.substr(close + 1);
  }
}

bool is_bytes(const Json& schema) { return schema.is_object() && schema.get_object().contains("TypeDef:Bytes"); }

}  // namespace

call::Registration import_json_schema(call::OperationSpec spec, const EndpointTemplate& given, const HttpFetch& fetch,
                                      call::Capabilities capabilities) {
  HttpEndpoint endpoint;
  endpoint.operation = spec.name;
  endpoint.method = given.method;
  if (!is_token(given.method)) misfit(spec, "its method is none");
  split_url(spec, given.url, endpoint);
  const auto* properties =
      spec.input_schema.is_object() ? spec.input_schema.get_object().if_contains("properties") : nullptr;
  const auto declared = [&](const std::string& name) {
    return properties != nullptr && properties->is_object() && properties->get_object().contains(name);
  };
  const auto add = [&](const std::string& name, ParameterPlace place, ParameterStyle style) {
    HttpParameter parameter;
    parameter.input = parameter.name = name;
    parameter.place = place;
    parameter.style = style;
    parameter.explode = style == ParameterStyle::kForm;
    endpoint.parameters.push_back(std::move(parameter));
  };
  for (const std::string& name : template_names(spec, endpoint.path)) {
    if (!declared(name)) misfit(spec, fmt::format("its URL needs {}, which the input schema does not have", name));
    add(name, ParameterPlace::kPath, ParameterStyle::kSimple);
  }
  const bool bodyless = std::find(kBodyless.begin(), kBodyless.end(), given.method) != kBodyless.end();
  if (bodyless && properties != nullptr && properties->is_object()) {
    const auto path_parameters = endpoint.parameters;
    for (const auto& [name, schema] : properties->get_object()) {
      const bool taken = std::any_of(path_parameters.begin(), path_parameters.end(),
                                     [&, key = std::string_view(name)](const auto& p) { return p.input == key; });
      if (!taken) add(name, ParameterPlace::kQuery, ParameterStyle::kForm);
    }
  } else if (!bodyless) {
    endpoint.body.form = BodyForm::kJson;
    endpoint.body.content_type = "application/json";
    endpoint.body.input.clear();
  }
  for (const auto& [name, value] : given.headers) {
    if (is_reserved_header(name) && !equal_ignoring_case(name, "Accept")) {
      misfit(spec, fmt::format("the header {:.80} is not the template's to set", name));
    }
    try {
      endpoint.headers.add(name, value);
    } catch (const Error& error) {
      misfit(spec, error.message());
    }
  }
  if (!given.credentials.empty()) endpoint.security = {given.credentials};
  const bool streams = spec.type == call::OperationType::kSubscription;
  endpoint.answer = streams                        ? AnswerForm::kEvents
                    : is_bytes(spec.output_schema) ? AnswerForm::kBytes
                                                   : AnswerForm::kByType;
  endpoint.accept = streams ? "text/event-stream" : endpoint.answer == AnswerForm::kBytes ? "*/*" : "application/json";
  constexpr std::string_view kErrorPrefix = "HTTP_";
  for (const call::ErrorSpec& error : spec.errors) {
    if (!error.code.starts_with(kErrorPrefix)) continue;
    const std::string status = error.code.substr(kErrorPrefix.size());
    endpoint.error_statuses.push_back(status == "DEFAULT" ? "default" : status);
  }
  auto own_errors = adapter_errors();
  for (call::ErrorSpec& error : own_errors) {
    if (spec.find_error(error.code) == nullptr) spec.errors.push_back(std::move(error));
  }
  call::Registration registration;
  registration.spec = std::move(spec);
  registration.capabilities = std::move(capabilities);
  registration.provenance = call::Provenance::kFromJsonSchema;
  registration.handler = endpoint_handler(std::make_shared<const HttpEndpoint>(std::move(endpoint)), fetch);
  return registration;
}

}  // namespace alknet::net
