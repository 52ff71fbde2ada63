#include "alknet/compute/models/digits_cnn.h"

#include "alknet/compute/nn/convolution.h"
#include "alknet/compute/nn/layers.h"

namespace alknet::compute {

graph::Graph digits_cnn(bool training) {
  using graph::Dim, graph::Dtype, graph::Ref;
  graph::GraphBuilder g;
  const Ref images = g.input("images", Dtype::kF32, {Dim::symbol("batch"), 8, 8});
  const Ref labels = g.input("labels", Dtype::kI64, {Dim::symbol("batch")});
  g.dim("batch", 1);
  const nn::Module model(g, training);
  Ref x = g.node("unsqueeze", {images}, {{"dim", 1}});
  x = nn::Conv2d{.in_channels = 1, .out_channels = 32, .kernel_size = 3, .padding = 1}(model["conv1"], x);
  x = nn::relu(model["conv1"], x);
  x = nn::Conv2d{.in_channels = 32, .out_channels = 64, .kernel_size = 3, .padding = 1}(model["conv2"], x);
  x = nn::relu(model["conv2"], x);
  x = nn::MaxPool2d{.kernel_size = 2}(model["pool"], x);
  x = nn::Flatten{}(model["flatten"], x);
  x = nn::relu(model["fc1"], nn::Linear{.in_features = 1024, .out_features = 128}(model["fc1"], x));
  const Ref logits = nn::Linear{.in_features = 128, .out_features = 10}(model["fc2"], x);
  g.output("loss", g.node("cross_entropy", {logits, labels}));
  g.output("logits", logits);
  return std::move(g).build();
}

}  // namespace alknet::compute
