#include "alknet/net/quic/connection.h"

#include <gtest/gtest.h>

#include "alknet/net/quic/quic_test_support.h"

namespace alknet::net::quic {
namespace {

using std::chrono::milliseconds;

std::string pattern(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (auto& c : text) c = static_cast<char>(random());
  return text;
}

/// Sends `count` streams of `size` bytes through an echo and compares what comes back.
Task<void> exchange(Recorder& peer, std::size_t count, std::size_t size) {
  std::map<StreamId, std::string> sent;
  for (std::size_t i = 0; i < count; ++i) {
    const StreamId stream = peer->open_bidirectional();
    sent[stream] = pattern(size, static_cast<std::uint32_t>(stream));
    peer->write(stream, SharedBytes::copy(sent[stream]));
    peer->finish(stream);
  }
  co_await until([&] { return peer.ended.size() >= count || peer.end; }, "all echoes");
  EXPECT_FALSE(peer.end) << peer.end->what();
  for (const auto& [stream, text] : sent) EXPECT_TRUE(peer.text[stream] == text) << "stream " << stream;
}

TEST(QuicConnection, OpensMoreStreamsThanThePeerAllowsAtATime) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.options.max_bidirectional_streams = 10;
    auto peer = co_await nodes.dial();
    co_await exchange(*peer, 1000, 100);
    co_await until([&] { return (*peer)->statistics().streams == 0; }, "streams to be forgotten");
    co_await until([&] { return (*nodes.accepted.at(0))->statistics().streams == 0; }, "those of the server");
    EXPECT_EQ((*peer)->statistics().queued_bytes, 0U);
  });
}

TEST(QuicConnection, DeliversEverythingOverABadNetwork) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(),
                {.loss = 0.05, .repeat = 0.05, .reorder = 0.05, .seed = 42});
    auto peer = co_await nodes.dial(relay.port());
    co_await exchange(*peer, 40, 50'000);
    EXPECT_GT(relay.lost, 5U);
  });
}

TEST(QuicConnection, HoldsTheSenderBackWhileNobodyReads) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.echoes = false;
    Options& options = nodes.server_config.options;
    options.stream_window = options.max_stream_window = 64 << 10;
    nodes.client_config.options.high_water_mark = 256 << 10;
    auto peer = co_await nodes.dial();
    Recorder& reader = *nodes.accepted.at(0);
    const StreamId stream = (*peer)->open_bidirectional();
    reader.on_received = [&](StreamId id) { reader->set_reading(id, false); };
    constexpr std::size_t kTotal = 8 << 20;
    std::size_t written = 0;
    const SharedBytes piece = SharedBytes::copy(std::string(16 << 10, 'x'));
    const auto write_on = [&](StreamId id) {
      while (written < kTotal) {
        written += piece.size();
        if (!(*peer)->write(id, piece)) return;
      }
      (*peer)->finish(id);
    };
    peer->on_writable = write_on;
    write_on(stream);
    co_await until([&] { return reader->statistics().held_bytes > 0; }, "bytes that nobody reads");
    // A second stream is not held up by the first.
    const StreamId other = (*peer)->open_bidirectional();
    reader.on_received = nullptr;
    (*peer)->write(other, SharedBytes::copy("quick"));
    co_await until([&] { return reader.text[other] == "quick"; }, "the other stream");
    EXPECT_LE(reader->statistics().held_bytes, options.stream_window);
    EXPECT_LE((*peer)->statistics().queued_bytes, (256U << 10) + piece.size() + options.stream_window);
    EXPECT_LT(written, 1U << 20);
    reader->set_reading(stream, true);
    co_await until([&] { return reader.ended.contains(stream); }, "the rest");
    EXPECT_EQ(reader.text[stream].size(), kTotal);
    co_await until([&] { return (*peer)->statistics().queued_bytes == 0; }, "the last acknowledgement");
    EXPECT_EQ(reader->statistics().held_bytes, 0U);
  });
}

