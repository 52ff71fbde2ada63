#include <gtest/gtest.h>

#include <fmt/format.h>

#include "alknet/compute/operations/operations_test_support.h"

namespace alknet::compute {
namespace {

class SubmitOperations : public OperationsTest {
 protected:
  static Json f32(std::string_view handle, JsonArray shape) {
    return JsonObject{{"$tensor", handle}, {"dtype", "f32"}, {"shape", std::move(shape)}};
  }

  static Json entry(std::string_view operation, JsonObject input, JsonArray ids = {}) {
    JsonObject made{{"operation", operation}, {"input", std::move(input)}};
    if (!ids.empty()) made.emplace("ids", std::move(ids));
    return made;
  }

  static Json ones(std::string_view id) { return entry("tensor/ones", {{"size", JsonArray{2}}}, JsonArray{Json(id)}); }

  Json submit(JsonArray calls, std::optional<int> seq = {}) {
    JsonObject input{{"calls", std::move(calls)}};
    if (seq) input.emplace("seq", *seq);
    return call("compute/submit", std::move(input)).at("results");
  }
};

TEST_F(SubmitOperations, UseWhatEarlierEntriesMade) {
  const Json results = submit({ones("c1"), entry("tensor/add", {{"input", f32("c1", {2})}, {"other", 2}}, {"c2"}),
                               entry("compute/read_tensor", {{"tensor", f32("c2", {2})}, {"as", "values"}})});
  ASSERT_EQ(results.as_array().size(), 3U);
  EXPECT_EQ(results.at(1).at("output").at("$tensor"), "c2");
  EXPECT_EQ(results.at(2).at("output").at("values"), Json(JsonArray{3.0, 3.0}));
}

TEST_F(SubmitOperations, PoisonTheIdsOfFailedEntries) {
  const Json results = submit({ones("c1"), entry("tensor/matmul", {{"input", f32("c1", {2})}, {"other", 3}}, {"c2"}),
                               entry("tensor/reshape", {{"input", f32("c1", {2})}, {"shape", {3}}}, {"c3"}),
                               entry("tensor/relu", {{"input", f32("c3", {3})}}, {"c4"}), ones("c5")});
  const Json& failed = results.at(2).at("error");
  EXPECT_EQ(failed.at("code"), "SHAPE_MISMATCH");
  EXPECT_EQ(results.at(3).at("error"), failed) << "what uses it fails with the same";
  EXPECT_EQ(results.at(4).at("output").at("$tensor"), "c5") << "the others go on";
  EXPECT_EQ(code("compute/read_tensor", JsonObject{{"tensor", f32("c4", {3})}}), "SHAPE_MISMATCH");
  EXPECT_EQ(call("compute/dispose", R"({"handles":["c4"]})").at("disposed"), 1);
  EXPECT_EQ(code("compute/read_tensor", JsonObject{{"tensor", f32("c4", {3})}}), "INVALID_INPUT");
}

TEST_F(SubmitOperations, TellOfFailuresWhereverTheirIdsAreUsed) {
  JsonObject bad{
      {"graph", parse_json(R"({"alknet_graph":1,"nodes":[{"id":"a","op":"no_such","inputs":{},"attrs":{}}]})")}};
  const Json write = entry("compute/write_tensor", {{"tensor", f32("c1", {2})}, {"values", {1, 2}}});
  const Json results =
      submit({entry("compute/compile", bad, {"c1"}), write, entry("compute/read_tensor", {{"tensor", f32("c1", {2})}}),
              entry("compute/run", {{"plan", "c1"}, {"inputs", JsonObject{}}})});
  EXPECT_EQ(results.at(0).at("error").at("code"), "GRAPH_INVALID");
  EXPECT_EQ(results.at(1).at("error").at("code"), "FAILED_RESULT") << "what writing does not declare";
  EXPECT_EQ(results.at(1).at("error").at("details").at("code"), "GRAPH_INVALID");
  EXPECT_EQ(results.at(2).at("error").at("code"), "GRAPH_INVALID") << "reading answers whatever it was";
  EXPECT_EQ(results.at(3).at("error").at("code"), "GRAPH_INVALID");
}

TEST_F(SubmitOperations, PassEachEntryThroughItsGates) {
  const Json results = submit({entry("no/such", {}, {"c1"}), entry("tensor/relu", {{"input", 5}}, {"c2"}),
                               entry("compute/submit", {{"calls", JsonArray{}}}), ones("c2")});
  EXPECT_EQ(results.at(0).at("error").at("code"), "NOT_FOUND");
  EXPECT_EQ(results.at(1).at("error").at("code"), "INVALID_INPUT");
  EXPECT_EQ(results.at(2).at("error").at("code"), "INVALID_INPUT");
  EXPECT_EQ(results.at(3).at("error").at("code"), "INVALID_INPUT") << "the id was used before";
  EXPECT_EQ(code("compute/read_tensor", JsonObject{{"tensor", f32("c1", {2})}}), "NOT_FOUND");

  const auto stranger = std::make_shared<call::Owner>(call::Owner::Kind::kConnection, "stranger",
                                                      call::Identity{"stranger", {}, {}, false});
  EXPECT_EQ(code("compute/submit", JsonObject{{"calls", JsonArray{ones("c1")}}}, stranger), "FORBIDDEN");
  end(stranger);
}

TEST_F(SubmitOperations, CarryBytesBothWays) {
  Message input;
  const std::vector<float> data = {1, 2, 3};
  const Json bytes = attach_bytes(input, SharedBytes::copy("unused"));
  const Json floats = attach_bytes(input, SharedBytes::copy(std::as_bytes(std::span(data))));
  const auto create = [](int index) {
    return entry("compute/create_tensor", {{"dtype", "f32"}, {"shape", {3}}, {"data", JsonObject{{"$bytes", index}}}},
                 {"c1"});
  };
  const Json read = entry("compute/read_tensor", {{"tensor", f32("c1", {3})}});
  // The order of the list counts, not that of the attachments.
  input.value = JsonObject{{"bytes", JsonArray{floats, bytes}}, {"calls", JsonArray{create(0), read, read}}};
  const Message output = call("compute/submit", std::move(input));
  const Json& results = output.value.at("results");
  for (const std::size_t i : {1U, 2U}) {
    const auto place = results.at(i).at("output").at("data").at("$bytes").to_number<std::size_t>();
    const auto& got = attached_bytes(output, output.value.at("bytes").at(place));
    EXPECT_TRUE(std::ranges::equal(got.span(), std::as_bytes(std::span(data)))) << i;
  }
}

TEST_F(SubmitOperations, TakeBase64InEntries) {
  const Json results =
      submit({entry("compute/create_tensor", {{"dtype", "u8"}, {"shape", {3}}, {"data", "AQID"}}, {"c1"})});
  EXPECT_EQ(read_as<std::uint8_t>(results.at(0).at("output")), (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST_F(SubmitOperations, LeaveOutGradientsWhereAsked) {
  Json leaf = entry("compute/create_tensor", {{"dtype", "f32"}, {"shape", {2}}, {"requires_grad", true}}, {"c1"});
  Json quiet = entry("tensor/mul", {{"input", f32("c1", {2})}, {"other", 3}}, {"c2"});
  quiet.as_object().emplace("no_grad", true);
  submit({leaf, quiet, entry("tensor/mul", {{"input", f32("c1", {2})}, {"other", 3}}, {"c3"}),
          entry("tensor/sum", {{"input", f32("c2", {2})}}, {"c4"}),
          entry("tensor/sum", {{"input", f32("c3", {2})}}, {"c5"})});
  const auto gradient = [&](std::string_view output) {
    return JsonObject{{"output", f32(output, {})}, {"inputs", JsonArray{f32("c1", {2})}}};
  };
  EXPECT_EQ(code("compute/backward", gradient("c4")), "NOT_DIFFERENTIABLE");
  EXPECT_EQ(code("compute/backward", gradient("c5")), "no error");
}

/// Several submissions at once: started in the order given, answered in the order of `seq`.
TEST_F(SubmitOperations, RunInTheOrderOfTheirNumbers) {
  std::vector<int> order;
  std::vector<Completion<>> done(3);
  struct Sink final : call::CallSink {
    Sink(std::vector<int>& into, int number, Completion<> completion)
        : order(into), seq(number), done(std::move(completion)) {}
    void responded(Message, const call::Operation&) override {
      order.push_back(seq);
      done.set_value();
    }
    void completed() override {}
    void failed(const call::WireError& error) override {
      ADD_FAILURE() << error.message;
      done.set_value();
    }
    std::vector<int>& order;
    int seq;
    Completion<> done;
  };
  const auto start_all = [&]() -> Task<void> {
    const std::vector<int> arrival = {3, 1, 2};
    for (std::size_t i = 0; i < arrival.size(); ++i) {
      call::CallRequest request;
      request.operation = "compute/submit";
      request.input = {JsonObject{{"seq", arrival[i]}, {"calls", JsonArray{ones(fmt::format("c{}", arrival[i]))}}}, {}};
      dispatcher->start(owner, std::move(request), std::make_shared<Sink>(order, arrival[i], done[i]));
    }
    for (auto& each : done) co_await each.wait();
  };
  wait_for(executor, start_all());
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(code("compute/submit", parse_json(R"({"seq":2,"calls":[]})")), "INVALID_INPUT") << "used before";
  EXPECT_EQ(code("compute/submit", parse_json(R"({"seq":4,"calls":[]})")), "no error");
}

TEST_F(SubmitOperations, GoOnAfterOneThatWasGivenUp) {
  const auto start_and_abort = [&]() -> Task<void> {
    struct Quiet final : call::CallSink {
      void responded(Message, const call::Operation&) override { ADD_FAILURE(); }
      void completed() override {}
      void failed(const call::WireError&) override { ADD_FAILURE(); }
    };
    call::CallRequest request;
    request.operation = "compute/submit";
    request.input = {JsonObject{{"seq", 2}, {"calls", JsonArray{ones("c2")}}}, {}};
    const auto handle = dispatcher->start(owner, std::move(request), std::make_shared<Quiet>());
    co_await reschedule();
    handle.abort();
  };
  wait_for(executor, start_and_abort());
  EXPECT_EQ(submit({ones("c1")}, 1).at(0).at("output").at("$tensor"), "c1");
  EXPECT_EQ(submit({ones("c3")}, 3).at(0).at("output").at("$tensor"), "c3") << "2 was given up, and is passed over";
}

}  // namespace
}  // namespace alknet::compute
