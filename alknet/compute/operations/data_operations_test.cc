#include <gtest/gtest.h>

#include <random>

#include "alknet/compute/operations/operations_test_support.h"
#include "alknet/compute/operations/resources.h"

namespace alknet::compute {
namespace {

using DataOperations = OperationsTest;

JsonObject with(const Json& handle, std::string_view name, Json value) {
  JsonObject changed = handle.as_object();
  changed[name] = std::move(value);
  return changed;
}

TEST_F(DataOperations, MakeMultiplyAndReadMatrices) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> a(5 * 7), b(7 * 3);
  for (float& value : a) value = uniform(random);
  for (float& value : b) value = uniform(random);
  const Json product =
      call("tensor/matmul", JsonObject{{"input", tensor<float>({5, 7}, a)}, {"other", tensor<float>({7, 3}, b)}});
  EXPECT_EQ(product.at("dtype"), "f32");
  EXPECT_EQ(product.at("shape"), Json(JsonArray{5, 3}));
  const auto got = read_as<float>(product);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      double expected = 0;
      for (std::size_t k = 0; k < 7; ++k) expected += double{a[i * 7 + k]} * double{b[k * 3 + j]};
      EXPECT_NEAR(got[i * 3 + j], expected, 1e-5);
    }
  }
}

TEST_F(DataOperations, TakeAndGiveValuesOfEveryDtype) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"bool", "[[true,false]]"},  {"i8", "[[-128,127]]"},
      {"u8", "[[0,255]]"},         {"i32", "[[-5,7]]"},
      {"u32", "[[1,4294967295]]"}, {"i64", R"([["9223372036854775807",-3]])"},
      {"f16", "[[1.5,-0.25]]"},    {"bf16", "[[1.5,-2]]"},
      {"f32", R"([[0.1,"NaN"]])"}, {"f64", R"([[0.1,"-Infinity"]])"}};
  for (const auto& [dtype, text] : cases) {
    const Json made = call("compute/create_tensor",
                           JsonObject{{"dtype", dtype}, {"shape", JsonArray{1, 2}}, {"values", parse_json(text)}});
    const Json got = values(made), want = parse_json(text);
    for (std::size_t i = 0; i < 2; ++i) {
      const Json &x = got.at(0).at(i), &y = want.at(0).at(i);
      const bool equal = x.is_number() ? x.to_number<double>() == y.to_number<double>() : x == y;
      EXPECT_TRUE(equal) << dtype << ": " << json_text(got);
    }
  }
}

TEST_F(DataOperations, RefuseValuesThatDoNotFit) {
  const auto made = [&](std::string_view dtype, std::string_view shape, std::string_view text) {
    return code("compute/create_tensor",
                JsonObject{{"dtype", dtype}, {"shape", parse_json(shape)}, {"values", parse_json(text)}});
  };
  EXPECT_EQ(made("u8", "[1]", "[256]"), "INVALID_INPUT");
  EXPECT_EQ(made("i32", "[1]", "[1.5]"), "INVALID_INPUT");
  EXPECT_EQ(made("f32", "[2]", "[1]"), "INVALID_INPUT");
  EXPECT_EQ(made("f32", "[1]", "[[1]]"), "INVALID_INPUT");
  EXPECT_EQ(made("bool", "[]", "1"), "INVALID_INPUT");
  EXPECT_EQ(made("q4_0", "[32]", "[]"), "DTYPE_MISMATCH");
  EXPECT_EQ(made("f32", "[4000000,0]", "[]"), "INVALID_INPUT");
}

TEST_F(DataOperations, RefuseIntegersBeyond64Bits) {
  for (const char* shape : {"[1e300]", "[9223372036854775808]", "[2, 1e19]"}) {
    EXPECT_EQ(code("compute/create_tensor", parse_json(R"({"dtype":"f32","shape":)" + std::string(shape) + "}")),
              "INVALID_INPUT")
        << shape;
  }
  EXPECT_EQ(code("compute/create_tensor", parse_json(R"({"dtype":"f32","shape":[4294967296, 4294967296]})")),
            "SIZE_OVERFLOW");
  EXPECT_EQ(code("compute/submit", parse_json(R"({"seq":1e300,"calls":[]})")), "INVALID_INPUT");
  const Json state = tensor<float>({2}, {1, 2});
  EXPECT_EQ(code("tensor/assign", JsonObject{{"state", state}, {"value", state}, {"at", JsonArray{1e300}}}),
            "INVALID_INPUT");
}

TEST_F(DataOperations, WithoutDataMakeZeros) {
  const Json made = call("compute/create_tensor", R"({"dtype":"i32","shape":[2]})");
  EXPECT_EQ(read_as<std::int32_t>(made), (std::vector<std::int32_t>{0, 0}));
}

