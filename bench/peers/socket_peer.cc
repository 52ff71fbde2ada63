// What a stream of bytes costs without a protocol: over TCP on loopback, as it is (`socket_peer plain`) or through
// TLS 1.3 by GnuTLS (`socket_peer tls`). The server is a child process; each run is a connection of its own and fills
// memory that is new, as a loaded model has it.
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/protocol.h"

namespace alknet::bench {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string(what) + " failed");
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// One end of a connection; owns its descriptor.
class Channel {
 public:
  Channel(int descriptor, gnutls_certificate_credentials_t credentials, unsigned role) : descriptor_(descriptor) {
    if (credentials == nullptr) return;
    require(gnutls_init(&session_, role) == 0, "gnutls_init");
    gnutls_set_default_priority(session_);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(session_, descriptor_);
    require(gnutls_handshake(session_) == 0, "the handshake");
  }
  ~Channel() {
    if (session_ != nullptr) gnutls_deinit(session_);
    ::close(descriptor_);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void write(const char* data, std::size_t size) {
    while (size > 0) {
      const auto done = session_ == nullptr ? ::send(descriptor_, data, size, MSG_NOSIGNAL)
                                            : gnutls_record_send(session_, data, size);
      require(done > 0, "sending");
      data += done;
      size -= static_cast<std::size_t>(done);
    }
  }

  std::size_t read(char* data, std::size_t size) {
    const auto done =
        session_ == nullptr ? ::recv(descriptor_, data, size, 0) : gnutls_record_recv(session_, data, size);
    require(done > 0, "receiving");
    return static_cast<std::size_t>(done);
  }

 private:
  int descriptor_;
  gnutls_session_t session_ = nullptr;
};

/// Whether sessions are encrypted, and with what. Lives as long as the process.
struct Security {
  bool tls = false;
  gnutls_certificate_credentials_t credentials = nullptr;

  void load(const Json& parameters) {
    if (!tls) return;
    require(gnutls_certificate_allocate_credentials(&credentials) == 0, "credentials");
    const std::string certificate(parameters.at("certificate").as_string());
    const std::string key(parameters.at("key").as_string());
    require(
        gnutls_certificate_set_x509_key_file(credentials, certificate.c_str(), key.c_str(), GNUTLS_X509_FMT_PEM) == 0,
        "reading the certificate");
    require(gnutls_certificate_set_x509_trust_file(credentials, certificate.c_str(), GNUTLS_X509_FMT_PEM) > 0,
            "trusting the certificate");
  }
};
Security security;

void send_streams(int listener, std::uint64_t bytes, std::size_t message_bytes) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::vector<char> message(message_bytes, 'x');
  while (true) {
    const int accepted = ::accept(listener, nullptr, nullptr);
    if (accepted < 0) return;
    Channel channel(accepted, security.credentials, GNUTLS_SERVER);
    for (std::uint64_t left = bytes; left > 0;) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, message.size()));
      channel.write(message.data(), size);
      left -= size;
    }
  }
}

/// The server in its child process.
class Server {
 public:
  Server(std::uint64_t bytes, std::size_t message_bytes) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    require(::bind(listener, reinterpret_cast<const sockaddr*>(&address), length) == 0, "bind");
    require(::listen(listener, 8) == 0, "listen");
    require(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
    child_ = ::fork();
    if (child_ == 0) {
      send_streams(listener, bytes, message_bytes);
      ::_exit(0);
    }
    ::close(listener);
  }
  ~Server() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int connect() const {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port_);
    require(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
    return descriptor;
  }

 private:
  pid_t child_ = 0;
  std::uint16_t port_ = 0;
};

Case stream(const Json& parameters) {
  const auto bytes = parameters.at("bytes").to_number<std::uint64_t>();
  security.load(parameters);
  const auto server = std::make_shared<Server>(bytes, parameters.at("message_bytes").to_number<std::size_t>());
  return [server, bytes] {
    Channel channel(server->connect(), security.credentials, GNUTLS_CLIENT);
    const auto memory = std::make_unique_for_overwrite<char[]>(bytes);
    for (std::uint64_t at = 0; at < bytes;) at += channel.read(memory.get() + at, bytes - at);
  };
}

}  // namespace
}  // namespace alknet::bench

int main(int argc, char** argv) {
  using namespace alknet::bench;
  security.tls = argc > 1 && std::string_view(argv[1]) == "tls";
  serve({{"stream", stream}}, security.tls ? std::string("GnuTLS ") + gnutls_check_version(nullptr) : "TCP");
}
