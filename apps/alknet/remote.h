#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "apps/alknet/command.h"

namespace alknet::app {

/// Whether a command line's word is an address and no name: SCHEME://… or unix:PATH.
bool is_address(std::string_view word);

/// How the commands that call a node find and recognise it.
struct RemoteOptions {
  std::string target;                     ///< an address, or the id of a peer in the peers file
  std::string peers_file, key_file;       ///< empty: the defaults
  std::vector<std::string> fingerprints;  ///< of the node; empty: what the peers file says of that address
  std::string ca_file;
  std::string token_file;
  std::string certificate, certificate_key;  ///< shown to the node; empty: none
  std::string timeout = "30s";
};

/// Adds the options that say how.
void add_dial_options(CLI::App& command, RemoteOptions& options);

/// The same, and the target as the first argument.
void add_remote_options(CLI::App& command, RemoteOptions& options);

/// A node that commands call, on a loop of its own.
class Remote {
 public:
  /// Dials. Throws what `net::dial` throws, and UsageError for a target that is neither an address nor a known peer.
  Remote(const RemoteOptions& options, const Globals& globals);
  ~Remote();

  /// The answer of an operation. Throws what the node answered.
  Json call(const std::string& operation, Json input);

  /// The same with the operation's own schema, so that Bytes are base64 text on both sides.
  Json call_by_schema(const std::string& operation, Json input);

  /// Gives each item of a subscription, until it ends or `take` answers false.
  void subscribe(const std::string& operation, Json input, const std::function<bool(const Json& item)>& take);

  /// The operation's spec as the node describes it.
  call::OperationSpec describe(const std::string& operation);

 private:
  template <typename T>
  T run(Task<T> task);
  std::shared_ptr<const call::Operation> known(const std::string& operation);

  std::chrono::milliseconds timeout_;
  Loop loop_;
  std::shared_ptr<call::Connection> connection_;
};

}  // namespace alknet::app
