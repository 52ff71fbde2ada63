#include "alknet/net/openapi_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "alknet/net/http/url.h"
#include "alknet/net/import/names.h"
#include "alknet/net/import/openapi_operation.h"
#include "alknet/net/import/yaml.h"

namespace alknet::net {

namespace {

using call::CallError;

constexpr std::array<std::string_view, 8> kMethods{"get", "put", "post", "delete", "options", "head", "patch", "trace"};
constexpr std::size_t kMaxDocument = std::size_t{64} << 20;

/// "get_users_id" of GET /users/{id}.
std::string generated_name(std::string_view method, std::string_view path) {
  std::string flat(path);
  std::replace(flat.begin(), flat.end(), '/', '_');
  std::erase_if(flat, [](char c) { return c == '{' || c == '}'; });
  return valid_operation_name(std::string(method) + flat);
}

std::string origin_of(const std::string& url) { return url.empty() ? std::string() : Url::parse(url).origin(); }

/// Collects the operations of one document.
class Importer {
 public:
  Importer(const Json& root, const HttpFetch& fetch, const OpenApiOptions& options)
      : document_(root), fetch_(fetch), options_(options), work_{root, document_.is_3_0()} {
    home_ = origin_of(options.server_url.empty() ? options.document_url : options.server_url);
  }

  ImportedOperations run() {
    const auto root = document_.root_place();
    const auto info = document_.member(root, "info");
    if (info) version_ = document_.text(info, "version");
    const auto paths = document_.member(root, "paths");
    for (const auto& [path, item] : document_.members(paths)) {
      if (path.starts_with("x-")) continue;
      if (!path.starts_with('/')) OpenApiDocument::fail(item.pointer, "must begin with a slash: it is a path");
      add_path(path, document_.follow(item));
    }
    made_.origins.assign(origins_.begin(), origins_.end());
    for (const std::string& origin : origins_) {
      if (origin != home_) made_.other_origins.push_back(origin);
    }
    made_.capabilities.assign(secrets_.begin(), secrets_.end());
    made_.notes.assign(work_.notes.begin(), work_.notes.end());
    return std::move(made_);
  }

 private:
  void add_path(const std::string& path, const DocumentPlace& item) {
    for (const std::string_view method : kMethods) {
      const auto operation = document_.member(item, method);
      if (operation) add(path, method, item, operation);
    }
  }

  void add(const std::string& path, std::string_view method, const DocumentPlace& item,
           const DocumentPlace& operation) {
    OperationReader reader(document_, work_, item, operation);
    HttpEndpoint endpoint;
    call::Registration registration;
    call::OperationSpec& spec = registration.spec;
    spec.name = name_of(document_.text(operation, "operationId"), method, path);
    endpoint.operation = spec.name;
    endpoint.method = call::capitals(method);
    endpoint.path = path;
    endpoint.base = server_base(document_, nearest("servers", item, operation), options_);
    endpoint.security = security_of(document_, nearest("security", {}, operation), work_);
    spec.input_schema = reader.read_input(endpoint);
    spec.output_schema = reader.read_answers(endpoint, spec.errors);
    spec.type = endpoint.answer == AnswerForm::kEvents ? call::OperationType::kSubscription
                : method == "get"                      ? call::OperationType::kQuery
                                                       : call::OperationType::kMutation;
    spec.visibility = options_.visibility;
    spec.title = document_.text(operation, "summary");
    spec.description = document_.text(operation, "description");
    spec.version = version_;
    spec.default_timeout = options_.timeout;
    for (const auto& tag : document_.items(document_.member(operation, "tags"))) {
      if (tag.value->is_string()) spec.tags.emplace_back(tag.value->get_string());
    }
    if (document_.flag(operation, "deprecated")) spec.tags.emplace_back("deprecated");
    auto own_errors = adapter_errors();
    for (call::ErrorSpec& error : own_errors) spec.errors.push_back(std::move(error));
    give_secrets(endpoint, registration);
    registration.provenance = call::Provenance::kFromOpenApi;
    registration.handler = endpoint_handler(std::make_shared<const HttpEndpoint>(std::move(endpoint)), fetch_);
    made_.registrations.push_back(std::move(registration));
  }

  /// `name` of the operation, else of its path, else of the document.
  DocumentPlace nearest(std::string_view name, const DocumentPlace& item, const DocumentPlace& operation) const {
    for (const DocumentPlace& place : {operation, item, document_.root_place()}) {
      if (!place) continue;
      if (auto found = document_.member(place, name)) return found;
    }
    return {};
  }

  std::string name_of(const std::string& id, std::string_view method, const std::string& path) {
    std::string base = valid_operation_name(id);
    if (base.empty()) base = generated_name(method, path);
    return fresh_name(names_, options_.name_space + "/" + base);
  }

  void give_secrets(const HttpEndpoint& endpoint, call::Registration& registration) {
    const std::string origin = Url::parse(endpoint.base).origin();
    origins_.insert(origin);
    const bool trusted = options_.trust_other_origins || origin == home_;
    std::set<std::string> given;
    const bool optional = std::any_of(endpoint.security.begin(), endpoint.security.end(),
                                      [](const auto& alternative) { return alternative.empty(); });
    for (const auto& alternative : endpoint.security) {
      for (const HttpCredential& credential : alternative) {
        if (!optional) secrets_.insert(credential.capability);
        auto secret = options_.capabilities.find(credential.capability);
        if (secret == nullptr || !given.insert(credential.capability).second) continue;
        if (trusted) {
          registration.capabilities.add(credential.capability, std::move(secret));
        } else {
          work_.note(
              fmt::format("operations of {} get no secrets: it is not where the document came from; trust it "
                          "explicitly, or name it as the server",
                          origin));
        }
      }
    }
  }

  OpenApiDocument document_;
  const HttpFetch& fetch_;
  const OpenApiOptions& options_;
  ImportWork work_;
  std::string home_;
  std::string version_;
  std::set<std::string> names_;
  std::set<std::string> origins_;
  std::set<std::string> secrets_;
  ImportedOperations made_;
};

}  // namespace

ImportedOperations import_openapi(const Json& document, const HttpFetch& fetch, const OpenApiOptions& options) {
  return Importer(document, fetch, options).run();
}

ImportedOperations import_openapi_text(std::string_view text, const HttpFetch& fetch, const OpenApiOptions& options) {
  return import_openapi(parse_json_or_yaml(text), fetch, options);
}

Task<ImportedOperations> fetch_openapi(HttpFetch fetch, std::string url, OpenApiOptions options) {
  FetchRequest request;
  request.url = url;
  request.headers.add("Accept", "application/json, application/yaml, text/yaml, */*;q=0.5");
  FetchedAnswer answer = co_await fetch_for_call(fetch, std::move(request));
  if (answer.status == 401 || answer.status == 403) {
    throw Error(CallError::kUnauthorized, fmt::format("[openapi] {} answered with status {}", url, answer.status));
  }
  if (answer.status / 100 != 2) {
    throw Error(CallError::kDiscoveryFailed, fmt::format("[openapi] {} answered with status {}", url, answer.status));
  }
  SharedBytes text;
  try {
    text = co_await read_body(std::move(answer.body), kMaxDocument);
  } catch (const Error& error) {
    throw as_call_error(error);
  }
  options.document_url = std::move(url);
  co_return import_openapi_text(text.text(), fetch, options);
}

}  // namespace alknet::net
