#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/call/discovery.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/net/dial.h"
#include "alknet/net/node.h"

// Two nodes on one machine: the near one offers what the far one, gpu1, computes.

namespace alknet {
namespace {

namespace fs = std::filesystem;

/// A node that computes.
struct ComputingNode {
  explicit ComputingNode(const fs::path& folder, Loop& on) : loop(on), peers_file(folder / "peers.json") {
    fs::create_directories(folder);
    registry->curated().add(compute::compute_operations(service));
    call::DiscoveryOptions discovery;
    discovery.list_peers = [this] { return node->peers(); };
    registry->curated().add(call::discovery_operations(std::move(discovery)));
  }

  /// On the loop.
  void open() {
    net::NodeOptions options;
    options.credentials.key = key;
    options.peers_file = peers_file;
    options.peers_interval = std::chrono::milliseconds(5);
    node = std::make_unique<net::Node>(loop, registry, std::move(options));
  }

  void knows(std::string id, const net::PrivateKey& other, std::vector<std::string> scopes, std::string address = {}) {
    net::PeersFile(peers_file).update([&](net::PeerList& list) {
      net::PeerEntry entry;
      entry.peer_id = std::move(id);
      entry.fingerprints = {other.fingerprint()};
      entry.scopes = std::move(scopes);
      entry.address = std::move(address);
      list.add(std::move(entry));
    });
  }

  Loop& loop;
  const fs::path peers_file;
  const net::PrivateKey key = net::PrivateKey::generate();
  compute::ComputeService service{{.device = "cpu", .threads = 1}};
  std::shared_ptr<call::Registry> registry = std::make_shared<call::Registry>();
  std::unique_ptr<net::Node> node;
};

class TwoNodes : public ::testing::Test {
 protected:
  template <typename Body>
  auto run(Body body) {
    return wait_for(thread_.loop(), body());
  }

  TwoNodes() : folder_(::testing::TempDir() + "two_nodes_" + std::to_string(::getpid())) {
    far.knows("near", near.key, {"compute"});
    run([&]() -> Task<void> {
      far.open();
      address = far.node->listen("quic://127.0.0.1:0");
      co_return;
    });
    near.knows("gpu1", far.key, {}, address);
    run([&]() -> Task<void> {
      near.open();
      near.node->link_peer("gpu1");
      caller = co_await dial_near();
      while (!near.node->peers().at(0).import || near.node->peers().at(0).import->state != "connected") {
        co_await reschedule();
      }
    });
  }
  ~TwoNodes() override {
    run([&]() -> Task<void> {
      caller.reset();
      near.node.reset();
      far.node.reset();
      co_return;
    });
    near.service.settle();
    far.service.settle();
    fs::remove_all(folder_);
  }

  /// A program of this user, by the near node's socket.
  Task<std::shared_ptr<call::Connection>> dial_near() {
    const std::string socket = "unix:" + (folder_ / "socket").string();
    if (!fs::exists(folder_ / "socket")) near.node->listen(socket);
    net::DialOptions options;
    co_return co_await net::dial(thread_.loop(), socket, options);
  }

  Message send(const std::shared_ptr<call::Connection>& on, std::string operation, Message input) {
    return wait_for(thread_.loop(), on->call(std::move(operation), std::move(input)));
  }
  Json call(std::string operation, JsonObject input) {
    return send(caller, std::move(operation), Message{std::move(input), {}}).value;
  }
  Error error(std::string operation, JsonObject input) {
    return error_of([&] { call(std::move(operation), std::move(input)); });
  }

  /// A matrix of random numbers at the node of that prefix ("gpu1/" or "").
  Json matrix(const std::string& prefix, std::int64_t rows, std::int64_t columns, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    for (float& value : values) value = normal(random);
    Message input{JsonObject{{"dtype", "f32"}, {"shape", JsonArray{rows, columns}}}, {}};
    input.value.as_object()["data"] = attach_bytes(input, SharedBytes::copy(std::as_bytes(std::span(values))));
    return send(caller, prefix + "compute/create_tensor", std::move(input)).value;
  }

  std::vector<std::byte> read(const std::string& prefix, const Json& tensor) {
    const Message answer = send(caller, prefix + "compute/read_tensor", Message{JsonObject{{"tensor", tensor}}, {}});
    const auto bytes = answer.bytes.at(0).span();
    return {bytes.begin(), bytes.end()};
  }

  /// What the near node holds at gpu1.
  std::int64_t held_at_gpu1() {
    return call("gpu1/compute/stats", JsonObject{}).at("resources").at("count").to_number<std::int64_t>();
  }

