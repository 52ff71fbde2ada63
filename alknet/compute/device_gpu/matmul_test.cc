// Forms of matrix products on hardware, against loops in double: tiles, whole and ragged, operands in any order, matrix
// units where the adapter has them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "alknet/compute/device_gpu/byte_products.h"
#include "alknet/compute/device_gpu/matmul_choice.h"
#include "alknet/compute/device_gpu/templates.h"
#include "alknet/compute/device_gpu/test_device.h"
#include "alknet/compute/generate/opgen.h"
#include "alknet/compute/generate/wgsl.h"

namespace alknet::compute {
namespace {

using testing::contiguous;
using testing::Runner;
using testing::structured;
using Values = std::vector<float>;

/// Multiples of 1/8 from -2 to 2: products and their sums are exact in f32, the numbers themselves in f16.
Values eighths(std::int64_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  Values values(static_cast<std::size_t>(count));
  for (float& value : values) value = (static_cast<float>(engine() % 33) - 16) / 8;
  return values;
}

/// The bits of a number that f16 holds exactly.
std::uint16_t half_bits(float value) {
  if (value == 0) return 0;
  int exponent = 0;
  const float fraction = std::frexp(std::fabs(value), &exponent);  // 0.5 <= fraction < 1
  const auto mantissa = static_cast<std::uint32_t>(fraction * 2048) & 0x3ffu;
  return static_cast<std::uint16_t>((value < 0 ? 0x8000u : 0u) | static_cast<std::uint32_t>(exponent + 14) << 10 |
                                    mantissa);
}
float half_value(std::uint16_t bits) {
  const float magnitude = std::ldexp(static_cast<float>((bits & 0x3ffu) | 0x400u), (bits >> 10 & 31) - 25);
  return (bits & 0x7fffu) == 0 ? 0 : (bits & 0x8000u) != 0 ? -magnitude : magnitude;
}

std::vector<std::uint16_t> halves(const Values& values) {
  std::vector<std::uint16_t> bits;
  for (const float value : values) bits.push_back(half_bits(value));
  return bits;
}

struct Product {
  Shape left, right;  // rows x inner and inner x columns, with batch dimensions
  bool left_turned = false, right_turned = false;
};

Strided layout_of(const Shape& shape, bool turned) {
  Strided layout = contiguous(shape);
  if (turned) {
    const std::size_t d = shape.size() - 2;
    layout.strides[d] = 1;
    layout.strides[d + 1] = shape[d];
  }
  return layout;
}

/// The largest error of a product, with a row of the right size added, in units of the last place of `dtype`.
double worst_error(Backend& backend, Dtype dtype, const Product& product) {
  const std::size_t rank = product.left.size();
  const std::int64_t rows = product.left[rank - 2], inner = product.left[rank - 1];
  const std::int64_t columns = product.right.back();
  const std::int64_t batch = graph::element_count(product.left) / (rows * inner);
  const bool right_batched = product.right.size() > 2;
  const Strided left = layout_of(product.left, product.left_turned),
                right = layout_of(product.right, product.right_turned);
  const Values a = eighths(batch * rows * inner, 1), b = eighths(graph::element_count(product.right), 2),
               bias = eighths(columns, 3);
  Shape shape = product.left;
  shape.back() = columns;

  Computation computation = structured("matmul", {dtype, dtype}, dtype);
  const OpSpec& add = graph::OpTable::builtin().at("add");
  computation.inputs.emplace_back(dtype);
  computation.program = {{dtype, dtype}, {{&add, graph::complete_attributes(add, {}), {{0, {}}, {1, {}}}, dtype}}, {2}};
  Values y;
  if (dtype == Dtype::kF16) {
    const auto bits = Runner(backend)
                          .input<std::uint16_t>(dtype, left, halves(a))
                          .input<std::uint16_t>(dtype, right, halves(b))
                          .input<std::uint16_t>(dtype, contiguous({columns}), halves(bias))
                          .run<std::uint16_t>(computation, shape);
    for (const std::uint16_t value : bits) y.push_back(half_value(value));
  } else {
    y = Runner(backend)
            .input<float>(dtype, left, a)
            .input<float>(dtype, right, b)
            .input<float>(dtype, contiguous({columns}), bias)
            .run<float>(computation, shape);
  }

  double worst = 0;
  for (std::int64_t at = 0; at < batch * rows * columns; ++at) {
    const std::int64_t column = at % columns, row = at / columns % rows, matrix = at / columns / rows;
    double product_sum = 0;
    for (std::int64_t k = 0; k < inner; ++k) {
      const std::int64_t from_a = matrix * rows * inner + row * left.strides[rank - 2] + k * left.strides[rank - 1];
      const std::int64_t from_b = (right_batched ? matrix * inner * columns : 0) +
                                  k * right.strides[right.strides.size() - 2] + column * right.strides.back();
      product_sum += static_cast<double>(a[static_cast<std::size_t>(from_a)]) * b[static_cast<std::size_t>(from_b)];
    }
    // f16: the product is rounded before the sum, as PyTorch's addmm of separate steps.
    const double expected = product_sum + bias[static_cast<std::size_t>(column)];
    const double unit = std::max(std::fabs(product_sum), std::fabs(expected)) * graph::dtype_epsilon(dtype) + 1e-30;
    worst = std::max(worst, std::fabs(expected - y[static_cast<std::size_t>(at)]) / unit);
  }
  return worst;
}

template <typename T>
std::vector<T> integers(std::int64_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = static_cast<T>(engine());
  return values;
}

struct IntegerProduct {
  const char* op;
  Dtype operand, result;
};

/// How many elements of a product of integers are not what 64 bits say, wrapped to the result. `followed`: it is cast
/// to i32 and a row of the right size is added, which sees what the product's dtype holds.
template <typename T, typename R>
std::size_t wrong_integers(Backend& backend, const IntegerProduct& kind, const Product& product, bool followed) {
  const std::size_t rank = product.left.size();
  const std::int64_t rows = product.left[rank - 2], inner = product.left[rank - 1], columns = product.right.back();
  const std::int64_t batch = graph::element_count(product.left) / (rows * inner);
  const bool right_batched = product.right.size() > 2;
  const Strided left = layout_of(product.left, product.left_turned),
                right = layout_of(product.right, product.right_turned);
  const auto a = integers<T>(batch * rows * inner, 1), b = integers<T>(graph::element_count(product.right), 2);
  const auto bias = integers<std::int32_t>(columns, 3);
  Shape shape = product.left;
  shape.back() = columns;

  Computation computation = structured(kind.op, {kind.operand, kind.operand}, kind.result);
  Runner runner(backend);
  runner.input<T>(kind.operand, left, a).template input<T>(kind.operand, right, b);
  std::vector<R> plain;
  std::vector<std::int32_t> added;
  if (followed) {
    const OpSpec &cast = graph::OpTable::builtin().at("cast"), &add = graph::OpTable::builtin().at("add");
    computation.outputs = {Dtype::kI32};
    computation.inputs.emplace_back(Dtype::kI32);
    computation.program = {{kind.result, Dtype::kI32},
                           {{&cast, {{"dtype", "i32"}}, {{0, {}}}, Dtype::kI32},
                            {&add, graph::complete_attributes(add, {}), {{2, {}}, {1, {}}}, Dtype::kI32}},
                           {3}};
    added = runner.input<std::int32_t>(Dtype::kI32, contiguous({columns}), bias).run<std::int32_t>(computation, shape);
  } else {
    plain = runner.run<R>(computation, shape);
  }
  std::size_t wrong = 0;
  for (std::int64_t at = 0; at < batch * rows * columns; ++at) {
    const std::int64_t column = at % columns, row = at / columns % rows, matrix = at / columns / rows;
    std::uint64_t sum = 0;
    for (std::int64_t k = 0; k < inner; ++k) {
      const std::int64_t from_a = matrix * rows * inner + row * left.strides[rank - 2] + k * left.strides[rank - 1];
      const std::int64_t from_b = (right_batched ? matrix * inner * columns : 0) +
                                  k * right.strides[right.strides.size() - 2] + column * right.strides.back();
      sum += static_cast<std::uint64_t>(static_cast<std::int64_t>(a[static_cast<std::size_t>(from_a)])) *
             static_cast<std::uint64_t>(static_cast<std::int64_t>(b[static_cast<std::size_t>(from_b)]));
    }
    const auto expected = static_cast<R>(sum);
    const auto i = static_cast<std::size_t>(at);
    const auto sum_of_both =
        static_cast<std::uint32_t>(expected) + static_cast<std::uint32_t>(bias[static_cast<std::size_t>(column)]);
    const bool right_one = followed ? added[i] == static_cast<std::int32_t>(sum_of_both) : plain[i] == expected;
    if (!right_one) ++wrong;
  }
  return wrong;
}

void expect_words_of_bytes(Backend& backend, const Product& product, const std::string& where) {
  const IntegerProduct kind{"int_mm", Dtype::kI8, Dtype::kI32};
  EXPECT_EQ((wrong_integers<std::int8_t, std::int32_t>(backend, kind, product, true)), 0U) << where;
}

/// Products of all integers in their own dtype.
void expect_integers(Backend& backend, const Product& product, const std::string& where, bool followed) {
  const auto expect = [&](auto type, Dtype dtype) {
    using T = decltype(type);
    EXPECT_EQ((wrong_integers<T, T>(backend, {"matmul", dtype, dtype}, product, followed)), 0U)
        << graph::dtype_name(dtype) << ": " << where;
  };
  expect(std::int8_t{}, Dtype::kI8);
  expect(std::uint8_t{}, Dtype::kU8);
  expect(std::int32_t{}, Dtype::kI32);
  expect(std::uint32_t{}, Dtype::kU32);
  expect(std::int64_t{}, Dtype::kI64);
}

/// Whole tiles, ragged ones, and rows that allow no vectors, with both operands in either order.
std::vector<Product> products(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  std::vector<Product> list;
  for (const bool left : {false, true}) {
    for (const bool right : {false, true}) list.push_back({{rows, 2 * depth}, {2 * depth, columns}, left, right});
  }
  list.push_back({{rows + 4, depth + 4}, {depth + 4, columns - 4}, false, true});
  list.push_back({{rows + 3, depth + 1}, {depth + 1, columns + 5}, true, false});
  list.push_back({{3, rows, depth}, {depth, columns}, false, false});
  list.push_back({{2, rows - 1, depth}, {2, depth, columns + 4}, false, false});
  return list;
}

std::string described(const Product& p) {
  return graph::shape_text(p.left) + (p.left_turned ? " turned, " : ", ") + graph::shape_text(p.right) +
         (p.right_turned ? " turned" : "");
}

TEST(GpuMatmul, TilesOfAllShapesAgree) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  for (const MatmulTile& tile : {MatmulTile{32, 32, 8, 4, 4}, MatmulTile{16, 64, 16, 4, 8}}) {
    GpuBackendOptions options;
    options.family = KernelFamily::kHardware;
    options.matmul_tile = tile;
    const auto backend = make_gpu_backend(opened.device, options);
    for (const Product& product : products(tile.rows, tile.columns, tile.depth)) {
      EXPECT_LE(worst_error(*backend, Dtype::kF32, product), 1)
          << tile.rows << " x " << tile.columns << ": " << described(product);
    }
  }
}

TEST(GpuMatmul, IntegersAreExactInTilesOfAllShapes) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  const auto backend_of = [&](const MatmulTile& tile) {
    GpuBackendOptions options;
    options.family = KernelFamily::kHardware;
    options.matmul_tile = tile;
    return make_gpu_backend(opened.device, options);
  };
  // Small tiles: software Vulkan is slow to compile products of bytes.
  const MatmulTile tile{16, 16, 4, 4, 4};
  for (const Product& product : products(tile.rows, tile.columns, 4 * tile.depth)) {
    expect_words_of_bytes(*backend_of(tile), product, described(product));
  }
  const Product ragged{{19, 33}, {33, 37}};
  expect_words_of_bytes(*backend_of({16, 32, 4, 4, 8}), ragged, described(ragged));
  expect_integers(*backend_of(tile), ragged, described(ragged), true);
}

