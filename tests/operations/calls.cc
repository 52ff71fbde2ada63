#include "tests/operations/calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <sstream>

#include "alknet/base/json.h"
#include "alknet/compute/eager/gradcheck_cases.h"
#include "alknet/graph/validate.h"

namespace alknet::operations {
namespace {

using graph::Dtype;
using graph::OpSpec;

struct Row {
  const char* op;
  const char* inputs;  ///< "2x3 4 - ()": by input; - is left out, () has rank 0.
  const char* attrs = "{}";
};

/// Calls of operations without a gradient, whose shapes or attributes nothing else tells.
constexpr std::array kSmallRows = {
    Row{"arange", "", R"({"end":5})"},
    Row{"eye", "", R"({"n":3})"},
    Row{"full", "", R"({"size":[2,3],"fill_value":1})"},
    Row{"full_like", "2x3", R"({"fill_value":1})"},
    Row{"linspace", "", R"({"start":0,"end":1,"steps":5})"},
    Row{"ones", "", R"({"size":[2,3]})"},
    Row{"zeros", "", R"({"size":[2,3]})"},
    Row{"rand", "4", R"({"size":[2,3]})"},
    Row{"randn", "4", R"({"size":[2,3]})"},
    Row{"randint", "4", R"({"low":0,"high":9,"size":[2,3]})"},
    Row{"randperm", "4", R"({"n":5})"},
    Row{"random_words", "4", R"({"size":[2,3],"stream":1})"},
    Row{"bernoulli", "2x3 4", "{}"},
    Row{"dropout", "2x3 4", R"({"training":true})"},
    Row{"uniform_of_words", "5", "{}"},
    Row{"uniform_of_word_pairs", "5 5", "{}"},
    Row{"normal_of_words", "5 5", "{}"},
    Row{"integer_of_words", "5", R"({"low":0,"range":9})"},
    Row{"one_hot", "3", R"({"num_classes":4})"},
    Row{"assign", "2x3 2x3", "{}"},
    Row{"int_mm", "2x3 3x4", "{}"},
    Row{"interpolate", "1x2x4", R"({"scale_factor":2})"},
    Row{"interpolate_backward", "1x2x8", R"({"input_size":[1,2,4],"scale_factor":2})"},
    Row{"convolution", "1x2x5 3x2x3", R"({"output_size":[1,3,3]})"},
    Row{"max_pool3d_indices", "1x2x4x4x4", R"({"kernel_size":2})"},
    Row{"max_pool3d_backward", "1x2x2x2x2 1x2x4x4x4", R"({"input_size":[1,2,4,4,4],"kernel_size":2})"},
    Row{"max_pool3d_gather", "1x2x4x4x4 1x2x4x4x4", R"({"kernel_size":2})"},
    Row{"adaptive_max_pool1d_gather", "1x2x4 1x2x4", R"({"output_size":2})"},
    Row{"adaptive_max_pool3d_backward", "1x2x2x2x2 1x2x4x4x4", R"({"input_size":[1,2,4,4,4],"output_size":2})"},
    Row{"adaptive_max_pool3d_gather", "1x2x4x4x4 1x2x4x4x4", R"({"output_size":2})"},
    Row{"cross_entropy", "3x4 3 -"},
    Row{"adaptive_max_pool3d_indices", "1x2x4x4x4", R"({"output_size":2})"},
};

/// Calls of typical sizes. Element-wise operations, reductions and scans have [1024, 1024] without a row.
constexpr std::array kTypicalRows = {
    Row{"arange", "", R"({"end":1048576})"},
    Row{"eye", "", R"({"n":1024})"},
    Row{"full", "", R"({"size":[1048576],"fill_value":1})"},
    Row{"linspace", "", R"({"start":0,"end":1,"steps":1048576})"},
    Row{"ones", "", R"({"size":[1048576]})"},
    Row{"zeros", "", R"({"size":[1048576]})"},
    Row{"rand", "4", R"({"size":[1048576]})"},
    Row{"randn", "4", R"({"size":[1048576]})"},
    Row{"randint", "4", R"({"low":0,"high":9,"size":[1048576]})"},
    Row{"randperm", "4", R"({"n":65536})"},
    Row{"random_words", "4", R"({"size":[1048576],"stream":1})"},
    Row{"bernoulli", "1024x1024 4", "{}"},
    Row{"dropout", "1024x1024 4", R"({"training":true})"},
    Row{"one_hot", "4096", R"({"num_classes":100})"},
    Row{"matmul", "512x512 512x512"},
    Row{"int_mm", "512x512 512x512"},
    Row{"mm", "512x512 512x512"},
    Row{"bmm", "16x128x128 16x128x128"},
    Row{"mv", "1024x1024 1024"},
    Row{"dot", "1048576 1048576"},
    Row{"outer", "1024 1024"},
    Row{"addmm", "512x512 512x512 512x512"},
    Row{"addmv", "1024 1024x1024 1024"},
    Row{"baddbmm", "16x128x128 16x128x128 16x128x128"},
    Row{"einsum", "16x128x64 16x64x128", R"({"equation":"bij,bjk->bik"})"},
    Row{"inverse", "128x128"},
    Row{"solve", "128x128 128x16"},
    Row{"cholesky", "128x128"},
    Row{"det", "128x128"},
    Row{"attention", "8x128x64 8x128x64 8x128x64 -"},
    Row{"scaled_dot_product_attention", "8x128x64 8x128x64 8x128x64 -"},
    Row{"softmax", "1024x1024", R"({"dim":-1})"},
    Row{"log_softmax", "1024x1024", R"({"dim":-1})"},
    Row{"layer_norm", "1024x1024 1024 1024", R"({"normalized_shape":[1024]})"},
    Row{"rms_norm", "1024x1024 1024", R"({"normalized_shape":[1024]})"},
    Row{"group_norm", "8x64x32x32 64 64", R"({"num_groups":8})"},
    Row{"instance_norm", "8x64x32x32 64 64"},
    Row{"batch_norm", "8x64x32x32 64 64 64 64", R"({"training":true})"},
    Row{"rope", "8x128x64 -"},
    Row{"embedding", "10000x384 1024"},
    Row{"embedding_dense_backward", "1024x384 1024", R"({"num_weights":10000})"},
    Row{"conv1d", "8x32x1024 32x32x3 32", R"({"padding":1})"},
    Row{"conv2d", "8x32x32x32 64x32x3x3 64", R"({"padding":1})"},
    Row{"conv3d", "1x16x16x16x16 16x16x3x3x3 16", R"({"padding":1})"},
    Row{"conv_transpose1d", "8x32x1024 32x32x3 32"},
    Row{"conv_transpose2d", "8x32x16x16 32x32x3x3 32", R"({"stride":2})"},
    Row{"conv_transpose3d", "1x8x8x8x8 8x8x3x3x3 8"},
    Row{"max_pool1d", "8x64x1024", R"({"kernel_size":2})"},
    Row{"max_pool2d", "8x64x64x64", R"({"kernel_size":2})"},
    Row{"max_pool3d", "2x16x16x32x32", R"({"kernel_size":2})"},
    Row{"avg_pool1d", "8x64x1024", R"({"kernel_size":2})"},
    Row{"avg_pool2d", "8x64x64x64", R"({"kernel_size":2})"},
    Row{"avg_pool3d", "2x16x16x32x32", R"({"kernel_size":2})"},
    Row{"max_pool2d_indices", "8x64x64x64", R"({"kernel_size":2})"},
    Row{"max_pool2d_backward", "8x64x32x32 8x64x64x64", R"({"input_size":[8,64,64,64],"kernel_size":2})"},
    Row{"max_pool2d_gather", "8x64x64x64 8x64x64x64", R"({"kernel_size":2})"},
    Row{"avg_pool2d_backward", "8x64x32x32", R"({"input_size":[8,64,64,64],"kernel_size":2})"},
    Row{"adaptive_avg_pool2d", "8x64x64x64", R"({"output_size":7})"},
    Row{"adaptive_max_pool2d", "8x64x64x64", R"({"output_size":7})"},
    Row{"interpolate", "8x16x32x32", R"({"scale_factor":2,"mode":"bilinear"})"},
    Row{"gather", "1024x1024 1024x1024", R"({"dim":0})"},
    Row{"gather_backward", "1024x1024 1024x1024", R"({"input_sizes":[1024,1024],"dim":0})"},
    Row{"index", "1024x1024 1024"},
    Row{"index_put", "1024x1024 1024 1024x1024"},
    Row{"scatter_value", "1024x1024 1024x1024", R"({"dim":1,"value":2})"},
    Row{"scatter", "1024x1024 1024x1024 1024x1024", R"({"dim":1})"},
    Row{"scatter_add", "1024x1024 1024x1024 1024x1024", R"({"dim":1})"},
    Row{"index_select", "1024x1024 1024", R"({"dim":0})"},
    Row{"index_add", "1024x1024 1024 1024x1024", R"({"dim":0})"},
    Row{"take", "1048576 65536"},
    Row{"cat", "1024x512 1024x512", R"({"dim":1})"},
    Row{"stack", "1024x512 1024x512", R"({"dim":1})"},
    Row{"pad", "1024x1024", R"({"pad":[1,1,1,1]})"},
    Row{"constant_pad_nd", "1024x1024", R"({"pad":[1,1,1,1]})"},
    Row{"unfold", "1024x1024", R"({"dimension":1,"size":4,"step":2})"},
    Row{"sort", "256x4096", R"({"dim":1})"},
    Row{"argsort", "256x4096", R"({"dim":1})"},
    Row{"topk", "256x4096", R"({"k":10})"},
    Row{"median", "65536"},
    Row{"cross_entropy", "1024x1000 1024 -"},
    Row{"nll_loss", "1024x1000 1024 -"},
    Row{"roll", "1024x1024", R"({"shifts":3,"dims":1})"},
    Row{"flip", "1024x1024", R"({"dims":[1]})"},
    Row{"repeat", "512x512", R"({"repeats":[2,2]})"},
    Row{"tile", "512x512", R"({"dims":[2,2]})"},
};

std::optional<graph::Shape> shape_of(const std::string& text) {
  if (text == "-") return std::nullopt;
  graph::Shape shape;
  if (text == "()") return shape;
  std::istringstream sizes(text);
  for (std::string size; std::getline(sizes, size, 'x');) shape.push_back(std::stoll(size));
  return shape;
}

template <typename Rows>
std::optional<Call> call_of(const Rows& rows, const std::string& op) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& each) { return op == each.op; });
  if (row == rows.end()) return std::nullopt;
  Call call{{}, parse_json(row->attrs).as_object()};
  std::istringstream inputs(row->inputs);
  for (std::string input; inputs >> input;) call.inputs.push_back(shape_of(input));
  return call;
}