TEST(QuicConnection, ResetsAndStopsStreams) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.echoes = false;
    auto peer = co_await nodes.dial();
    Recorder& other = *nodes.accepted.at(0);
    const StreamId first = (*peer)->open_bidirectional();
    (*peer)->write(first, SharedBytes::copy("begun"));
    co_await until([&] { return other.text[first] == "begun"; }, "first bytes");
    (*peer)->reset(first, 77);
    co_await until([&] { return other.resets.contains(first); }, "the reset");
    EXPECT_EQ(other.resets[first], 77U);
    EXPECT_FALSE(other.ended.contains(first));
    (*peer)->stop_sending(first, 78);
    co_await until([&] { return other.stops.contains(first); }, "the stop");
    EXPECT_TRUE(other->write(first, SharedBytes::copy("ignored")));
    co_await until([&] { return (*peer)->statistics().streams == 0 && other->statistics().streams == 0; },
                   "both to forget the stream");
    EXPECT_TRUE(peer->text.empty());
  });
}

TEST(QuicConnection, AWriterWithoutCreditHearsThatItIsStopped) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.echoes = false;
    nodes.server_config.options.stream_window = nodes.server_config.options.max_stream_window = 64 << 10;
    auto peer = co_await nodes.dial();
    Recorder& reader = *nodes.accepted.at(0);
    const StreamId stream = (*peer)->open_bidirectional();
    reader.on_received = [&](StreamId id) { reader->set_reading(id, false); };
    (*peer)->write(stream, SharedBytes::copy(std::string(1 << 20, 'x')));
    co_await until([&] { return reader->statistics().held_bytes > 0; }, "a blocked writer");
    reader->stop_sending(stream, 9);
    co_await until([&] { return peer->stops.contains(stream); }, "the stop");
    co_await until([&] { return (*peer)->statistics().bytes_in_flight == 0; }, "the last acknowledgement");
    EXPECT_EQ(reader->statistics().held_bytes, 0U);
    EXPECT_LE((*peer)->statistics().queued_bytes, 64U << 10);
  });
}

TEST(QuicConnection, CarriesStreamsInOneDirectionByPriority) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.echoes = false;
    auto peer = co_await nodes.dial();
    Recorder& sender = *nodes.accepted.at(0);
    constexpr std::size_t kBytes = 1 << 20;
    std::vector<StreamId> streams;
    for (int i = 0; i < 4; ++i) {
      const StreamId stream = sender->open_unidirectional();
      EXPECT_TRUE(is_unidirectional(stream));
      sender->set_priority(stream, {.urgency = static_cast<std::uint8_t>(6 - i), .incremental = false});
      sender->write(stream, SharedBytes::copy(pattern(kBytes, static_cast<std::uint32_t>(i))));
      sender->finish(stream);
      streams.push_back(stream);
    }
    co_await until([&] { return peer->ended.size() == 4; }, "all streams");
    std::vector<StreamId> firsts;
    for (const StreamId stream : peer->order) {
      if (std::find(firsts.begin(), firsts.end(), stream) == firsts.end()) firsts.push_back(stream);
    }
    EXPECT_EQ(firsts, (std::vector<StreamId>{streams[3], streams[2], streams[1], streams[0]}));
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(peer->text[streams[static_cast<std::size_t>(i)]] == pattern(kBytes, static_cast<std::uint32_t>(i)));
    }
  });
}

TEST(QuicConnection, OpensOnlySoManyStreamsInOneDirectionAtATime) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.client_config.options.max_unidirectional_streams = 2;
    auto peer = co_await nodes.dial();
    Recorder& sender = *nodes.accepted.at(0);
    std::vector<StreamId> streams;
    for (int i = 0; i < 5; ++i) {
      streams.push_back(sender->open_unidirectional());
      sender->write(streams.back(), SharedBytes::copy("x"));
    }
    co_await until([&] { return peer->text.size() == 2; }, "the first two");
    co_await exchange(*peer, 20, 100);
    std::size_t opened = 0;
    for (const StreamId stream : streams) opened += peer->text.contains(stream) ? 1 : 0;
    EXPECT_EQ(opened, 2U) << "while none of them ended";
    sender->finish(streams[0]);
    co_await until([&] { return peer->text.contains(streams[2]); }, "the third");
    EXPECT_FALSE(peer->text.contains(streams[3]));
    for (const StreamId stream : streams) {
      if (stream != streams[0]) sender->finish(stream);
    }
    co_await until([&] { return peer->text.contains(streams[4]); }, "all");
  });
}

