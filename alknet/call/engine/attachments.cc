#include "alknet/call/engine/attachments.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "alknet/base/base64.h"
#include "alknet/call/bytes_places.h"
#include "alknet/call/error.h"

namespace alknet::call {

namespace {

// Memory is taken as bytes come, not as an envelope announces them.
constexpr std::uint64_t kFirstReserve = std::uint64_t{1} << 20;

/// The number of an object that is exactly {"$bytes": n}.
std::optional<std::uint64_t> reference_of(const JsonObject& object) {
  if (object.size() != 1 || object.begin()->key() != kBytesKey || !object.begin()->value().is_number()) {
    return std::nullopt;
  }
  boost::json::error_code not_an_index;
  const auto number = object.begin()->value().to_number<std::uint64_t>(not_an_index);
  return not_an_index ? std::nullopt : std::optional(number);
}

/// Calls `each(place, number)` for every reference inside `value`.
void for_each_reference(Json& value, FunctionRef<void(Json&, std::uint64_t)> each) {
  if (auto* array = value.if_array()) {
    for (Json& item : *array) for_each_reference(item, each);
  } else if (auto* object = value.if_object()) {
    if (const auto number = reference_of(*object)) return each(value, *number);
    for (auto& member : *object) for_each_reference(member.value(), each);
  }
}

void encode_references(Message& message) {
  for_each_reference(message.value, [&](Json& place, std::uint64_t number) {
    if (number < message.bytes.size()) place = base64_text(message.bytes[number].span());
  });
}

}  // namespace

std::uint32_t AttachmentIds::allocate() {
  while (!used_.insert(next_).second) ++next_;
  return next_++;
}

void AttachmentQueue::add(Tag tag, std::uint32_t id, SharedBytes bytes) {
  bytes_ += bytes.size();
  waiting_.push_back({tag, id, std::move(bytes), 0});
}

std::optional<AttachmentQueue::Next> AttachmentQueue::next() {
  if (waiting_.empty()) return std::nullopt;
  Waiting front = std::move(waiting_.front());
  waiting_.pop_front();
  const std::size_t size = std::min(kMaxChunkBytes, front.bytes.size() - front.sent);
  Next next{front.tag, {Chunk::kLast, front.id, {}}, front.bytes.slice(front.sent, size)};
  next.chunk.data = next.data.span();
  front.sent += size;
  bytes_ -= size;
  if (front.sent < front.bytes.size()) {
    next.chunk.flag = Chunk::kMore;
    waiting_.push_back(std::move(front));
  }
  return next;
}

void AttachmentQueue::cancel(Tag tag, FunctionRef<void(std::uint32_t)> each) {
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.tag != tag) return false;
    bytes_ -= waiting.bytes.size() - waiting.sent;
    each(waiting.id);
    return true;
  });
}

bool AttachmentQueue::has(Tag tag) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return waiting.tag == tag; });
}

void AttachmentQueue::clear(FunctionRef<void(std::uint32_t)> each) {
  for (const Waiting& waiting : waiting_) each(waiting.id);
  waiting_.clear();
  bytes_ = 0;
}

std::vector<SharedBytes> Assembly::take_bytes() {
  std::vector<SharedBytes> bytes;
  bytes.reserve(parts.size());
  for (auto& part : parts) bytes.push_back(SharedBytes::take(std::move(part)));
  parts.clear();
  return bytes;
}

void AttachmentReceiver::expect(StreamId stream, const std::shared_ptr<Assembly>& assembly) {
  assembly->missing = assembly->infos.size();
  assembly->parts.resize(assembly->infos.size());
  for (std::size_t i = 0; i < assembly->infos.size(); ++i) {
    if (!incoming_.emplace(assembly->infos[i].id, Incoming{stream, assembly, i}).second) {
      throw Error(CallError::kProtocolError, fmt::format("[attachments] the id {} is in use", assembly->infos[i].id));
    }
  }
}

