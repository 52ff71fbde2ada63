#include "alknet/stream/client_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "alknet/base/hash.h"
#include "alknet/call/error.h"
#include "alknet/stream/limits.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"

namespace alknet::stream {
namespace {

using call::CallError;

constexpr std::size_t kRequestsAtOnce = 4;
constexpr std::size_t kRequestTextBytes = kMaxRequestBytes / 8;  // of names; escaped they may take six times that
constexpr std::size_t kRangeTextBytes = 64;                      // what a range takes beside its name
constexpr std::size_t kSaveEvery = std::size_t{64} << 20;

Error protocol_error(std::string what) { return {CallError::kProtocolError, "[alknet/tensor] " + std::move(what)}; }

/// As many of the names as a request has room for.
std::vector<std::string> within_room(const std::vector<std::string>& names) {
  std::vector<std::string> some;
  std::size_t room = kRequestTextBytes;
  for (const std::string& name : names) {
    if (name.size() + kRangeTextBytes > room) break;
    room -= name.size() + kRangeTextBytes;
    some.push_back(name);
  }
  return some;
}

}  // namespace

ClientCore::ClientCore(Executor& executor, Dial dial, ClientOptions options)
    : executor_(executor), dial_(std::move(dial)), options_(std::move(options)) {}

template <typename Action>
void ClientCore::guarded(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    fail_connection(error, error.code() == CallError::kProtocolError ? TransportCode::kProtocolError
                                                                     : TransportCode::kInternalError);
  }
}

// ---- what the user asks for

void ClientCore::open(Completion<tensor::File> opened) {
  opened_ = std::move(opened);
  dial();
}

void ClientCore::want(std::uint32_t index, Completion<> done) {
  if (assembly_->complete(index)) {
    done.set_value();
    return;
  }
  waiters_[index].push_back(std::move(done));
  enqueue(index);
  send_queued();
}

void ClientCore::want_all(Completion<> done) {
  all_waiters_.push_back(std::move(done));
  for (std::uint32_t i = 0; i < coming_.size(); ++i) enqueue(i);
  guarded([&] { finish_all(); });
  send_queued();
}

void ClientCore::enqueue(std::uint32_t index) {
  cancelled_.erase(index);
  if (coming_[index] != Coming::kNo || assembly_->complete(index)) return;
  coming_[index] = Coming::kQueued;
  queue_.push_back(index);
}

void ClientCore::prioritize(std::vector<std::string> names) {
  std::unordered_map<std::uint32_t, std::size_t> rank;
  for (const std::string& name : names) {
    rank.try_emplace(static_cast<std::uint32_t>(assembly_->file().index_of(assembly_->file().entry(name))),
                     rank.size());
  }
  std::ranges::stable_sort(queue_, {}, [&](std::uint32_t index) {
    const auto found = rank.find(index);
    return found == rank.end() ? rank.size() : found->second;
  });
  options_.priority = std::move(names);
  for (const auto& [stream, request] : requests_) {
    const PriorityUpdate update{request.id, within_room(options_.priority)};
    (*line_)->write(stream, update.encode());
  }
}

void ClientCore::cancel(std::uint32_t index) {
  if (assembly_->complete(index)) return;
  cancelled_.insert(index);
  std::erase(queue_, index);
  // It may be asked for again before these requests end, which then must not miss it.
  for (auto& [stream, request] : requests_) std::erase(request.indices, index);
  for (auto it = tensors_.begin(); it != tensors_.end();) {
    if (!it->second.header || it->second.header->index != index) {
      ++it;
      continue;
    }
    (*line_)->stop_sending(it->first, TransportCode::kAborted);
    it = tensors_.erase(it);
  }
  fail_entry(index, Error(BaseError::kAborted, fmt::format("[stream] {} was cancelled",
                                                           tensor::quoted(assembly_->file().entries()[index].name))));
}

void ClientCore::shut_down() {
  if (line_) (*line_)->close(TransportCode::kNone, "done");
  if (assembly_ && !committed_) {
    try {
      assembly_->save_progress();
    } catch (const Error&) {  // nobody is left to tell; a later download then fetches more
    }
  }
  drop_connection();
  fail_all_waiters(Error(BaseError::kAborted, "[stream] the client was closed"));
}

// ---- the connection