  const fs::path folder_;
  LoopThread thread_;
  ComputingNode far{folder_ / "far", thread_.loop()};
  ComputingNode near{folder_ / "near", thread_.loop()};
  std::string address;
  std::shared_ptr<call::Connection> caller;
};

TEST_F(TwoNodes, MultiplyTheSameBitForBit) {
  std::vector<std::byte> products[2];
  const std::string prefixes[2] = {"", "gpu1/"};
  for (int i = 0; i < 2; ++i) {
    const Json left = matrix(prefixes[i], 65, 130, 1);
    const Json right = matrix(prefixes[i], 130, 33, 2);
    const Json product = call(prefixes[i] + "tensor/matmul", {{"input", left}, {"other", right}});
    EXPECT_EQ(product.at("shape"), Json(JsonArray{65, 33}));
    products[i] = read(prefixes[i], product);
  }
  EXPECT_EQ(products[0].size(), std::size_t{65 * 33 * 4});
  EXPECT_EQ(products[0], products[1]);
}

TEST_F(TwoNodes, ATensorOfOneIsForeignToTheOther) {
  const Json ours = matrix("", 2, 2, 1);
  const Json theirs = matrix("gpu1/", 2, 2, 2);
  const Error here = error("tensor/matmul", {{"input", ours}, {"other", theirs}});
  EXPECT_EQ(call::wire_code(here), "FOREIGN_HANDLE");
  EXPECT_NE(here.message().find("copy the tensor"), std::string::npos) << here.message();
  const Error there = error("gpu1/tensor/matmul", {{"input", ours}, {"other", theirs}});
  EXPECT_EQ(call::wire_code(there), "FOREIGN_HANDLE");
  EXPECT_NE(there.message().find("copy it there"), std::string::npos) << there.message();
}

TEST_F(TwoNodes, TensorsGoAtThePeerWhenTheyGoHere) {
  const Json tensor = matrix("gpu1/", 2, 2, 1);
  const std::int64_t before = held_at_gpu1() - 1;  // what the service keeps for the near node
  matrix("gpu1/", 2, 2, 2);
  EXPECT_EQ(held_at_gpu1(), before + 2);
  EXPECT_EQ(call("compute/dispose", {{"handles", JsonArray{tensor}}}).at("disposed"), Json(1));
  while (held_at_gpu1() != before + 1) {
  }
  run([&]() -> Task<void> {
    caller->close();
    caller = co_await dial_near();
  });
  while (held_at_gpu1() != before) {
  }
}

TEST_F(TwoNodes, CallersOfTheNearNodeAreKeptApart) {
  auto other = run([&]() -> Task<std::shared_ptr<call::Connection>> { co_return co_await dial_near(); });
  const Json tensor = matrix("gpu1/", 2, 2, 1);
  const auto as_other = [&](std::string operation, JsonObject input) {
    return error_of([&] { send(other, std::move(operation), Message{std::move(input), {}}); });
  };
  const Error stolen = as_other("gpu1/compute/read_tensor", {{"tensor", tensor}});
  EXPECT_TRUE(call::wire_code(stolen) == "INVALID_INPUT" || call::wire_code(stolen) == "FOREIGN_HANDLE");
  EXPECT_EQ(as_other("gpu1/compute/dispose", {{"handles", JsonArray{"h2"}}}).code_name(), "not_found")
      << "plain handles are not kept apart, so what takes them is not offered";
  JsonObject named{{"dtype", "f32"}, {"shape", JsonArray{1}}, {"ids", JsonArray{"c1"}}};
  for (const auto& each : {caller, other}) {
    const Message made = send(each, "gpu1/compute/create_tensor", Message{named, {}});
    EXPECT_EQ(made.value.at("$tensor"), Json("c1")) << "each caller has names of its own";
  }
  run([&]() -> Task<void> {
    other.reset();
    co_return;
  });
}

TEST_F(TwoNodes, OperationsComeBackWithThePeer) {
  EXPECT_EQ(call("services/list-peers", JsonObject{}).at("peers").at(0).at("import").at("state"), Json("connected"));
  run([&]() -> Task<void> {
    far.node.reset();
    while (near.node->peers().at(0).import->state == "connected") co_await reschedule();
  });
  EXPECT_EQ(error("gpu1/compute/stats", JsonObject{}).code_name(), "not_found");
  EXPECT_EQ(call("tensor/ones", {{"size", JsonArray{2}}}).at("shape"), Json(JsonArray{2})) << "others do not notice";
  const Json lost = call("services/list-peers", JsonObject{}).at("peers").at(0);
  EXPECT_EQ(lost.at("connected"), Json(false));
  EXPECT_FALSE(lost.at("import").at("last_error").as_string().empty());
  run([&]() -> Task<void> {
    far.open();
    EXPECT_EQ(far.node->listen(address), address);
    net::PeersFile(near.peers_file).update([](net::PeerList& list) { list.find("gpu1")->display_name = "again"; });
    while (near.node->peers().at(0).import->state != "connected") co_await reschedule();
  });
  EXPECT_EQ(call("gpu1/tensor/ones", {{"size", JsonArray{2}}}).at("shape"), Json(JsonArray{2}));
}

TEST_F(TwoNodes, APeerThatIsDisabledIsLetGoAndTakenBack) {
  const auto set_enabled = [&](bool enabled) {
    net::PeersFile(near.peers_file).update([&](net::PeerList& list) { list.set_enabled("gpu1", enabled); });
  };
  run([&]() -> Task<void> {
    set_enabled(false);
    while (near.node->peers().at(0).import->state != "waiting") co_await reschedule();
    EXPECT_FALSE(near.node->peers().at(0).connected);
    set_enabled(true);
    while (near.node->peers().at(0).import->state != "connected") co_await reschedule();
  });
  EXPECT_EQ(call("gpu1/tensor/ones", {{"size", JsonArray{2}}}).at("shape"), Json(JsonArray{2}));
}

TEST_F(TwoNodes, DrainingLetsForwardedCallsEnd) {
  const Json left = matrix("gpu1/", 512, 512, 1);
  Completion<Json> product;
  run([&]() -> Task<void> {
    start(thread_.loop(), caller->call("gpu1/tensor/matmul", Message{JsonObject{{"input", left}, {"other", left}}, {}}),
          [product](Outcome<Message> outcome) mutable {
            outcome.ok() ? product.set_value(outcome.take().value) : product.set_error(outcome.error());
          });
    while (near.node->dispatcher().running_calls() == 0) co_await reschedule();
    co_await near.node->drain(std::chrono::seconds(30));
    EXPECT_TRUE(near.node->connections().empty());
    const Json answer = co_await product.wait();
    EXPECT_EQ(answer.at("shape"), Json(JsonArray{512, 512}));
  });
}

}  // namespace
}  // namespace alknet
