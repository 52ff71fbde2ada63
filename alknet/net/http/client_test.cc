#include "alknet/net/http/client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "alknet/base/await.h"
#include "alknet/base/json.h"
#include "alknet/base/pool_executor.h"
#include "alknet/base/testing.h"
#include "alknet/net/error.h"
#include "alknet/net/http/event_stream.h"
#include "alknet/net/testing/peer.h"

namespace alknet::net {
namespace {

using peer_testing::PythonPeer;
using std::chrono::milliseconds;

/// The whole of an answer.
struct Answer {
  int status = 0;
  std::string body;
  std::string url;
  bool redirected = false;
  HttpHeaders headers;
};

Task<Answer> fetch_all(HttpClient& client, FetchRequest request) {
  FetchResponse response = co_await client.fetch(std::move(request));
  Answer answer{response.status, "", response.url, response.redirected, response.headers};
  const SharedBytes body = co_await response.body.read_all();
  answer.body = body.text();
  co_return answer;
}

/// A client on a loop of its own, and a server in Python.
class HttpClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!peer_testing::has_python_peer()) GTEST_SKIP() << "the Python of bin/setup is missing";
    server_.emplace("http_server.py", std::vector<std::string>{});
    client_.emplace(thread_.loop(), HttpClientOptions{});
  }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + server_->port() + path; }
  FetchRequest request(const std::string& path, const std::string& method = "GET") const {
    FetchRequest made;
    made.url = url(path);
    made.method = method;
    made.timeouts.idle = std::chrono::seconds(20);
    return made;
  }
  Answer fetch(FetchRequest what, std::stop_token stop = {}) {
    return wait_for(thread_.loop(), fetch_all(*client_, std::move(what)), std::move(stop));
  }
  Answer fetch(const std::string& path) { return fetch(request(path)); }
  std::string code(FetchRequest what) {
    return code_of([&] { fetch(std::move(what)); });
  }

  LoopThread thread_;
  std::optional<PythonPeer> server_;
  std::optional<HttpClient> client_;
};

TEST_F(HttpClientTest, SendsWhatItIsGivenAndReadsTheAnswer) {
  FetchRequest what = request("/echo?x=%20y", "POST");
  what.body = SharedBytes::copy("hello");
  what.headers.add("X-Test", "one");
  const Answer answer = fetch(std::move(what));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("content-type"), "application/json");
  const Json seen = parse_json(answer.body);
  EXPECT_EQ(seen.at("method").as_string(), "POST");
  EXPECT_EQ(seen.at("path").as_string(), "/echo?x=%20y");
  EXPECT_EQ(seen.at("body").as_string(), "hello");
  EXPECT_EQ(seen.at("headers").at("x-test").as_string(), "one");
  EXPECT_EQ(seen.at("headers").at("host").as_string(), "127.0.0.1:" + server_->port());
}

TEST_F(HttpClientTest, StreamsABodyInChunks) {
  FetchRequest what = request("/echo", "PUT");
  what.stream = [](int pieces) -> AsyncGenerator<SharedBytes> {
    for (int i = 0; i < pieces; ++i) {
      co_await reschedule();
      co_yield SharedBytes::copy(std::to_string(i) + ",");
    }
    co_yield SharedBytes();
  }(1000);
  const Json seen = parse_json(fetch(std::move(what)).body);
  EXPECT_EQ(seen.at("headers").at("transfer-encoding").as_string(), "chunked");
  EXPECT_EQ(seen.at("body").as_string().size(), 3890U);
}

TEST_F(HttpClientTest, ABodySourceThatFailsFailsTheFetch) {
  FetchRequest what = request("/echo", "PUT");
  what.stream = []() -> AsyncGenerator<SharedBytes> {
    co_yield SharedBytes::copy("first");
    throw Error(BaseError::kNotFound, "no more");
  }();
  EXPECT_EQ(code(std::move(what)), "not_found");
}

