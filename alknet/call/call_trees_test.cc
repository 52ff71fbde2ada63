#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"

// Random operations call each other at random; a model that knows nothing of the dispatcher says which of them may run.
// ALKNET_CALL_TREES sets the number of trees (100,000 when unset).

namespace alknet::call {
namespace {

/// An operation of a random world, as the model sees it.
struct Plan {
  std::string name;
  bool external = true;
  std::set<std::string> all, any;  // scopes
  std::string resource;            // of type "r"; the input names it
  std::set<std::string> reaches;   // names and "ns/*"
  std::set<std::string> scopes;    // of its authority
  std::map<std::string, bool> resources;
  std::vector<std::string> calls;  // made in this order, each whether or not the last succeeded
};

struct Caller {
  bool known = false;
  std::set<std::string> scopes;
  std::map<std::string, bool> resources;
};

/// One run of one handler, seen from inside.
using Trace = std::vector<std::string>;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    const std::size_t count = 3 + pick(6);
    for (std::size_t i = 0; i < count; ++i)
      names_.push_back(std::string(1, static_cast<char>('a' + pick(3))) + "/" + std::to_string(i));
    for (const std::string& name : names_) plans_[name] = plan(name);
    for (const auto& [name, made] : plans_) registrations_.push_back(registration(made));
    node.registry->curated().add(std::move(registrations_));
  }

  /// Runs one tree and compares what ran, in which order and as whom, with the model.
  void run_tree() {
    Caller caller{pick(4) != 0, some_scopes(), some_resources()};
    std::optional<Identity> identity;
    if (caller.known) identity = identity_of("outside", caller.scopes, caller.resources);
    node.owner->set_identity(identity);
    const std::string target = pick(12) == 0 ? "a/none" : names_[pick(names_.size())];

    Trace expected;
    const bool may = model(target, caller, true, expected, 0);
    ran_.clear();
    budget_ = kMostCalls;
    const std::string code = code_of([&] { node.call(target, input_for(target)); });
    ASSERT_EQ(ran_, expected) << target;
    ASSERT_EQ(code == "no error", may) << code;
    ASSERT_EQ(node.dispatcher->running_calls(), 0U);
  }

  TestNode node;

 private:
  static constexpr int kMostCalls = 40;

