#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "alknet/base/loop.h"
#include "alknet/compute/models/model_files.h"
#include "alknet/net/linked_peers.h"
#include "alknet/net/node.h"
#include "alknet/tensor/source.h"

namespace alknet::app {

/// Models that peers of the peers file stream to this node, over QUIC. Functions block: not on the loop's thread.
class PeerModels {
 public:
  /// Who this node is, which peers it has, read at each call, and where linked ones are, where that is not as the peers
  /// file says. All must outlive this and the sources.
  PeerModels(Loop& loop, const net::NodeOptions& options, const std::map<std::string, std::string>& linked)
      : loop_(loop), options_(options), linked_(linked) {}

  /// The model behind a token that the peer's `compute/open_model` gave; null `peer` throws `invalid_input`, as does
  /// one without a quic:// address. Throws what dialling and the peer's refusal throw.
  std::shared_ptr<tensor::Source> open_stream(std::string_view token, const std::string* peer) const;

  struct Model {
    compute::ModelFiles files;
    std::shared_ptr<tensor::Source> tensors;
  };

  /// A model of the peer's catalogue: asks the peer's `compute/open_model` for a token and the files beside the
  /// tensors. Returns when the header is there; tensors still come. Throws as above, and `model_invalid` for files that
  /// are none.
  Model open(const std::string& name, const std::string& peer) const;

 private:
  net::PeerTarget find(const std::string& peer) const;

  Loop& loop_;
  const net::NodeOptions& options_;
  const std::map<std::string, std::string>& linked_;
};

}  // namespace alknet::app
