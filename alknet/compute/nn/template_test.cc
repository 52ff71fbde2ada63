#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "alknet/base/files.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/models/digits_cnn.h"
#include "alknet/compute/nn/attention.h"
#include "alknet/compute/nn/convolution.h"
#include "alknet/compute/nn/layers.h"
#include "alknet/compute/nn/losses.h"
#include "alknet/compute/nn/recurrent.h"
#include "alknet/compute/session.h"
#include "alknet/compute/training/train_step.h"
#include "alknet/graph/json.h"

// The modules of js/nn and those of C++ are written twice. What templates render to is kept in modules.json, which a
// test of js/nn writes; here it is compared with what the C++ modules build.

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::Graph;
using graph::GraphBuilder;
using graph::Ref;
using nn::Module;
using SymbolicShape = graph::SymbolicShape;

/// JSON with every number as f64: templates do not tell 2 from 2.0.
Json with_floats(const Json& value) {
  if (value.is_number()) return value.to_number<double>();
  if (const auto* items = value.if_array()) {
    JsonArray list;
    for (const auto& item : *items) list.push_back(with_floats(item));
    return list;
  }
  if (const auto* members = value.if_object()) {
    std::map<std::string, Json> sorted;
    for (const auto& [name, member] : *members) sorted.emplace(name, with_floats(member));
    return JsonObject(sorted.begin(), sorted.end());
  }
  return value;
}

/// What a graph computes, line by line from its outputs: equal for graphs that differ in ids, paths and the order of
/// nodes.
class Description {
 public:
  explicit Description(const Graph& graph) : graph_(graph) {
    for (const auto& node : graph.nodes) nodes_.emplace(node.id, &node);
    for (const auto& state : graph.states) {
      lines_.push_back(fmt::format("state {} {} [{}] {} {} {}", state.name, graph::dtype_name(state.dtype),
                                   fmt::join(texts(state.shape), ", "), state.scope == graph::StateScope::kStore,
                                   state.trainable, json_text(with_floats(state.init))));
    }
    for (const auto& output : graph.outputs) lines_.push_back("output " + text(output.value));
    std::map<std::string, std::string> written;
    for (const auto& node : graph.nodes) {
      if (node.op == "assign") written.emplace(node.inputs.at(0).at(0).text(), node.id);
    }
    for (const auto& [state, id] : written) lines_.push_back("assigned " + text(Ref{id, 0, {}}));
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  static std::vector<std::string> texts(const SymbolicShape& shape) {
    std::vector<std::string> list;
    for (const Dim& dim : shape) list.push_back(json_text(graph::dim_attribute(dim)));
    return list;
  }

  std::string text(const Ref& ref) {
    if (ref.scalar) return fmt::format("{}", ref.scalar->number);
    if (ref.absent()) return "nothing";
    const auto found = nodes_.find(ref.name);
    if (found == nodes_.end()) return ref.name;
    return fmt::format("%{}.{}", number(*found->second), ref.output);
  }

  std::size_t number(const graph::Node& node) {
    if (const auto known = numbers_.find(node.id); known != numbers_.end()) return known->second;
    std::vector<std::string> inputs;
    for (const auto& refs : node.inputs) {
      for (const auto& ref : refs) inputs.push_back(text(ref));
      if (refs.empty()) inputs.emplace_back("nothing");
    }
    while (!inputs.empty() && inputs.back() == "nothing") inputs.pop_back();
    const auto attrs = graph::complete_attributes(graph::OpTable::builtin().at(node.op), node.attrs);
    const std::size_t place = numbers_.size();
    numbers_.emplace(node.id, place);
    lines_.push_back(
        fmt::format("%{} = {} {} ({})", place, node.op, json_text(with_floats(attrs)), fmt::join(inputs, ", ")));
    return place;
  }

  const Graph& graph_;
  std::map<std::string, const graph::Node*, std::less<>> nodes_;
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> lines_;
};

Json documents() { return parse_json(read_file(ALKNET_SOURCE_DIR "/js/nn/src/testing/modules.json", 1 << 24)); }

Graph rendered(std::string_view name) { return graph::from_message({documents().at(name), {}}); }

/// One module at the place "m", of the input `x`.
Graph one(SymbolicShape shape, bool training, const std::function<Ref(const Module&, const Ref&)>& module,
          Dtype dtype = Dtype::kF32) {
  GraphBuilder g;
  const Ref x = g.input("x", dtype, std::move(shape));
  const Module model(g, training);
  g.output("output", module(model["m"], x));
  return std::move(g).build();
}

template <typename M>
Graph of(SymbolicShape shape, M module, bool training = false, Dtype dtype = Dtype::kF32) {
  return one(
      std::move(shape), training, [&](const Module& at, const Ref& x) { return module(at, x); }, dtype);
}

template <typename Loss>
Graph loss_of(Loss loss, Dtype dtype = Dtype::kF32) {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 4});
  const SymbolicShape shape =
      dtype == Dtype::kF32 ? SymbolicShape{Dim::symbol("n"), 4} : SymbolicShape{Dim::symbol("n")};
  const Ref target = g.input("target", dtype, shape);
  g.output("output", loss(Module(g), x, target));
  return std::move(g).build();
}