TEST_F(HttpClientTest, DecodesEachCoding) {
  std::string expected;
  for (int i = 0; i < 20'000; ++i) expected += "alknet ";
  for (const char* path : {"/gzip", "/members", "/deflate", "/rawdeflate", "/zstd"}) {
    EXPECT_EQ(fetch(path).body, expected) << path;
  }
  FetchRequest raw = request("/gzip");
  raw.decode = false;
  EXPECT_EQ(fetch(std::move(raw)).body.substr(0, 2), "\x1F\x8B");
}

TEST_F(HttpClientTest, RefusesBodiesThatDoNotDecode) {
  for (const char* path : {"/bomb", "/cut", "/damaged", "/unknown"}) {
    EXPECT_EQ(code(request(path)), "decoding_failed") << path;
  }
}

TEST_F(HttpClientTest, ReadsChunksAndBodiesUpToTheEnd) {
  EXPECT_EQ(fetch("/chunked").body.size(), 290U);
  EXPECT_EQ(fetch("/until-end").body, "up to the end");
  EXPECT_EQ(fetch("/informational").body, "ok");
  EXPECT_EQ(fetch(request("/echo", "HEAD")).body, "");
}

TEST_F(HttpClientTest, RefusesMalformedAnswers) {
  for (const char* path : {"/not-http", "/both-lengths", "/two-lengths", "/bad-chunk", "/cut-body", "/cut-chunk",
                           "/cut-head", "/nul-in-header"}) {
    EXPECT_EQ(code(request(path)), "malformed") << path;
  }
  EXPECT_EQ(code(request("/header-flood")), "too_large");
  EXPECT_EQ(code(request("/long-header")), "too_large");
  EXPECT_EQ(code(request("/empty")), "connection_lost");
}

TEST_F(HttpClientTest, FollowsRedirectsByTheRulesOfEachStatus) {
  const auto after = [&](int status, const std::string& method) {
    FetchRequest what = request("/redirect?to=/echo&status=" + std::to_string(status), method);
    if (method != "HEAD" && method != "GET") what.body = SharedBytes::copy("body");
    const Answer answer = fetch(std::move(what));
    EXPECT_TRUE(answer.redirected);
    EXPECT_EQ(answer.url, url("/echo"));
    const Json seen = parse_json(answer.body);
    return std::string(seen.at("method").as_string()) + ":" + std::string(seen.at("body").as_string());
  };
  EXPECT_EQ(after(301, "POST"), "GET:");
  EXPECT_EQ(after(302, "POST"), "GET:");
  EXPECT_EQ(after(303, "PUT"), "GET:");
  EXPECT_EQ(after(302, "PUT"), "PUT:body");
  EXPECT_EQ(after(307, "POST"), "POST:body");
  EXPECT_EQ(after(308, "PUT"), "PUT:body");
  EXPECT_EQ(after(301, "GET"), "GET:");
}

TEST_F(HttpClientTest, BoundsRedirects) {
  EXPECT_EQ(code(request("/loop")), "too_many_redirects");
  FetchRequest refusing = request("/redirect?to=/echo&status=302");
  refusing.redirects = Redirects::kRefuse;
  EXPECT_EQ(code(std::move(refusing)), "too_many_redirects");
  FetchRequest returning = request("/redirect?to=/echo&status=302");
  returning.redirects = Redirects::kReturn;
  const Answer answer = fetch(std::move(returning));
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.body, "elsewhere");
  EXPECT_EQ(code(request("/redirect?to=file:///etc/passwd&status=302")), "invalid_url");
  EXPECT_EQ(code(request("/redirect?to=ws://h/&status=302")), "invalid_url");
}

TEST_F(HttpClientTest, CredentialsStayWithTheirOrigin) {
  const PythonPeer other("http_server.py", {});
  FetchRequest what = request("/redirect?status=307&to=http://127.0.0.1:" + other.first_line() + "/echo");
  what.headers.add("Authorization", "Bearer secret");
  what.headers.add("X-Other", "stays");
  const Json seen = parse_json(fetch(std::move(what)).body);
  EXPECT_FALSE(seen.at("headers").as_object().contains("authorization"));
  EXPECT_TRUE(seen.at("headers").as_object().contains("x-other"));
  FetchRequest same = request("/redirect?status=307&to=/echo");
  same.headers.add("Authorization", "Bearer secret");
  EXPECT_TRUE(parse_json(fetch(std::move(same)).body).at("headers").as_object().contains("authorization"));
}

