#include "alknet/stream/server_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/call/error.h"

namespace alknet::stream {
namespace {

using call::CallError;

/// The first bytes of a file, up to its data region, shared with the mapping where there is one.
SharedBytes header_of(const tensor::File& file) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.data_offset()));
  file.read(0, bytes);
  return SharedBytes::take(std::move(bytes));
}

Task<tensor::TensorView> arrival(std::shared_ptr<tensor::Source> source, std::uint32_t index) {
  co_return co_await source->arrived(source->file().entries()[index]);
}

}  // namespace

ServerConnection::ServerConnection(Setup setup, std::unique_ptr<StreamConnection> connection)
    : setup_(std::move(setup)), connection_(std::move(connection)) {}

ServerConnection::OpenRequest* ServerConnection::request_of(StreamId stream) {
  const auto found = requests_.find(stream);
  return found == requests_.end() ? nullptr : &found->second;
}

void ServerConnection::received(StreamId stream, std::span<const std::byte> bytes) {
  if (is_unidirectional(stream)) return connection_->stop_sending(stream, TransportCode::kProtocolError);
  if (request_of(stream) == nullptr) {
    if (requests_.size() >= setup_.options.max_requests) {
      return refuse(stream, Error(CallError::kResourceExhausted,
                                  fmt::format("[alknet/tensor] {} requests are open on this connection; wait for one",
                                              requests_.size()),
                                  JsonObject{{"limit", setup_.options.max_requests}}));
    }
    requests_.emplace(stream, kMaxRequestBytes);
    setup_.executor.post_after(setup_.options.request_timeout, [weak = weak_from_this(), stream] {
      const auto self = weak.lock();
      const OpenRequest* request = self ? self->request_of(stream) : nullptr;
      if (request == nullptr || request->source) return;
      self->refuse(stream, Error(CallError::kTimeout, "[alknet/tensor] the request did not come whole in time"));
    });
  }
  read_frames(stream, bytes);
}

void ServerConnection::read_frames(StreamId stream, std::span<const std::byte> bytes) {
  try {
    const auto each = [&](std::span<const std::byte> frame) {
      OpenRequest& request = requests_.at(stream);
      take_message(stream, request, frame);
      return true;
    };
    request_of(stream)->reader.read(bytes, each);
  } catch (const Error& error) {
    refuse(stream, error);
  }
  settle(stream);
  pump();
}

void ServerConnection::take_message(StreamId stream, OpenRequest& open, std::span<const std::byte> frame) {
  const Json message = parse_message(frame);
  if (!open.source) return grant(stream, open, Request::parse(message));
  const PriorityUpdate update = PriorityUpdate::parse(message);
  if (update.id != open.id) {
    throw Error(CallError::kInvalidInput,
                fmt::format("[alknet/tensor] request {} was named on the stream of {}", update.id, open.id));
  }
  open.plan->prioritize(open.source->file(), update.priority);
}

void ServerConnection::grant(StreamId stream, OpenRequest& open, const Request& request) {
  for (const auto& [other, earlier] : requests_) {
    if (other == stream || !earlier.source || earlier.id != request.id) continue;
    throw Error(CallError::kInvalidInput, fmt::format("[alknet/tensor] request {} is open already", request.id));
  }
  auto source = setup_.tokens->check(request.token, setup_.identity);
  open.plan.emplace(source->file(), request);
  const SharedBytes header = request.header ? header_of(source->file()) : SharedBytes();
  open.id = request.id;
  open.zstd = request.zstd && setup_.options.compression_level > 0;
  open.source = std::move(source);
  const Reply reply{header.size(), open.source->file().size(), open.zstd};
  connection_->write(stream, reply.encode());
  if (!header.empty()) connection_->write(stream, header);
  setup_.logger.debug("tensors requested", {{"model", open.source->file().path()},
                                            {"identity", setup_.identity.value_or("")},
                                            {"streams", std::uint64_t{open.plan->size()}}});
}

/// Before the grant the client gets an answer; behind it the request ends as if it had been given up.
void ServerConnection::refuse(StreamId stream, const Error& error) {
  setup_.logger.info("tensor request refused", {{"identity", setup_.identity.value_or("")}, {"error", error.what()}});
  const OpenRequest* request = request_of(stream);
  if (request != nullptr && request->source) {
    cancel_request(stream);
    connection_->reset(stream, TransportCode::kProtocolError);
    return;
  }
  connection_->write(stream, encode_refusal(error));
  end_request(stream);
  if (error.code() == CallError::kForbidden && ++refusals_ >= setup_.options.max_refusals) {
    connection_->close(TransportCode::kUnauthorized, "too many tokens that are not valid");
  }
}

void ServerConnection::end_request(StreamId stream) {
  connection_->finish(stream);
  connection_->stop_sending(stream, TransportCode::kNone);
  requests_.erase(stream);
}

void ServerConnection::cancel_request(StreamId stream) {
  requests_.erase(stream);
  for (auto it = sending_.begin(); it != sending_.end();) {
    if (it->second.request != stream) {
      ++it;
      continue;
    }
    connection_->reset(it->first, TransportCode::kAborted);
    it = sending_.erase(it);
  }
}