TEST(GpuMatmul, IntegersAreExactInSlicesAndWithoutTiles) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  const Product list[] = {{{70, 2048}, {2048, 36}}, {{2, 33, 1001}, {1001, 20}, true, true}, {{3, 300}, {300, 20}}};
  for (const auto family : {KernelFamily::kHardware, KernelFamily::kSoftware}) {
    GpuBackendOptions options;
    options.family = family;
    options.matrix_units = false;
    const auto backend = make_gpu_backend(opened.device, options);
    for (const Product& product : list) {
      expect_words_of_bytes(*backend, product, described(product));
      expect_integers(*backend, product, described(product), product.left.size() > 2);
    }
  }
}

TEST(GpuMatmul, MatrixUnitsMultiplyBytesExactly) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  const auto listed = matrix_tile(opened.device->adapter(), Dtype::kI8);
  if (!opened.device->has_feature("chromium-experimental-subgroup-matrix") || !listed) {
    GTEST_SKIP() << "the adapter lists no i8 matrix units";
  }
  const auto tile = probe_byte_products(*opened.device, listed).tile;
  ASSERT_TRUE(tile) << "the units do not multiply as expected, with places in elements or in words";
  GpuBackendOptions options;
  options.family = KernelFamily::kHardware;
  const auto backend = make_gpu_backend(opened.device, options);
  for (const Product& product : products(tile->rows(), tile->columns(), tile->depth())) {
    expect_words_of_bytes(*backend, product, described(product));
  }
}

