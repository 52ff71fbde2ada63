#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"
#include "alknet/compute/conformance_blocks.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/compute/session.h"
#include "alknet/tensor/block_formats.h"
#include "alknet/tensor/import/gguf.h"
#include "alknet/tensor/import/import.h"

namespace alknet::compute {
namespace {

using graph::GraphBuilder;
using graph::Ref;

class QuantizedTest : public testing::Test {
 protected:
  Tensor weight(Dtype dtype, std::int64_t rows, std::int64_t columns) {
    const auto blocks = static_cast<std::size_t>(rows * columns / graph::block_values(dtype));
    const auto bytes = conformance::random_blocks(dtype, blocks, false, random);
    return context.from_bytes(dtype, {rows, columns}, bytes);
  }
  Tensor input(const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
    for (float& value : values) value = static_cast<float>(random() % 200) / 100.0F - 1;
    return context.from<float>(values, shape);
  }

  Context context{"cpu"};
  std::mt19937_64 random{3};
};

/// Largest difference of two tensors of f32, relative to the largest element.
float difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  float largest = 0, most = 1;
  for (const float each : (a - b).to_vector<float>()) largest = std::max(largest, std::fabs(each));
  for (const float each : b.to_vector<float>()) most = std::max(most, std::fabs(each));
  return largest / most;
}

TEST_F(QuantizedTest, FormatsOfFilesAreDtypesOfTheSameSizes) {
  EXPECT_EQ(tensor::block_formats().size(), graph::kBlockDtypes.size());
  for (std::size_t i = 0; i < graph::kBlockDtypes.size(); ++i) {
    const tensor::BlockFormat& format = tensor::block_formats()[i];
    const Dtype dtype = graph::kBlockDtypes[i];
    EXPECT_EQ(graph::block_values(dtype), format.values);
    EXPECT_EQ(graph::dtype_bytes(dtype), format.bytes);
    std::string name(format.name);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(graph::dtype_name(dtype), name);
  }
}

TEST_F(QuantizedTest, TakesWeightsFromAMappedFileWithoutACopy) {
  const auto path = std::filesystem::path(testing::TempDir()) / "alknet_quantised.mt";
  const auto importer = tensor::open_gguf(
      tensor::ByteSource::open(ALKNET_SOURCE_DIR "/fuzz/seeds/gguf/quantised.gguf", tensor::Access::kMap));
  tensor::write_import(*importer, path);
  Store store(context);
  const auto file = tensor::File::open(path);
  store.add_file(file);
  for (const char* name : {"w.Q4_0", "w.Q4_1", "w.Q5_0", "w.Q5_1", "w.Q8_0"}) {
    const Tensor found = store.find(name);
    EXPECT_TRUE(graph::is_block(found.dtype())) << name;
    EXPECT_EQ(found.shape(), (Shape{1, 64}));
    EXPECT_TRUE(found.buffer()->memory()->read_only());
    EXPECT_EQ(static_cast<const Memory&>(*found.buffer()->memory()).data(), file.tensor(name).data().data());
    const auto expected = conformance::block_values(found.dtype(), file.tensor(name).data());
    const auto values = found.to(Dtype::kF32).to_vector<float>();
    EXPECT_EQ(std::vector<double>(values.begin(), values.end()), expected);
  }
  std::filesystem::remove(path);
}

TEST_F(QuantizedTest, LinearMultipliesByTheValuesOfTheBlocks) {
  for (const Dtype dtype : graph::kBlockDtypes) {
    const Tensor w = weight(dtype, 9, 512), bias = input({9});
    const Tensor values = w.to(Dtype::kF32);
    for (const std::int64_t rows : {1, 3, 40}) {
      const Tensor x = input({2, rows, 512});
      EXPECT_LT(difference(linear(x, w, bias), linear(x, values, bias)), 1e-5F) << graph::dtype_name(dtype);
    }
  }
}

TEST_F(QuantizedTest, LongRowsKeepTheBoundOfTheOpTable) {
  const double k = graph::OpTable::builtin().at("quantized_matmul").bound.at("f32").at("k").to_number<double>();
  for (const Dtype dtype : {Dtype::kQ4_0, Dtype::kQ6_K}) {
    const Tensor w = weight(dtype, 11, 8192), values = w.to(Dtype::kF64);
    for (const std::int64_t rows : {1, 3, 40}) {
      const Tensor x = input({rows, 8192}), wide = x.to(Dtype::kF64);
      const auto got = linear(x, w).to_vector<float>();
      const auto exact = linear(wide, values).to_vector<double>();
      const auto terms = linear(wide.abs(), values.abs()).to_vector<double>();
      for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_LE(std::fabs(static_cast<double>(got[i]) - exact[i]), k * 0x1p-23 * terms[i]);
      }
    }
  }
}