Graph attention_with_cache() {
  GraphBuilder g;
  nn::AttentionInputs inputs;
  inputs.query = g.input("x", Dtype::kF32, {2, Dim::symbol("length"), 8});
  const Ref position = g.input("position", Dtype::kI64, {});
  inputs.cache = nn::AttentionCache{position, 2, 16, Dim::symbol("length")};
  const Module model(g);
  g.output("output", nn::MultiHeadAttention{.embed_dim = 8, .num_heads = 2, .rope_base = 10000}(model["m"], inputs));
  return std::move(g).build();
}

Graph decoder() {
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {Dim::symbol("n"), 5, 8});
  const Ref memory = g.input("memory", Dtype::kF32, {Dim::symbol("n"), 7, 8});
  const Module model(g, true);
  const nn::TransformerDecoderLayer layer{.d_model = 8, .nhead = 2, .dim_feedforward = 16};
  g.output("output", layer(model["m"], x, memory));
  return std::move(g).build();
}

std::map<std::string, std::function<Graph()>> modules() {
  const Dim n = Dim::symbol("n");
  const SymbolicShape rows{n, 3}, image{n, 4, 9, 9}, sequence{n, 5, 8};
  const auto attend = [](const nn::MultiHeadAttention& attention) {
    return [attention](const Module& at, const Ref& x) {
      nn::AttentionInputs inputs;
      inputs.query = x;
      return attention(at, inputs);
    };
  };
  return {
      {"linear", [=] { return of(rows, nn::Linear{.in_features = 3, .out_features = 4}); }},
      {"linear_no_bias", [=] { return of(rows, nn::Linear{.in_features = 3, .out_features = 4, .bias = false}); }},
      {"embedding",
       [=] { return of({n}, nn::Embedding{.num_embeddings = 7, .embedding_dim = 3}, false, Dtype::kI64); }},
      {"conv1d",
       [=] {
         return of({n, 4, 9}, nn::Conv1d{.in_channels = 4, .out_channels = 6, .kernel_size = 3, .dilation = 2});
       }},
      {"conv2d",
       [=] {
         return of(image, nn::Conv2d{.in_channels = 4,
                                     .out_channels = 6,
                                     .kernel_size = {3, 5},
                                     .stride = 2,
                                     .padding = {1, 2},
                                     .groups = 2});
       }},
      {"conv3d",
       [=] {
         return of({n, 2, 5, 5, 5}, nn::Conv3d{.in_channels = 2, .out_channels = 3, .kernel_size = 3, .bias = false});
       }},
      {"conv_transpose2d",
       [=] {
         return of(image, nn::ConvTranspose2d{
                              .in_channels = 4, .out_channels = 6, .kernel_size = 3, .stride = 2, .output_padding = 1});
       }},
      {"max_pool2d", [=] { return of(image, nn::MaxPool2d{.kernel_size = 3, .padding = 1}); }},
      {"avg_pool2d",
       [=] { return of(image, nn::AvgPool2d{.kernel_size = 3, .stride = 1, .count_include_pad = false}); }},
      {"adaptive_avg_pool2d",
       [=] {
         return of(image, nn::AdaptiveAvgPool2d{.output_size = {3, 2}});
       }},
      {"batch_norm_training", [=] { return of(image, nn::BatchNorm{.num_features = 4}, true); }},
      {"batch_norm", [=] { return of(image, nn::BatchNorm{.num_features = 4, .affine = false}); }},
      {"layer_norm",
       [=] {
         return of({n, 2, 3}, nn::LayerNorm{.normalized_shape = {2, 3}});
       }},
      {"group_norm", [=] { return of(image, nn::GroupNorm{.num_groups = 2, .num_channels = 4}); }},
      {"rms_norm", [=] { return of(rows, nn::RMSNorm{.normalized_shape = {3}}); }},
      {"dropout", [=] { return of(rows, nn::Dropout{.p = 0.2}, true); }},
      {"upsample",
       [=] {
         return of(image, nn::Upsample{.scale_factor = {2, 2}});
       }},
      {"lstm",
       [=] {
         const nn::LSTM lstm{.input_size = 3, .hidden_size = 2, .length = 3, .num_layers = 2, .bidirectional = true};
         return one({n, 3, 3}, false, [&](const Module& at, const Ref& x) { return lstm(at, x).output; });
       }},
      {"gru",
       [=] {
         const nn::GRU gru{.input_size = 3, .hidden_size = 2, .length = 3, .bias = false};
         return one({n, 3, 3}, false, [&](const Module& at, const Ref& x) { return gru(at, x).output; });
       }},
      {"mha",
       [=] {
         return one(sequence, false,
                    attend({.embed_dim = 8, .num_heads = 4, .num_key_heads = 2, .causal = true, .rope_base = 10000}));
       }},
      {"mha_dropout", [=] { return one(sequence, true, attend({.embed_dim = 8, .num_heads = 2, .dropout = 0.3})); }},
      {"mha_cache", attention_with_cache},
      {"encoder",
       [=] {
         const nn::TransformerEncoderLayer layer{.d_model = 8, .nhead = 2, .dim_feedforward = 16, .activation = "gelu"};
         return of(sequence, layer, true);
       }},
      {"encoder_norm_first",
       [=] {
         const nn::TransformerEncoderLayer layer{.d_model = 8, .nhead = 2, .norm_first = true, .causal = true};
         return of(sequence, layer);
       }},
      {"decoder", decoder},
      {"mse", [] { return loss_of(nn::MSELoss{}); }},
      {"l1", [] { return loss_of(nn::L1Loss{.reduction = "sum"}); }},
      {"smooth_l1", [] { return loss_of(nn::SmoothL1Loss{.beta = 0.5}); }},
      {"huber", [] { return loss_of(nn::HuberLoss{.delta = 0.5}); }},
      {"bce", [] { return loss_of(nn::BCELoss{}); }},
      {"bce_with_logits", [] { return loss_of(nn::BCEWithLogitsLoss{.reduction = "none"}); }},
      {"kl_div", [] { return loss_of(nn::KLDivLoss{.log_target = true}); }},
      {"nll", [] { return loss_of(nn::NLLLoss{}, Dtype::kI64); }},
      {"cross_entropy", [] { return loss_of(nn::CrossEntropyLoss{.label_smoothing = 0.1}, Dtype::kI64); }},
      {"digits", [] { return digits_cnn(true); }},
  };
}

