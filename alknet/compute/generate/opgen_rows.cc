#include <array>

#include "alknet/compute/generate/opgen_builder.h"

namespace alknet::compute {
namespace {

using graph::expr::Opcode;
using graph::expr::Program;

constexpr std::uint32_t kRowLanes = 256;  // of the workgroup that rows share

void one_invocation_a_row(OpgenBuilder& b) {
  constexpr std::uint32_t kSize = 32;
  b.workgroup(kSize, fmt::format("(rows + {})//{}", kSize - 1, kSize));
}

/// Whether partial results may be combined with each other: `combine` is one operator on accumulator and input.
bool combines_partials(const Program& combine) {
  std::size_t operators = 0;
  for (const auto& step : combine.instructions) operators += step.opcode != Opcode::kVariable;
  return operators == 1 && combine.instructions.size() == 3;
}

/// The pattern `name` with the suffix of the family; "joined" puts values of `type` together.
void rows(OpgenBuilder& b, std::string_view name, WordType type) {
  b.number("rows");
  b.spec().pattern = fmt::format("{}_{}", name, b.software() ? "loop" : "tree");
  if (b.software()) return one_invocation_a_row(b);
  share_rows(b, type);
  if (b.options().kept != 0) b.spec().values["kept"] = b.options().kept;
}

template <bool logarithm>
void softmax(OpgenBuilder& b) {
  b.op_inputs();
  rows(b, "softmax", WordType::kVec2);
  b.spec().values["logarithm"] = logarithm;
  b.numbers({"length", "stride", "inner"});
  b.map("row", {"input"});
}

template <bool centred>
void layer_norm(OpgenBuilder& b) {
  b.op_inputs();
  const bool moments = centred && b.options().kept == 0;
  rows(b, "layer_norm", moments ? WordType::kVec4 : WordType::kF32);
  b.spec().values["centred"] = centred;
  b.spec().values["moments"] = moments;
  b.number("length");
  b.number("eps", WordType::kF32);
  b.map("row", {"input"});
  std::vector<std::string> column = {"input"};
  b.spec().values["weight"] = b.has(1);
  const bool bias = centred && b.has(2);
  b.spec().values["bias"] = bias;
  if (b.has(1)) column.emplace_back("weight");
  if (bias) column.emplace_back("bias");
  b.map("column", std::move(column));
}

struct RowPattern {
  std::string_view name;  // of the template in the op table
  void (*build)(OpgenBuilder&);
};
constexpr std::array kRowPatterns = {
    RowPattern{"softmax", softmax<false>},
    RowPattern{"log_softmax", softmax<true>},
    RowPattern{"layer_norm", layer_norm<true>},
    RowPattern{"rms_norm", layer_norm<false>},
};

}  // namespace

void share_rows(OpgenBuilder& b, WordType type) {
  b.number("lanes");
  b.workgroup(kRowLanes, fmt::format("(rows*lanes + {})//{}", kRowLanes - 1, kRowLanes));
  b.spec().workgroup_variables = {{"partial", type, kRowLanes}};
  b.spec().values["joined_type"] = word_type_name(type);
  if (b.options().smallest_subgroup == 0) return;
  b.spec().values["subgroups"] = true;
  b.spec().values["subgroup_least"] = b.options().smallest_subgroup;
}

namespace {

/// An element as the accumulator's dtype.
graph::expr::Program element_program(Dtype input, Dtype accumulator) {
  graph::expr::Program program;
  program.variables = {{"element", graph::compute_dtype(input), false}};
  graph::expr::Instruction read;
  read.opcode = graph::expr::Opcode::kVariable;
  read.dtype = graph::compute_dtype(input);
  program.instructions = {read};
  if (read.dtype != accumulator) {
    graph::expr::Instruction cast;
    cast.opcode = graph::expr::Opcode::kCast;
    cast.dtype = accumulator;
    program.instructions.push_back(cast);
  }
  program.outputs = {{"wide", static_cast<std::uint32_t>(program.instructions.size() - 1)}};
  return program;
}

}  // namespace

void opgen_reduction(OpgenBuilder& b) {
  const OpSpec& op = *b.from().op;
  auto programs = graph::reduction_programs(
      op, *b.from().inputs[0], b.from().program.inputs.empty() ? b.from().outputs[0] : b.from().program.inputs[0]);
  for (auto& variable : programs.finish.variables) {
    if (variable.parameter && variable.name == "count") variable.name = "divisor";  // `count` is the kernel's own
  }
  const bool partials = combines_partials(programs.combine);
  b.op_inputs();
  b.numbers({"rows", "reduced_count"});
  b.map("row", {op.inputs[0].name});
  b.map("reduced", {op.inputs[0].name});
  const bool tree = !b.software() && partials && programs.accumulator != Dtype::kBool;
  b.spec().pattern = tree ? "reduce_tree" : partials ? "reduce_cascade" : "reduce_loop";
  b.spec().values["input"] = op.inputs[0].name;
  b.spec().values["accumulator"] = wgsl_type(programs.accumulator);
  b.function("element", element_program(*b.from().inputs[0], programs.accumulator));
  b.function("init", std::move(programs.init));
  b.function("combine", std::move(programs.combine));
  b.function("finish", std::move(programs.finish));
  if (tree) {
    share_rows(b, *word_type_of(wgsl_type(programs.accumulator)));
  } else {
    one_invocation_a_row(b);
  }
}

bool opgen_rows(OpgenBuilder& builder, std::string_view name) {
  for (const auto& pattern : kRowPatterns) {
    if (pattern.name != name) continue;
    pattern.build(builder);
    return true;
  }
  return false;
}

}  // namespace alknet::compute
