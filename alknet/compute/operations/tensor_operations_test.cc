#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "alknet/compute/conformance_blocks.h"
#include "alknet/compute/conformance_tensor.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/gradcheck_cases.h"
#include "alknet/compute/operations/eager_call.h"
#include "alknet/compute/operations/operations_test_support.h"

namespace alknet::compute {
namespace {

/// Every operation of the op table, called by handle and called as a C++ function.
class TensorOperations : public OperationsTest {
 protected:
  TensorOperations() : context_("cpu") {}

  /// One operand in both worlds.
  struct Operand {
    Json handle;
    Tensor tensor;
  };

  Operand operand(Dtype dtype, const Shape& shape, std::span<const std::byte> bytes) {
    return {tensor(dtype, shape, bytes), context_.from_bytes(dtype, shape, bytes)};
  }

  Operand operand(const OpSpec& op, const graph::OpInput& input, const GradcheckCase::Input& made) {
    if (input.name == graph::kRandomState) {
      const std::array<std::uint32_t, 4> state = {1, 2, 3, 4};
      return operand(Dtype::kU32, {4}, std::as_bytes(std::span(state)));
    }
    const Dtype dtype = made.dtype.value_or(Dtype::kF32);
    const bool takes = std::ranges::find(input.dtypes, dtype) != input.dtypes.end();
    const Dtype used = takes ? dtype : input.dtypes.front();
    if (graph::is_block(used)) {
      const auto blocks = static_cast<std::size_t>(graph::element_count(made.shape) / graph::block_values(used));
      return operand(used, made.shape, conformance::random_blocks(used, blocks, false, random_));
    }
    conformance::Domain domain{.min = 0, .max = graph::is_float(used) ? 1.0 : 1.99};
    const Json* range = op.test.is_object() ? op.test.get_object().if_contains(input.name) : nullptr;
    if (graph::is_float(used) && range != nullptr && range->is_array()) {
      domain.min = std::max(range->at(0).to_number<double>(), -2.0);
      domain.max = std::min(range->at(1).to_number<double>(), 2.0);
    }
    auto data = conformance::make_tensor(made.shape, used, conformance::Arrangement::kContiguous, domain, 0, random_);
    if (op.name == "cholesky" || op.name == "inverse" || op.name == "solve") conformance::make_dominant(data);
    const std::size_t bytes = graph::storage_bytes(used, graph::element_count(made.shape));
    return operand(used, made.shape, std::span(data.memory).first(bytes));
  }

  std::vector<Tensor> eager(const OpSpec& op, std::span<const Argument> arguments, const JsonObject& attributes) {
    std::vector<Tensor> results;
    apply(*ContextAccess::state(context_), op, arguments, {attributes_key(attributes), [&] { return attributes; }},
          {{}, &results});
    return results;
  }

  /// The handles in an output, in order.
  static std::vector<Json> handles_of(const Json& output) {
    std::vector<Json> handles;
    if (output.is_array()) {
      handles.assign(output.get_array().begin(), output.get_array().end());
    } else if (output.as_object().contains("$tensor")) {
      handles.push_back(output);
    } else {
      for (const auto& [name, handle] : output.get_object()) handles.push_back(handle);
    }
    return handles;
  }

  /// Calls both ways and compares; false when the case does not suit the operation.
  bool check(const OpSpec& op, const GradcheckCase& made) {
    JsonObject input = made.attrs;
    std::vector<std::vector<Tensor>> tensors(op.inputs.size());
    if (thrown_by([&] { add_operands(op, made, input, tensors); })) return false;
    return compare(op, made, input, tensors);
  }

  void add_operands(const OpSpec& op, const GradcheckCase& made, JsonObject& input,
                    std::vector<std::vector<Tensor>>& tensors) {
    std::size_t next = 0;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const graph::OpInput& each = op.inputs[i];
      const std::size_t later = op.inputs.size() - i - 1;
      const std::size_t count = each.variadic ? std::max<std::size_t>(made.inputs.size() - next, later) - later : 1;
      JsonArray list;
      for (std::size_t k = 0; k < count && next < made.inputs.size(); ++k, ++next) {
        if (made.inputs[next].absent) continue;
        const Operand one = operand(op, each, made.inputs[next]);
        list.push_back(one.handle);
        tensors[i].push_back(one.tensor);
      }
      if (each.variadic) {
        input[each.name] = std::move(list);
      } else if (!list.empty()) {
        input[each.name] = list.front();
      }
    }
  }

