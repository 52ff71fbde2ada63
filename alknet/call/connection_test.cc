#include "alknet/call/connection.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/discovery.h"
#include "alknet/call/local_link.h"

namespace alknet::call {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two nodes joined in memory; each serves what the test registers.
class Pair {
 public:
  explicit Pair(const LocalLinkOptions& link = {}, const ConnectionOptions& options = {}) {
    near_registry->curated().add(discovery_operations());
    far_registry->curated().add(discovery_operations());
    auto [a, b] = make_local_link(executor, link);
    near = Connection::open(executor, std::move(a), &near_dispatcher, nullptr, options);
    far = Connection::open(executor, std::move(b), &far_dispatcher, nullptr, options);
  }
  ~Pair() {
    near.reset();
    far.reset();
    executor.run_ready();
  }

  void serve(Registration registration) {
    std::vector<Registration> one;
    one.push_back(std::move(registration));
    far_registry->curated().add(std::move(one));
  }

  Message call(std::string operation, Message input = {JsonObject{}, {}}, CallOptions options = {}) {
    return run_until_done(executor, near->call(std::move(operation), std::move(input), std::move(options)));
  }

  ManualExecutor executor;
  std::shared_ptr<Registry> near_registry = std::make_shared<Registry>();
  std::shared_ptr<Registry> far_registry = std::make_shared<Registry>();
  Dispatcher near_dispatcher{executor, near_registry};
  Dispatcher far_dispatcher{executor, far_registry};
  std::shared_ptr<Connection> near;
  std::shared_ptr<Connection> far;
};

class EveryLink : public ::testing::TestWithParam<LocalLinkOptions> {};

TEST_P(EveryLink, CarriesACallAndItsAnswer) {
  Pair pair(GetParam());
  pair.serve(simple_operation("test/echo", echo));
  EXPECT_EQ(pair.call("test/echo", json_message(R"({"a":[1,2.5,"é"]})")).value, parse_json(R"({"a":[1,2.5,"é"]})"));
  EXPECT_EQ(pair.call("/test/echo", json_message("{}")).value, parse_json("{}"));
}

INSTANTIATE_TEST_SUITE_P(Links, EveryLink,
                         ::testing::Values(LocalLinkOptions{}, LocalLinkOptions{.multiplexed = true},
                                           LocalLinkOptions{.framing = Framing::kMessage}));

}  // namespace
}  // namespace alknet::call