  std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_); }

  std::set<std::string> some_scopes() {
    std::set<std::string> scopes;
    for (const char* scope : {"s1", "s2", "s3"}) {
      if (pick(2) == 0) scopes.insert(scope);
    }
    return scopes;
  }
  std::map<std::string, bool> some_resources() {
    std::map<std::string, bool> resources;
    for (const char* name : {"x", "y", "*"}) {
      if (pick(4) == 0) resources[name] = pick(2) == 0;
    }
    return resources;
  }

  Plan plan(const std::string& name) {
    Plan made;
    made.name = name;
    made.external = pick(4) != 0;
    if (pick(3) == 0) made.all.insert("s1");
    if (pick(4) == 0) made.all.insert("s2");
    if (pick(4) == 0) made.any = {"s2", "s3"};
    if (pick(4) == 0) made.resource = pick(2) == 0 ? "x" : "y";
    for (const std::string& other : names_) {
      if (pick(3) == 0) made.reaches.insert(other);
    }
    if (pick(5) == 0) made.reaches.insert("b/*");
    if (pick(9) == 0) made.reaches.insert("*");
    made.scopes = some_scopes();
    made.resources = some_resources();
    const std::size_t calls = pick(4);
    for (std::size_t i = 0; i < calls; ++i)
      made.calls.push_back(pick(10) == 0 ? "c/none" : names_[pick(names_.size())]);
    return made;
  }

  Message input_for(const std::string& name) const {
    const auto found = plans_.find(name);
    return {JsonObject{{"r", found == plans_.end() ? "" : found->second.resource}}, {}};
  }

  static Identity identity_of(std::string id, const std::set<std::string>& scopes,
                              const std::map<std::string, bool>& resources) {
    Identity identity;
    identity.id = std::move(id);
    identity.scopes.assign(scopes.begin(), scopes.end());
    for (const auto& [name, use] : resources) identity.resources["r:" + name] = {use ? "use" : "look"};
    return identity;
  }

  Registration registration(const Plan& made) {
    Registration result =
        simple_operation(made.name, [this, made](OperationContext& context, Message) -> Task<Message> {
          ran_.push_back(made.name + " for " + (context.identity() ? context.identity()->id : "nobody"));
          for (const std::string& callee : made.calls) {
            if (--budget_ < 0) break;
            try {
              co_await context.call(callee, input_for(callee));
            } catch (const Error&) {
              ran_.push_back("refused " + callee);
            }
          }
          co_return Message{JsonObject{}, {}};
        });
    result.spec.visibility = made.external ? Visibility::kExternal : Visibility::kInternal;
    result.spec.access.required_scopes.assign(made.all.begin(), made.all.end());
    result.spec.access.required_scopes_any.assign(made.any.begin(), made.any.end());
    if (!made.resource.empty()) {
      result.spec.access.resource_type = "r";
      result.spec.access.resource_action = "use";
      result.spec.resource_id_path = "/r";
    }
    result.environment = ScopedEnvironment({made.reaches.begin(), made.reaches.end()});
    result.authority = identity_of(made.name, made.scopes, made.resources);
    return result;
  }

  // --- the model: the rules of the design, written a second time ----------------------------------------------------

  static bool allowed(const Plan& made, const Caller& caller) {
    const bool open = made.all.empty() && made.any.empty() && made.resource.empty();
    if (open) return true;
    if (!caller.known) return false;
    for (const std::string& scope : made.all) {
      if (!caller.scopes.contains(scope)) return false;
    }
    if (!made.any.empty() && !std::any_of(made.any.begin(), made.any.end(),
                                          [&](const std::string& scope) { return caller.scopes.contains(scope); })) {
      return false;
    }
    if (made.resource.empty()) return true;
    const auto use = [&](const std::string& name) {
      const auto found = caller.resources.find(name);
      return found != caller.resources.end() && found->second;
    };
    return use(made.resource) || use("*");
  }

  bool model(const std::string& target, const Caller& caller, bool outside, Trace& trace, int depth) {
    if (depth == 0) model_budget_ = kMostCalls;
    const auto found = plans_.find(target);
    if (found == plans_.end()) return false;
    const Plan& made = found->second;
    if (outside && !made.external) return false;
    if (!allowed(made, caller)) return false;
    trace.push_back(made.name + " for " + (caller.known ? (outside ? "outside" : model_caller_) : "nobody"));
    for (const std::string& callee : made.calls) {
      if (--model_budget_ < 0) break;
      const bool reached = made.reaches.contains("*") || made.reaches.contains(callee) ||
                           (made.reaches.contains("b/*") && callee.starts_with("b/"));
      model_caller_ = made.name;
      const Caller self{true, made.scopes, made.resources};
      if (!reached || !model(callee, self, false, trace, depth + 1)) trace.push_back("refused " + callee);
    }
    return true;
  }

  std::mt19937_64 random_;
  std::vector<std::string> names_;
  std::map<std::string, Plan> plans_;
  std::vector<Registration> registrations_;
  Trace ran_;
  int budget_ = 0;
  int model_budget_ = 0;
  std::string model_caller_;
};

TEST(CallTrees, NothingRunsWithoutPassingItsGates) {
  const char* asked = std::getenv("ALKNET_CALL_TREES");
  const std::uint64_t trees = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 100'000;
  constexpr std::uint64_t kTreesOfAWorld = 200;
  for (std::uint64_t done = 0; done < trees; done += kTreesOfAWorld) {
    SCOPED_TRACE(testing::Message() << "world " << done / kTreesOfAWorld);
    World world(done / kTreesOfAWorld);
    for (std::uint64_t i = 0; i < std::min(kTreesOfAWorld, trees - done); ++i) {
      world.run_tree();
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace alknet::call
