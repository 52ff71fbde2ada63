#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/call/registry.h"
#include "alknet/stream/token_issuer.h"

namespace alknet::bench::soak {

/// The operations that a soak calls, and what is alive behind them. On the node's loop; must outlive its registry.
///
///   soak/echo    {text} -> the same                      soak/bytes {data: Bytes} -> the same
///   soak/sleep   {ms} -> {}                              soak/fail  {how: declared | thrown}
///   soak/items   {count, size}: subscription of {n, text}
///   soak/nested  {n} -> {sum}: calls soak/double twice and reads soak/items
///   soak/nested_sleep {ms}: calls soak/sleep
///   soak/keep    {bytes} -> {handle}                     soak/drop  {handle} -> {}
///   soak/open_model {} -> {token}
///   soak/watch   subscription: {n: 0} at once, then what each soak/push {n} -> {watchers} says
///   soak/state   {} -> what `state` says                 soak/stop  {}: calls `stop`
class Service {
 public:
  Service(std::shared_ptr<stream::TokenIssuer> tokens, std::shared_ptr<tensor::Source> model)
      : tokens_(std::move(tokens)), model_(std::move(model)) {}

  std::vector<call::Registration> operations();

  std::function<Json()> state;
  std::function<void()> stop;

  std::int64_t handlers = 0;   ///< that run, soak/state and soak/stop left out
  std::int64_t resources = 0;  ///< that soak/keep made and nobody dropped

 private:
  using Watcher = Completion<std::int64_t>;

  AsyncGenerator<Message> watch();
  std::int64_t push(std::int64_t n);

  std::shared_ptr<stream::TokenIssuer> tokens_;
  std::shared_ptr<tensor::Source> model_;
  std::list<Watcher> watchers_;
};

}  // namespace alknet::bench::soak