  bool compare(const OpSpec& op, const GradcheckCase& made, const JsonObject& input,
               const std::vector<std::vector<Tensor>>& tensors) {
    std::vector<Argument> arguments;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      if (op.inputs[i].variadic) {
        arguments.emplace_back(tensors[i]);
      } else {
        arguments.push_back(tensors[i].empty() ? Argument() : Argument(tensors[i].front()));
      }
    }
    std::vector<Tensor> expected;
    const auto error = thrown_by([&] { expected = eager(op, arguments, made.attrs); });
    if (error) return false;
    const auto handles = handles_of(call("tensor/" + op.name, input));
    EXPECT_EQ(handles.size(), expected.size()) << op.name;
    for (std::size_t k = 0; k < std::min(handles.size(), expected.size()); ++k) {
      EXPECT_EQ(handles[k].is_null(), !expected[k]) << op.name;
      if (!expected[k] || handles[k].is_null()) continue;
      EXPECT_EQ(handles[k].at("dtype"), Json(graph::dtype_name(expected[k].dtype()))) << op.name;
      EXPECT_EQ(read(handles[k]), expected[k].read()) << op.name << " output " << k;
    }
    if (!op.data_dependent()) check_shape(op, input, handles);
    return true;
  }

  /// compute/shape says the same without computing.
  void check_shape(const OpSpec& op, const JsonObject& input, const std::vector<Json>& handles) {
    const Json types = call("compute/shape", JsonObject{{"operation", op.name}, {"input", input}});
    const JsonArray& outputs = types.at("outputs").as_array();
    ASSERT_EQ(outputs.size(), handles.size()) << op.name;
    for (std::size_t k = 0; k < handles.size(); ++k) {
      EXPECT_EQ(outputs[k].at("dtype"), handles[k].at("dtype")) << op.name;
      EXPECT_EQ(outputs[k].at("shape"), handles[k].at("shape")) << op.name;
    }
  }

  Context context_;
  std::mt19937_64 random_{11};
};

using Input = GradcheckCase::Input;

/// Calls of operations whose operands or parameters no other table tells.
const std::map<std::string, GradcheckCase, std::less<>>& own_calls() {
  const auto of = [](const Shape& shape, std::optional<Dtype> dtype = {}) {
    return Input{shape, conformance::Arrangement::kContiguous, dtype, false};
  };
  const Input volume = of({1, 1, 2, 2, 4});
  static const std::map<std::string, GradcheckCase, std::less<>> kCalls = {
      {"zeros", {{}, {{"size", {2, 3}}, {"dtype", "i32"}}}},
      {"ones", {{}, {{"size", JsonArray{2}}}}},
      {"full", {{}, {{"size", JsonArray{2}}, {"fill_value", 2.5}}}},
      {"arange", {{}, {{"end", 5}}}},
      {"linspace", {{}, {{"start", 0}, {"end", 1}, {"steps", 5}}}},
      {"eye", {{}, {{"n", 3}}}},
      {"rand", {{of({4})}, {{"size", {2, 3}}}}},
      {"randn", {{of({4})}, {{"size", JsonArray{7}}}}},
      {"randint", {{of({4})}, {{"size", JsonArray{5}}, {"high", 10}}}},
      {"randperm", {{of({4})}, {{"n", 6}}}},
      {"one_hot", {{of({3}, Dtype::kI64)}, {{"num_classes", 4}}}},
      {"nonzero_static", {{of({2, 3})}, {{"size", 4}}}},
      {"quantized_embedding", {{of({3, 32}, Dtype::kQ8_0), of({2}, Dtype::kI64)}, {}}},
      {"max_pool3d_indices", {{volume}, {{"kernel_size", 2}}}},
      {"max_pool3d_backward", {{of({1, 1, 1, 1, 2}), volume}, {{"input_size", {1, 1, 2, 2, 4}}, {"kernel_size", 2}}}},
      {"max_pool3d_gather", {{volume, volume}, {{"kernel_size", 2}}}},
      {"adaptive_max_pool1d_gather", {{of({1, 2, 4}), of({1, 2, 4})}, {{"output_size", 2}}}},
      {"adaptive_max_pool3d_indices", {{volume}, {{"output_size", {1, 2, 2}}}}},
      {"adaptive_max_pool3d_backward",
       {{of({1, 1, 1, 2, 2}), volume}, {{"input_size", {1, 1, 2, 2, 4}}, {"output_size", {1, 2, 2}}}}},
      {"adaptive_max_pool3d_gather", {{volume, volume}, {{"output_size", {1, 2, 2}}}}},
  };
  return kCalls;
}

TEST_F(TensorOperations, AndAllOthersHaveUsableSchemas) {
  for (const auto& [name, operation] : *registry().curated().snapshot()) {
    EXPECT_EQ(code_of([&] { operation->output(); }), "no error") << name;
  }
}

TEST_F(TensorOperations, OfTheWholeTableEqualEagerCalls) {
  std::vector<std::string> unchecked;
  std::size_t calls = 0;
  for (const OpSpec& op : graph::OpTable::builtin().ops()) {
    bool checked = false;
    std::vector<GradcheckCase> cases;
    if (const auto own = own_calls().find(op.name); own != own_calls().end()) {
      cases.push_back(own->second);
    } else {
      cases = gradcheck_cases(op);
    }
    for (const GradcheckCase& made : cases) {
      if (!check(op, made)) continue;
      checked = true;
      ++calls;
      if (calls % 64 == 0) {  // handles would reach the quota
        end(owner);
        owner = make_owner();
      }
    }
    if (!checked) unchecked.push_back(op.name);
  }
  EXPECT_THAT(unchecked, testing::IsEmpty());
  RecordProperty("calls", static_cast<int>(calls));
}

