// Teaches a small network the sine and asks it for some values.
//
//   example_train_a_model [cpu | gpu | gpu:0]

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/nn/layers.h"
#include "alknet/compute/nn/losses.h"
#include "alknet/compute/session.h"
#include "alknet/compute/tensor.h"
#include "alknet/compute/training/schedule.h"
#include "alknet/compute/training/train_step.h"

using namespace alknet;
using namespace alknet::compute;
using graph::Ref;

namespace {

/// Two linear layers with tanh between them; x: [rows, 1].
Ref network(const nn::Module& model, const Ref& x) {
  const Ref hidden = nn::Linear{.in_features = 1, .out_features = 32}(model["hidden"], x);
  return nn::Linear{.in_features = 32, .out_features = 1}(model["out"], model.node("tanh", {hidden}));
}

/// Forward, gradients and optimizer as one graph.
graph::Graph training_graph() {
  graph::GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {graph::Dim::symbol("rows"), 1});
  const Ref target = g.input("target", Dtype::kF32, {graph::Dim::symbol("rows"), 1});
  const nn::Module model(g, /*training=*/true);
  g.output("loss", nn::MSELoss{}(model["loss"], network(model, x), target));
  return train_step(std::move(g).build(), "loss", {.optimizer = OptimizerOptions::of(OptimizerOptions::Kind::kAdam)});
}

graph::Graph inference_graph() {
  graph::GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {graph::Dim::symbol("rows"), 1});
  g.output("y", network(nn::Module(g), x));
  return std::move(g).build();
}

float train(const Context& context, const Store& store) {
  constexpr int kSteps = 1000, kRows = 128;
  std::vector<float> x, y;
  for (int i = 0; i < kRows; ++i) {
    x.push_back(8.0f * static_cast<float>(i) / kRows - 4);
    y.push_back(std::sin(x.back()));
  }
  const Tensor inputs = context.from<float>(x, {kRows, 1});
  const Tensor targets = context.from<float>(y, {kRows, 1});

  Session step(Plan::compile(training_graph(), context.backend()), store);
  const Schedule rate = cosine_schedule(0.02, kSteps);
  float loss = 0;
  for (int i = 0; i < kSteps; ++i) {
    const Tensor learning_rate = context.from<float>(std::array{static_cast<float>(rate(i))}, {});
    loss = step.run(std::array{inputs, targets, learning_rate})[0].item<float>();
    if (i % 200 == 0) std::printf("step %4d  loss %.6f\n", i, static_cast<double>(loss));
  }
  std::printf("step %4d  loss %.6f\n\n", kSteps, static_cast<double>(loss));
  return loss;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Context context(argc > 1 ? argv[1] : "cpu");
    const Store store(context, /*seed=*/0);  // what training learns and inference reads
    const float loss = train(context, store);

    const std::vector<float> x = {-3, -1.5f, 0, 1.5f, 3};
    Session infer(Plan::compile(inference_graph(), context.backend()), store);
    const auto y = infer.run(std::array{context.from<float>(x, {5, 1})})[0].to_vector<float>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::printf("sin(%4.1f) = %7.4f, learned %7.4f\n", static_cast<double>(x[i]), static_cast<double>(std::sin(x[i])),
                  static_cast<double>(y[i]));
    }
    return loss < 1e-3f ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_train_a_model: %s\n", error.what());
    return 1;
  }
}
