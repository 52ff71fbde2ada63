#include "alknet/stream/quic_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "alknet/base/testing.h"
#include "alknet/stream/stream_test_support.h"
#include "alknet/tensor/test_folder.h"

namespace alknet::stream {
namespace {

using net::HostPort;
using net::PrivateKey;
using net::SocketAddress;

/// Two nodes over QUIC on this machine's loopback.
class TensorStreamOverQuic : public ::testing::Test {
 protected:
  /// Serves `file` to "laptop" on the loop and gives what `talk` makes of a client.
  template <typename T>
  T with_client(const tensor::File& file, ClientOptions options,
                const std::function<Task<T>(TensorClient&, net::quic::Endpoint&)>& talk) {
    const auto scene = [&]() -> Task<T> {
      const auto tokens = std::make_shared<TokenIssuer>(loop);
      options.token = tokens->issue("laptop", std::make_shared<tensor::FileSource>(file)).text;
      TensorServer server(loop, tokens);
      net::quic::Endpoint::Config config;
      config.credentials.key = server_key;
      config.admission = [](const call::PeerCredentials&) {};
      const HostPort any{"127.0.0.1", 0};
      net::quic::Endpoint endpoint(loop, SocketAddress::of(any), config);
      const auto identify = [&](const call::PeerCredentials& peer) {
        return std::optional<std::string>(peer.fingerprint == client_key.fingerprint() ? "laptop" : "stranger");
      };
      serve_quic(endpoint, server, identify);
      net::quic::DialConfig dial;
      dial.credentials.key = client_key;
      dial.expected.fingerprints = {server_key.fingerprint()};
      const HostPort place{"127.0.0.1", endpoint.address().port()};
      const Dial again = [&] { return dial_quic(loop, place, dial); };
      auto client = co_await TensorClient::open(loop, again, options);
      T result = co_await talk(*client, endpoint);
      client.reset();
      co_await reschedule();
      co_await reschedule();
      co_return result;
    };
    return wait_for(loop, scene());
  }

  LoopThread thread;
  Loop& loop = thread.loop();
  PrivateKey server_key = PrivateKey::generate();
  PrivateKey client_key = PrivateKey::generate();
  tensor::TestFolder folder;
};

TEST_F(TensorStreamOverQuic, BringsTheSameBytesToMemory) {
  const tensor::File file = model_at(folder.path("m.safetensors"), {1, 2'000'000, 0, 70'000, 500'000});
  const auto talk = [](TensorClient& client, net::quic::Endpoint&) -> Task<std::vector<std::byte>> {
    co_await client.complete();
    co_return all_bytes(client.file());
  };
  EXPECT_EQ(with_client<std::vector<std::byte>>(file, {}, talk), all_bytes(file));
}

TEST_F(TensorStreamOverQuic, BringsManySmallTensorsCompressedToAFile) {
  const tensor::File file = model_at(folder.path("m.safetensors"), std::vector<std::size_t>(500, 33));
  const ClientOptions options{.target = folder.path("copy.safetensors"), .compression = true};
  const auto talk = [](TensorClient& client, net::quic::Endpoint&) -> Task<bool> {
    co_await client.complete();
    co_return true;
  };
  EXPECT_TRUE(with_client<bool>(file, options, talk));
  EXPECT_EQ(all_bytes(tensor::File::open(options.target)), all_bytes(file));
}

TEST_F(TensorStreamOverQuic, BringsWhatIsAskedForAndCancels) {
  const tensor::File file = model_at(folder.path("m.safetensors"), {10'000'000, 1000, 1000});
  const ClientOptions options{.fetch_all = false};
  const auto talk = [&](TensorClient& client, net::quic::Endpoint&) -> Task<bool> {
    const auto& small = client.file().entry("t2");
    const auto& large = client.file().entry("t0");
    auto cancelled = client.arrived(large);
    client.cancel(large);
    const auto view = co_await client.arrived(small);
    const bool same = std::ranges::equal(view.data(), file.tensor("t2").data());
    const auto whole = co_await client.arrived(large);
    co_return same&& std::ranges::equal(whole.data(), file.tensor("t0").data());
  };
  EXPECT_TRUE(with_client<bool>(file, options, talk));
}

}  // namespace
}  // namespace alknet::stream
