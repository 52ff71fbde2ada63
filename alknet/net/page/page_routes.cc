#include "alknet/net/page/page_routes.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "alknet/net/page/page_files.h"

namespace alknet::net {
namespace {

Task<HttpResponse> answer_page(HttpRequest request) {
  const PageFile* file = find_page_file(request.path);
  if (file == nullptr) {
    co_return HttpResponse::error(404, "NOT_FOUND", fmt::format("the page has no file {:.200}", request.path));
  }
  // Weak, as the answer may be compressed: then its bytes are others.
  const std::string tag = fmt::format("W/{}", file->etag);
  const bool known = request.headers.has_token("If-None-Match", tag);
  HttpResponse response =
      known ? HttpResponse::text(304, "") : HttpResponse::text(200, file->bytes, file->content_type);
  response.headers.set("ETag", tag);
  response.headers.set("Cache-Control", "no-cache");
  response.headers.set("Content-Security-Policy", page_content_security_policy());
  response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("X-Content-Type-Options", "nosniff");
  co_return response;
}

}  // namespace

void add_page(HttpServer& server) {
  server.route("GET", "/", answer_page);
  server.route("GET", "/page/*", answer_page);
}

}  // namespace alknet::net
