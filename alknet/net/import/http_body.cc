#include "alknet/net/import/http_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "alknet/base/random_hex.h"
#include "alknet/call/error.h"
#include "alknet/net/import/parameter_text.h"

namespace alknet::net {

namespace {

const HttpPart& part_of(const HttpBody& body, std::string_view name, const HttpPart& usual) {
  const auto found =
      std::find_if(body.parts.begin(), body.parts.end(), [&](const HttpPart& p) { return p.name == name; });
  return found == body.parts.end() ? usual : *found;
}

std::string form_text(const HttpEndpoint& endpoint, const Json& value) {
  if (!value.is_object()) refuse_input(endpoint, "a form must be an object");
  TextPairs pairs;
  const HttpPart usual;
  for (const auto& [name, member] : value.get_object()) {
    const HttpPart& part = part_of(endpoint.body, name, usual);
    HttpParameter parameter;
    parameter.name = name;
    parameter.style = part.style;
    parameter.explode = part.explode;
    parameter.allow_reserved = part.allow_reserved;
    const TextPairs made = query_pairs(parameter, member);
    pairs.insert(pairs.end(), made.begin(), made.end());
  }
  return join_pairs(pairs);
}

/// A name in a Content-Disposition field, escaped as browsers do (HTML standard section 4.10.21.8).
std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "%22" : c == '\r' ? "%0D" : c == '\n' ? "%0A" : std::string(1, c);
  return quoted + '"';
}

class MultipartWriter {
 public:
  MultipartWriter(const HttpEndpoint& endpoint, const Message& input) : endpoint_(endpoint), input_(input) {}

  std::string write(const Json& value) {
    if (!value.is_object()) refuse_input(endpoint_, "a form must be an object");
    const HttpPart usual;
    for (const auto& [name, member] : value.get_object()) {
      const HttpPart& part = part_of(endpoint_.body, name, usual);
      const auto* items = member.if_array();
      if (items == nullptr) {
        add(name, part, member);
      } else {
        for (const Json& item : *items) add(name, part, item);
      }
    }
    text_ += "--" + boundary_ + "--\r\n";
    return std::move(text_);
  }

  const std::string& boundary() const { return boundary_; }

 private:
  void add(std::string_view name, const HttpPart& part, const Json& value) {
    text_ += "--" + boundary_ + "\r\nContent-Disposition: form-data; name=" + quoted_name(name);
    if (part.bytes) text_ += "; filename=" + quoted_name(name);
    const std::string usual = part.bytes ? "application/octet-stream" : value.is_object() ? "application/json" : "";
    const std::string& type = part.content_type.empty() ? usual : part.content_type;
    if (!type.empty()) text_ += "\r\nContent-Type: " + type;
    text_ += "\r\n\r\n";
    if (part.bytes) {
      text_ += attached_bytes(input_, value).text();
    } else {
      text_ += plain_text(value);
    }
    text_ += "\r\n";
  }

  const HttpEndpoint& endpoint_;
  const Message& input_;
  std::string boundary_ = "alknet-" + random_hex(20);
  std::string text_;
};

/// The input's members that no parameter takes.
Json other_members(const HttpEndpoint& endpoint, const JsonObject& input) {
  JsonObject others;
  for (const auto& [name, value] : input) {
    const bool taken = std::any_of(endpoint.parameters.begin(), endpoint.parameters.end(),
                                   [&, name = std::string_view(name)](const auto& p) { return p.input == name; });
    if (!taken) others[name] = value;
  }
  return others;
}

}  // namespace

void write_body(const HttpEndpoint& endpoint, const Message& input, FetchRequest& request) {
  const HttpBody& body = endpoint.body;
  if (body.form == BodyForm::kNone) return;
  const JsonObject& members = input.value.get_object();
  Json gathered;
  const Json* value = members.if_contains(body.input);
  if (body.input.empty()) {
    gathered = other_members(endpoint, members);
    value = &gathered;
  }
  if (value == nullptr) return;
  std::string type = body.content_type;
  switch (body.form) {
    case BodyForm::kNone: break;
    case BodyForm::kJson: request.body = SharedBytes::copy(json_text(*value)); break;
    case BodyForm::kText: request.body = SharedBytes::copy(plain_text(*value)); break;
    case BodyForm::kBytes: request.body = attached_bytes(input, *value); break;
    case BodyForm::kForm: request.body = SharedBytes::copy(form_text(endpoint, *value)); break;
    case BodyForm::kMultipart: {
      MultipartWriter writer(endpoint, input);
      request.body = SharedBytes::copy(writer.write(*value));
      type += "; boundary=" + writer.boundary();
      break;
    }
  }
  request.headers.set("Content-Type", type);
}

void refuse_input(const HttpEndpoint& endpoint, std::string_view what) {
  throw Error(call::CallError::kInvalidInput, fmt::format("{}: {}", endpoint.operation, what));
}

}  // namespace alknet::net
