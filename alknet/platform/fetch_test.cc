#include "alknet/platform/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/base/testing.h"
#include "alknet/net/http/server.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform {
namespace {

using net::HttpRequest;
using net::HttpResponse;

AsyncGenerator<SharedBytes> endless(int& sent) {
  for (;;) {
    co_await sleep_for(std::chrono::milliseconds(0));
    ++sent;
    co_yield SharedBytes::take(std::vector<std::byte>(1 << 16));
  }
}

/// Scripts with the host's `fetch`, and two servers, one of which they may talk to.
class Fetch : public testing::Test {
 protected:
  Fetch() {
    const auto begin = [&]() -> Task<void> {
      for (Server* const server : {&allowed_, &other_}) {
        server->http.emplace(thread_.loop(), net::HttpServerOptions{});
        server->http->route("POST", "/echo", [](HttpRequest request) -> Task<HttpResponse> {
          HttpResponse response = HttpResponse::text(201, std::string(request.body.text()));
          response.headers.set("X-Seen", std::string(request.headers.get("X-Given").value_or("none")));
          co_return response;
        });
        server->http->route("GET", "/hello", [server](HttpRequest request) -> Task<HttpResponse> {
          ++server->asked;
          std::string text = "hello " + std::string(request.headers.get("Authorization").value_or("nobody"));
          co_return HttpResponse::text(200, text);
        });
        server->http->route("GET", "/stream", [this](HttpRequest) -> Task<HttpResponse> {
          HttpResponse response;
          response.stream = endless(sent_);
          co_return response;
        });
        server->address = "http://" + server->http->listen("127.0.0.1:0");
      }
      for (const auto& [path, target] : {std::pair<std::string, std::string>{"/here", allowed_.address + "/hello"},
                                         {"/there", other_.address + "/hello"},
                                         {"/loop", "/loop"}}) {
        allowed_.http->route("GET", path, [target = target](HttpRequest) -> Task<HttpResponse> {
          HttpResponse response = HttpResponse::text(302, "");
          response.headers.set("Location", target);
          co_return response;
        });
      }
      co_return;
    };
    wait_for(thread_.loop(), begin());
  }
  ~Fetch() override {
    const auto end = [&]() -> Task<void> {
      allowed_.http.reset();
      other_.http.reset();
      co_return;
    };
    wait_for(thread_.loop(), end());
  }

  /// The JSON of what an async function body gives, which has `fetch(parts)`, `allowed` and `other`.
  std::string run(const std::string& body) {
    const auto task = [&]() -> Task<std::string> {
      FetchOptions options;
      options.client = std::make_shared<net::HttpClient>(thread_.loop(), net::HttpClientOptions{});
      options.privileges = FetchPrivileges({allowed_.address});
      runtime::IsolateOptions made;
      made.executor = &thread_.loop();
      runtime::Isolate isolate(std::move(made));
      const runtime::Realm realm = isolate.realm();
      realm.global().set("allowed", realm.string(allowed_.address));
      realm.global().set("other", realm.string(other_.address));
      realm.global().set("hostFetch",
                         realm.closure("fetch", 1,
                                       [ask = make_fetch(options)](runtime::Realm in, const runtime::Value&,
                                                                   runtime::Arguments a) { return ask(in, a[0]); }));
      const runtime::Value done = isolate.eval_module(
          "const text = (bytes) => String.fromCharCode(...bytes);\n"
          "const fetch = (url, parts) => hostFetch({method: 'GET', url, headers: [], body: null, redirect: 'follow',"
          " ...parts});\n"
          "const all = async (body) => { let out = ''; for (let piece; (piece = await body.pull()) !== null;)"
          " out += text(piece); return out; };\n"
          "const code = (p) => p.then(() => 'ok', (e) => `${e instanceof TypeError} ${e.code}`);\n"
          "const give = async () => {" +
              body + "\n}; globalThis.result = JSON.stringify(await give());",
          "test.js");
      const runtime::Value ended = co_await runtime::settled(done);
      static_cast<void>(ended);
      std::string result = realm.global().get("result").to_string();
      co_return result;
    };
    return wait_for(thread_.loop(), task());
  }

