// For tests: a program in the place of alknet-worker that a stranger has taken over. Its argument --device=NAME says
// what it does with the first call of its host; before that it is as the host expects it.

#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

constexpr int kLink = 3;

/// All of `size` bytes, or the end of the process.
void read_all(char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::read(kLink, data, size);
    if (count <= 0) ::_exit(0);
    data += count;
    size -= static_cast<std::size_t>(count);
  }
}

void write_frame(std::string_view frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(size >> shift));
  bytes += frame;
  for (std::string_view left = bytes; !left.empty();) {
    const ssize_t count = ::write(kLink, left.data(), left.size());
    if (count <= 0) ::_exit(0);
    left.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// The id of the next call of the host.
std::string next_call() {
  while (true) {
    std::array<char, 4> prefix{};
    read_all(prefix.data(), prefix.size());
    std::uint32_t size = 0;
    for (const char byte : prefix) size = size << 8 | static_cast<unsigned char>(byte);
    std::string frame(size, '\0');
    read_all(frame.data(), frame.size());
    const std::size_t id = frame.find(R"("id":")");
    if (frame.find("call.requested") == std::string::npos || id == std::string::npos) continue;
    return frame.substr(id + 6, frame.find('"', id + 6) - id - 6);
  }
}

void answer(const std::string& id, std::string_view payload, std::string_view more = {}) {
  write_frame(R"({"type":"call.responded","id":")" + id + R"(","payload":)" + std::string(payload) + std::string(more) +
              "}");
}

}  // namespace

int main(int argc, char** argv) {
  std::string way;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    if (word.starts_with("--device=")) way = word.substr(9);
  }
  const std::string id = next_call();
  if (way == "asks") {
    write_frame(R"({"type":"call.requested","id":"mine","payload":{"operationId":"/services/list","input":{}}})");
  } else if (way == "floods-answers") {
    while (true) answer("nobody-1", R"({"output":null})");
  } else if (way == "floods-chunks") {
    answer("nobody-1", R"({"output":null})", R"(,"attachments":[{"id":1,"size":18446744073709551615}])");
    while (true) write_frame({"\0\0\0\0\0\1x", 7});
  } else if (way == "floods-requests") {
    while (true) write_frame(R"({"type":"call.requested","id":"mine","payload":{"operationId":"/a/b","input":{}}})");
  } else if (way == "sends-too-much") {
    answer(id, R"({"output":{"results":[]}})", R"(,"attachments":[{"id":1,"size":1000}])");
  } else if (way == "answers-nonsense") {
    answer(id, R"({"output":{"results":7}})");
  } else if (way == "is-no-protocol") {
    write_frame("nonsense");
  } else if (way == "closes-its-link") {
    ::close(kLink);
  }
  while (true) ::pause();
}
