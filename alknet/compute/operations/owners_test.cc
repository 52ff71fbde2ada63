#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <numeric>
#include <random>

#include "alknet/call/error.h"
#include "alknet/compute/operations/operations_test_support.h"

// Random sequences of calls by two owners, honest and hostile, against a small model of the rules.

namespace alknet::compute {
namespace {

using Values = std::vector<double>;

/// What an owner's table should hold under a handle.
struct Expected {
  enum class Kind { kTensor, kPlan, kFailed } kind = Kind::kTensor;
  std::string dtype = {};
  Shape shape = {};
  std::shared_ptr<Values> values = {};  ///< Shared with views; small integers, exact in every dtype used.
  std::string error = {};               ///< kFailed.

  std::uint64_t bytes() const {
    if (kind != Kind::kTensor) return 0;
    return static_cast<std::uint64_t>(graph::element_count(shape)) * (dtype == "u8" ? 1 : 4);
  }
};

constexpr call::ResourceQuota kQuota = {.max_count = 24, .max_bytes = 600};

struct Side {
  std::shared_ptr<call::Owner> owner;
  std::map<std::string, Expected> held;
  std::uint64_t last_id = 0;  ///< Chosen by the caller so far, ...
  std::uint64_t used_id = 0;  ///< ... and taken by the table.