  struct Server {
    std::optional<net::HttpServer> http;
    std::string address;
    int asked = 0;
  };
  LoopThread thread_;
  Server allowed_, other_;
  int sent_ = 0;
};

TEST_F(Fetch, SendsAndReceives) {
  EXPECT_EQ(run(R"(
    const answer = await fetch(allowed + '/echo#mark', {method: 'POST', headers: [['X-Given', 'yes']],
                                                        body: new Uint8Array([104, 105])});
    const seen = answer.headers.find(([name]) => name.toLowerCase() === 'x-seen');
    return [answer.status, answer.statusText, seen[1], await all(answer.body), answer.redirected,
            answer.url === allowed + '/echo'];)"),
            R"([201,"Created","yes","hi",false,true])");
}

TEST_F(Fetch, AsksItsPrivilegesForEveryRedirect) {
  EXPECT_EQ(run(R"(
    const here = await fetch(allowed + '/here', {headers: [['Authorization', 'me']]});
    const manual = await fetch(allowed + '/there', {redirect: 'manual'});
    return [await all(here.body), here.redirected, here.url === allowed + '/hello', manual.status,
            await code(fetch(allowed + '/there')), await code(fetch(allowed + '/here', {redirect: 'error'})),
            await code(fetch(allowed + '/loop')), await code(fetch(other + '/hello'))];)"),
            R"(["hello me",true,true,302,"true permission_denied","true too_many_redirects","true too_many_redirects",)"
            R"("true permission_denied"])");
  EXPECT_EQ(other_.asked, 0);
}

TEST_F(Fetch, FailuresAreTypeErrorsWithACode) {
  EXPECT_EQ(run(R"(return [await code(fetch('ftp://x/')), await code(fetch('nonsense')),
                           await code((async () => fetch(allowed, {headers: [['bad name', 'x']]}))())];)"),
            R"(["true invalid_url","true invalid_url","false invalid_argument"])");
}

TEST_F(Fetch, ABodyComesAsItIsPulledAndCanBeCancelled) {
  EXPECT_EQ(run(R"(
    const {body} = await fetch(allowed + '/stream');
    const first = await body.pull();
    body.cancel(); body.cancel();
    return [first.length > 0, await body.pull().catch(() => null)];)"),
            R"([true,null])");
  EXPECT_LT(sent_, 1000) << "what is not read holds the server back";
}

TEST_F(Fetch, AnAbortedSignalEndsTheExchange) {
  EXPECT_EQ(run(R"(
    const listeners = [];
    const signal = {addEventListener: (name, listener) => listeners.push(listener)};
    const answer = code(fetch(allowed + '/hello', {signal}));
    listeners[0]();
    return await answer;)"),
            R"("true aborted")");
}

TEST(FetchPrivilegesTest, AreOrigins) {
  const FetchPrivileges some({"https://example.com", "http://127.0.0.1:8080/"});
  EXPECT_EQ(code_of([&] { some.require("https://example.com/path?q"); }), "no error");
  EXPECT_EQ(code_of([&] { some.require("wss://example.com/socket"); }), "no error");
  EXPECT_EQ(code_of([&] { some.require("https://EXAMPLE.com:443/"); }), "no error");
  for (const auto* url : {"http://example.com/", "https://example.com.evil/", "https://example.com:444/",
                          "https://sub.example.com/", "http://127.0.0.1:8081/"}) {
    EXPECT_EQ(code_of([&] { some.require(url); }), "permission_denied") << url;
  }
  EXPECT_EQ(code_of([] { FetchPrivileges().require("http://localhost/"); }), "permission_denied");
  EXPECT_EQ(code_of([] { FetchPrivileges::everything().require("http://localhost/"); }), "no error");
}

}  // namespace
}  // namespace alknet::platform