TEST(GpuMatmul, SlicesOfALongInnerDimensionAreAddedInOrder) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  GpuBackendOptions options;
  options.family = KernelFamily::kHardware;
  const auto backend = make_gpu_backend(opened.device, options);
  for (const Product& product : {Product{{70, 2048}, {2048, 36}}, Product{{2, 33, 1001}, {1001, 20}, true, true}}) {
    EXPECT_LE(worst_error(*backend, Dtype::kF32, product), 1) << described(product);
    EXPECT_LE(worst_error(*backend, Dtype::kF16, product), 1) << described(product);
  }
}

/// Of the default tile, which small products do not take.
void expect_forms_compile(const gpu::Device& device, const Computation& product, const MatrixTile& tile) {
  const WgslGenerator wgsl({true, wgsl_template});
  OpgenOptions options;
  options.matmul.kind = MatmulForm::Kind::kMatrix;
  options.matmul.matrix = tile;
  options.matmul.bytes = product.inputs.front() == Dtype::kI8;
  using Reading = MatmulReading;
  const std::pair<Reading, Reading> readings[] = {
      {Reading::kInner, Reading::kOuter}, {Reading::kOuter, Reading::kInner}, {Reading::kElements, Reading::kElements}};
  for (const auto& [left, right] : readings) {
    for (const auto stage : {MatmulForm::Stage::kAll, MatmulForm::Stage::kSlices}) {
      for (const bool whole : {false, true}) {
        options.matmul.left = left;
        options.matmul.right = right;
        options.matmul.stage = stage;
        options.matmul.whole = whole;
        const std::string source = wgsl.generate(opgen(product, options).spec);
        EXPECT_NO_THROW(device.compile_shader({.name = "product", .code = source})) << source;
      }
    }
  }
}