/// What rounding `x` to bytes may change a product with `weight` by: half a scale for each value.
std::vector<double> rounding_bound(const Tensor& x, const Tensor& weight) {
  const std::int64_t depth = x.shape().back(), groups = depth / 32;
  const Tensor most = x.abs().reshape({-1, groups, 32}).amax(std::vector<std::int64_t>{-1}, true).to(Dtype::kF64);
  const Tensor halves = (most / 254.0).expand(Shape{most.shape()[0], groups, 32}).reshape({-1, depth});
  return linear(halves, weight.to(Dtype::kF64).abs()).to_vector<double>();
}

TEST_F(QuantizedTest, ActivationsRoundedToBytesAreOffByHalfAScaleAtMost) {
  for (const Dtype dtype : graph::kBlockDtypes) {
    const std::int64_t values = graph::block_values(dtype);
    for (const std::int64_t blocks : {1, 2, 5, 33, 70}) {
      const Tensor w = weight(dtype, 19, blocks * values), wide = w.to(Dtype::kF64);
      for (const std::int64_t rows : {1, 3, 4}) {
        Tensor x = input({rows, blocks * values});
        const auto got = quantized_matmul(x, w, "q8").to_vector<float>();
        const auto exact = linear(x.to(Dtype::kF64), wide).to_vector<double>();
        const auto terms = linear(x.abs().to(Dtype::kF64), wide.abs()).to_vector<double>();
        const auto rounding = rounding_bound(x, w);
        for (std::size_t i = 0; i < got.size(); ++i) {
          ASSERT_LE(std::fabs(static_cast<double>(got[i]) - exact[i]), rounding[i] + 1e-5 * terms[i] + 1e-30)
              << graph::dtype_name(dtype) << " " << rows << " x " << blocks << " blocks, result " << i;
        }
      }
    }
  }
}

TEST_F(QuantizedTest, ActivationsInBytesTakeAnyStridesDtypesAndWhatFollows) {
  const Tensor w = weight(Dtype::kQ4_1, 40, 96), bias = input({40});
  const Tensor wide = input({3, 200}), x = wide.slice(1, 1, 193, 2);
  const Tensor plain = quantized_matmul(x.clone(), w, "q8");
  EXPECT_EQ(difference(quantized_matmul(x, w, "q8"), plain), 0);
  EXPECT_EQ(difference(relu(quantized_matmul(x, w, "q8") + bias), relu(plain + bias)), 0);
  const Tensor narrow = x.to(Dtype::kF16);
  const Tensor of_narrow = quantized_matmul(narrow, w, "q8");
  EXPECT_EQ(of_narrow.dtype(), Dtype::kF16);
  EXPECT_LT(difference(of_narrow.to(Dtype::kF32), quantized_matmul(narrow.to(Dtype::kF32), w, "q8")), 1e-3F);
  EXPECT_EQ(difference(quantized_matmul(zeros(context, {1, 96}), w, "q8"), zeros(context, {1, 40})), 0);
}

TEST_F(QuantizedTest, ActivationsThatBytesCannotHoldAreMultipliedExactly) {
  const Tensor w = weight(Dtype::kQ8_0, 6, 64);
  std::vector<float> values(64, 0.5F);
  for (const float odd : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 1e-36F}) {
    values[3] = odd;
    if (odd < 1) std::fill_n(values.begin(), 32, odd);
    const Tensor x = context.from<float>(values, {1, 64});
    const auto got = quantized_matmul(x, w, "q8").to_vector<float>(), exact = quantized_matmul(x, w).to_vector<float>();
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_TRUE(got[i] == exact[i] || (std::isnan(got[i]) && std::isnan(exact[i]))) << odd << ": " << got[i];
    }
  }
}

