#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/base/message.h"
#include "alknet/call/engine/envelope.h"
#include "alknet/call/engine/frame.h"

namespace alknet::call {

class BytesPlaces;

/// The numbers of a connection's unfinished attachments.
class AttachmentIds {
 public:
  std::uint32_t allocate();
  void release(std::uint32_t id) { used_.erase(id); }
  std::size_t used() const { return used_.size(); }

 private:
  std::uint32_t next_ = 0;
  std::unordered_set<std::uint32_t> used_;
};

/// The attachments that wait to be sent on one stream. They take turns, a chunk each.
class AttachmentQueue {
 public:
  /// Who an attachment belongs to: a request or an answer.
  using Tag = const void*;

  void add(Tag tag, std::uint32_t id, SharedBytes bytes);

  struct Next {
    Tag tag;
    Chunk chunk;  ///< its data lies in `data`
    SharedBytes data;
  };
  /// The next chunk to send, or nothing.
  std::optional<Next> next();

  /// Drops what belongs to `tag` and calls `each(id)` for the attachments that were not whole.
  void cancel(Tag tag, FunctionRef<void(std::uint32_t)> each);

  bool empty() const { return waiting_.empty(); }
  bool has(Tag tag) const;

  /// Bytes that wait.
  std::uint64_t bytes() const { return bytes_; }

  /// Drops everything, as `cancel` does.
  void clear(FunctionRef<void(std::uint32_t)> each);

 private:
  struct Waiting {
    Tag tag;
    std::uint32_t id;
    SharedBytes bytes;
    std::size_t sent;
  };
  std::deque<Waiting> waiting_;
  std::uint64_t bytes_ = 0;
};

/// The attachments of one received envelope, in its order.
struct Assembly {
  std::vector<AttachmentInfo> infos;
  std::vector<std::vector<std::byte>> parts;
  std::size_t missing = 0;  ///< attachments that are not whole
  bool cancelled = false;   ///< the sender gave one up
  bool wanted = true;       ///< false: bytes are counted and dropped

  /// Called once all attachments have ended, in the last chunk.
  std::function<void(Assembly&)> done;

  /// The parts as buffers, moved out.
  std::vector<SharedBytes> take_bytes();
};

/// Puts the attachments of a connection together.
class AttachmentReceiver {
 public:
  /// Awaits the chunks of an envelope that came on `stream`. Throws `protocol_error` for an id that is in use.
  void expect(StreamId stream, const std::shared_ptr<Assembly>& assembly);

  /// Takes a chunk. Throws `protocol_error` for an unknown id, a stream that is not the envelope's, and a sum of bytes
  /// that is not the announced size. Whether its bytes are wanted.
  bool chunk(StreamId stream, const Chunk& chunk);

  /// Forgets what was expected on a stream.
  void drop_stream(StreamId stream);

  /// No more of its bytes are kept, but its chunks still come.
  void unwant(Assembly& assembly);

  /// The streams on which chunks are awaited.
  std::set<StreamId> streams() const;
  std::size_t unfinished() const { return incoming_.size(); }

  /// Bytes held of attachments that are not whole, or whose envelope is not.
  std::uint64_t buffered() const { return buffered_; }

 private:
  struct Incoming {
    StreamId stream;
    std::shared_ptr<Assembly> assembly;
    std::size_t index;
    std::uint64_t received = 0;
  };
  void release(Assembly& assembly);

  std::map<std::uint32_t, Incoming> incoming_;  // the peer chooses the keys: no hash table
  std::uint64_t buffered_ = 0;
};

/// Gives each object exactly `{"$bytes": n}` the number `position(n)` where that is something: for values whose schema
/// is not known.
void renumber_references(Json& value, FunctionRef<std::optional<std::uint64_t>(std::uint64_t)> position);

/// Makes a message ready for the wire. With `attachments` its buffers get numbers from `ids`, which the returned infos
/// list in the order of `message.bytes`; otherwise they become base64 strings and none remain. `places` is null when
/// the schema is not known. Throws `internal` for a reference to a buffer that is not there.
std::vector<AttachmentInfo> to_wire(Message& message, const BytesPlaces* places, bool attachments, AttachmentIds& ids);

/// Makes a received message whole: numbers of `infos` become positions in `message.bytes`. Without attachments base64
/// strings become buffers where `places` says so. Throws `invalid_input` for malformed base64 and unlisted numbers.
void from_wire(Message& message, const BytesPlaces* places, const std::vector<AttachmentInfo>& infos);

}  // namespace alknet::call
