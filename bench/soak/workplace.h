#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "alknet/net/dial.h"
#include "alknet/net/node.h"
#include "alknet/net/quic/transport.h"
#include "alknet/tensor/file.h"

namespace alknet::bench::soak {

/// The folder that the processes of a soak share: keys, certificates, the peers file, a model. Immutable once made.
class Workplace {
 public:
  /// Makes everything in `folder`, which must not exist.
  static void make(const std::filesystem::path& folder);

  /// Reads what `make` made.
  explicit Workplace(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }

  /// A node that knows our users by every transport.
  net::NodeOptions node_options() const;

  /// How a user dials it.
  net::DialOptions dial_options() const;

  /// How a user dials a stream of tensors.
  net::quic::DialConfig stream_options() const;

  /// Where the node listens: port 0 on loopback, and a socket in the folder.
  std::map<std::string, std::string> listen_addresses() const;

  /// What is streamed: tensors "t0", "t1", ... from nothing to 1 MiB, about 4 MiB in all.
  const tensor::File& model() const { return model_; }

  /// The peer that proves itself by the users' key.
  static constexpr const char* kKeyPeer = "users";

 private:
  std::filesystem::path folder_;
  net::PrivateKey server_key_;
  net::PrivateKey client_key_;
  std::string token_;
  tensor::File model_;
};

}  // namespace alknet::bench::soak
