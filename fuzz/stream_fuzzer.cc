// Tensor streams: a server and a client, each against a peer that does whatever the bytes say.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/bytes.h"
#include "alknet/base/error.h"
#include "alknet/base/manual_executor.h"
#include "alknet/stream/memory_connection.h"
#include "alknet/stream/tensor_client.h"
#include "alknet/stream/tensor_server.h"
#include "alknet/stream/wire.h"
#include "alknet/tensor/source.h"

namespace {

using namespace alknet;
using namespace alknet::stream;

/// The input as a list of choices.
class Choices {
 public:
  explicit Choices(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(bytes_.front());
    bytes_ = bytes_.subspan(1);
    return value;
  }
  SharedBytes some() {
    const std::size_t low = byte();
    const std::size_t wanted = low | (std::size_t{byte()} << 8);
    const std::size_t size = std::min(wanted, bytes_.size());
    const auto taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return SharedBytes::copy(taken);
  }

 private:
  std::span<const std::byte> bytes_;
};

class Ignore final : public StreamEvents {
 public:
  void received(StreamId, std::span<const std::byte>) override {}
  void finished(StreamId) override {}
  void was_reset(StreamId, std::uint64_t) override {}
  void was_stopped(StreamId, std::uint64_t) override {}
  void writable(StreamId) override {}
  void delivered(StreamId) override {}
  void closed(const Error&) override {}
};

const tensor::File& model() {
  static const tensor::File file = [] {
    std::string header = R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[0],)"
                         R"("data_offsets":[8,8]},"c":{"dtype":"U8","shape":[5],"data_offsets":[8,13]}})";
    std::vector<std::byte> bytes(8 + header.size() + 13, std::byte{7});
    store_le(bytes.data(), std::uint64_t{header.size()});
    std::memcpy(bytes.data() + 8, header.data(), header.size());
    return tensor::File::from_bytes(SharedBytes::take(std::move(bytes)));
  }();
  return file;
}

SharedBytes framed(const SharedBytes& text) {
  std::vector<std::byte> bytes(4 + text.size());
  store_be(bytes.data(), static_cast<std::uint32_t>(text.size()));
  std::copy(text.span().begin(), text.span().end(), bytes.begin() + 4);
  return SharedBytes::take(std::move(bytes));
}

/// One thing that a peer may do with its streams.
void act(Choices& choices, StreamConnection& peer, std::vector<StreamId>& streams, const std::string& token) {
  const StreamId stream = streams.empty() ? 0 : streams[choices.byte() % streams.size()];
  switch (choices.byte() % 10) {
    case 0: streams.push_back(peer.open_bidirectional()); break;
    case 1: streams.push_back(peer.open_unidirectional()); break;
    case 2: peer.write(stream, choices.some()); break;
    case 3: peer.write(stream, framed(choices.some())); break;
    case 4: peer.finish(stream); break;
    case 5: peer.reset(stream, TransportCode::kAborted); break;
    case 6: peer.stop_sending(stream, TransportCode::kAborted); break;
    case 7: {
      const StreamHeader header{choices.byte() % 3U, choices.byte() % 4U, choices.byte() % 10U};
      const auto encoded = header.encode();
      peer.write(stream, SharedBytes::copy(encoded));
      break;
    }
    case 8: peer.write(stream, Request{.id = choices.byte() % 3U, .token = token}.encode()); break;
    default: {
      std::vector<std::byte> header(static_cast<std::size_t>(model().data_offset()));
      model().read(0, header);
      const Reply reply{header.size(), model().size(), choices.byte() % 2 == 1};
      peer.write(stream, reply.encode());
      peer.write(stream, SharedBytes::take(std::move(header)));
    }
  }
}

void attack_server(Choices choices) {
  ManualExecutor executor;
  const auto tokens = std::make_shared<TokenIssuer>(executor);
  const std::string token = tokens->issue("x", std::make_shared<tensor::FileSource>(model())).text;
  {
    TensorServer server(executor, tokens);
    const auto link = MemoryLink::make(executor);
    server.serve(link->server_end(), "x");
    Ignore events;
    const auto peer = link->client_end();
    peer->start(events);
    std::vector<StreamId> streams;
    while (!choices.empty()) {
      act(choices, *peer, streams, token);
      executor.run_ready();
    }
    if (link->most_open_streams() > 64 + streams.size()) __builtin_trap();
  }
  executor.run_ready();
}

void attack_client(Choices choices) {
  ManualExecutor executor;
  {
    const auto link = MemoryLink::make(executor);
    Ignore events;
    const auto peer = link->server_end();
    peer->start(events);
    std::shared_ptr<TensorClient> client;
    bool dialled = false;
    const auto once = [](MemoryLink& from, bool& used) -> Task<std::unique_ptr<StreamConnection>> {
      if (std::exchange(used, true)) throw Error(BaseError::kNotFound, "once is enough");
      co_return from.client_end();
    };
    start(executor, TensorClient::open(executor, [&] { return once(*link, dialled); }, {.token = "t"}),
          [&](Outcome<std::shared_ptr<TensorClient>> outcome) {
            if (outcome.ok()) client = outcome.take();
          });
    executor.run_ready();
    std::vector<StreamId> streams = {0};
    bool complete = false;
    while (!choices.empty()) {
      act(choices, *peer, streams, "t");
      executor.run_ready();
      if (client && !complete) {
        start(executor, client->complete(), [&](Outcome<void> outcome) { complete = outcome.ok(); });
        executor.run_ready();
      }
    }
    client.reset();
    executor.run_ready();
  }
  executor.run_ready();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(std::as_bytes(std::span(data, size)));
  if (choices.byte() % 2 == 0) {
    attack_server(choices);
  } else {
    attack_client(choices);
  }
  return 0;
}