  std::uint64_t count() const { return held.size() + 1; }  // with the service's own
  std::uint64_t bytes() const {
    return std::accumulate(held.begin(), held.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& each) { return sum + each.second.bytes(); });
  }
  bool fits(const Expected& more) const {
    return count() + 1 <= kQuota.max_count && bytes() + more.bytes() <= kQuota.max_bytes;
  }
};

/// A call, and what should come of it: `made` or `error`.
struct Attempt {
  std::string operation;
  JsonObject input;
  std::optional<Expected> made = {};
  std::string error = {};
  bool ids = true;  ///< Whether the operation takes `ids`.
};

class Owners : public OperationsTest {
 protected:
  void begin(unsigned seed) {
    random_.seed(seed);
    for (Side& side : sides_) {
      side.owner = make_owner(call::Owner::Kind::kConnection, kQuota);
      const Json plan = call("compute/compile", R"({"graph":{"alknet_graph":1,
        "inputs":[{"name":"x","dtype":"f32","shape":["n"]}],
        "nodes":[{"id":"y","op":"mul","inputs":{"input":"x","other":{"scalar":2}},"attrs":{}}],
        "outputs":[{"name":"y","value":"y"}]}})",
                             side.owner);
      plan_ = std::string(plan.at("plan").as_string());
      side.held[plan_] = {.kind = Expected::Kind::kPlan};
    }
  }

  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
  bool sometimes(double probability) { return std::bernoulli_distribution(probability)(random_); }
  template <typename T>
  T one_of(std::initializer_list<T> list) {
    return list.begin()[below(list.size())];
  }

  static Json handle_json(const std::string& handle, const Expected& tensor) {
    return JsonObject{
        {"$tensor", handle}, {"dtype", tensor.dtype}, {"shape", JsonArray(tensor.shape.begin(), tensor.shape.end())}};
  }

  struct Picked {
    Json json;
    Expected tensor;
    std::string error = {};  ///< What comes of using it.
  };

  /// A handle of the side: mostly a sound tensor, else something that should be refused.
  Picked pick(const Side& side, const Side& other) {
    static const Expected kNone = {.dtype = "f32", .shape = {2}};
    if (sometimes(0.1)) {
      for (const auto& [handle, there] : other.held) {
        if (!side.held.contains(handle) && sometimes(0.5)) return {handle_json(handle, kNone), kNone, "INVALID_INPUT"};
      }
      const std::string name =
          one_of<std::string>({"h1", "h999", "c999999", "", "../h2", "h02", "h2 ", std::string(5000, 'h')});
      return {handle_json(name, kNone), kNone, "INVALID_INPUT"};
    }
    auto place = side.held.begin();
    std::advance(place, static_cast<std::ptrdiff_t>(below(side.held.size())));
    const auto& [handle, there] = *place;
    if (there.kind == Expected::Kind::kPlan) return {handle_json(handle, kNone), kNone, "INVALID_INPUT"};
    if (there.kind == Expected::Kind::kFailed) return {handle_json(handle, kNone), kNone, there.error};
    Picked picked{handle_json(handle, there), there};
    if (sometimes(0.05)) {
      picked.json.as_object()["dtype"] = one_of<std::string>({"f64", "i64", "bool"});
      picked.error = "DTYPE_MISMATCH";
    } else if (sometimes(0.05)) {
      picked.json.as_object()["shape"] = JsonArray{7, 7};
      picked.error = "SHAPE_MISMATCH";
    } else if (sometimes(0.03)) {
      picked.json.as_object()["$tensor"] = 5;
      picked.error = "INVALID_INPUT";
    }
    return picked;
  }

  Values some_values(std::int64_t count) {
    Values values(static_cast<std::size_t>(count));
    for (double& value : values) value = static_cast<double>(below(9));
    return values;
  }
  /// Nested as the shape says.
  static Json nested(const Values& values, const Shape& shape, std::size_t dim = 0, std::size_t first = 0) {
    if (dim == shape.size()) return static_cast<std::int64_t>(values[first]);
    std::size_t stride = 1;
    for (std::size_t d = dim + 1; d < shape.size(); ++d) stride *= static_cast<std::size_t>(shape[d]);
    JsonArray list;
    for (std::int64_t i = 0; i < shape[dim]; ++i) {
      list.push_back(nested(values, shape, dim + 1, first + static_cast<std::size_t>(i) * stride));
    }
    return list;
  }

  Attempt create() {
    Attempt attempt{"compute/create_tensor", {}};
    const auto refuse = [&](Json dtype, Json shape, std::string error) {
      attempt.input = {{"dtype", std::move(dtype)}, {"shape", std::move(shape)}};
      attempt.error = std::move(error);
      return attempt;
    };
    if (sometimes(0.25)) {
      switch (below(8)) {
        case 0: return refuse("f99", JsonArray{2}, "INVALID_INPUT");
        case 1: return refuse("f32", JsonArray{-1}, "INVALID_INPUT");
        case 2: return refuse("f32", JsonArray(33, Json(1)), "INVALID_INPUT");
        case 3: return refuse("f32", JsonArray{std::int64_t{1} << 40, std::int64_t{1} << 40}, "SIZE_OVERFLOW");
        case 4: return refuse("f32", JsonArray{std::int64_t{1} << 40}, "RESOURCE_EXHAUSTED");
        case 5: return refuse("f32", JsonArray{1.5}, "INVALID_INPUT");
        case 6: return refuse(5, "x", "INVALID_INPUT");
        default: return refuse("f32", nullptr, "INVALID_INPUT");
      }
    }
    Expected made{.dtype = one_of<std::string>({"f32", "f32", "i32", "u8"}),
                  .shape = one_of<Shape>({{}, {3}, {3}, {2, 3}, {0}, {2, 0, 3}, {40}})};
    made.values = std::make_shared<Values>(some_values(graph::element_count(made.shape)));
    attempt.input = {{"dtype", made.dtype},
                     {"shape", JsonArray(made.shape.begin(), made.shape.end())},
                     {"values", nested(*made.values, made.shape)}};
    if (sometimes(0.1)) {
      attempt.input["values"] = JsonArray{1, 2, 3, 4, 5};  // of no shape above
      attempt.error = "INVALID_INPUT";
      return attempt;
    }
    if (sometimes(0.05)) {
      attempt.input["data"] = "AAAA";
      attempt.error = "INVALID_INPUT";
      return attempt;
    }
    attempt.made = std::move(made);
    return attempt;
  }

  Attempt add(const Side& side, const Side& other) {
    const Picked a = pick(side, other), b = pick(side, other);
    Attempt attempt{"tensor/add", {{"input", a.json}, {"other", b.json}}};
    attempt.error = a.error.empty() ? b.error : a.error;
    if (!attempt.error.empty()) {
      // The schema is looked at first, then operands in their order.
      if (b.json.at("$tensor").is_number()) attempt.error = b.error;
      return attempt;
    }
    if (a.tensor.shape != b.tensor.shape || a.tensor.dtype != b.tensor.dtype || a.tensor.dtype == "u8") {
      attempt.operation = "tensor/neg";
      attempt.input = {{"input", a.json}};
      if (a.tensor.dtype == "u8") {
        attempt.operation = "tensor/mul";
        attempt.input["other"] = 1;
        attempt.made = a.tensor;
        attempt.made->values = std::make_shared<Values>(*a.tensor.values);
        return attempt;
      }
      attempt.made = a.tensor;
      attempt.made->values = std::make_shared<Values>(*a.tensor.values);
      for (double& value : *attempt.made->values) value = value == 0 ? 0 : -value;
      return attempt;
    }
    attempt.made = a.tensor;
    attempt.made->values = std::make_shared<Values>(*a.tensor.values);
    for (std::size_t i = 0; i < attempt.made->values->size(); ++i) (*attempt.made->values)[i] += (*b.tensor.values)[i];
    return attempt;
  }

  Attempt view(const Side& side, const Side& other) {
    const Picked of = pick(side, other);
    Attempt attempt{"tensor/unsqueeze", {{"input", of.json}, {"dim", 0}}, {}, of.error};
    if (!of.error.empty()) return attempt;
    if (sometimes(0.1)) {
      attempt.input["dim"] = 99;
      attempt.error = "BAD_ATTRIBUTE";
      return attempt;
    }
    attempt.made = of.tensor;
    attempt.made->shape.insert(attempt.made->shape.begin(), 1);
    return attempt;
  }

  Attempt run(const Side& side, const Side& other) {
    const Picked x = pick(side, other);
    Attempt attempt{"compute/run", {{"plan", plan_}, {"inputs", JsonObject{{"x", x.json}}}}, {}, x.error};
    if (!x.error.empty()) return attempt;
    if (x.tensor.dtype != "f32" || x.tensor.shape.size() != 1) {
      attempt.error = "SHAPE_MISMATCH";
      return attempt;
    }
    if (sometimes(0.1)) {
      attempt.input["plan"] = one_of<std::string>({"h1", "h9999"});
      attempt.error = "INVALID_INPUT";
      return attempt;
    }
    attempt.made = x.tensor;
    attempt.made->values = std::make_shared<Values>(*x.tensor.values);
    for (double& value : *attempt.made->values) value *= 2;
    return attempt;
  }

  Attempt any_that_makes(const Side& side, const Side& other) {
    switch (below(6)) {
      case 0: return add(side, other);
      case 1: return view(side, other);
      case 2: return run(side, other);
      default: return create();
    }
  }

  /// What the call should answer for this side, its quota seen.
  static std::string outcome(const Side& side, const Attempt& attempt) {
    if (!attempt.made) return attempt.error;
    return side.fits(*attempt.made) ? "" : "RESOURCE_EXHAUSTED";
  }

  static Json tensor_of(const Attempt& attempt, const Json& output) {
    return attempt.operation == "compute/run" ? output.at("outputs").at("y") : output;
  }

  void note_made(Side& side, const Attempt& attempt, const Json& output) {
    const Json tensor = tensor_of(attempt, output);
    const std::string handle(tensor.at("$tensor").as_string());
    EXPECT_FALSE(side.held.contains(handle)) << handle << " was given twice";
    EXPECT_EQ(tensor, handle_json(handle, *attempt.made));
    side.held[handle] = *attempt.made;
  }

  void make(Side& side, const Side& other) {
    Attempt attempt = any_that_makes(side, other);
    std::uint64_t next = side.last_id;
    if (sometimes(0.3)) {
      if (sometimes(0.3)) {
        attempt.input["ids"] =
            one_of<Json>({JsonArray{"h7"}, JsonArray{"c0"}, JsonArray{"c01"}, JsonArray{"x"}, JsonArray{5}, "c1",
                          JsonArray{fmt::format("c{}", side.last_id + 1), fmt::format("c{}", side.last_id + 2)},
                          JsonArray{fmt::format("c{}", side.used_id)}, JsonArray{"c99999999999999999999"}});
        if (attempt.made) attempt.error = "INVALID_INPUT";
        hostile_ids(side, attempt);
        return;
      }
      next += 1 + below(3);
      attempt.input["ids"] = JsonArray{fmt::format("c{}", next)};
    }
    const std::string expected = outcome(side, attempt);
    Json output;
    const auto error = thrown_by([&] { output = call(attempt.operation, attempt.input, side.owner); });
    const std::string got = error ? call::wire_code(*error) : "";
    ASSERT_TRUE(agree(side, attempt, expected, got)) << describe(attempt, expected, got);
    if (!got.empty()) return;
    if (next != side.last_id) side.used_id = next;
    side.last_id = next;
    note_made(side, attempt, output);
  }

  /// Whatever else is wrong or full, nothing may be made.
  void hostile_ids(Side& side, const Attempt& attempt) {
    const std::string got = code(attempt.operation, attempt.input, side.owner);
    const bool refused = got == "INVALID_INPUT" || got == attempt.error || got == "RESOURCE_EXHAUSTED";
    ASSERT_TRUE(refused) << describe(attempt, attempt.error, got);
  }

  /// A call with a fault, of an owner whose table is full, may be refused for either.
  static bool agree(const Side& side, const Attempt& attempt, const std::string& expected, const std::string& got) {
    if (got == expected) return true;
    return !attempt.error.empty() && got == "RESOURCE_EXHAUSTED" && side.count() >= kQuota.max_count;
  }

  static std::string describe(const Attempt& attempt, std::string_view expected, std::string_view got) {
    return fmt::format("{} {}: expected \"{}\", got \"{}\"", attempt.operation, json_text(attempt.input).substr(0, 300),
                       expected, got);
  }

  void write(Side& side, const Side& other) {
    const Picked to = pick(side, other);
    const Values values = some_values(graph::element_count(to.tensor.shape));
    JsonObject input{{"tensor", to.json}, {"values", nested(values, to.tensor.shape)}};
    // An error that the failed call declared and this operation does not.
    std::string expected = to.error == "BAD_ATTRIBUTE" ? "FAILED_RESULT" : to.error;
    if (sometimes(0.2)) {
      input["values"] = JsonArray{1, 2, 3, 4, 5};
      if (expected.empty()) expected = "INVALID_INPUT";
    }
    const std::string got = code("compute/write_tensor", input, side.owner);
    ASSERT_EQ(got, expected.empty() ? "no error" : expected) << json_text(input).substr(0, 300);
    if (expected.empty()) *to.tensor.values = values;
  }

  void read(const Side& side, const Side& other) {
    const Picked from = pick(side, other);
    Json output;
    const auto error = thrown_by([&] {
      output = call("compute/read_tensor", JsonObject{{"tensor", from.json}, {"as", "values"}}, side.owner);
    });
    ASSERT_EQ(error ? call::wire_code(*error) : "", from.error) << json_text(from.json).substr(0, 300);
    if (error) return;
    ASSERT_EQ(flat(output.at("values")), *from.tensor.values) << json_text(from.json);
  }

  static Values flat(const Json& values) {
    if (values.is_number()) return {values.to_number<double>()};
    Values all;
    for (const Json& each : values.as_array()) {
      const Values some = flat(each);
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  void dispose(Side& side) {
    JsonArray handles;
    std::uint64_t there = 0;
    for (std::size_t i = below(8); i > 0; --i) {
      auto place = side.held.begin();
      std::advance(place, static_cast<std::ptrdiff_t>(below(side.held.size())));
      const bool tensor = place->second.kind == Expected::Kind::kTensor;
      if (place->second.kind == Expected::Kind::kPlan || sometimes(0.1)) {
        handles.push_back(one_of<Json>({"h1", "h777", "c888888888"}));  // not there, or not to go
        continue;
      }
      handles.push_back(tensor && sometimes(0.5) ? handle_json(place->first, place->second) : Json(place->first));
      side.held.erase(place);
      ++there;
    }
    ASSERT_EQ(call("compute/dispose", JsonObject{{"handles", handles}}, side.owner).at("disposed"), there);
    ASSERT_EQ(code("compute/dispose", JsonObject{{"handles", JsonArray{"nothing"}}}, side.owner), "INVALID_INPUT");
  }

  void submit(Side& side, const Side& other) {
    JsonArray calls;
    Side after = side;  // as it should be when an entry comes to its turn
    std::vector<Attempt> attempts;
    std::vector<std::string> expected;
    for (std::size_t i = 1 + below(4); i > 0; --i) {
      Attempt attempt = any_that_makes(after, other);
      JsonObject entry{{"operation", attempt.operation}, {"input", attempt.input}};
      const bool named = sometimes(0.8);
      const std::string id = fmt::format("c{}", ++after.last_id);
      if (named) entry["ids"] = JsonArray{id};
      std::string error = outcome(after, attempt);
      if (!attempt.error.empty() && after.count() >= kQuota.max_count) error = "*";  // whichever comes first
      if (error.empty()) {
        // One without a name gets the host's, which no later entry of this submission can say.
        after.held[named ? id : fmt::format("unnamed {}", id)] = *attempt.made;
        if (named) after.used_id = after.last_id;
      } else if (named && after.count() < kQuota.max_count) {
        after.held[id] = {.kind = Expected::Kind::kFailed, .error = error};
        after.used_id = after.last_id;
      }
      calls.push_back(std::move(entry));
      attempts.push_back(std::move(attempt));
      expected.push_back(std::move(error));
      if (!named) break;  // what follows might pick it
    }
    const Json results = call("compute/submit", JsonObject{{"calls", calls}}, side.owner).at("results");
    ASSERT_EQ(results.as_array().size(), attempts.size());
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      const Json* error = results.at(i).as_object().if_contains("error");
      const std::string got = error == nullptr ? "" : std::string(error->at("code").as_string());
      ASSERT_TRUE(got == expected[i] || (expected[i] == "*" && !got.empty()))
          << describe(attempts[i], expected[i], got);
      if (!got.empty()) continue;
      note_made(side, attempts[i], results.at(i).at("output"));
    }
    for (const auto& [handle, there] : after.held) {
      if (there.kind == Expected::Kind::kFailed) side.held[handle] = there;
    }
    side.last_id = after.last_id;
    side.used_id = after.used_id;
  }

  void check_counts() {
    for (const Side& side : sides_) {
      const Json resources = call("compute/stats", JsonObject{}, side.owner).at("resources");
      ASSERT_EQ(resources.at("count"), side.count());
      ASSERT_EQ(resources.at("bytes"), side.bytes());
      ASSERT_LE(side.bytes(), kQuota.max_bytes);
    }
  }

  void steps(int count) {
    for (int i = 0; i < count && !HasFatalFailure(); ++i) {
      const std::size_t which = below(2);
      Side &side = sides_[which], &other = sides_[1 - which];
      switch (below(10)) {
        case 0: write(side, other); break;
        case 1:
        case 2: read(side, other); break;
        case 3: dispose(side); break;
        case 4:
        case 5: submit(side, other); break;
        default: make(side, other);
      }
      if (HasFatalFailure()) ADD_FAILURE() << "at step " << i;
      if (i % 10 == 0 && !HasFatalFailure()) check_counts();
    }
  }

  std::mt19937 random_;
  std::string plan_;
  std::array<Side, 2> sides_;
};

