#include "alknet/call/operation.h"
#include "alknet/call/timeouts.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/registry.h"
#include "alknet/call/timeouts.h"

namespace alknet::call {
namespace {

TEST(OperationSpec, ItsJsonReadsBackAsItself) {
  const char* text =
      R"({"name":"model/minilm/embed","namespace":"model","op_type":"subscription","visibility":"internal",)"
      R"("input_schema":{"type":"object"},"output_schema":true,"error_schemas":[{"code":"OUT_OF_MEMORY",)"
      R"("description":"too big","schema":{"type":"object"},"http_status":507}],"access_control":{"required_scopes":)"
      R"(["embed"],"required_scopes_any":["a","b"],"resource_type":"model","resource_action":"run"},)"
      R"("resource_id_path":"/model","title":"Embed","description":"Sentences to vectors.","version":"1.2",)"
      R"("tags":["model"],"default_timeout_ms":5000})";
  const OperationSpec spec = OperationSpec::from_json(parse_json(text));
  EXPECT_EQ(json_text(spec.to_json()), text);
  EXPECT_EQ(spec.name_space(), "model");
  EXPECT_EQ(spec.find_error("OUT_OF_MEMORY")->http_status, 507);
  EXPECT_EQ(spec.find_error("OTHER"), nullptr);
}

TEST(OperationSpec, RefusesWhatIsMissingOrMistyped) {
  for (const char* text :
       {"[]", "{}", R"({"name":1})", R"({"name":"a/b","op_type":"call"})", R"({"name":"a/b","input_schema":3})",
        R"({"name":"a/b","error_schemas":[{}]})", R"({"name":"a/b","error_schemas":{}})",
        R"({"name":"a/b","default_timeout_ms":0})", R"({"name":"a/b","tags":[1]})",
        R"({"name":"a/b","access_control":{"required_scopes":[1]}})", R"({"name":"a/b","visibility":"secret"})"}) {
    EXPECT_EQ(code_of([&] { OperationSpec::from_json(parse_json(text)); }), "operation_invalid") << text;
  }
}

TEST(OperationSpec, ATimeoutBeyondEveryClockIsTheLongest) {
  for (const char* text : {"9223372036854775807", "1000000000001"}) {
    const auto spec = OperationSpec::from_json(
        parse_json(R"({"name": "a/b", "op_type": "query", "default_timeout_ms": )" + std::string(text) + "}"));
    EXPECT_EQ(spec.default_timeout, kLongestTimeout);
  }
  EXPECT_EQ(timeout_of(1), std::chrono::milliseconds(1));
}

TEST(Operation, TakesSchemasWithLongChainsOfReferences) {
  constexpr int kLength = 100'000;
  JsonObject definitions;
  for (int i = 0; i < kLength; ++i) {
    const JsonObject next{{"$ref", "#/$defs/" + std::to_string(i + 1)}};
    definitions.emplace(std::to_string(i), JsonObject{{"properties", JsonObject{{"n", next}}}});
  }
  definitions.emplace(std::to_string(kLength), JsonObject{{"TypeDef:Bytes", true}});
  Registration registration = simple_operation("a/b", echo);
  registration.spec.input_schema = JsonObject{{"$ref", "#/$defs/0"}, {"$defs", std::move(definitions)}};
  const Operation operation(std::move(registration));
  EXPECT_TRUE(operation.input().is_valid(parse_json(R"({"n": {"n": {"n": {}}}})")));
}

TEST(Operation, CompilesItsSchemasLateWhenAsked) {
  Registration registration = with_schema(simple_operation("a/b", echo), R"({"type": "nothing"})");
  EXPECT_EQ(code_of([&] { Operation{registration}; }), "operation_invalid");
  registration.compiled_late = true;
  const Operation operation(registration);
  EXPECT_EQ(code_of([&] { operation.input(); }), "operation_invalid");
  EXPECT_EQ(code_of([&] { operation.output(); }), "operation_invalid") << "both are compiled, or none is";
}

TEST(Operation, RefusesNamesThatAreNone) {
  for (const char* name : {"", "a", "/a/b", "a/", "a//b", "a/b c", "a/\xC3\xA4", "a/b\n"}) {
    EXPECT_EQ(code_of([&] { Operation(simple_operation(name, echo)); }), "operation_invalid") << name;
  }
  EXPECT_EQ(code_of([&] { Operation(simple_operation("a/" + std::string(300, 'b'), echo)); }), "operation_invalid");
  EXPECT_EQ(code_of([&] { Operation(simple_operation("ns/deeper/op-1_x.y", echo)); }), "no error");
}

TEST(Operation, RefusesAHandlerThatDoesNotFitTheType) {
  Registration wrong = simple_operation("a/b", echo);
  wrong.spec.type = OperationType::kSubscription;
  EXPECT_EQ(code_of([&] { Operation{wrong}; }), "operation_invalid");
  EXPECT_EQ(code_of([&] { Operation(simple_operation("a/b", nullptr)); }), "operation_invalid");
}

TEST(Operation, RefusesUnusableSchemasAndSaysWhich) {
  Registration wrong = simple_operation("a/b", echo);
  wrong.spec.output_schema = parse_json(R"({"type":"nothing"})");
  const Error error = error_of([&] { Operation{wrong}; });
  EXPECT_EQ(error.code(), CallError::kOperationInvalid);
  EXPECT_EQ(error.details().at("schema"), "output");
}

TEST(Operation, AnImportedOneCannotCompose) {
  Registration imported = simple_operation("a/b", echo);
  imported.provenance = Provenance::kFromOpenApi;
  EXPECT_EQ(code_of([&] { Operation{imported}; }), "no error");
  imported.environment = ScopedEnvironment({"*"});
  EXPECT_EQ(code_of([&] { Operation{imported}; }), "operation_invalid");
  imported.environment = {};
  imported.accepted_capabilities = {"token"};
  EXPECT_EQ(code_of([&] { Operation{imported}; }), "operation_invalid");
}

TEST(ScopedEnvironment, ReachesNamesNamespacesOrAll) {
  EXPECT_FALSE(ScopedEnvironment().reaches("a/b"));
  const ScopedEnvironment some({"a/b", "tensor/*"});
  EXPECT_TRUE(some.reaches("a/b"));
  EXPECT_TRUE(some.reaches("tensor/relu"));
  EXPECT_FALSE(some.reaches("a/bc"));
  EXPECT_FALSE(some.reaches("tensors/relu"));
  EXPECT_TRUE(ScopedEnvironment({"*"}).reaches("x/y"));
}

TEST(ScopedEnvironment, HoldsNothingTwiceHoweverOftenItIsNarrowed) {
  std::vector<std::string> many(1'000, "tensor/add");
  many.insert(many.end(), 1'000, "tensor/*");
  ScopedEnvironment environment(many);
  EXPECT_EQ(environment.patterns().size(), 2U);
  for (int nesting = 0; nesting < 3; ++nesting) environment = environment.narrowed_to(ScopedEnvironment(many));
  EXPECT_EQ(environment.patterns(), std::vector<std::string>{"tensor/*"});
  // Each of these covers all of the other list.
  std::vector<std::string> nested, names;
  for (std::size_t i = 0; i < 1'000; ++i) {
    nested.push_back(std::string(i, 'a') + "*");
    names.push_back(std::string(1'000, 'a') + std::to_string(i));
  }
  EXPECT_EQ(ScopedEnvironment(nested).narrowed_to(ScopedEnvironment(names)).patterns().size(), 1'000U);
}

TEST(ScopedEnvironment, NarrowsToWhatBothReach) {
  const auto narrowed = [](std::vector<std::string> wanted, std::vector<std::string> most) {
    return ScopedEnvironment(std::move(wanted)).narrowed_to(ScopedEnvironment(std::move(most))).patterns();
  };
  using Patterns = std::vector<std::string>;
  EXPECT_EQ(narrowed({"*"}, {"math/*", "text/upper"}), (Patterns{"math/*", "text/upper"}));
  EXPECT_EQ(narrowed({"math/*", "text/*"}, {"*"}), (Patterns{"math/*", "text/*"}));
  EXPECT_EQ(narrowed({"math/*"}, {"math/add", "text/upper"}), Patterns{"math/add"});
  EXPECT_EQ(narrowed({"math/add", "secret/read"}, {"math/*"}), Patterns{"math/add"});
  EXPECT_EQ(narrowed({"*"}, {}), Patterns{});
  EXPECT_EQ(narrowed({}, {"*"}), Patterns{});
}

}  // namespace
}  // namespace alknet::call
