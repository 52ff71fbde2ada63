#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace alknet::net::peer_testing {

/// A program of this folder in Python, the independent other side of a test. Its first line of output says the port it
/// listens on, or anything else that the test wants to know. It is ended with this object.
class PythonPeer {
 public:
  /// Runs alknet/net/testing/NAME with `arguments` and waits for its first line.
  PythonPeer(const std::string& name, const std::vector<std::string>& arguments);
  ~PythonPeer();
  PythonPeer(const PythonPeer&) = delete;
  PythonPeer& operator=(const PythonPeer&) = delete;

  const std::string& first_line() const { return first_line_; }
  std::string port() const { return first_line_; }

  /// The next line of its output, "" at the end.
  std::string next_line();

  /// Waits until it ends by itself and returns its exit status.
  int wait();

 private:
  int process_ = -1;
  int output_ = -1;
  int lifeline_ = -1;  ///< its standard input, whose end tells it that we are gone
  std::string buffered_;
  std::string first_line_;
};

/// Whether the Python that bin/setup makes, with the reference packages, can be used; prints why not.
bool has_python_peer();

/// A folder with certificates made by openssl: ca.pem, server.pem/server.key for localhost and 127.0.0.1,
/// client.pem/client.key "client one", expired.pem/expired.key, other_ca.pem; made once a test program, or empty with
/// the reason printed.
std::filesystem::path certificates();

}  // namespace alknet::net::peer_testing