TEST(Templates, RenderToTheGraphsOfTheModules) {
  const auto known = modules();
  const Json documents_json = documents();
  for (const auto& [name, document] : documents_json.as_object()) {
    SCOPED_TRACE(name);
    const auto module = known.find(name);
    ASSERT_NE(module, known.end());
    const Graph built = module->second();
    const Graph template_graph = graph::from_message({document, {}});
    EXPECT_EQ(Description(template_graph).lines(), Description(built).lines());
  }
  EXPECT_EQ(documents_json.as_object().size(), known.size());
}

TEST(Templates, DigitsGiveTheSameLogitsAndTrainAlike) {
  const auto backend = make_cpu_backend({1});
  const Context context{std::make_shared<BufferManager>(), backend};
  std::vector<float> pixels(3 * 64);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i % 17) / 16;
  const Tensor images = context.from<float>(pixels, {3, 8, 8});
  const Tensor labels = context.from<std::int64_t>(std::array<std::int64_t, 3>{4, 0, 9}, {3});
  const Tensor rate = context.from<float>(std::array{0.01F}, {});
  const TrainStepOptions options{.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kAdamW)};
  std::vector<std::vector<float>> logits;
  for (const Graph& graph : {digits_cnn(true), rendered("digits")}) {
    Session session(Plan::compile(train_step(graph, "loss", options), backend), Store{context, 5});
    session.run(std::array{images, labels, rate});
    logits.push_back(session.run(std::array{images, labels, rate}).at(1).to_vector<float>());
  }
  EXPECT_EQ(logits[0].size(), 30u);
  EXPECT_EQ(logits[0], logits[1]);
}

}  // namespace
}  // namespace alknet::compute