/// The dtype of an input when those that promote have `dtype`; nothing when the operation does not take that.
std::optional<Dtype> input_dtype(const OpSpec& op, const graph::OpInput& input, Dtype dtype) {
  const auto takes = [&](Dtype each) {
    return std::find(input.dtypes.begin(), input.dtypes.end(), each) != input.dtypes.end();
  };
  if (input.promotes && takes(dtype)) return dtype;
  if (op.promotion == graph::Promotion::kNone && input.dtypes.size() == 1) return input.dtypes.front();
  if (input.promotes) return std::nullopt;
  return takes(Dtype::kI64) ? Dtype::kI64 : input.dtypes.front();
}

}  // namespace

std::vector<Call> small_calls(const OpSpec& op) {
  if (auto own = call_of(kSmallRows, op.name)) return {std::move(*own)};
  std::vector<Call> calls;
  for (const compute::GradcheckCase& made : compute::gradcheck_cases(op)) {
    Call call{{}, made.attrs};
    for (const auto& input : made.inputs) {
      call.inputs.push_back(input.absent ? std::nullopt : std::optional(input.shape));
    }
    calls.push_back(std::move(call));
  }
  return calls;
}

Call typical_call(const OpSpec& op) {
  if (auto own = call_of(kTypicalRows, op.name)) return std::move(*own);
  const graph::Shape large = {1024, 1024};
  const bool spread = op.elementwise() || op.kind == graph::OpKind::kReduction || op.kind == graph::OpKind::kScan;
  for (Call& call : small_calls(op)) {
    if (spread) call.inputs.assign(op.inputs.size(), large);
    if (op.kind == graph::OpKind::kReduction || op.kind == graph::OpKind::kScan) call.attrs.clear();
    if (op.kind == graph::OpKind::kScan && op.parameter("dim") != nullptr) call.attrs["dim"] = -1;
    try {
      const auto made = graph_of(op, call, Dtype::kF32);
      if (made) graph::infer(*made, graph::OpTable::builtin());
      return std::move(call);
    } catch (const Error&) {
      continue;  // not every small call is valid
    }
  }
  return {};
}

