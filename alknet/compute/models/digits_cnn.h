#pragma once

#include "alknet/graph/graph.h"

namespace alknet::compute {

/// A convolutional network for images of 8x8 pixels in 10 classes, with PyTorch's initial values: two convolutions of
/// 3x3 (32 and 64 channels) with ReLU, a pooling of 2x2 and a hidden layer of 128.
///
/// Inputs: `images`, f32 [batch, 8, 8] from 0 to 1, and `labels`, i64 [batch]. Outputs: `loss`, f32 [], the mean
/// cross entropy, and `logits`, f32 [batch, 10].
graph::Graph digits_cnn(bool training);

}  // namespace alknet::compute
