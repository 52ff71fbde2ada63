#include "alknet/call/engine/attachments.h"

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/testing.h"
#include "alknet/call/bytes_places.h"

namespace alknet::call {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::shared_ptr<Assembly> assembly_of(std::vector<AttachmentInfo> infos, int* done = nullptr) {
  auto assembly = std::make_shared<Assembly>();
  assembly->infos = std::move(infos);
  assembly->done = [done](Assembly&) {
    if (done != nullptr) ++*done;
  };
  return assembly;
}

TEST(AttachmentQueue, LetsAttachmentsTakeTurnsInChunks) {
  AttachmentQueue queue;
  const int a = 0;
  const int b = 0;
  queue.add(&a, 1, SharedBytes::copy(std::string(kMaxChunkBytes * 2 + 1, 'x')));
  queue.add(&b, 2, SharedBytes::copy("small"));
  queue.add(&b, 3, {});
  EXPECT_EQ(queue.bytes(), kMaxChunkBytes * 2 + 6);
  std::vector<std::pair<std::uint32_t, std::size_t>> order;
  while (const auto next = queue.next()) {
    order.emplace_back(next->chunk.id, next->data.size());
    const bool last = next->chunk.id != 1 || next->data.size() == 1;
    EXPECT_EQ(next->chunk.flag, last ? Chunk::kLast : Chunk::kMore);
  }
  EXPECT_EQ(order, (std::vector<std::pair<std::uint32_t, std::size_t>>{
                       {1, kMaxChunkBytes}, {2, 5}, {3, 0}, {1, kMaxChunkBytes}, {1, 1}}));
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(AttachmentQueue, CancelsWhatBelongsToOne) {
  AttachmentQueue queue;
  const int a = 0;
  const int b = 0;
  queue.add(&a, 1, SharedBytes::copy("one"));
  queue.add(&b, 2, SharedBytes::copy("two"));
  queue.add(&a, 3, SharedBytes::copy("three"));
  std::vector<std::uint32_t> cancelled;
  queue.cancel(&a, [&](std::uint32_t id) { cancelled.push_back(id); });
  EXPECT_EQ(cancelled, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(queue.bytes(), 3U);
  EXPECT_FALSE(queue.has(&a));
  EXPECT_TRUE(queue.has(&b));
}

TEST(AttachmentReceiver, PutsInterleavedChunksTogether) {
  AttachmentReceiver receiver;
  int done = 0;
  const auto assembly = assembly_of({{5, 4}, {6, 0}, {7, 2}}, &done);
  receiver.expect(0, assembly);
  receiver.chunk(0, {Chunk::kMore, 5, bytes_of("ab")});
  receiver.chunk(0, {Chunk::kLast, 7, bytes_of("xy")});
  receiver.chunk(0, {Chunk::kLast, 6, {}});
  EXPECT_EQ(receiver.buffered(), 4U);
  EXPECT_EQ(done, 0);
  receiver.chunk(0, {Chunk::kLast, 5, bytes_of("cd")});
  EXPECT_EQ(done, 1);
  EXPECT_EQ(receiver.buffered(), 0U);
  EXPECT_EQ(receiver.unfinished(), 0U);
  const auto bytes = assembly->take_bytes();
  ASSERT_EQ(bytes.size(), 3U);
  EXPECT_EQ(bytes[0].text(), "abcd");
  EXPECT_EQ(bytes[1].text(), "");
  EXPECT_EQ(bytes[2].text(), "xy");
}

TEST(AttachmentReceiver, RefusesChunksThatDoNotFit) {
  const auto receive = [](const std::vector<std::pair<StreamId, Chunk>>& chunks) {
    AttachmentReceiver receiver;
    receiver.expect(4, assembly_of({{1, 3}}));
    return code_of([&] {
      for (const auto& [stream, chunk] : chunks) receiver.chunk(stream, chunk);
    });
  };
  EXPECT_EQ(receive({{4, {Chunk::kLast, 1, bytes_of("abc")}}}), "no error");
  EXPECT_EQ(receive({{4, {Chunk::kLast, 2, bytes_of("abc")}}}), "protocol_error") << "unknown id";
  EXPECT_EQ(receive({{5, {Chunk::kLast, 1, bytes_of("abc")}}}), "protocol_error") << "another stream";
  EXPECT_EQ(receive({{4, {Chunk::kMore, 1, bytes_of("abcd")}}}), "protocol_error") << "too long";
  EXPECT_EQ(receive({{4, {Chunk::kLast, 1, bytes_of("ab")}}}), "protocol_error") << "too short";
  EXPECT_EQ(receive({{4, {Chunk::kCancelled, 1, {}}}}), "no error");
  EXPECT_EQ(receive({{4, {Chunk::kLast, 1, bytes_of("abc")}}, {4, {Chunk::kLast, 1, {}}}}), "protocol_error");
  AttachmentReceiver receiver;
  receiver.expect(4, assembly_of({{1, 3}}));
  EXPECT_EQ(code_of([&] { receiver.expect(5, assembly_of({{1, 3}})); }), "protocol_error") << "an id in use";
}

TEST(AttachmentReceiver, KeepsNoBytesThatNobodyWants) {
  AttachmentReceiver receiver;
  int done = 0;
  const auto assembly = assembly_of({{1, 4}, {2, 2}}, &done);
  receiver.expect(0, assembly);
  receiver.chunk(0, {Chunk::kMore, 1, bytes_of("ab")});
  receiver.unwant(*assembly);
  EXPECT_EQ(receiver.buffered(), 0U);
  receiver.chunk(0, {Chunk::kLast, 1, bytes_of("cd")});
  receiver.chunk(0, {Chunk::kLast, 2, bytes_of("ef")});
  EXPECT_EQ(done, 1);
  EXPECT_EQ(receiver.buffered(), 0U);
}

TEST(AttachmentReceiver, DropsAStream) {
  AttachmentReceiver receiver;
  int done = 0;
  receiver.expect(4, assembly_of({{1, 4}, {2, 4}}, &done));
  receiver.expect(8, assembly_of({{3, 4}}, &done));
  receiver.chunk(4, {Chunk::kMore, 1, bytes_of("ab")});
  receiver.chunk(8, {Chunk::kMore, 3, bytes_of("a")});
  EXPECT_EQ(receiver.streams(), (std::set<StreamId>{4, 8}));
  receiver.drop_stream(4);
  EXPECT_EQ(receiver.unfinished(), 1U);
  EXPECT_EQ(receiver.buffered(), 1U);
  EXPECT_EQ(done, 0);
}

TEST(AttachmentIds, AreUniqueAmongTheUnfinished) {
  AttachmentIds ids;
  const auto a = ids.allocate();
  const auto b = ids.allocate();
  EXPECT_NE(a, b);
  ids.release(a);
  EXPECT_NE(ids.allocate(), b);
  EXPECT_EQ(ids.used(), 2U);
}

// --- messages -------------------------------------------------------------------------------------------------------

const Json kSchema = parse_json(R"({"type":"object","properties":{"data":{"TypeDef:Bytes":true}}})");

Message message_with(std::string_view json) {
  return {parse_json(json), {SharedBytes::copy("zero"), SharedBytes::copy("one")}};
}

TEST(ToWire, NumbersReferencesByAttachment) {
  AttachmentIds ids;
  ids.allocate();
  ids.allocate();
  auto message = message_with(R"({"data":{"$bytes":1},"x":[{"$bytes":0},{"$bytes":7},{"$bytes":0,"and":1}]})");
  const auto infos = to_wire(message, nullptr, true, ids);
  EXPECT_EQ(infos, (std::vector<AttachmentInfo>{{2, 4}, {3, 3}}));
  EXPECT_EQ(message.value, parse_json(R"({"data":{"$bytes":3},"x":[{"$bytes":2},{"$bytes":7},{"$bytes":0,"and":1}]})"));
  from_wire(message, nullptr, infos);
  EXPECT_EQ(message.value, parse_json(R"({"data":{"$bytes":1},"x":[{"$bytes":0},{"$bytes":7},{"$bytes":0,"and":1}]})"));
}

TEST(ToWire, NumbersOnlyWhereTheSchemaSaysBytes) {
  const BytesPlaces places(kSchema);
  AttachmentIds ids;
  ids.allocate();
  auto message = message_with(R"({"data":{"$bytes":1},"x":{"$bytes":0}})");
  const auto infos = to_wire(message, &places, true, ids);
  EXPECT_EQ(message.value, parse_json(R"({"data":{"$bytes":2},"x":{"$bytes":0}})"));
  from_wire(message, &places, infos);
  EXPECT_EQ(message.value, parse_json(R"({"data":{"$bytes":1},"x":{"$bytes":0}})"));

  auto wrong = message_with(R"({"data":{"$bytes":2}})");
  EXPECT_EQ(code_of([&] { (void)to_wire(wrong, &places, true, ids); }), "internal");
  EXPECT_EQ(ids.used(), 3U) << "nothing was taken for the message that failed";
  auto unlisted = message_with(R"({"data":{"$bytes":99}})");
  EXPECT_EQ(code_of([&] { from_wire(unlisted, &places, infos); }), "invalid_input");
}

TEST(ToWire, GivesPlainPeersBase64) {
  const BytesPlaces places(kSchema);
  AttachmentIds ids;
  auto known = message_with(R"({"data":{"$bytes":1},"x":{"$bytes":0}})");
  EXPECT_TRUE(to_wire(known, &places, false, ids).empty());
  EXPECT_EQ(known.value, parse_json(R"({"data":"b25l","x":{"$bytes":0}})"));
  EXPECT_TRUE(known.bytes.empty());
  auto unknown = message_with(R"({"data":{"$bytes":1},"x":{"$bytes":0},"y":{"$bytes":5}})");
  EXPECT_TRUE(to_wire(unknown, nullptr, false, ids).empty());
  EXPECT_EQ(unknown.value, parse_json(R"({"data":"b25l","x":"emVybw==","y":{"$bytes":5}})"));

  from_wire(known, &places, {});
  ASSERT_EQ(known.bytes.size(), 1U);
  EXPECT_EQ(known.bytes[0].text(), "one");
  from_wire(unknown, nullptr, {});
  EXPECT_TRUE(unknown.bytes.empty()) << "without a schema strings stay strings";
  Message broken{parse_json(R"({"data":"%%%"})"), {}};
  EXPECT_EQ(code_of([&] { from_wire(broken, &places, {}); }), "invalid_input");
}

}  // namespace
}  // namespace alknet::call