std::optional<graph::Graph> graph_of(const OpSpec& op, const Call& call, Dtype dtype) {
  graph::GraphBuilder builder;
  std::vector<graph::GraphBuilder::Operand> operands(op.inputs.size());
  bool decided = false;  // something of the call has the dtype
  const graph::OpParameter* parameter = op.parameter("dtype");
  for (std::size_t i = 0; i < call.inputs.size() && !op.inputs.empty(); ++i) {
    const std::size_t at = std::min(i, op.inputs.size() - 1);
    if (!call.inputs[i] || (i > at && !op.inputs[at].variadic)) continue;
    const auto own = input_dtype(op, op.inputs[at], dtype);
    if (!own) return std::nullopt;
    // Random words have one dtype, whatever becomes of them.
    decided = decided || (*own == dtype && (parameter == nullptr || op.inputs[at].dtypes.size() > 1));
    const std::string name = fmt::format("x{}", i);
    const graph::SymbolicShape shape(call.inputs[i]->begin(), call.inputs[i]->end());
    operands[at].refs.push_back(op.name == graph::kAssign && i == 0
                                    ? builder.state({name, *own, shape, graph::StateScope::kSession, false, "zeros"})
                                    : builder.input(name, *own, shape));
  }
  JsonObject attrs = call.attrs;
  if (parameter != nullptr) {
    // What casts shall not cast to the same.
    const Dtype result = !decided ? dtype : dtype == Dtype::kF32 ? Dtype::kI32 : Dtype::kF32;
    attrs["dtype"] = graph::dtype_name(result);
    decided = decided || !parameter->checker || parameter->checker->validate(attrs["dtype"], {.max_errors = 1}).empty();
  }
  if (!decided) return std::nullopt;
  builder.output("y0", builder.node(op.name, std::move(operands), std::move(attrs)));
  return std::move(builder).build();
}