void ServerConnection::finished(StreamId stream) {
  const OpenRequest* request = request_of(stream);
  if (request == nullptr || request->source) return;  // a client may end its side once it has asked
  refuse(stream, Error(CallError::kInvalidInput, "[alknet/tensor] the request's stream ended before the request"));
}

void ServerConnection::was_reset(StreamId stream, std::uint64_t /*code*/) {
  if (request_of(stream) == nullptr) return;
  cancel_request(stream);
  connection_->reset(stream, TransportCode::kAborted);
  pump();
}

void ServerConnection::was_stopped(StreamId stream, std::uint64_t code) {
  if (!is_unidirectional(stream)) return was_reset(stream, code);
  connection_->reset(stream, TransportCode::kAborted);
  delivered(stream);
}

void ServerConnection::writable(StreamId stream) {
  const auto found = sending_.find(stream);
  if (found != sending_.end()) {
    found->second.blocked = false;
    send(stream, found->second);
  }
  pump();
}

void ServerConnection::delivered(StreamId stream) {
  const auto found = sending_.find(stream);
  if (found == sending_.end()) return;
  const StreamId request = found->second.request;
  sending_.erase(found);
  if (OpenRequest* open = request_of(request)) --open->open;
  settle(request);
  pump();
}

void ServerConnection::closed(const Error& reason) {
  setup_.logger.debug("tensor connection ended", {{"reason", reason.what()}});
  requests_.clear();
  sending_.clear();
  setup_.on_closed(*this);
}

/// Ends a request of which nothing is left.
void ServerConnection::settle(StreamId stream) {
  const OpenRequest* open = request_of(stream);
  if (open != nullptr && open->plan && open->plan->empty() && open->open == 0) end_request(stream);
}

std::size_t ServerConnection::unsent() const {
  return arriving_ +
         static_cast<std::size_t>(std::ranges::count_if(sending_, [](const auto& each) { return !each.second.ended; }));
}

void ServerConnection::pump() {
  while (sending_.size() + arriving_ < setup_.options.max_open_streams &&
         unsent() < setup_.options.max_unsent_streams && begin_next()) {
  }
}

/// Takes a piece of the request whose turn it is. False when no request has any.
bool ServerConnection::begin_next() {
  const auto waits = [](const auto& each) { return each.second.plan && !each.second.plan->empty(); };
  auto next = std::find_if(requests_.upper_bound(last_served_), requests_.end(), waits);
  if (next == requests_.end()) next = std::find_if(requests_.begin(), requests_.end(), waits);
  if (next == requests_.end()) return false;
  last_served_ = next->first;
  OpenRequest& open = next->second;
  const Piece piece = *open.plan->next();
  ++open.open;
  ++arriving_;
  const auto done = [weak = weak_from_this(), request = next->first, piece](Outcome<tensor::TensorView> view) {
    const auto self = weak.lock();
    if (!self) return;
    --self->arriving_;
    if (self->request_of(request) != nullptr) {
      try {
        self->begin(request, piece, view.take());
      } catch (const std::exception& error) {
        // The client sees at the end of its request that the tensor did not come.
        self->setup_.logger.error("a tensor could not be sent", {{"error", error.what()}});
        if (OpenRequest* unlucky = self->request_of(request)) --unlucky->open;
        self->settle(request);
      }
    }
    self->pump();
  };
  alknet::start(setup_.executor, arrival(open.source, piece.index), done);
  return true;
}

void ServerConnection::begin(StreamId request, const Piece& piece, tensor::TensorView view) {
  OpenRequest& open = requests_.at(request);
  const auto size = static_cast<std::size_t>(piece.end - piece.begin);
  const SharedBytes bytes = view.bytes().slice(static_cast<std::size_t>(piece.begin), size);
  const StreamId stream = connection_->open_unidirectional();
  const StreamHeader header{open.id, piece.index, piece.begin};
  const auto encoded = header.encode();
  connection_->write(stream, SharedBytes::copy(encoded));
  Sending& sending = sending_.emplace(stream, Sending{request, bytes, 0, {}, false, false, false}).first->second;
  if (open.zstd) sending.compressor.emplace(setup_.options.compression_level);
  send(stream, sending);
}

/// Writes until the connection holds enough. The stream ends only when its last bytes found room, so that those who
/// wait for room are few, however small the tensors.
void ServerConnection::send(StreamId stream, Sending& sending) {
  while (!sending.blocked && !sending.ended) {
    if (sending.drained) {
      connection_->finish(stream);
      sending.ended = true;
      sending.bytes = {};
      sending.compressor.reset();
      return;
    }
    const auto left = static_cast<std::size_t>(sending.bytes.size() - sending.position);
    const std::size_t size = std::min(left, setup_.options.piece_bytes);
    SharedBytes piece = sending.bytes.slice(static_cast<std::size_t>(sending.position), size);
    sending.position += size;
    sending.drained = size == left;
    if (sending.compressor) {
      piece = SharedBytes::take(sending.compressor->compress(piece.span(), sending.drained));
    }
    if (!piece.empty() && !connection_->write(stream, std::move(piece))) sending.blocked = true;
  }
}

}  // namespace alknet::stream