TEST_F(DataOperations, RefuseBytesOfAnotherSize) {
  Message input;
  JsonObject object{{"dtype", "f32"}, {"shape", JsonArray{2}}};
  object.emplace("data", attach_bytes(input, SharedBytes::copy("1234567")));
  input.value = std::move(object);
  const auto error = error_of([&] { call("compute/create_tensor", std::move(input)); });
  EXPECT_EQ(call::wire_code(error), "SHAPE_MISMATCH");
}

TEST_F(DataOperations, HoldHandlesToTheirDtypeAndShape) {
  const Json made = tensor<float>({2}, {1, 2});
  const auto relu = [&](Json handle) { return code("tensor/relu", JsonObject{{"input", std::move(handle)}}); };
  EXPECT_EQ(relu(made), "no error");
  EXPECT_EQ(relu(with(made, "dtype", "f64")), "DTYPE_MISMATCH");
  EXPECT_EQ(relu(with(made, "shape", JsonArray{1, 2})), "SHAPE_MISMATCH");
  EXPECT_EQ(relu(with(made, "shape", JsonArray{-2})), "INVALID_INPUT");
  EXPECT_EQ(relu(with(made, "$tensor", "h99")), "INVALID_INPUT");
  EXPECT_EQ(relu(with(made, "$tensor", "../../etc/passwd")), "INVALID_INPUT");
}

TEST_F(DataOperations, KeepOwnersApart) {
  const Json made = tensor<float>({2}, {1, 2});
  const auto other = make_owner();
  EXPECT_EQ(code("tensor/relu", JsonObject{{"input", made}}, other), "INVALID_INPUT");
  end(other);
}

class PeerTensor final : public call::Resource {
 public:
  std::uint64_t bytes() const override { return 0; }
  std::string_view kind() const override { return "tensor"; }
};

TEST_F(DataOperations, RefuseTensorsOfPeers) {
  const std::string handle = owner->resources().add(std::make_shared<PeerTensor>());
  EXPECT_EQ(code("tensor/relu",
                 JsonObject{{"input", JsonObject{{"$tensor", handle}, {"dtype", "f32"}, {"shape", JsonArray{2}}}}}),
            "FOREIGN_HANDLE");
}

TEST_F(DataOperations, RefuseHandlesOfOtherKinds) {
  const Json plan = call("compute/compile", R"({"graph":{"alknet_graph":1}})").at("plan");
  EXPECT_EQ(code("tensor/relu",
                 JsonObject{{"input", JsonObject{{"$tensor", plan}, {"dtype", "f32"}, {"shape", JsonArray{2}}}}}),
            "INVALID_INPUT");
}

TEST_F(DataOperations, CountHandlesAndBytes) {
  const auto small = make_owner(call::Owner::Kind::kConnection, {.max_count = 4, .max_bytes = 1000});
  const std::string_view hundred = R"({"dtype":"f32","shape":[100]})";  // the first resource is the service's own
  call("compute/create_tensor", hundred, small);
  call("compute/create_tensor", hundred, small);
  EXPECT_EQ(code("compute/create_tensor", parse_json(hundred), small), "RESOURCE_EXHAUSTED") << "bytes";
  call("compute/create_tensor", R"({"dtype":"f32","shape":[]})", small);
  EXPECT_EQ(code("compute/create_tensor", parse_json(R"({"dtype":"f32","shape":[]})"), small), "RESOURCE_EXHAUSTED")
      << "count";
  end(small);
}

