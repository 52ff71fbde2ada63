#include "alknet/net/page/page_routes.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "alknet/base/await.h"
#include "alknet/net/http/client.h"
#include "alknet/net/page/page_files.h"

namespace alknet::net {
namespace {

struct Received {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

Task<Received> fetched(HttpClient& client, std::string url, std::string tag) {
  FetchRequest request;
  request.url = std::move(url);
  if (!tag.empty()) request.headers.add("If-None-Match", tag);
  FetchResponse response = co_await client.fetch(std::move(request));
  const SharedBytes body = co_await response.body.read_all();
  co_return Received{response.status, response.headers, std::string(body.text())};
}

/// The page on a server that compresses.
class PageRoutes : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto begin = [this]() -> Task<void> {
      server_ = std::make_unique<HttpServer>(thread_.loop(), HttpServerOptions{});
      add_page(*server_);
      address_ = server_->listen("127.0.0.1:0");
      co_return;
    };
    wait_for(thread_.loop(), begin());
  }
  void TearDown() override {
    const auto end = [this]() -> Task<void> {
      server_.reset();
      co_return;
    };
    wait_for(thread_.loop(), end());
  }
  Received get(std::string_view path, std::string tag = "") {
    return wait_for(thread_.loop(), fetched(client_, "http://" + address_ + std::string(path), std::move(tag)));
  }

  LoopThread thread_;
  HttpClient client_{thread_.loop(), {}};
  std::unique_ptr<HttpServer> server_;
  std::string address_;
};

TEST_F(PageRoutes, ServeEveryFileWithThePolicy) {
  for (const PageFile& file : page_files()) {
    const Received received = get(file.path);
    EXPECT_EQ(received.status, 200) << file.path;
    EXPECT_EQ(received.body, file.bytes) << file.path;
    EXPECT_EQ(received.headers.get("Content-Type"), file.content_type);
    EXPECT_EQ(received.headers.get("Content-Security-Policy"), page_content_security_policy());
    EXPECT_EQ(received.headers.get("X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(PageRoutes, SendNothingAgainThatTheBrowserHas) {
  const Received first = get("/page/app.js");
  const std::string tag(first.headers.get("ETag").value_or(""));
  const Received again = get("/page/app.js", "\"other\", " + tag);
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(again.headers.get("ETag"), tag);
  EXPECT_EQ(get("/page/app.js", "\"other\"").status, 200);
}

TEST_F(PageRoutes, HaveNoOtherFiles) {
  for (const std::string_view path : {"/page/parts.test.js", "/page/", "/page/..%2findex.html", "/page/page_files.h"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

}  // namespace
}  // namespace alknet::net