compute::Tensor random_input(const compute::Context& context, const OpSpec& op, std::size_t index,
                             const graph::GraphInput& declared) {
  const graph::Shape shape = graph::evaluate(declared.shape, {});
  const graph::OpInput& input = op.inputs[std::min(index, op.inputs.size() - 1)];
  double low = -2, high = 2;
  const Json* domain = op.test.is_object() ? op.test.as_object().if_contains(input.name) : nullptr;
  if (domain != nullptr && domain->is_array()) {
    low = domain->as_array()[0].to_number<double>();
    high = domain->as_array()[1].to_number<double>();
  }
  if (!input.promotes) low = 0, high = 6;
  std::mt19937 random(static_cast<unsigned>(index) + 1);
  std::uniform_real_distribution<float> real(static_cast<float>(low), static_cast<float>(high));
  std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
  for (float& value : values) value = real(random);
  if (index == 0 && (op.shape == "square" || op.shape == "determinant" || op.shape == "solve")) {
    // Well-conditioned, and positive definite where one triangle is read.
    const auto size = static_cast<std::size_t>(shape.back());
    for (std::size_t i = 0; i < size; ++i)
      values[i * size + i] = 2 * static_cast<float>(high) * static_cast<float>(size);
  }
  return context.from<float>(values, shape).to(declared.dtype);
}

}  // namespace alknet::operations
