#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/hash.h"
#include "alknet/call/error.h"
#include "alknet/stream/client_core.h"
#include "alknet/stream/limits.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"

// What a client asks for, and the replies.

namespace alknet::stream {
namespace {

using call::CallError;

constexpr std::size_t kRequestsAtOnce = 4;
constexpr std::size_t kRequestTextBytes = kMaxRequestBytes / 8;  // of names; escaped they may take six times that
constexpr std::size_t kRangeTextBytes = 64;                      // what a range takes beside its name

}  // namespace

std::vector<std::string> ClientCore::within_room(const std::vector<std::string>& names) {
  std::vector<std::string> some;
  std::size_t room = kRequestTextBytes;
  for (const std::string& name : names) {
    if (name.size() + kRangeTextBytes > room) break;
    room -= name.size() + kRangeTextBytes;
    some.push_back(name);
  }
  return some;
}

/// The first request of each connection. With the very first one everything may be asked for at once, unless there may
/// be something already; later ones only see that the file is still the same.
void ClientCore::ask_for_header() {
  Request request;
  request.token = options_.token;
  request.zstd = options_.compression;
  const bool everything = !assembly_ && options_.fetch_all && options_.target.empty();
  if (!everything) {
    request.tensors.emplace();
  } else {
    request.priority = within_room(options_.priority);
  }
  send_request(std::move(request), {}, everything);
}

void ClientCore::send_request(Request request, std::vector<std::uint32_t> indices, bool everything) {
  request.id = next_id_++;
  const StreamId stream = (*line_)->open_bidirectional();
  const std::uint64_t most_header = request.header ? tensor::kHeaderPrefixBytes + tensor::kMaxHeaderBytes : 0;
  requests_.emplace(stream, OpenRequest{request.id, ReplyReader(most_header), false, everything, std::move(indices)});
  (*line_)->write(stream, request.encode());
}

/// Asks for what is queued, once the connection's first request was answered.
void ClientCore::send_queued() {
  if (queue_.empty()) return;
  if (!line_) return dial();
  const bool answered = std::ranges::none_of(requests_, [](const auto& each) { return !each.second.granted; });
  if (!answered) return;
  while (!queue_.empty() && requests_.size() < kRequestsAtOnce) {
    std::vector<std::uint32_t> indices;
    Request request = next_request(indices);
    send_request(std::move(request), std::move(indices), false);
  }
}

/// As much of the queue as one request has room for.
Request ClientCore::next_request(std::vector<std::uint32_t>& indices) {
  Request request;
  request.token = options_.token;
  request.zstd = options_.compression;
  request.header = false;
  auto& ranges = request.tensors.emplace();
  std::size_t text = 0;
  while (!queue_.empty() && text < kRequestTextBytes) {
    const std::uint32_t index = queue_.front();
    queue_.pop_front();
    const tensor::Entry& entry = assembly_->file().entries()[index];
    for (const Interval& gap : assembly_->missing(index)) {
      TensorRange range{std::string(entry.name), gap.begin, std::nullopt};
      if (gap.end != entry.bytes()) range.end = gap.end;
      text += entry.name.size() + kRangeTextBytes;
      ranges.push_back(std::move(range));
    }
    coming_[index] = Coming::kRequested;
    indices.push_back(index);
  }
  return request;
}

ClientCore::OpenRequest* ClientCore::request_by_id(std::uint32_t id) {
  const auto found = std::ranges::find_if(requests_, [&](const auto& each) { return each.second.id == id; });
  return found == requests_.end() ? nullptr : &found->second;
}

void ClientCore::take_reply(StreamId stream, OpenRequest& request) {
  request.granted = true;
  if (request.reader.reply().header_bytes > 0) take_header(request);
  if (request.everything) {
    for (std::uint32_t i = 0; i < coming_.size(); ++i) {
      request.indices.push_back(i);
      coming_[i] = Coming::kRequested;
    }
    request.everything = false;
  }
  const std::uint32_t id = request.id;
  static_cast<void>(stream);
  resume_early(id);
  send_queued();
}

void ClientCore::take_header(OpenRequest& request) {
  const std::uint64_t size = request.reader.reply().file_bytes;
  std::vector<std::byte> header = request.reader.take_header();
  const std::string hash = fmt::format("{} {}", xxh3_128_hex(header), size);
  if (assembly_) {
    if (hash == header_hash_) return;
    throw Error(
        CallError::kTransport,
        fmt::format("[stream] {} is another model than before the connection was lost; open it anew", options_.name));
  }
  if (size > options_.max_bytes) {
    throw Error(CallError::kResourceExhausted,
                fmt::format("[stream] {} has {} bytes, at most {} are taken", options_.name, size, options_.max_bytes),
                JsonObject{{"limit", options_.max_bytes}});
  }
  auto storage = options_.target.empty() ? memory_storage(std::move(header), size, options_.name)
                                         : file_storage(options_.target, std::move(header), size);
  assembly_ = std::make_unique<Assembly>(std::move(storage));
  header_hash_ = hash;
  coming_.assign(assembly_->file().entries().size(), Coming::kNo);
  if (options_.fetch_all && !options_.target.empty()) {
    for (std::uint32_t i = 0; i < coming_.size(); ++i) enqueue(i);
    if (!options_.priority.empty()) prioritize(options_.priority);
  }
  if (const auto opened = std::exchange(opened_, std::nullopt)) Completion(*opened).set_value(assembly_->file());
}

/// The server has ended its side: all that the request asked for has come.
void ClientCore::end_request(StreamId stream) {
  const auto found = requests_.find(stream);
  if (found == requests_.end()) return;
  if (!found->second.granted) throw protocol_error("the request's stream ended before its reply");
  const std::vector<std::uint32_t> indices = std::move(found->second.indices);
  requests_.erase(found);
  (*line_)->finish(stream);
  for (const std::uint32_t index : indices) {
    if (assembly_->complete(index) || coming_[index] != Coming::kRequested) continue;
    fail_entry(index, protocol_error(fmt::format("{} was asked for and did not come whole",
                                                 tensor::quoted(assembly_->file().entries()[index].name))));
  }
  send_queued();
}

}  // namespace alknet::stream