TEST(QuicConnection, GoesOnAfterKeyUpdates) {
  on_loop([](Nodes& nodes) -> Task<void> {
    auto peer = co_await nodes.dial();
    co_await exchange(*peer, 1, 100'000);
    // Data must flow, since an update is confirmed by an acknowledgement under the new keys.
    while ((*peer)->statistics().key_updates < 3) {
      (*peer)->update_keys();
      peer->ended.clear();
      co_await exchange(*peer, 1, 1'000);
    }
    EXPECT_GE((*nodes.accepted.at(0))->statistics().key_updates, 2U);
  });
}

TEST(QuicConnection, MovesToAnotherPort) {
  on_loop([](Nodes& nodes) -> Task<void> {
    auto peer = co_await nodes.dial();
    co_await exchange(*peer, 1, 10'000);
    const std::uint16_t before = nodes.client->address().port();
    EXPECT_TRUE((*peer)->migrate());
    EXPECT_NE(nodes.client->address().port(), before);
    peer->ended.clear();
    co_await exchange(*peer, 10, 50'000);
    EXPECT_FALSE((*nodes.accepted.at(0))->migrate()) << "only the side that dialled may move";
  });
}

TEST(QuicConnection, LivesThroughANatThatForgets) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(), {});
    auto peer = co_await nodes.dial(relay.port());
    for (int i = 0; i < 3; ++i) {
      peer->ended.clear();
      co_await exchange(*peer, 3, 50'000);
      relay.rebind();
    }
    peer->ended.clear();
    co_await exchange(*peer, 3, 50'000);
    EXPECT_EQ(nodes.accepted.size(), 1U);
  });
}

TEST(QuicConnection, EndsWhenThePeerIsSilent) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.client_config.options.idle_timeout = milliseconds(60);
    nodes.client_config.options.keep_alive = milliseconds(0);
    auto peer = co_await nodes.dial();
    co_await until([&] { return peer->end && nodes.accepted.at(0)->end; }, "both ends");
    EXPECT_EQ(peer->end->code_name(), "transport");
    EXPECT_NE(peer->end->message().find("idle timeout"), std::string::npos);
    co_await until([&] { return nodes.server->connections() == 0; }, "the server to forget");
  });
}

TEST(QuicConnection, IsKeptAliveByTheOneThatDialled) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.client_config.options.idle_timeout = milliseconds(200);
    nodes.client_config.options.keep_alive = milliseconds(20);
    auto peer = co_await nodes.dial();
    const auto sent = (*peer)->statistics().datagrams_sent;
    co_await until([&] { return peer->end || (*peer)->statistics().datagrams_sent > sent + 20; }, "20 pings");
    EXPECT_FALSE(peer->end) << peer->end->what();
  });
}

