#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/stream/quic_connection.h"
#include "alknet/stream/tensor_client.h"
#include "bench/soak/actions.h"

namespace alknet::bench::soak {
namespace {

using ClientPtr = std::shared_ptr<stream::TensorClient>;

bool same(const tensor::TensorView& view, const tensor::File& model, std::string_view name) {
  return std::ranges::equal(view.data(), model.tensor(name).data());
}

/// Everything, compared byte for byte.
Task<Ending> take_all(User& user, ClientPtr client) {
  co_await client->complete();
  const tensor::File& model = user.crowd().place.model();
  for (const tensor::Entry& entry : model.entries()) {
    if (!same(client->file().tensor(entry.name), model, entry.name))
      throw Error(call::CallError::kInternal, "bytes differ");
  }
  co_return Ending::kAnswered;
}

/// Some tensors, and one of those that was given up before.
Task<Ending> take_some(User& user, ClientPtr client) {
  const tensor::File& model = user.crowd().place.model();
  const auto entries = client->file().entries();
  for (std::size_t left = 1 + user.below(6); left > 0; --left) {
    const tensor::Entry& entry = entries[user.below(entries.size())];
    if (user.below(3) == 0) {
      const auto want = [](ClientPtr from, const tensor::Entry& wanted) -> Task<void> {
        co_await from->arrived(wanted);
      };
      const Beside waiting(user.crowd().loop, want(client, entry));
      const auto time = user.up_to(3);
      co_await sleep_for(time);
      client->cancel(entry);
      try {
        co_await waiting.ended();
      } catch (const Error& error) {
        if (error.code() != BaseError::kAborted) throw;
      }
    }
    const auto view = co_await client->arrived(entry);
    if (!same(view, model, entry.name)) throw Error(call::CallError::kInternal, "bytes differ");
  }
  co_return Ending::kAnswered;
}

/// Goes away after a while.
Task<Ending> leave(User& user, ClientPtr client) {
  const auto want = [](ClientPtr from) -> Task<void> { co_await from->complete(); };
  Beside waiting(user.crowd().loop, want(client));
  const auto time = user.up_to(20);
  co_await sleep_for(time);
  waiting.stop();
  try {
    co_await waiting.ended();
  } catch (const Error& error) {
    if (error.code() != BaseError::kAborted) throw;
  }
  co_return Ending::kAborted;
}

Task<Ending> take(User& user, std::string token) {
  Crowd& crowd = user.crowd();
  constexpr std::string_view kScheme = "quic://";
  const net::HostPort place =
      net::parse_host_port(std::string_view(crowd.addresses.at("quic").as_string()).substr(kScheme.size()));
  const stream::Dial dial = [&crowd, place] {
    return stream::dial_quic(crowd.loop, place, crowd.place.stream_options());
  };
  const std::size_t way = user.below(4);
  stream::ClientOptions options;
  options.token = std::move(token);
  options.fetch_all = way != 1;
  options.compression = user.below(4) == 0;
  auto opening = stream::TensorClient::open(crowd.loop, dial, std::move(options));
  ClientPtr client = co_await std::move(opening);
  auto taking = way == 0 ? take_all(user, client) : way == 3 ? leave(user, client) : take_some(user, client);
  co_return co_await std::move(taking);
}

}  // namespace

Task<void> stream_tensors(User& user) {
  std::string token;
  Request request;
  request.operation = "soak/open_model";
  request.input = {JsonObject{}, {}};
  request.right = [&token](const Message& answer) {
    token = answer.value.at("token").as_string();
    return true;
  };
  co_await user.ask(std::move(request));
  if (token.empty()) co_return;

  Ledger::Entry entry = user.crowd().ledger.begin(Family::kStream, "tensors");
  const auto work = [](User& by, std::string with, Ledger::Entry& noted) -> Task<void> {
    auto taking = take(by, std::move(with));
    const Ending ending = co_await std::move(taking);
    noted.end(ending);
  };
  Beside stream(user.crowd().loop, work(user, std::move(token), entry));
  const bool gives_up = user.below(8) == 0;
  if (gives_up) {
    const auto time = user.up_to(10);
    co_await sleep_for(time);
    stream.stop();
  }
  try {
    co_await stream.ended();
  } catch (const Error& error) {
    if (gives_up && error.code() == BaseError::kAborted) {
      entry.end(Ending::kAborted);
    } else {
      entry.lose(fmt::format("{}: {}", error.code_name(), error.message()));
    }
  }
}

}  // namespace alknet::bench::soak
