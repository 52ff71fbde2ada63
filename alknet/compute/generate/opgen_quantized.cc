#include "alknet/compute/generate/opgen_builder.h"

namespace alknet::compute {
namespace {

/// Results of one workgroup: rows of the input times rows of the weight.
std::string tiles(std::uint32_t rows, std::uint32_t columns) {
  return fmt::format("((rows + {})//{})*((columns + {})//{})", rows - 1, rows, columns - 1, columns);
}

void quantized_matmul(OpgenBuilder& b) {
  b.op_inputs();
  b.spec().inputs[0].vectors = true;
  b.numbers({"rows", "columns", "inner", "a_column", "a_mode"});
  b.map("row", {"input"});
  JsonObject& values = b.spec().values;
  values["values"] = graph::block_values(*b.from().inputs[1]);
  if (b.software()) {
    constexpr std::uint32_t kRows = 8, kSize = 16;
    b.spec().pattern = "quantized_matmul_direct";
    values["rows"] = kRows;
    b.workgroup(kSize, fmt::format("(columns*((rows + {})//{}) + {})//{}", kRows - 1, kRows, kSize - 1, kSize));
    return;
  }
  if (const std::uint32_t rows = b.options().quantized_rows; rows != 0) {
    constexpr std::uint32_t kColumns = 4, kLanes = 32;
    b.spec().pattern = "quantized_matmul_split";
    values["rows"] = rows;
    values["columns"] = kColumns;
    values["lanes"] = kLanes;
    b.spec().workgroup_variables = {{"partial", WordType::kF32, rows * kColumns * kLanes}};
    b.workgroup(kColumns * kLanes, tiles(rows, kColumns));
    return;
  }
  constexpr std::uint32_t kSide = 64, kDepth = 32, kSize = 256;
  b.spec().pattern = "quantized_matmul_tiled";
  b.spec().workgroup_variables = {{"tile_a", WordType::kVec4, kDepth * kSide / 4},
                                  {"tile_b", WordType::kVec4, kDepth * kSide / 4}};
  b.workgroup(kSize, tiles(kSide, kSide));
}

/// All blocks in order, or those of the rows that indices name.
void dequantize(OpgenBuilder& b, bool indexed) {
  b.op_inputs();
  b.spec().pattern = "dequantize";
  b.spec().values = {{"values", graph::block_values(*b.from().inputs[0])},
                     {"source", b.from().op->inputs[0].name},
                     {"indexed", indexed}};
  if (indexed) {
    b.spec().checks_indices = true;
    b.numbers({"entries", "row_blocks"});
    b.map("index", {"indices"});
  }
  b.workgroup(kElementwiseSize, fmt::format("(count + {})//{}", 4 * kElementwiseSize - 1, 4 * kElementwiseSize));
}

}  // namespace

bool opgen_quantized(OpgenBuilder& builder, std::string_view name) {
  if (name == "quantized_matmul") return quantized_matmul(builder), true;
  if (name == "dequantize") return dequantize(builder, false), true;
  if (name == "quantized_embedding") return dequantize(builder, true), true;
  return false;
}

}  // namespace alknet::compute
