#include "alknet/platform/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/net/error.h"
#include "alknet/net/http/headers.h"
#include "alknet/net/http/url.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/native.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform {
namespace {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

constexpr unsigned kMostRedirects = 20;

/// The origin with the scheme by which HTTP knows it.
std::string http_origin(std::string_view url) {
  net::Url parsed = net::Url::parse(url);
  if (parsed.scheme == "ws") parsed.scheme = "http";
  if (parsed.scheme == "wss") parsed.scheme = "https";
  return parsed.origin();
}

/// What is sent, and sent again to where a redirect points.
struct Request {
  std::string method, url, redirect;
  net::HttpHeaders headers;
  SharedBytes body;
};

Request request_of(const Value& given) {
  Request request;
  request.method = given.get("method").to_string();
  request.url = given.get("url").to_string();
  request.redirect = given.get("redirect").to_string();
  if (const auto mark = request.url.find('#'); mark != std::string::npos) request.url.resize(mark);
  const Value headers = given.get("headers");
  const std::uint64_t count = headers.is_nullish() ? 0 : headers.length();
  for (std::uint32_t i = 0; i < count; ++i) {
    const Value field = headers.get(i);
    const std::string name = field.get(0U).to_string();
    // Another Host would reach servers that the address does not name, and no rule allows.
    if (!net::equal_ignoring_case(name, "host")) request.headers.add(name, field.get(1U).to_string());
  }
  if (const Value body = given.get("body"); !body.is_nullish()) request.body = runtime::copy_bytes(body);
  return request;
}

bool points_elsewhere(const net::FetchResponse& response) {
  const int status = response.status;
  const bool redirects = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  return redirects && response.headers.has("Location");
}

/// The request that a redirect asks for (Fetch Standard, HTTP-redirect fetch).
void redirect(Request& request, const net::FetchResponse& response) {
  const net::Url from = net::Url::parse(request.url);
  const net::Url to = from.resolve(*response.headers.get("Location"));
  const bool to_get = (response.status == 303 && request.method != "GET" && request.method != "HEAD") ||
                      ((response.status == 301 || response.status == 302) && request.method == "POST");
  if (to_get) {
    request.method = "GET";
    request.body = {};
    for (const char* const name : {"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"}) {
      request.headers.remove(name);
    }
  }
  if (to.origin() != from.origin()) {
    for (const char* const name : {"Authorization", "Cookie", "Proxy-Authorization"}) request.headers.remove(name);
  }
  request.url = to.text();
}

Task<net::FetchResponse> exchange(std::shared_ptr<const FetchOptions> options, Request request) {
  for (unsigned redirects = 0;; ++redirects) {
    options->privileges.require(request.url);
    net::FetchRequest sent;
    sent.method = request.method;
    sent.url = request.url;
    sent.headers = request.headers;
    sent.body = request.body;
    sent.redirects = net::Redirects::kReturn;
    Task<net::FetchResponse> fetched = options->client->fetch(std::move(sent));
    net::FetchResponse response = co_await std::move(fetched);
    const bool follow = points_elsewhere(response) && request.redirect != "manual";
    if (!follow) {
      response.url = request.url;
      response.redirected = redirects > 0;
      co_return response;
    }
    if (request.redirect == "error" || redirects == kMostRedirects) {
      throw Error(net::NetError::kTooManyRedirects, fmt::format("[fetch] {} points elsewhere", request.url));
    }
    redirect(request, response);
  }
}

/// The body of an answer, for script: `pull` and `cancel`.
class ScriptBody final : public runtime::NativeObject {
 public:
  explicit ScriptBody(net::FetchBody body) : held_(std::make_shared<Held>()) { held_->body = std::move(body); }
  ~ScriptBody() override { held_->cancel(); }

  static Value pull(Realm realm, const Value& self, Arguments) {
    const auto held = runtime::native_this<ScriptBody>(self, "body of an answer").held_;
    const auto piece_value = [](Realm in, const std::optional<SharedBytes>& piece) {
      return piece ? in.typed_array(runtime::TypedArray::kUint8, piece->span()) : in.null();
    };
    return runtime::promise_of(realm, next(held), piece_value, held->stop.get_token());
  }

  static Value cancel(Realm, const Value& self, Arguments) {
    runtime::native_this<ScriptBody>(self, "body of an answer").held_->cancel();
    return {};
  }

 private:
  struct Held {
    /// Ends the connection; a piece that is on its way goes first.
    void cancel() {
      cancelled = true;
      stop.request_stop();
      if (!pulling) body.reset();
    }
    std::optional<net::FetchBody> body;
    std::stop_source stop;
    bool pulling = false;
    bool cancelled = false;
  };