TEST_F(Owners, HoldWhatTheRulesSayWhateverTheyCall) {
  const std::uint64_t before = live_bytes();
  // By hand: --gtest_shuffle --gtest_random_seed=N takes others.
  const auto first = static_cast<unsigned>(testing::UnitTest::GetInstance()->random_seed()) * 6 + 1;
  for (unsigned seed = first; seed < first + 6 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    begin(seed);
    steps(400);
    for (Side& side : sides_) {
      end(side.owner);
      side = {};
    }
    EXPECT_EQ(live_bytes(), before);
  }
}

TEST_F(Owners, CountTheArenaOfPlansThatRun) {
  const auto small = make_owner(call::Owner::Kind::kConnection, {.max_count = 100, .max_bytes = 100'000});
  const Json plan =
      call("compute/compile", R"({"graph":{"alknet_graph":1,"inputs":[{"name":"x","dtype":"f32","shape":["n",1]}],
    "nodes":[{"id":"t","op":"transpose","inputs":{"input":"x"},"attrs":{"dim0":0,"dim1":1}},
             {"id":"outer","op":"matmul","inputs":{"input":"x","other":"t"},"attrs":{}},
             {"id":"square","op":"matmul","inputs":{"input":"outer","other":"outer"},"attrs":{}},
             {"id":"y","op":"sum","inputs":{"input":"square"},"attrs":{}}],
    "outputs":[{"name":"y","value":"y"}]}})",
           small);
  const auto run = [&](std::int64_t n) {
    const Json x = call("compute/create_tensor", JsonObject{{"dtype", "f32"}, {"shape", JsonArray{n, 1}}}, small);
    return code("compute/run", JsonObject{{"plan", plan.at("plan")}, {"inputs", JsonObject{{"x", x}}}}, small);
  };
  const auto bytes = [&] {
    return call("compute/stats", JsonObject{}, small).at("resources").at("bytes").to_number<std::uint64_t>();
  };
  EXPECT_EQ(run(50), "no error");
  EXPECT_GE(bytes(), 2 * 50 * 50 * 4U) << "two matrices between";
  EXPECT_EQ(run(500), "RESOURCE_EXHAUSTED");
  EXPECT_LE(bytes(), 100'000U) << "the plan that outgrew the quota is gone";
  end(small);
}

}  // namespace
}  // namespace alknet::compute