TEST(GpuMatmul, EveryFormOnMatrixUnitsCompiles) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  const gpu::Device& device = *opened.device;
  if (!device.has_feature("chromium-experimental-subgroup-matrix")) GTEST_SKIP() << "the adapter has no matrix units";
  const auto halves = matrix_tile(device.adapter()), bytes = matrix_tile(device.adapter(), Dtype::kI8);
  if (halves && device.has_feature("shader-f16")) {
    expect_forms_compile(device, structured("matmul", {Dtype::kF16, Dtype::kF16}, Dtype::kF16), *halves);
  }
  if (bytes) expect_forms_compile(device, structured("int_mm", {Dtype::kI8, Dtype::kI8}, Dtype::kI32), *bytes);
}

TEST(GpuMatmul, MatrixUnitsGiveWhatTilesGive) {
  const auto opened = testing::open_device();
  if (!opened.device) GTEST_SKIP() << "no WebGPU adapter: " << opened.reason;
  const auto tile = matrix_tile(opened.device->adapter());
  if (!opened.device->has_feature("shader-f16") || !tile) GTEST_SKIP() << "the adapter lists no f16 matrix units";
  GpuBackendOptions options;
  options.family = KernelFamily::kHardware;
  const auto backend = make_gpu_backend(opened.device, options);
  for (const Product& product : products(tile->rows(), tile->columns(), tile->depth())) {
    EXPECT_LE(worst_error(*backend, Dtype::kF16, product), 1) << described(product);
  }
}

