#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/call/operation.h"
#include "alknet/net/http/client.h"
#include "alknet/net/import/fetch.h"

namespace alknet::net {

/// Where a parameter travels.
enum class ParameterPlace { kPath, kQuery, kHeader, kCookie };

/// How arrays and objects are written (OpenAPI 3.1 section 4.8.12.3); `kJson` is a parameter with JSON `content`.
enum class ParameterStyle { kSimple, kLabel, kMatrix, kForm, kSpaceDelimited, kPipeDelimited, kDeepObject, kJson };

struct HttpParameter {
  std::string input;  ///< the member of the input that holds it
  std::string name;   ///< on the wire
  ParameterPlace place = ParameterPlace::kQuery;
  ParameterStyle style = ParameterStyle::kForm;
  bool explode = false;
  bool allow_reserved = false;  ///< query: leave reserved characters such as `/` and `:` as they are
};

/// One member of a form.
struct HttpPart {
  std::string name;
  bool bytes = false;                            ///< the member is Bytes, or an array of them
  std::string content_type;                      ///< multipart: what the part says it is; empty: by its value
  ParameterStyle style = ParameterStyle::kForm;  ///< urlencoded
  bool explode = true;
  bool allow_reserved = false;
};

enum class BodyForm { kNone, kJson, kText, kBytes, kForm, kMultipart };

/// How a request body is written.
struct HttpBody {
  BodyForm form = BodyForm::kNone;
  std::string content_type;
  std::string input = "body";   ///< the member of the input; empty: all members that are no parameter
  std::vector<HttpPart> parts;  ///< what is special about members of a form
};

/// How a secret is shown to the server. The secret is the capability of that name: a token, a key, or "user:password".
struct HttpCredential {
  enum class Kind { kBearer, kBasic, kHeader, kQuery, kCookie };
  std::string capability;
  Kind kind = Kind::kBearer;
  std::string name;  ///< of the header field, query parameter or cookie
};

/// What an answer's body becomes.
enum class AnswerForm {
  kByType,  ///< JSON is parsed, other text becomes a string, anything else a string in base64, nothing null
  kBytes,   ///< Bytes
  kEvents,  ///< a stream of events, each with JSON or text
};

/// An operation of an HTTP API as its requests and answers look.
struct HttpEndpoint {
  std::string operation;  ///< for messages
  std::string method;
  std::string base;  ///< scheme, host and first part of the path, without a slash at the end
  std::string path;  ///< with `{parameter}`s
  HttpHeaders headers;
  std::vector<HttpParameter> parameters;
  HttpBody body;

  /// Each alternative is a set of secrets that are sent together; the first whose secrets are there is used. None, or
  /// an empty alternative, needs no secrets.
  std::vector<std::vector<HttpCredential>> security;

  AnswerForm answer = AnswerForm::kByType;
  std::string accept;

  /// Codes of declared errors: "404", "4XX", "default".
  std::vector<std::string> error_statuses;
  std::size_t max_answer_bytes = std::size_t{256} << 20;
};

/// The request for `input`. Throws `invalid_input` for what has no form in it (a path segment that is empty or `..`, a
/// header value with line breaks), `unauthorized` when secrets are missing. Secrets come from `capabilities` only.
FetchRequest make_request(const HttpEndpoint& endpoint, const Message& input, const call::Capabilities& capabilities);

/// The handler that sends requests to `endpoint`. Answers of a status outside 2xx become domain errors `HTTP_404`,
/// `HTTP_4XX`, `HTTP_DEFAULT`, whichever is declared, with the body as details; undeclared ones `HTTP_` and the status.
/// Redirects are followed only where no secret could leak.
call::Handler endpoint_handler(std::shared_ptr<const HttpEndpoint> endpoint, HttpFetch fetch);

/// The errors that every imported operation declares besides its own: `UNAUTHORIZED` and `TRANSPORT`.
std::vector<call::ErrorSpec> adapter_errors();

/// The code of a declared error: "404" -> "HTTP_404".
std::string http_error_code(std::string_view status);

}  // namespace alknet::net
