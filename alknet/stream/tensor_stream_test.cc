#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "alknet/base/testing.h"
#include "alknet/call/error.h"
#include "alknet/stream/stream_test_support.h"
#include "alknet/stream/wire.h"
#include "alknet/tensor/test_folder.h"

namespace alknet::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;

std::vector<std::size_t> sizes(std::size_t count, std::size_t elements) {
  return std::vector<std::size_t>(count, elements);
}

/// The n-th tensor stream that the server opens.
constexpr StreamId tensor_stream(std::uint64_t n) { return 3 + 4 * n; }

/// How a started task ends, once it has.
template <typename T = tensor::TensorView>
std::shared_ptr<std::optional<Outcome<T>>> begin(StreamBench& bench, Task<T> task) {
  const auto outcome = std::make_shared<std::optional<Outcome<T>>>();
  start(bench.executor, std::move(task), [outcome](Outcome<T> result) { outcome->emplace(std::move(result)); });
  bench.executor.run_ready();
  return outcome;
}

bool same(const tensor::TensorView& a, const tensor::TensorView& b) { return std::ranges::equal(a.data(), b.data()); }

TEST(TensorStream, BringsTheSameBytes) {
  StreamBench bench(model_of({1000, 50'000, 0, 3}));
  const auto client = bench.open();
  bench.run(client->complete());
  EXPECT_EQ(all_bytes(client->file()), all_bytes(bench.file));
  EXPECT_EQ(bench.dialled, 1);
}

TEST(TensorStream, BringsTheSameBytesInWhateverOrderStreamsArrive) {
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    StreamBench bench(model_of({1000, 20'000, 0, 3, 500, 501}));
    bench.link_options.shuffle = seed;
    auto options = bench.with_token();
    options.compression = seed % 2 == 1;
    const auto client = bench.open(options);
    bench.run(client->complete());
    EXPECT_EQ(all_bytes(client->file()), all_bytes(bench.file)) << seed;
  }
}

TEST(TensorStream, TellsTheWholeLayoutBeforeAnyTensor) {
  StreamBench bench(model_of({1000, 1000}));
  bench.prepare = [](MemoryLink& link) { link.held = is_unidirectional; };
  const auto client = bench.open();
  EXPECT_EQ(client->file().entry("t1").bytes(), 4000U);
  EXPECT_EQ(bench.link->tensor_bytes(), 0U);
}

TEST(TensorStream, GivesEachTensorWhenItHasArrived) {
  StreamBench bench(model_of({1000, 1000, 1000}));
  bench.prepare = [](MemoryLink& link) { link.held = [](StreamId stream) { return stream == tensor_stream(1); }; };
  auto options = bench.with_token();
  options.priority = {"t2", "t0", "t1"};
  const auto client = bench.open(options);
  const auto held = begin(bench, client->arrived(client->file().entry("t0")));
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t2"))), bench.file.tensor("t2")));
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t1"))), bench.file.tensor("t1")));
  EXPECT_FALSE(held->has_value());
  bench.link->held = nullptr;
  bench.link->kick();
  bench.executor.run_ready();
  ASSERT_TRUE(held->has_value());
  EXPECT_TRUE(same((*held)->take(), bench.file.tensor("t0")));
}

TEST(TensorStream, SendsInTheOrderOfThePriorities) {
  StreamBench bench(model_of(sizes(10, 1000), false));
  auto options = bench.with_token();
  options.priority = {"t7", "t3"};
  std::vector<std::uint32_t> order;
  bench.prepare = [&](MemoryLink& link) {
    link.tamper = [&](StreamId stream, std::uint64_t offset, std::span<std::byte> bytes) {
      if (stream % 4 != 3 || offset != 0) return;
      std::span<const std::byte> front = bytes;
      StreamHeaderReader reader;
      order.push_back(reader.read(front)->index);
    };
  };
  const auto client = bench.open(options);
  bench.run(client->complete());
  ASSERT_EQ(order.size(), bench.file.entries().size());
  EXPECT_EQ(bench.file.entries()[order[0]].name, "t7");
  EXPECT_EQ(bench.file.entries()[order[1]].name, "t3");
  EXPECT_TRUE(std::is_sorted(order.begin() + 2, order.end()));
}

TEST(TensorStream, TakesAnotherOrderWhileItRuns) {
  StreamBench bench(model_of(sizes(20, 30'000), false));
  bench.link_options.window = 200'000;
  const auto client = bench.open();
  client->prioritize(std::vector<std::string>{"t19"});
  EXPECT_EQ(code_of([&] { client->prioritize(std::vector<std::string>{"t20"}); }), "entry_missing");
  bench.executor.run_ready();
  std::vector<std::string> order;
  bench.link->tamper = [&](StreamId stream, std::uint64_t offset, std::span<std::byte> bytes) {
    if (stream % 4 != 3 || offset != 0) return;
    std::span<const std::byte> front = bytes;
    StreamHeaderReader reader;
    order.emplace_back(bench.file.entries()[reader.read(front)->index].name);
  };
  bench.link->set_window(SIZE_MAX);
  bench.run(client->complete());
  const auto place = std::ranges::find(order, "t19") - order.begin();
  EXPECT_LE(place, 4) << "only what was being sent already comes before it";
}

TEST(TensorStream, FetchesOnlyWhatIsAskedForWhenToldSo) {
  StreamBench bench(model_of({1000, 100'000, 1000}));
  auto options = bench.with_token();
  options.fetch_all = false;
  const auto client = bench.open(options);
  EXPECT_EQ(bench.link->tensor_bytes(), 0U);
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t2"))), bench.file.tensor("t2")));
  EXPECT_THAT(bench.link->tensor_bytes(), Le(4016U));
  bench.run(client->complete());
  EXPECT_EQ(all_bytes(client->file()), all_bytes(bench.file));
}

/// The first connection stops after `pause` bytes of tensors.
void pause_first(StreamBench& bench, std::size_t pause) {
  bench.prepare = [&bench, pause](MemoryLink& link) { link.set_window(bench.dialled == 1 ? pause : SIZE_MAX); };
}

/// Goes on, and loses the connection after so many bytes of tensors in all.
void lose_after(StreamBench& bench, std::uint64_t bytes) {
  bench.link->drop_after = bytes;
  bench.link->set_window(SIZE_MAX);
  bench.executor.run_ready();
}

TEST(TensorStream, GoesOnWithRangesAfterTheConnectionWasLostInATensor) {
  StreamBench bench(model_of({1000, 100'000, 1000}));
  pause_first(bench, 100'000);
  const auto client = bench.open();
  const auto lost = begin<void>(bench, client->complete());
  EXPECT_FALSE(lost->has_value());
  lose_after(bench, 250'000);
  ASSERT_TRUE(lost->has_value());
  EXPECT_EQ(code_of([&] { (*lost)->take(); }), "transport");
  bench.run(client->complete());
  EXPECT_EQ(bench.dialled, 2);
  EXPECT_LT(bench.link->tensor_bytes(), bench.file.size() - 200'000) << "what had come did not come again";
  EXPECT_EQ(all_bytes(client->file()), all_bytes(bench.file));
}

TEST(TensorStream, SurvivesALossAtAnyPlace) {
  for (std::uint64_t cut = 1; cut < 24'000; cut += 1711) {
    StreamBench bench(model_of({1000, 3000, 0, 2000}));
    bench.link_options.most_at_once = 700;
    bench.link_options.shuffle = static_cast<std::uint32_t>(cut);
    bench.prepare = [&](MemoryLink& link) {
      if (bench.dialled < 4) link.drop_after = cut;
    };
    std::shared_ptr<TensorClient> client;
    for (int attempt = 0; attempt < 6; ++attempt) {
      try {
        if (!client) client = bench.open();
        bench.run(client->complete());
      } catch (const Error& error) {
        EXPECT_EQ(error.code_name(), "transport") << error.message();
      }
    }
    ASSERT_TRUE(client) << cut;
    bench.run(client->complete());
    EXPECT_EQ(all_bytes(client->file()), all_bytes(bench.file)) << cut;
  }
}

TEST(TensorStream, NamesTheTensorThatWasChangedOnItsWay) {
  StreamBench bench(model_of({1000, 1000, 1000}));
  bool flip = true;
  bench.prepare = [&](MemoryLink& link) {
    link.tamper = [&](StreamId stream, std::uint64_t offset, std::span<std::byte> bytes) {
      if (flip && stream == tensor_stream(1) && offset > 0) bytes[7] ^= std::byte{1};
    };
  };
  auto options = bench.with_token();
  options.priority = {"t0", "t1", "t2"};
  options.fetch_all = false;
  const auto client = bench.open(options);
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t0"))), bench.file.tensor("t0")));
  const Error error = error_of([&] { bench.run(client->arrived(client->file().entry("t1"))); });
  EXPECT_EQ(error.code_name(), "checksum_mismatch");
  EXPECT_THAT(error.message(), HasSubstr("\"t1\""));
  flip = false;
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t1"))), bench.file.tensor("t1")));
  EXPECT_EQ(bench.dialled, 1) << "the connection lives on";
}

TEST(TensorStream, RefusesTokensThatAreNotValid) {
  StreamBench bench(model_of({10}));
  const auto refused = [&](std::string token) {
    auto options = bench.with_token();
    options.token = std::move(token);
    return code_of([&] { bench.open(options); });
  };
  EXPECT_EQ(refused(std::string(64, '0')), "forbidden");
  EXPECT_EQ(refused(""), "forbidden");
  EXPECT_EQ(refused(std::string(300, 'x')), "invalid_input");
  EXPECT_EQ(refused(bench.tokens->issue("phone", std::make_shared<tensor::FileSource>(bench.file)).text), "forbidden");
  bench.executor.advance(std::chrono::seconds(600));
  const Error expired = error_of([&] { bench.open(); });
  EXPECT_EQ(expired.code_name(), "forbidden");
  EXPECT_THAT(expired.message(), HasSubstr("expired"));
}

TEST(TensorStream, KeepsAtMost64StreamsOpen) {
  StreamBench bench(model_of(sizes(200, 1), false));
  bench.prepare = [](MemoryLink& link) { link.held = is_unidirectional; };
  const auto client = bench.open();
  EXPECT_EQ(bench.link->open_streams(true), 64U);
  bench.link->held = nullptr;
  bench.link->kick();
  bench.run(client->complete());
  EXPECT_THAT(bench.link->most_open_streams(), Le(64U));
  EXPECT_EQ(all_bytes(client->file()), all_bytes(bench.file));
}

TEST(TensorStream, BringsTensorsWithoutElements) {
  StreamBench bench(model_of({0, 0, 0}));
  const auto client = bench.open();
  EXPECT_EQ(bench.run(client->arrived(client->file().entry("t1"))).byte_size(), 0U);
  bench.run(client->complete());
}

TEST(TensorStream, HoldsLittleForAReaderThatIsSlow) {
  StreamBench bench(model_of(sizes(16, 1'000'000), false), {.piece_bytes = std::size_t{64} << 10});
  bench.link_options.window = 100'000;
  const auto client = bench.open();
  bench.executor.run_ready();
  // Four streams that write, each at most its high-water mark and one piece.
  EXPECT_THAT(bench.link->most_queued_bytes(), Le(4 * (std::size_t{129} << 10)));
  bench.link->set_window(SIZE_MAX);
  bench.run(client->complete());
  EXPECT_EQ(all_bytes(client->file()), all_bytes(bench.file));
}

TEST(TensorStream, StopsATensorThatIsCancelled) {
  StreamBench bench(model_of({1'000'000, 1000}, false));
  bench.link_options.window = 100'000;
  auto options = bench.with_token();
  options.priority = {"t0"};
  const auto client = bench.open(options);
  const auto waiting = begin(bench, client->arrived(client->file().entry("t0")));
  client->cancel(client->file().entry("t0"));
  bench.executor.run_ready();
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ(code_of([&] { (*waiting)->take(); }), "aborted");
  bench.link->set_window(SIZE_MAX);
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t1"))), bench.file.tensor("t1")));
  EXPECT_LT(bench.link->tensor_bytes(), 600'000U);
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t0"))), bench.file.tensor("t0")))
      << "it may be asked for again";
}

TEST(TensorStream, BringsACancelledTensorThatIsAskedForAgainBeforeItsFirstRequestEnds) {
  StreamBench bench(model_of({1'000'000, 1000}, false));
  bench.link_options.window = 100'000;
  bench.prepare = [](MemoryLink& link) { link.held = [](StreamId stream) { return stream == tensor_stream(2); }; };
  auto options = bench.with_token();
  options.priority = {"t0"};
  const auto client = bench.open(options);
  const auto& entry = client->file().entry("t0");
  client->cancel(entry);
  const auto again = begin(bench, client->arrived(entry));
  bench.link->set_window(SIZE_MAX);
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t1"))), bench.file.tensor("t1")));
  bench.executor.run_ready();
  ASSERT_FALSE(again->has_value()) << "the first request has ended, the second one not";
  bench.link->held = nullptr;
  bench.link->kick();
  bench.executor.run_ready();
  ASSERT_TRUE(again->has_value());
  EXPECT_TRUE(same((*again)->take(), bench.file.tensor("t0")));
}

TEST(TensorStream, DoesNotTakeATensorThatWasCancelledBeforeItCame) {
  StreamBench bench(model_of({1000, 100'000}, false));
  bench.prepare = [](MemoryLink& link) { link.held = is_unidirectional; };
  const auto client = bench.open();
  client->cancel(client->file().entry("t1"));
  bench.executor.run_ready();
  bench.link->held = nullptr;
  bench.link->kick();
  bench.executor.run_ready();
  EXPECT_TRUE(same(bench.run(client->arrived(client->file().entry("t0"))), bench.file.tensor("t0")));
  EXPECT_LT(bench.link->tensor_bytes(), 300'000U);
}

TEST(TensorStream, DownloadsToAFileAndGoesOnInAnotherProcess) {
  const tensor::TestFolder folder;
  StreamBench bench(model_of({1000, 100'000, 1000}));
  auto options = bench.with_token();
  options.target = folder.path("copy.safetensors");
  pause_first(bench, 100'000);
  {
    const auto client = bench.open(options);
    const auto lost = begin<void>(bench, client->complete());
    lose_after(bench, 250'000);
    ASSERT_TRUE(lost->has_value());
    EXPECT_FALSE((*lost)->ok());
  }
  bench.executor.run_ready();
  EXPECT_THAT(folder.names(), ElementsAre(".copy.safetensors.alknet-part", ".copy.safetensors.alknet-part.json"));
  const auto client = bench.open(options);
  bench.run(client->complete());
  EXPECT_LT(bench.link->tensor_bytes(), bench.file.size() - 200'000);
  EXPECT_THAT(folder.names(), ElementsAre("copy.safetensors"));
  EXPECT_EQ(all_bytes(tensor::File::open(options.target)), all_bytes(bench.file));
}

TEST(TensorStream, RefusesAFileBeyondTheLimitBeforeTakingMemory) {
  StreamBench bench(model_of({100'000}));
  auto options = bench.with_token();
  options.max_bytes = 100'000;
  EXPECT_EQ(code_of([&] { bench.open(options); }), "resource_exhausted");
}

TEST(TensorStream, PassesOnAModelThatIsStillComing) {
  StreamBench origin(model_of({1000, 1000}));
  origin.prepare = [](MemoryLink& link) { link.held = [](StreamId stream) { return stream == tensor_stream(1); }; };
  auto first = origin.with_token();
  first.priority = {"t0", "t1"};
  const auto relay = origin.open(first);

  TensorServer server(origin.executor, origin.tokens);
  const std::string token = origin.tokens->issue("phone", relay).text;
  const auto link = MemoryLink::make(origin.executor);
  server.serve(link->server_end(), "phone");
  const auto dial = [&]() -> Dial {
    return [&link]() -> Task<std::unique_ptr<StreamConnection>> { co_return link->client_end(); };
  }();
  const auto client = origin.run(TensorClient::open(origin.executor, dial, {.token = token}));
  EXPECT_TRUE(same(origin.run(client->arrived(client->file().entry("t0"))), origin.file.tensor("t0")));
  const auto later = begin(origin, client->arrived(client->file().entry("t1")));
  EXPECT_FALSE(later->has_value());
  origin.link->held = nullptr;
  origin.link->kick();
  origin.executor.run_ready();
  ASSERT_TRUE(later->has_value());
  EXPECT_TRUE(same((*later)->take(), origin.file.tensor("t1")));
}

TEST(TensorStream, FailsThoseWhoWaitWhenTheClientGoes) {
  StreamBench bench(model_of({1000}));
  bench.prepare = [](MemoryLink& link) { link.held = is_unidirectional; };
  auto client = bench.open();
  Completion<> ended;
  const auto waiting = begin<void>(bench, client->complete());
  client.reset();
  bench.executor.run_ready();
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ(code_of([&] { (*waiting)->take(); }), "aborted");
  EXPECT_EQ(bench.server.connections(), 0U);
}

}  // namespace
}  // namespace alknet::stream