TEST(QuicConnection, DeliversWhatWasWrittenBeforeItCloses) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.echoes = false;
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(), {.loss = 0.05, .seed = 3});
    auto peer = co_await nodes.dial(relay.port());
    const StreamId stream = (*peer)->open_bidirectional();
    (*peer)->write(stream, SharedBytes::copy(std::string(200'000, 'z')));
    (*peer)->finish(stream);
    (*peer)->close(6, "so long");
    (*peer)->close(7, "a second close changes nothing");
    Recorder& other = *nodes.accepted.at(0);
    co_await until([&] { return other.end && peer->end; }, "the end");
    EXPECT_EQ(other.text[stream].size(), 200'000U);
    EXPECT_EQ(other.end->details().at("code").to_number<int>(), 6);
    EXPECT_EQ(other.end->details().at("reason").as_string(), "so long");
    EXPECT_TRUE(other.end->details().at("by_peer").as_bool());
    EXPECT_FALSE(peer->end->details().at("by_peer").as_bool());
  });
}

TEST(QuicConnection, ADroppedConnectionClosesQuietly) {
  on_loop([](Nodes& nodes) -> Task<void> {
    auto peer = co_await nodes.dial();
    peer->drop();
    co_await until([&] { return nodes.accepted.at(0)->end.has_value(); }, "the peer to see it");
    EXPECT_FALSE(peer->end) << "its own user hears nothing more";
    co_await until([&] { return nodes.client->connections() == 0 && nodes.server->connections() == 0; },
                   "both sides to forget");
  });
}

TEST(QuicConnection, EndsWithItsEndpoint) {
  on_loop([](Nodes& nodes) -> Task<void> {
    auto first = co_await nodes.dial();
    auto second = co_await nodes.dial();
    nodes.server.reset();
    EXPECT_TRUE(nodes.accepted.at(0)->end && nodes.accepted.at(1)->end);
    co_await until([&] { return first->end && second->end; }, "the clients to see it");
    EXPECT_EQ(first->end->details().at("code").to_number<int>(), static_cast<int>(call::TransportCode::kDraining));
    // What is left of a connection does nothing.
    Recorder& rest = *nodes.accepted.at(0);
    const StreamId stream = rest->open_bidirectional();
    EXPECT_TRUE(rest->write(stream, SharedBytes::copy("x")));
    rest->finish(stream);
    rest->reset(stream, 1);
    rest->close(0, "");
    rest->update_keys();
    EXPECT_EQ(rest->statistics().streams, 0U);
  });
}

TEST(QuicConnection, AnEndpointMayBeDestroyedInsideAnEvent) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.echoes = false;
    auto peer = co_await nodes.dial();
    nodes.accepted.at(0)->on_received = [&](StreamId) { nodes.server.reset(); };
    const StreamId stream = (*peer)->open_bidirectional();
    (*peer)->write(stream, SharedBytes::copy("bye"));
    co_await until([&] { return peer->end.has_value(); }, "the end");
    EXPECT_TRUE(nodes.accepted.at(0)->end);
  });
}

TEST(QuicConnection, AUserThatThrowsLosesItsConnectionOnly) {
  on_loop([](Nodes& nodes) -> Task<void> {
    auto peer = co_await nodes.dial();
    auto other = co_await nodes.dial();
    nodes.accepted.at(0)->on_received = [](StreamId) { throw Error(BaseError::kInternal, "a bug"); };
    const StreamId stream = (*peer)->open_bidirectional();
    (*peer)->write(stream, SharedBytes::copy("trigger"));
    co_await until([&] { return peer->end.has_value(); }, "the end");
    EXPECT_EQ(peer->end->details().at("code").to_number<int>(), static_cast<int>(call::TransportCode::kInternalError));
    EXPECT_EQ(peer->end->message().find("a bug"), std::string::npos) << "the text stays in the log";
    EXPECT_NE(nodes.log.find("a bug"), std::string::npos);
    co_await exchange(*other, 1, 100);
  });
}

TEST(QuicConnection, HearsOfAServerThatWasRestarted) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(), {});
    auto peer = co_await nodes.dial(relay.port());
    co_await exchange(*peer, 1, 100);
    // The second endpoint has the same key and therefore the same secret, but knows no connection.
    Endpoint restarted(nodes.loop, loopback(), nodes.server_config);
    restarted.accept("test", [](std::unique_ptr<Connection>) {});
    relay.set_server(restarted.address().port());
    const StreamId stream = (*peer)->open_bidirectional();
    (*peer)->write(stream, SharedBytes::copy(std::string(100, 'x')));
    co_await until([&] { return peer->end.has_value(); }, "a stateless reset");
    EXPECT_NE(peer->end->message().find("stateless reset"), std::string::npos) << peer->end->message();
  });
}

}  // namespace
}  // namespace alknet::net::quic