  static Task<std::optional<SharedBytes>> next(std::shared_ptr<Held> held) {
    if (!held->body) co_return std::nullopt;
    struct Pull {
      explicit Pull(Held& owner) : held(owner) { held.pulling = true; }
      Pull(const Pull&) = delete;
      Pull& operator=(const Pull&) = delete;
      ~Pull() {
        held.pulling = false;
        if (held.cancelled) held.body.reset();
      }
      Held& held;
    } const pull(*held);
    Task<std::optional<SharedBytes>> piece = held->body->next();
    auto bytes = co_await std::move(piece);
    co_return bytes;
  }

  std::shared_ptr<Held> held_;
};

Value body_class(Realm realm) {
  static constexpr runtime::MethodSpec kMethods[] = {{"pull", 0, ScriptBody::pull}, {"cancel", 0, ScriptBody::cancel}};
  runtime::ClassSpec spec;
  spec.name = "FetchBody";
  spec.methods = kMethods;
  return runtime::define_class(realm, spec);
}

Value answer_value(Realm realm, net::FetchResponse& response, bool with_body) {
  Value object = realm.object();
  object.define("status", realm.number(response.status));
  object.define("statusText", realm.string(response.reason));
  object.define("url", realm.string(response.url));
  object.define("redirected", realm.boolean(response.redirected));
  std::vector<Value> fields;
  for (const auto& [name, value] : response.headers.fields()) {
    const Value pair[] = {realm.string(name), realm.string(value)};
    fields.push_back(realm.array(pair));
  }
  object.define("headers", realm.array(fields));
  object.define("body", with_body ? runtime::make_object(body_class(realm),
                                                         std::make_unique<ScriptBody>(std::move(response.body)))
                                  : realm.null());
  return object;
}

struct RequestStop {
  std::stop_source stop;
  void operator()() { stop.request_stop(); }
};

/// What `fetch` rejects with: a TypeError that says more to who looks.
Value failure_value(Realm realm, const Error& error) {
  Value value = realm.error_value(realm.type_error(error.message()));
  value.define("code", realm.string(error.code_name()));
  if (!error.details().is_null()) value.define("details", runtime::from_json(realm, error.details()));
  return value;
}

}  // namespace

FetchPrivileges FetchPrivileges::everything() {
  FetchPrivileges all;
  all.everything_ = true;
  return all;
}

FetchPrivileges::FetchPrivileges(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) origins_.push_back(http_origin(origin));
}

void FetchPrivileges::require(std::string_view url) const {
  const std::string origin = http_origin(url);
  if (everything_ || std::find(origins_.begin(), origins_.end(), origin) != origins_.end()) return;
  throw Error(runtime::RuntimeError::kPermissionDenied,
              fmt::format("[fetch] this script may not connect to {}", origin),
              JsonObject{{"privilege", "allowFetch"}, {"origin", origin}});
}

std::function<Value(Realm, const Value& request)> make_fetch(FetchOptions given) {
  const auto options = std::make_shared<const FetchOptions>(std::move(given));
  return [options](Realm realm, const Value& value) {
    Request request = request_of(value);
    const bool head = request.method == "HEAD";
    const runtime::Deferred answer(realm);
    Value promise = answer.promise();
    std::stop_source stop;
    if (const Value signal = value.get("signal"); signal.is_object()) {
      const Value given_up = realm.closure("stop", 0, [stop](Realm, const Value&, Arguments) mutable {
        stop.request_stop();
        return Value();
      });
      const Value arguments[] = {realm.string("abort"), given_up};
      signal.invoke("addEventListener", arguments);
    }
    const auto with_isolate =
        std::make_shared<std::stop_callback<RequestStop>>(realm.isolate().stop_token(), RequestStop{stop});
    start(
        *realm.isolate().executor(), exchange(options, std::move(request)),
        [answer, head, with_isolate, isolate = runtime::WeakIsolate(realm)](Outcome<net::FetchResponse> outcome) {
          runtime::Isolate* const live = isolate.get();
          if (live == nullptr) return;
          live->run_turn([&](Realm in) {
            try {
              net::FetchResponse response = outcome.take();
              const bool with_body = !head && response.status != 204 && response.status != 304;
              answer.resolve(answer_value(in, response, with_body));
            } catch (const runtime::ScriptError& error) {
              answer.reject(error);
            } catch (const Error& error) {
              answer.reject_with(failure_value(in, error));
            }
          });
        },
        stop.get_token());
    return promise;
  };
}

}  // namespace alknet::platform