TEST_F(HttpClientTest, RefusesCredentialsInPlainTextToOtherMachines) {
  FetchRequest what;
  what.url = "http://192.0.2.1/";
  what.headers.add("Authorization", "Bearer secret");
  const Error error = error_of([&] { fetch(std::move(what)); });
  EXPECT_EQ(error.code_name(), "insecure_credentials");
  EXPECT_EQ(error.message().find("secret"), std::string::npos);
}

TEST_F(HttpClientTest, RefusesHeadersThatFrameTheMessage) {
  for (const char* name : {"Content-Length", "transfer-encoding", "Connection", "Upgrade"}) {
    FetchRequest what = request("/echo");
    what.headers.add(name, "1");
    EXPECT_EQ(code(std::move(what)), "invalid_argument") << name;
  }
  EXPECT_EQ(code(request("/echo", "CONNECT")), "invalid_argument");
  EXPECT_EQ(code(request("/echo", "GET /x HTTP/1.1\r\nX:")), "invalid_argument");
}

TEST_F(HttpClientTest, UsesAConnectionAgain) {
  const auto connection = [&] { return parse_json(fetch("/echo").body).at("connection").as_int64(); };
  const auto first = connection();
  EXPECT_EQ(connection(), first);
  EXPECT_EQ(code(request("/cut-body")), "malformed");
  EXPECT_NE(connection(), first);
}

TEST_F(HttpClientTest, SendsAgainWhenAKeptConnectionWasClosed) {
  EXPECT_EQ(fetch("/leave").status, 200);
  EXPECT_EQ(fetch("/leave").status, 200);
}

TEST_F(HttpClientTest, BytesThatNobodyAskedForAreNoAnswer) {
  EXPECT_EQ(fetch("/unasked").body, "ok");
  EXPECT_EQ(fetch(request("/echo", "DELETE")).status, 200);
}

TEST_F(HttpClientTest, AnAnswerBeforeTheBodyIsReadCounts) {
  FetchRequest what = request("/early", "POST");
  what.stream = []() -> AsyncGenerator<SharedBytes> {
    const SharedBytes piece = SharedBytes::take(std::vector<std::byte>(1U << 16U));
    for (int i = 0; i < 64; ++i) co_yield piece;
  }();
  // Either the answer, or the connection's end that overtook it; never a hang.
  const std::string result = code_of([&] { EXPECT_EQ(fetch(std::move(what)).status, 413); });
  EXPECT_TRUE(result == "no error" || result == "connection_lost") << result;
}

TEST_F(HttpClientTest, TimeLimitsHold) {
  FetchRequest idle = request("/hang");
  idle.timeouts.idle = milliseconds(20);
  EXPECT_EQ(code(std::move(idle)), "timeout");
  FetchRequest total = request("/hang?head");
  total.timeouts.total = milliseconds(20);
  EXPECT_EQ(code(std::move(total)), "timeout");
  EXPECT_EQ(server_->next_line(), "hanging");
}

TEST_F(HttpClientTest, AStopEndsTheConnection) {
  std::stop_source stop;
  std::thread stopper([&] {
    EXPECT_EQ(server_->next_line(), "hanging");
    stop.request_stop();
  });
  EXPECT_EQ(code_of([&] { fetch(request("/hang"), stop.get_token()); }), "aborted");
  stopper.join();
  EXPECT_EQ(server_->next_line(), "ended");
}

TEST_F(HttpClientTest, ABodyThatIsNotReadHoldsTheServerBack) {
  constexpr std::uint64_t kSize = 1ULL << 30U;
  const auto read_little = [&]() -> Task<std::size_t> {
    FetchRequest what = request("/big?size=" + std::to_string(kSize));
    FetchResponse response = co_await client_->fetch(std::move(what));
    const auto piece = co_await response.body.next();
    co_return piece ? piece->size() : 0;
  };
  EXPECT_GT(wait_for(thread_.loop(), read_little()), 0U);
  const std::string line = server_->next_line();
  ASSERT_EQ(line.substr(0, 14), "stopped after ");
  EXPECT_LT(std::stoull(line.substr(14)), 64ULL << 20U);
}

TEST_F(HttpClientTest, RefusesBodiesOverTheLimit) {
  FetchRequest what = request("/big?size=100000");
  what.max_body_bytes = 99'999;
  EXPECT_EQ(code(std::move(what)), "too_large");
  FetchRequest decoded = request("/gzip");
  decoded.max_body_bytes = 10'000;
  EXPECT_EQ(code(std::move(decoded)), "too_large");
}

