#include "alknet/net/peer_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <stop_token>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"

namespace alknet::net {

namespace {

constexpr std::array<std::string_view, 4> kPhaseNames{"connecting", "connected", "waiting", "stopped"};

double system_random() {
  std::random_device source;
  return std::uniform_real_distribution<double>(0, 1)(source);
}

/// Refuses a prefix under which the peer's operations would lie beside this node's own.
void check_prefix(const call::Registry& registry, const std::string& prefix) {
  const std::string_view space = std::string_view(prefix).substr(0, prefix.find('/'));
  const auto refuse = [&](std::string_view why) {
    throw Error(call::CallError::kNameTaken,
                fmt::format("the operations of a peer cannot be {}/…: {}; give the peer another id", prefix, why),
                JsonObject{{"prefix", prefix}});
  };
  if (call::is_reserved_namespace(space)) refuse("that namespace is reserved");
  const auto curated = registry.curated().snapshot();
  const auto first = curated->lower_bound(fmt::format("{}/", space));
  if (first != curated->end() && first->second->spec().name_space() == space) refuse("this node has that namespace");
}

}  // namespace

std::chrono::milliseconds BackOff::longest(std::uint32_t failures) const {
  std::chrono::milliseconds longest = first;
  for (std::uint32_t i = 1; i < failures && longest < cap; ++i) longest *= 2;
  return std::min(longest, cap);
}

std::string_view link_phase_name(LinkPhase phase) { return kPhaseNames.at(static_cast<std::size_t>(phase)); }

struct PeerLink::State : std::enable_shared_from_this<PeerLink::State> {
  State(Executor& executor, const call::Registry& names, PeerLinkOptions with)
      : on(executor), registry(names), options(std::move(with)) {
    if (options.import.namespace_prefix.empty()) options.import.namespace_prefix = options.peer_id;
    if (!options.random) options.random = system_random;
    check_prefix(registry, options.import.namespace_prefix);
  }

  /// The link's life: ends by a stop, at any `co_await`.
  static Task<void> run(std::shared_ptr<State> self) {
    for (;;) {
      self->now.phase = LinkPhase::kConnecting;
      self->now.next_dial.reset();
      ++self->now.attempts;
      try {
        co_await connect(self);
        if (!self->stop.stop_requested()) self->connected();
      } catch (const Error& error) {
        self->failed(error);
      } catch (const std::exception& error) {
        self->failed(Error(BaseError::kInternal, error.what()));
      }
      if (self->stop.stop_requested()) co_return self->let_go();
      if (self->imported) {
        self->lost = Completion<Error>();
        self->held->on_close([lost = self->lost](const Error& reason) mutable { lost.set_value(reason); });
        const Error reason = co_await self->lost.wait();
        if (self->stop.stop_requested()) co_return;
        self->disconnected(reason);
      }
      co_await self->pause();
    }
  }

  static Task<void> connect(std::shared_ptr<State> self) {
    self->held = co_await self->options.dial();
    self->imported = co_await call::import_peer(self->held, self->registry, self->options.import);
  }

  static Task<void> refresh(std::shared_ptr<State> self) {
    const auto connection = self->held;
    const auto before = self->imported;
    call::ImportOptions again = self->options.import;
    again.replaces = before;
    try {
      auto fresh = co_await call::import_peer(connection, self->registry, again);
      if (self->imported == before) {
        self->imported = std::move(fresh);
        self->now.operations = self->imported->local_names.size();
        self->options.logger.info("peer read again",
                                  {{"peer", self->options.peer_id}, {"operations", self->now.operations}});
      } else {
        fresh->withdraw();  // the connection was lost meanwhile
      }
    } catch (const Error& error) {
      connection->close(call::TransportCode::kNone, error.message());
    }
  }

  void connected() {
    since = on.now();
    now.phase = LinkPhase::kConnected;
    now.last_error.reset();
    now.operations = imported->local_names.size();
    options.logger.info("peer connected", {{"peer", options.peer_id},
                                           {"address", held->peer().address},
                                           {"operations", now.operations},
                                           {"skipped", imported->skipped.size()}});
    for (const auto& [name, why] : imported->skipped) {
      options.logger.debug("operation not imported", {{"peer", options.peer_id}, {"operation", name}, {"reason", why}});
    }
    if (options.on_attempt) options.on_attempt(nullptr);
  }

  void failed(const Error& error) {
    let_go();
    if (stop.stop_requested()) return;
    count_failure(error);
    if (options.on_attempt) options.on_attempt(&error);
  }

  void disconnected(const Error& reason) {
    const bool was_good = on.now() - since >= options.back_off.steady;
    let_go();
    if (was_good) now.failures = 0;
    options.logger.warning("peer lost", {{"peer", options.peer_id}, {"reason", reason.message()}});
    count_failure(reason);
  }

  void count_failure(const Error& error) {
    ++now.failures;
    now.last_error = error;
    const std::chrono::duration<double, std::milli> longest(options.back_off.longest(now.failures));
    now.next_dial = on.now() + std::chrono::duration_cast<Executor::Clock::duration>(options.random() * longest);
  }

  void let_go() {
    now.operations = 0;
    if (const auto peer = std::exchange(imported, nullptr)) peer->withdraw();
    if (const auto connection = std::exchange(held, nullptr)) connection->close();
  }

  /// Waits until it is time to dial, or somebody asks for it.
  Task<void> pause() {
    now.phase = LinkPhase::kWaiting;
    const auto wait = *now.next_dial - on.now();
    options.logger.info("peer is dialled again later",
                        {{"peer", options.peer_id},
                         {"error", now.last_error->message()},
                         {"failures", now.failures},
                         {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(wait).count()}});
    wake = Completion<void>();
    const TimerId timer = on.post_after(wait, [wake = wake]() mutable { wake.set_value(); });
    try {
      co_await wake.wait();
    } catch (...) {
      on.cancel(timer);
      throw;
    }
    on.cancel(timer);
  }

  Executor& on;
  const call::Registry& registry;
  PeerLinkOptions options;
  PeerLinkState now;
  std::shared_ptr<call::Connection> held;
  std::shared_ptr<call::ImportedPeer> imported;
  Executor::Clock::time_point since;
  Completion<Error> lost;
  Completion<void> wake;
  std::stop_source stop;
};

PeerLink::PeerLink(Executor& executor, const call::Registry& registry, PeerLinkOptions options)
    : state_(std::make_shared<State>(executor, registry, std::move(options))) {
  start(
      executor, State::run(state_), [](const Outcome<void>&) {}, state_->stop.get_token());
}

PeerLink::~PeerLink() { stop(); }

const std::string& PeerLink::peer_id() const { return state_->options.peer_id; }

PeerLinkState PeerLink::state() const { return state_->now; }

std::shared_ptr<call::Connection> PeerLink::connection() const {
  return state_->now.phase == LinkPhase::kConnected ? state_->held : nullptr;
}

void PeerLink::retry() {
  if (state_->now.phase != LinkPhase::kWaiting) return;
  state_->now.failures = 0;
  state_->wake.set_value();
}

void PeerLink::refresh() {
  if (state_->now.phase != LinkPhase::kConnected) return;
  start(
      state_->on, State::refresh(state_), [](const Outcome<void>&) {}, state_->stop.get_token());
}

void PeerLink::stop() {
  if (state_->now.phase == LinkPhase::kStopped) return;
  state_->now.phase = LinkPhase::kStopped;
  state_->now.next_dial.reset();
  state_->stop.request_stop();
  state_->let_go();
}

}  // namespace alknet::net