TEST_F(TensorOperations, DrawTheCallersOwnNumbers) {
  const Json a = call("tensor/rand", R"({"size":[4]})"), b = call("tensor/rand", R"({"size":[4]})");
  EXPECT_NE(read(a), read(b));
  const auto other = make_owner();
  const Json again = call("tensor/rand", R"({"size":[4]})", other);
  Message output = call("compute/read_tensor", Message{JsonObject{{"tensor", again}}, {}}, other);
  EXPECT_TRUE(std::ranges::equal(output.bytes.front().span(), read(a))) << "each owner starts anew";
  end(other);
}

TEST_F(TensorOperations, TakeNumbersInPlaceOfTensors) {
  const Json a = tensor<std::int32_t>({2}, {1, 2});
  const auto add = [&](std::string_view number) {
    return call("tensor/add", JsonObject{{"input", a}, {"other", parse_json(number)}});
  };
  EXPECT_EQ(add("3").at("dtype"), "i32") << "a whole number is an integer";
  EXPECT_EQ(add("0.5").at("dtype"), "f32");
  EXPECT_EQ(add(R"({"scalar":3,"kind":"float"})").at("dtype"), "f32");
  EXPECT_EQ(add("true").at("dtype"), "i32");
  EXPECT_EQ(values(add(R"({"scalar":"inf"})")), Json(JsonArray{"Infinity", "Infinity"}));
  EXPECT_EQ(code("tensor/add", JsonObject{{"input", a}, {"other", "3"}}), "INVALID_INPUT");
  EXPECT_EQ(code("tensor/add", JsonObject{{"input", a}, {"other", JsonObject{{"scalar", "x"}}}}), "INVALID_INPUT");
}

TEST_F(TensorOperations, NameWhatIsWrong) {
  const Json a = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(code("tensor/matmul", JsonObject{{"input", a}, {"other", a}}), "SHAPE_MISMATCH");
  EXPECT_EQ(code("tensor/bitwise_and", JsonObject{{"input", a}, {"other", a}}), "DTYPE_MISMATCH");
  EXPECT_EQ(code("tensor/relu", JsonObject{}), "INVALID_INPUT");
  EXPECT_EQ(code("tensor/relu", JsonObject{{"input", a}, {"output", a}}), "INVALID_INPUT");
  EXPECT_EQ(code("tensor/sum", JsonObject{{"input", a}, {"dim", JsonArray{5}}}), "BAD_ATTRIBUTE");
  EXPECT_EQ(code("tensor/no_such", JsonObject{{"input", a}}), "NOT_FOUND");
  const Json far = tensor<std::int64_t>({1}, {7});
  EXPECT_EQ(code("tensor/index_select", JsonObject{{"input", a}, {"index", far}, {"dim", 0}}), "INDEX_OUT_OF_RANGE");
}

TEST_F(TensorOperations, GiveSeveralResultsByName) {
  const Json found = call("tensor/max_dim", JsonObject{{"input", tensor<float>({3}, {1, 9, 4})}, {"dim", 0}});
  EXPECT_EQ(values(found.at("values")), Json(9.0));
  EXPECT_EQ(values(found.at("indices")), Json(1));
  const Json parts =
      call("tensor/split",
           JsonObject{{"input", tensor<float>({3}, {1, 2, 3})}, {"split_size", 2}, {"ids", JsonArray{"c1", "c2"}}});
  ASSERT_EQ(parts.as_array().size(), 2U);
  EXPECT_EQ(parts.at(1).at("$tensor"), "c2");
}

TEST_F(TensorOperations, WriteIntoPartsOfTensors) {
  const Json state = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  call("tensor/assign",
       JsonObject{{"state", state}, {"value", tensor<float>({1, 2}, {8, 9})}, {"at", JsonArray{1, 1}}});
  EXPECT_EQ(read_as<float>(state), (std::vector<float>{1, 2, 3, 4, 8, 9}));
  EXPECT_EQ(code("tensor/assign",
                 JsonObject{{"state", state}, {"value", tensor<float>({1, 2}, {8, 9})}, {"at", JsonArray{1, 2}}}),
            "INDEX_OUT_OF_RANGE");
}

TEST_F(TensorOperations, AreRefusedWhereAListWouldBeEndless) {
  const Json one = tensor<float>({1}, {1});
  const Json wide = call("tensor/expand", JsonObject{{"input", one}, {"size", JsonArray{100'000'000}}});
  EXPECT_EQ(code("tensor/unbind", JsonObject{{"input", wide}, {"dim", 0}}), "BAD_ATTRIBUTE");
}

}  // namespace
}  // namespace alknet::compute