TEST_F(HttpClientTest, MayBeCalledOnAnyExecutor) {
  PoolExecutor pool(1);
  EXPECT_EQ(wait_for(pool, fetch_all(*client_, request("/chunked"))).body.size(), 290U);
}

TEST_F(HttpClientTest, ReadsEvents) {
  const auto read = [&]() -> Task<std::vector<ServerSentEvent>> {
    FetchResponse response = co_await client_->fetch(request("/events"));
    EventStreamParser parser;
    std::vector<ServerSentEvent> all;
    while (const auto piece = co_await response.body.next()) {
      for (auto& event : parser.feed(piece->text())) all.push_back(std::move(event));
    }
    co_return all;
  };
  const auto events = wait_for(thread_.loop(), read());
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[2], (ServerSentEvent{"tick", "2", "2"}));
}

TEST_F(HttpClientTest, SaysWhyItCannotConnect) {
  FetchRequest nobody;
  nobody.url = "http://127.0.0.1:1/";
  EXPECT_EQ(code(std::move(nobody)), "connect_failed");
  FetchRequest nowhere;
  nowhere.url = "http://nowhere.invalid/";
  EXPECT_EQ(code(std::move(nowhere)), "name_not_found");
  FetchRequest file;
  file.url = "file:///etc/passwd";
  EXPECT_EQ(code(std::move(file)), "invalid_url");
}

/// The same over TLS.
class HttpsClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    certificates_ = peer_testing::certificates();
    if (certificates_.empty()) GTEST_SKIP() << "no certificates could be made";
  }
  std::string code(const std::string& host, const std::string& certificate, const std::string& authority) {
    const PythonPeer server("http_server.py",
                            {certificates_ / (certificate + ".pem"), certificates_ / (certificate + ".key")});
    HttpClientOptions options;
    if (!authority.empty()) {
      TlsOptions tls;
      tls.ca_file = certificates_ / (authority + ".pem");
      options.tls = TlsContext::client(tls);
    }
    LoopThread thread;
    HttpClient client(thread.loop(), options);
    FetchRequest request;
    request.url = "https://" + host + ":" + server.first_line() + "/chunked";
    return code_of(
        [&] { EXPECT_EQ(wait_for(thread.loop(), fetch_all(client, request_copy(request))).body.size(), 290U); });
  }
  static FetchRequest request_copy(const FetchRequest& from) {
    FetchRequest request;
    request.url = from.url;
    return request;
  }
  std::filesystem::path certificates_;
};

TEST_F(HttpsClientTest, BelievesTheGivenCaForTheRightName) {
  EXPECT_EQ(code("localhost", "server", "ca"), "no error");
  EXPECT_EQ(code("127.0.0.1", "server", "ca"), "no error");
}

TEST_F(HttpsClientTest, RefusesCertificatesOfOthers) {
  EXPECT_EQ(code("localhost", "elsewhere", "ca"), "certificate_rejected");
  EXPECT_EQ(code("localhost", "expired", "ca"), "certificate_rejected");
  EXPECT_EQ(code("localhost", "server", "other_ca"), "certificate_rejected");
  EXPECT_EQ(code("localhost", "server", ""), "certificate_rejected");  // the system's CAs
}

TEST_F(HttpsClientTest, SaysWhenTheServerSpeaksNoTls) {
  const PythonPeer server("http_server.py", {});
  LoopThread thread;
  HttpClient client(thread.loop(), {});
  FetchRequest request;
  request.url = "https://127.0.0.1:" + server.first_line() + "/";
  request.timeouts.connect = std::chrono::seconds(5);
  EXPECT_EQ(code_of([&] { wait_for(thread.loop(), fetch_all(client, std::move(request))); }), "tls_failed");
}

TEST(TlsOptions, UnusableFilesAreNamed) {
  TlsOptions options;
  options.ca_file = "/nowhere/ca.pem";
  const Error error = error_of([&] { TlsContext::client(options); });
  EXPECT_EQ(error.code_name(), "tls_failed");
  EXPECT_NE(error.message().find("/nowhere/ca.pem"), std::string::npos);
  EXPECT_EQ(code_of([] { TlsContext::server({}); }), "tls_failed");
}

}  // namespace
}  // namespace alknet::net