void ClientCore::dial() {
  if (dialling_ || line_) return;
  dialling_ = true;
  const auto done = [weak = weak_from_this()](Outcome<std::unique_ptr<StreamConnection>> outcome) {
    if (const auto self = weak.lock()) self->dialled(std::move(outcome));
  };
  try {
    start(executor_, dial_(), done);
  } catch (const Error& error) {
    dialling_ = false;
    fail_connection(error, TransportCode::kNone);
  }
}

void ClientCore::dialled(Outcome<std::unique_ptr<StreamConnection>> outcome) {
  dialling_ = false;
  try {
    line_ = std::make_unique<Line>(*this, outcome.take());
  } catch (const Error& error) {
    return fail_connection(error, TransportCode::kNone);
  }
  next_id_ = 0;
  if (assembly_ && options_.fetch_all) {  // again: after those who asked, the others
    for (std::uint32_t i = 0; i < coming_.size(); ++i) {
      if (!cancelled_.contains(i)) enqueue(i);
    }
  }
  (*line_)->start(*line_);
  ask_for_header();
}

void ClientCore::drop_connection() {
  // Not inside an event of its own.
  if (line_) {
    line_->let_go();
    executor_.post([gone = std::move(line_)] {});
  }
  requests_.clear();
  tensors_.clear();
}

void ClientCore::fail_connection(const Error& error, TransportCode code) {
  if (line_ && code != TransportCode::kNone) (*line_)->close(code, error.message());
  drop_connection();
  queue_.clear();
  std::ranges::fill(coming_, Coming::kNo);
  std::optional<Error> unsaved;
  if (assembly_ && !committed_) {
    try {
      assembly_->save_progress();
    } catch (const Error& failed) {
      unsaved = failed;
    }
  }
  fail_all_waiters(unsaved.value_or(error));
}

void ClientCore::fail_all_waiters(const Error& error) {
  const auto fail = [&](auto& waiter) { waiter.set_error(std::make_exception_ptr(error)); };
  if (opened_) fail(*opened_);
  opened_.reset();
  for (auto& [index, waiters] : std::exchange(waiters_, {})) std::ranges::for_each(waiters, fail);
  auto all = std::exchange(all_waiters_, {});
  std::ranges::for_each(all, fail);
}

void ClientCore::closed(const Error& reason) {
  fail_connection(Error(CallError::kTransport,
                        fmt::format("[stream] the connection that {} came over was lost: {}; ask again to go on",
                                    options_.name, reason.message())),
                  TransportCode::kNone);
}

// ---- requests

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

// ---- events

void ClientCore::received(StreamId stream, std::span<const std::byte> bytes) {
  guarded([&] {
    if (is_unidirectional(stream)) return read_tensor(stream, tensors_[stream], bytes);
    const auto found = requests_.find(stream);
    if (found == requests_.end()) return;
    OpenRequest& request = found->second;
    if (request.granted) throw protocol_error("bytes follow a reply");
    try {
      if (!request.reader.read(bytes)) return;
    } catch (const Error& refusal) {
      // What the server refuses fails what was asked for; before there is a header that is everything.
      if (refusal.code() == CallError::kProtocolError || !assembly_ || request.indices.empty()) throw;
      const std::vector<std::uint32_t> indices = std::move(request.indices);
      requests_.erase(found);
      (*line_)->finish(stream);
      for (const std::uint32_t index : indices) fail_entry(index, refusal);
      return;
    }
    take_reply(stream, request);
  });
}

void ClientCore::finished(StreamId stream) {
  guarded([&] {
    if (!is_unidirectional(stream)) return end_request(stream);
    const auto found = tensors_.find(stream);
    if (found == tensors_.end() || !found->second.header) throw protocol_error("a tensor's stream ended in its header");
    if (found->second.waits) {
      found->second.ended = true;
      return;
    }
    end_tensor(stream, found->second);
  });
}

void ClientCore::was_reset(StreamId stream, std::uint64_t code) {
  if (!is_unidirectional(stream)) {
    return fail_connection(protocol_error(fmt::format("the peer gave a request up (code {})", code)),
                           TransportCode::kProtocolError);
  }
  const auto found = tensors_.find(stream);
  if (found == tensors_.end()) return;
  const std::optional<StreamHeader> header = found->second.header;
  tensors_.erase(found);
  if (!header || !assembly_ || header->index >= coming_.size()) return;
  fail_entry(header->index, Error(CallError::kTransport,
                                  fmt::format("[stream] the peer gave up sending {} (code {})",
                                              tensor::quoted(assembly_->file().entries()[header->index].name), code)));
}