TEST_F(QuantizedTest, GradientsReachTheInputAndNotTheWeight) {
  const Tensor w = weight(Dtype::kQ4_0, 5, 64);
  Tensor x = input({3, 64});
  x.requires_grad_();
  linear(x, w).backward(context.from<float>(std::vector<float>(15, 1.0F), {3, 5}));
  const Tensor expected = w.to(Dtype::kF32).sum(std::vector<std::int64_t>{0}).expand(Shape{3, 64});
  EXPECT_LT(difference(x.grad(), expected), 1e-5F);
}

TEST_F(QuantizedTest, OtherOperationsRefuseBlocksAndNameTheRemedy) {
  const Tensor w = weight(Dtype::kQ4_0, 2, 64);
  const auto message = [](auto&& call) { return std::string(error_of(call).message()); };
  for (const auto& text : {message([&] { return w + w; }), message([&] { return w.abs(); }),
                           message([&] { return w.transpose(0, 1); }), message([&] {
                             return input({2, 64}).matmul(w);
                           }),
                           message([&] {
                             return cat(std::vector<Tensor>{input({2, 64}), w});
                           }),
                           message([&] { return w.clone(); }), message([&] { return w.cast(Dtype::kF32); })}) {
    EXPECT_NE(text.find("dequantize"), std::string::npos) << text;
  }
}

TEST_F(QuantizedTest, RefusesRowsThatAreNoWholeBlocks) {
  EXPECT_EQ(code_of([&] { return context.empty(Dtype::kQ4_0, {2, 48}); }), "shape_mismatch");
  EXPECT_EQ(code_of([&] { return context.empty(Dtype::kQ4_K, {2, 128}); }), "shape_mismatch");
  EXPECT_EQ(code_of([&] { return context.empty(Dtype::kQ4_0, {}); }), "shape_mismatch");
  EXPECT_EQ(code_of([&] { return linear(input({2, 64}), weight(Dtype::kQ4_0, 2, 32)); }), "shape_mismatch");
  GraphBuilder g;
  const Ref x = g.input("x", Dtype::kF32, {1, 48});
  g.output("y", g.node("linear", {x, g.input("w", Dtype::kQ4_0, {2, 48}), Ref{}}));
  EXPECT_EQ(code_of([&] { return Plan::compile(std::move(g).build(), context.backend()); }), "graph_invalid");
}

TEST_F(QuantizedTest, EmbeddingDecodesTheRowsThatAreNamed) {
  const Tensor w = weight(Dtype::kQ8_0, 4, 64);
  const Tensor places = context.from<std::int64_t>(std::array<std::int64_t, 3>{2, 0, 2}, {3});
  EXPECT_EQ(difference(quantized_embedding(w, places), embedding(w.to(Dtype::kF32), places)), 0);
  const Tensor wrong = context.from<std::int64_t>(std::array<std::int64_t, 1>{4}, {1});
  EXPECT_EQ(code_of([&] { return quantized_embedding(w, wrong); }), "index_out_of_range");
}

TEST_F(QuantizedTest, PlansTakeBlocksAsInputsStatesAndConstants) {
  const Tensor w = weight(Dtype::kQ6_K, 7, 256), x = input({2, 256});
  GraphBuilder g;
  const Ref in = g.input("x", Dtype::kF32, {graph::Dim::symbol("rows"), 256});
  const Ref given = g.input("w", Dtype::kQ6_K, {7, 256});
  const Ref state = g.state({"kept", Dtype::kQ6_K, {7, 256}, graph::StateScope::kStore, false, nullptr});
  const auto bytes = w.read();
  const Ref constant = g.constant("c", Dtype::kQ6_K, {7, 256}, SharedBytes::copy(std::span(bytes)));
  for (const auto& [name, ref] : {std::pair("input", given), {"state", state}, {"constant", constant}}) {
    g.output(name, g.node("relu", {g.node("linear", {in, ref, Ref{}})}));
  }
  Store store(context);
  store.set("kept", w);
  Session session(Plan::compile(std::move(g).build(), context.backend()), store);
  const Tensor expected = linear(x, w.to(Dtype::kF32)).relu();
  for (const Tensor& output : session.run(std::vector<Tensor>{x, w})) EXPECT_LT(difference(output, expected), 1e-5F);
}

}  // namespace
}  // namespace alknet::compute