TEST_F(DataOperations, RefuseBeforeComputingWhatCannotBeKept) {
  const std::uint64_t before = live_bytes();
  EXPECT_EQ(code("tensor/zeros", parse_json(R"({"size":[1000000,1000000]})")), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(code("compute/create_tensor", parse_json(R"({"dtype":"f32","shape":[1000000,1000000]})")),
            "RESOURCE_EXHAUSTED");
  // A view without memory of its own, over which an operation would run for hours.
  const Json one = tensor<float>({1, 1}, {1});
  EXPECT_EQ(code("tensor/expand", JsonObject{{"input", one}, {"size", JsonArray{1000000, 1000000}}}),
            "RESOURCE_EXHAUSTED");
  EXPECT_EQ(code("tensor/zeros", parse_json(R"({"size":[4611686018427387904,4611686018427387904]})")), "SIZE_OVERFLOW");
  call("compute/dispose", JsonObject{{"handles", JsonArray{one}}});
  EXPECT_EQ(live_bytes(), before);
}

TEST_F(DataOperations, FreeMemoryWhenDisposed) {
  const std::uint64_t before = live_bytes();
  const Json a = tensor<float>({1000}, std::vector<float>(1000, 1));
  const Json view = call("tensor/narrow", JsonObject{{"input", a}, {"dim", 0}, {"start", 0}, {"length", 10}});
  EXPECT_GE(live_bytes(), before + 4000);
  EXPECT_EQ(call("compute/dispose", JsonObject{{"handles", JsonArray{a.at("$tensor"), "h77"}}}).at("disposed"), 1);
  EXPECT_GE(live_bytes(), before + 4000) << "the view still needs it";
  EXPECT_EQ(code("tensor/relu", JsonObject{{"input", a}}), "INVALID_INPUT");
  call("compute/dispose", JsonObject{{"handles", JsonArray{view}}});
  EXPECT_EQ(live_bytes(), before);
}

TEST_F(DataOperations, DoNotDisposeOfTheServicesOwnState) {
  tensor<float>({1}, {1});
  EXPECT_EQ(call("compute/dispose", R"({"handles":["h1"]})").at("disposed"), 0);
}

TEST_F(DataOperations, AreCountedInTheStatistics) {
  const auto jobs = [&] {
    service().settle();  // a piece of work counts when it has ended, which is after its answer
    return call("compute/stats", "{}").at("work").at("jobs").to_number<std::uint64_t>();
  };
  tensor<float>({1}, {1});
  const std::uint64_t before = jobs();
  tensor<float>({1}, {1});
  EXPECT_GE(jobs(), before + 2) << "the tensor, and the statistics before";
  const Json resources = call("compute/stats", "{}").at("resources");
  EXPECT_EQ(resources.at("count"), 3);
  EXPECT_EQ(resources.at("bytes"), 8);
}

TEST_F(DataOperations, FreeEverythingWhenTheOwnerEnds) {
  const std::uint64_t before = live_bytes();
  const auto other = make_owner();
  for (int i = 0; i < 10; ++i) call("tensor/ones", R"({"size":[1000]})", other);
  EXPECT_GE(live_bytes(), before + 40000);
  end(other);
  EXPECT_EQ(live_bytes(), before);
}

TEST_F(DataOperations, WriteTensors) {
  const Json a = tensor<float>({2}, {1, 2});
  const Json view = call("tensor/unsqueeze", JsonObject{{"input", a}, {"dim", 0}});
  call("compute/write_tensor", JsonObject{{"tensor", a}, {"values", JsonArray{5, 6}}});
  EXPECT_EQ(read_as<float>(view), (std::vector<float>{5, 6}));
  EXPECT_EQ(code("compute/write_tensor", JsonObject{{"tensor", a}, {"data", "AAAA"}}), "SHAPE_MISMATCH");
}

TEST_F(DataOperations, TakeHandlesThatTheCallerChose) {
  const auto make = [&](JsonArray ids) {
    return JsonObject{{"dtype", "f32"}, {"shape", JsonArray{}}, {"ids", std::move(ids)}};
  };
  EXPECT_EQ(call("compute/create_tensor", make({"c3"})).at("$tensor"), "c3");
  EXPECT_EQ(call("compute/create_tensor", make({"c7"})).at("$tensor"), "c7");
  EXPECT_EQ(code("compute/create_tensor", make({"c7"})), "INVALID_INPUT") << "used before";
  EXPECT_EQ(code("compute/create_tensor", make({"c5"})), "INVALID_INPUT") << "not rising";
  EXPECT_EQ(code("compute/create_tensor", make({"c8", "c9"})), "INVALID_INPUT") << "more than results";
  EXPECT_EQ(code("compute/create_tensor", make({"h8"})), "INVALID_INPUT");
}

TEST_F(DataOperations, NeedTheScope) {
  const auto stranger = std::make_shared<call::Owner>(call::Owner::Kind::kConnection, "stranger",
                                                      call::Identity{"stranger", {"weather"}, {}, false});
  EXPECT_EQ(code("compute/devices", JsonObject{}, stranger), "FORBIDDEN");
  end(stranger);
}

TEST_F(DataOperations, NeedASessionToKeepHandles) {
  const auto request = make_owner(call::Owner::Kind::kRequest);
  EXPECT_EQ(code("tensor/ones", parse_json(R"({"size":[1]})"), request), "INVALID_INPUT");
  EXPECT_EQ(code("compute/devices", JsonObject{}, request), "no error");
  end(request);
}

TEST_F(DataOperations, MoveAndCastTensors) {
  const Json a = tensor<float>({2}, {1.75F, -2.5F});
  const Json cast = call("compute/to", JsonObject{{"tensor", a}, {"dtype", "i32"}});
  EXPECT_EQ(read_as<std::int32_t>(cast), (std::vector<std::int32_t>{1, -2}));
  EXPECT_EQ(code("compute/to", JsonObject{{"tensor", a}, {"device", "gpu:99"}}), "UNKNOWN_DEVICE");
}

TEST_F(DataOperations, NameEveryDeclaredCodeInCapitals) {
  for (const auto& [name, operation] : *registry().curated().snapshot()) {
    for (const std::string_view code :
         {"DEVICE_LOST", "OUT_OF_MEMORY", "SHAPE_MISMATCH", "DTYPE_MISMATCH", "INDEX_OUT_OF_RANGE", "FOREIGN_HANDLE"}) {
      EXPECT_NE(operation->spec().find_error(code), nullptr) << name;
    }
    EXPECT_FALSE(operation->spec().title.empty()) << name;
    EXPECT_FALSE(operation->spec().description.empty()) << name;
  }
}

}  // namespace
}  // namespace alknet::compute
