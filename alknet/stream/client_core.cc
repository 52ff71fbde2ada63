#include "alknet/stream/client_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/tensor/fault.h"

namespace alknet::stream {
namespace {

using call::CallError;

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

Error ClientCore::protocol_error(std::string what) {
  return {CallError::kProtocolError, "[alknet/tensor] " + std::move(what)};
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

}  // namespace alknet::stream