// ---- tensors

void ClientCore::read_tensor(StreamId stream, TensorStream& tensor, std::span<const std::byte> bytes) {
  if (tensor.waits) {
    tensor.early.insert(tensor.early.end(), bytes.begin(), bytes.end());
    return;
  }
  if (!tensor.header) {
    tensor.header = tensor.reader.read(bytes);
    if (!tensor.header) return;
    if (tensor.header->request >= next_id_) {
      throw protocol_error(fmt::format("a tensor came for request {}, which was not made", tensor.header->request));
    }
    tensor.next = tensor.header->offset;
    const OpenRequest* request = request_by_id(tensor.header->request);
    if (request != nullptr && !request->granted) {
      tensor.waits = true;
      tensor.early.assign(bytes.begin(), bytes.end());
      (*line_)->set_reading(stream, false);
      return;
    }
    if (request == nullptr || cancelled_.contains(tensor.header->index)) {
      (*line_)->stop_sending(stream, TransportCode::kAborted);
      tensors_.erase(stream);
      return;
    }
    if (request->reader.reply().zstd) tensor.decompressor.emplace();
  }
  if (!tensor.decompressor) return place(tensor, bytes);
  tensor.decompressor->decompress(bytes, [&](std::span<const std::byte> more) { place(tensor, more); });
}

void ClientCore::place(TensorStream& tensor, std::span<const std::byte> bytes) {
  const std::uint32_t index = tensor.header->index;
  const std::uint64_t offset = tensor.next;
  tensor.next += bytes.size();
  try {
    assembly_->place(index, offset, bytes);
  } catch (const Error& error) {
    if (error.code() != tensor::TensorError::kChecksumMismatch) throw;
    return fail_entry(index, error);
  }
  unsaved_ += bytes.size();
  if (unsaved_ >= kSaveEvery && !options_.target.empty()) {
    unsaved_ = 0;
    assembly_->save_progress();
  }
  if (options_.on_progress) options_.on_progress(assembly_->placed(), assembly_->total());
  if (assembly_->complete(index)) entry_arrived(index);
}

void ClientCore::end_tensor(StreamId stream, const TensorStream& tensor) {
  if (tensor.decompressor && !tensor.decompressor->ended()) throw protocol_error("a compressed stream ended early");
  tensors_.erase(stream);
}

/// Goes on with streams of a request whose reply came after them.
void ClientCore::resume_early(std::uint32_t request) {
  std::vector<StreamId> streams;
  for (const auto& [stream, tensor] : tensors_) {
    if (tensor.waits && tensor.header->request == request) streams.push_back(stream);
  }
  const OpenRequest* open = request_by_id(request);
  for (const StreamId stream : streams) {
    TensorStream& tensor = tensors_.at(stream);
    tensor.waits = false;
    if (open->reader.reply().zstd) tensor.decompressor.emplace();
    const std::vector<std::byte> early = std::exchange(tensor.early, {});
    read_tensor(stream, tensor, early);
    if (tensor.ended) {
      end_tensor(stream, tensor);
    } else {
      (*line_)->set_reading(stream, true);
    }
  }
}

void ClientCore::entry_arrived(std::uint32_t index) {
  coming_[index] = Coming::kNo;
  if (const auto waiting = waiters_.extract(index)) {
    for (Completion<>& waiter : waiting.mapped()) waiter.set_value();
  }
  finish_all();
}

void ClientCore::fail_entry(std::uint32_t index, const Error& error) {
  coming_[index] = Coming::kNo;
  const auto fail = [&](Completion<>& waiter) { waiter.set_error(std::make_exception_ptr(error)); };
  if (const auto waiting = waiters_.extract(index)) std::ranges::for_each(waiting.mapped(), fail);
  auto all = std::exchange(all_waiters_, {});
  std::ranges::for_each(all, fail);
}

void ClientCore::finish_all() {
  if (!assembly_->complete()) return;
  if (!committed_) {
    assembly_->commit();
    committed_ = true;
  }
  for (Completion<>& waiter : std::exchange(all_waiters_, {})) waiter.set_value();
}

}  // namespace alknet::stream