TEST(GpuMatmul, ChoosesTilesBySizeAndMatrixUnitsForF16AndI8) {
  const MatmulTuning tuning = matmul_tuning({});
  const auto form = [&](Dtype dtype, std::int64_t n, std::optional<MatrixTile> matrix) {
    Binding binding;
    binding.inputs = {Operand{0, dtype, contiguous({n, n})}, Operand{1, dtype, contiguous({n, n})}};
    binding.outputs = {{2, dtype, contiguous({n, n})}};
    return choose_matmul(binding, tuning, matrix, std::nullopt);
  };
  using Kind = MatmulForm::Kind;
  EXPECT_EQ(form(Dtype::kI32, 4096, MatrixTile{}).kind, Kind::kTiled);
  EXPECT_EQ(form(Dtype::kI64, 4096, MatrixTile{}).kind, Kind::kSplit);
  EXPECT_EQ(form(Dtype::kI8, 4096, MatrixTile{}).kind, Kind::kMatrix);
  EXPECT_EQ(form(Dtype::kI8, 4096, {}).kind, Kind::kTiled);
  EXPECT_TRUE(form(Dtype::kI8, 4096, {}).bytes);
  EXPECT_TRUE(form(Dtype::kI8, 4096, {}).whole);
  EXPECT_FALSE(form(Dtype::kI8, 4096 + 48, {}).whole);
  EXPECT_EQ(form(Dtype::kF32, 4096, MatrixTile{}).kind, Kind::kTiled);
  EXPECT_EQ(form(Dtype::kF32, 4096, {}).tile, tuning.large);
  EXPECT_EQ(form(Dtype::kF32, 1024, {}).tile, tuning.small);
  EXPECT_EQ(form(Dtype::kF32, 8, {}).kind, Kind::kSplit);
  EXPECT_EQ(form(Dtype::kF32, 256, {}).stage, MatmulForm::Stage::kSlices);
  EXPECT_EQ(form(Dtype::kF32, 32, {}).stage, MatmulForm::Stage::kAll);
  EXPECT_EQ(form(Dtype::kF32, 4096, {}).stage, MatmulForm::Stage::kAll);
  EXPECT_EQ(form(Dtype::kF16, 4096, {}).kind, Kind::kTiled);
  EXPECT_EQ(form(Dtype::kF16, 4096, MatrixTile{}).kind, Kind::kMatrix);
  EXPECT_TRUE(form(Dtype::kF16, 4096, MatrixTile{}).whole);
  EXPECT_FALSE(form(Dtype::kF16, 4098, MatrixTile{}).whole);
  EXPECT_EQ(form(Dtype::kF16, 4096, MatrixTile{}).left, MatmulReading::kInner);
  EXPECT_EQ(form(Dtype::kF16, 4096, MatrixTile{}).right, MatmulReading::kOuter);
}

TEST(GpuMatmul, SlicesAreWholeStepsOfTheTileAndCoverTheInnerDimension) {
  Binding binding;
  binding.inputs = {Operand{0, Dtype::kF32, contiguous({64, 10000})}, Operand{1, Dtype::kF32, contiguous({10000, 64})}};
  binding.outputs = {{2, Dtype::kF32, contiguous({64, 64})}};
  const MatmulTuning tuning = matmul_tuning({});
  const MatmulForm form = choose_matmul(binding, tuning, std::nullopt, std::nullopt);
  const MatmulSlices slices = matmul_slices(binding, form, tuning);
  EXPECT_EQ(slices.inner % form.tile.depth, 0);
  EXPECT_GT(slices.count, 16);
  EXPECT_GE(slices.count * slices.inner, 10000);
  EXPECT_LT((slices.count - 1) * slices.inner, 10000);
}

TEST(GpuMatmul, TakesTheLargestFragmentThatTheAdapterLists) {
  gpu::AdapterInfo adapter;
  EXPECT_FALSE(matrix_tile(adapter));
  adapter.matrix_configs = {{"i8", "i32", 16, 16, 32}, {"f16", "f16", 16, 16, 16}, {"f16", "f32", 16, 8, 16}};
  EXPECT_FALSE(matrix_tile(adapter)) << "subgroups of unknown size";
  adapter.subgroup_min_size = adapter.subgroup_max_size = 32;
  EXPECT_EQ(matrix_tile(adapter), (MatrixTile{16, 8, 16, 4, 32}));
  adapter.matrix_configs.push_back({"f16", "f32", 16, 16, 16});
  EXPECT_EQ(matrix_tile(adapter), MatrixTile{});
  EXPECT_EQ(matrix_tile(adapter, Dtype::kI8), (MatrixTile{16, 16, 32, 4, 32}));
  adapter.subgroup_min_size = 16;
  EXPECT_FALSE(matrix_tile(adapter)) << "subgroups of changing size";
}

}  // namespace
}  // namespace alknet::compute
