#pragma once

#include <span>
#include <string_view>

namespace alknet::net {

/// One file of the web page that the HTTP gateway serves at `/`, compiled in.
struct PageFile {
  std::string_view path;  ///< as in a request: "/" or "/page/app.js"
  std::string_view content_type;
  std::string_view bytes;
  std::string_view etag;  ///< a strong entity tag with its quotation marks, of the bytes
};

/// All files. They refer to each other by relative addresses, and to nothing but the gateway.
std::span<const PageFile> page_files();

/// The file of a request's path, without a query; null when there is none.
const PageFile* find_page_file(std::string_view path);

/// The value of `Content-Security-Policy` to send with every file: scripts, styles and connections only of the gateway
/// itself, no frames, and no text that becomes markup.
std::string_view page_content_security_policy();

}  // namespace alknet::net
