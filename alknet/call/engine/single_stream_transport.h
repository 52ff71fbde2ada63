#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "alknet/call/engine/transport.h"

namespace alknet::call {

/// A transport with one stream, over a `State` that it shares with the handlers in flight. `State` has
///
///   void start(TransportEvents& events);
///   bool write(SharedBytes bytes);
///   void set_reading(bool reading);
///   void close(TransportCode code, std::string_view reason);
///   void abandon();   // the transport is destroyed: no more events
///
/// which do what Transport says of them.
template <typename State, Framing kFraming>
class SingleStreamTransport final : public Transport {
 public:
  SingleStreamTransport(std::shared_ptr<State> state, PeerCredentials peer)
      : state_(std::move(state)), peer_(std::move(peer)) {}
  ~SingleStreamTransport() override { state_->abandon(); }

  Framing framing() const override { return kFraming; }
  bool multiplexed() const override { return false; }
  const PeerCredentials& peer() const override { return peer_; }
  void start(TransportEvents& events) override { state_->start(events); }
  StreamId open_stream() override { return 0; }
  bool write(StreamId, SharedBytes bytes) override { return state_->write(std::move(bytes)); }
  void finish(StreamId) override {}
  void reset(StreamId, TransportCode code) override { state_->close(code, "the stream was reset"); }
  void set_reading(StreamId, bool reading) override { state_->set_reading(reading); }
  void close(TransportCode code, std::string_view reason) override { state_->close(code, reason); }

 private:
  std::shared_ptr<State> state_;
  PeerCredentials peer_;
};

}  // namespace alknet::call