bool AttachmentReceiver::chunk(StreamId stream, const Chunk& chunk) {
  const auto found = incoming_.find(chunk.id);
  if (found == incoming_.end() || found->second.stream != stream) {
    throw Error(CallError::kProtocolError, fmt::format("[attachments] a chunk of the unknown id {}", chunk.id));
  }
  Incoming& incoming = found->second;
  const auto assembly = incoming.assembly;
  const std::uint64_t size = assembly->infos[incoming.index].size;
  incoming.received += chunk.data.size();
  if (incoming.received > size || (chunk.flag == Chunk::kLast && incoming.received != size)) {
    throw Error(CallError::kProtocolError, fmt::format("[attachments] {} bytes of attachment {}, which has {}",
                                                       incoming.received, chunk.id, size));
  }
  if (assembly->wanted) {
    auto& part = assembly->parts[incoming.index];
    if (part.empty()) part.reserve(std::min(size, kFirstReserve));
    part.insert(part.end(), chunk.data.begin(), chunk.data.end());
    buffered_ += chunk.data.size();
  }
  const bool wanted = assembly->wanted;
  if (chunk.flag == Chunk::kMore) return wanted;
  incoming_.erase(found);
  if (chunk.flag == Chunk::kCancelled) {
    assembly->cancelled = true;
    unwant(*assembly);
  }
  if (--assembly->missing > 0) return wanted;
  for (const auto& part : assembly->parts) buffered_ -= part.size();
  const auto done = std::move(assembly->done);  // it may end what it belongs to
  done(*assembly);
  return wanted;
}

void AttachmentReceiver::drop_stream(StreamId stream) {
  std::erase_if(incoming_, [&](const auto& entry) {
    if (entry.second.stream != stream) return false;
    unwant(*entry.second.assembly);
    return true;
  });
}

void AttachmentReceiver::unwant(Assembly& assembly) {
  if (assembly.missing == 0) return;
  for (auto& part : assembly.parts) {
    buffered_ -= part.size();
    part = {};
  }
  assembly.wanted = false;
}

std::set<StreamId> AttachmentReceiver::streams() const {
  std::set<StreamId> streams;
  for (const auto& [id, incoming] : incoming_) streams.insert(incoming.stream);
  return streams;
}

void renumber_references(Json& value, FunctionRef<std::optional<std::uint64_t>(std::uint64_t)> position) {
  for_each_reference(value, [&](Json& place, std::uint64_t number) {
    if (const auto at = position(number)) place.get_object().begin()->value() = *at;
  });
}

std::vector<AttachmentInfo> to_wire(Message& message, const BytesPlaces* places, bool attachments, AttachmentIds& ids) {
  std::vector<AttachmentInfo> infos;
  if (message.bytes.empty()) return infos;
  if (!attachments) {
    if (places != nullptr) {
      places->encode(message);
    } else {
      encode_references(message);
    }
    message.bytes.clear();
    return infos;
  }
  infos.reserve(message.bytes.size());
  for (const SharedBytes& bytes : message.bytes) infos.push_back({ids.allocate(), bytes.size()});
  if (places == nullptr) {
    renumber_references(message.value, [&](std::uint64_t index) -> std::optional<std::uint64_t> {
      if (index >= infos.size()) return std::nullopt;
      return infos[index].id;
    });
    return infos;
  }
  try {
    places->renumber(message.value, [&](std::uint64_t index) -> std::uint64_t {
      if (index < infos.size()) return infos[index].id;
      throw Error(CallError::kInternal,
                  fmt::format("[call] the message refers to buffer {} of {}", index, infos.size()));
    });
  } catch (...) {
    for (const AttachmentInfo& info : infos) ids.release(info.id);
    throw;
  }
  return infos;
}

void from_wire(Message& message, const BytesPlaces* places, const std::vector<AttachmentInfo>& infos) {
  if (infos.empty()) {
    if (places != nullptr) places->decode(message);
    return;
  }
  std::unordered_map<std::uint64_t, std::uint64_t> positions;
  for (std::size_t i = 0; i < infos.size(); ++i) positions.emplace(infos[i].id, i);
  if (places == nullptr) {
    renumber_references(message.value, [&](std::uint64_t id) -> std::optional<std::uint64_t> {
      const auto found = positions.find(id);
      return found == positions.end() ? std::nullopt : std::optional(found->second);
    });
    return;
  }
  places->renumber(message.value, [&](std::uint64_t id) {
    const auto found = positions.find(id);
    if (found != positions.end()) return found->second;
    throw Error(CallError::kInvalidInput, fmt::format("[call] the envelope has no attachment {}", id));
  });
}

}  // namespace alknet::call
