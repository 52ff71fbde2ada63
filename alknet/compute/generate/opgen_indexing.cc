#include <array>

#include "alknet/compute/generate/opgen_builder.h"

namespace alknet::compute {
namespace {

/// The type that WGSL computes a dtype in.
std::string computed_type(Dtype dtype) { return std::string(wgsl_type(graph::compute_dtype(dtype))); }

void one_element_an_invocation(OpgenBuilder& b) {
  b.workgroup(kElementwiseSize, fmt::format("(count + {})//{}", kElementwiseSize - 1, kElementwiseSize));
}

void one_line_an_invocation(OpgenBuilder& b) {
  constexpr std::uint32_t kSize = 64;
  b.number("rows");
  b.workgroup(kSize, fmt::format("(rows + {})//{}", kSize - 1, kSize));
}

void dimensions(OpgenBuilder& b, std::uint32_t words) {
  b.number("dims_rank");
  b.spec().parameters.push_back({"dims", WordType::kU32, kMaxMapRank * words});
}

void gather(OpgenBuilder& b) {
  b.op_inputs();
  b.spec().pattern = "gather";
  b.spec().checks_indices = true;
  b.spec().values["type"] = computed_type(*b.from().inputs[0]);
  b.numbers({"length", "step"});
  b.map("place", {"index", "input"});
  one_element_an_invocation(b);
}

void scatter(OpgenBuilder& b) {
  const OpSpec& op = *b.from().op;
  const bool base = op.input("input") != nullptr;
  const std::string index = op.inputs[1].name, source = op.inputs[base ? 2 : 0].name;
  b.op_inputs();
  b.spec().pattern = b.options().sorted ? "scatter_sorted" : "scatter";
  b.spec().checks_indices = !b.options().sorted;
  if (b.options().sorted) {
    b.scratch("keys", Dtype::kU32);
    b.scratch("places", Dtype::kU32);
  }
  b.spec().values = {{"type", computed_type(*b.from().inputs[0])},
                     {"base", base},
                     {"joined", op.name == "scatter"                 ? "found"
                                : *b.from().inputs[0] == Dtype::kI64 ? "i64_add(value, found)"
                                                                     : "value + found"},
                     {"index", index},
                     {"source", source}};
  b.numbers({"length", "inner", "entries"});
  dimensions(b, 4);
  b.map("entry", {index, source});
  if (base) b.map("base", {"input"});
  one_element_an_invocation(b);
}

void cat(OpgenBuilder& b) {
  b.spec().pattern = "cat";
  b.numbers({"length", "inner"});
  for (std::size_t i = 0; i < b.from().op_inputs(); ++i) {
    const std::string& name = b.from().op->inputs[i].name;
    b.spec().values[name] = b.has(i);
    if (!b.has(i)) continue;
    b.number(name + "_length");
    b.map(name, {name});
  }
  one_element_an_invocation(b);
}

void place(OpgenBuilder& b) {
  b.op_inputs();
  if (b.from().op_inputs() > 1) return cat(b);
  const Dtype dtype = *b.from().inputs[0];
  b.spec().pattern = "place";
  const std::string type = computed_type(dtype);
  const bool is_unsigned = type == "u32" || type == "bool";
  b.spec().values = {{"input", b.from().op->inputs[0].name},
                     {"fill", dtype == Dtype::kI64 ? "i64_from_i32(p.fill)" : fmt::format("{}(p.fill)", type)}};
  b.number("fill", type == "f32" ? WordType::kF32 : is_unsigned ? WordType::kU32 : WordType::kI32);
  dimensions(b, 8);
  one_element_an_invocation(b);
}

struct ScanForm {
  std::string_view op, start, join;
  std::string_view i64_start = {}, i64_join = {};
};
constexpr std::array kScanForms = {
    ScanForm{"cumsum", "0.0", "total + x", "vec2<u32>(0u, 0u)", "i64_add(total, x)"},
    ScanForm{"cumprod", "1.0", "total * x", "vec2<u32>(1u, 0u)", "i64_mul(total, x)"},
    ScanForm{"logcumsumexp", "from_bits(0xff800000u)", "log_add(total, x)"},
    ScanForm{"linear_scan", "0.0", "total + x"},
};

void scan(OpgenBuilder& b) {
  const std::string& name = b.from().op->name;
  const auto form =
      std::find_if(kScanForms.begin(), kScanForms.end(), [&](const ScanForm& row) { return row.op == name; });
  b.op_inputs();
  b.spec().pattern = "scan";
  const bool wide = *b.from().inputs[0] == Dtype::kI64;
  b.spec().values = {{"start", wide ? form->i64_start : form->start},
                     {"join", wide ? form->i64_join : form->join},
                     {"log_add", name == "logcumsumexp"},
                     {"linear", name == "linear_scan"}};
  b.numbers({"length", "inner", "reverse"});
  std::vector<std::string> operands;
  for (const auto& input : b.from().op->inputs) {
    b.number(input.name + "_step");
    operands.push_back(input.name);
  }
  b.map("row", std::move(operands));
  one_line_an_invocation(b);
}

void sort(OpgenBuilder& b) {
  const Dtype dtype = *b.from().inputs[0];
  b.op_inputs();
  b.spec().pattern = b.options().sorted ? "sort_place" : "sort";
  if (b.options().sorted) b.scratch("places", Dtype::kU32);
  b.spec().stores_directly = true;
  b.spec().values = {{"type", computed_type(dtype)},
                     {"descending", b.from().attrs.at("descending").get_bool()},
                     {"less", graph::is_float(dtype)  ? "!is_nan(a) && (is_nan(b) || a < b)"
                              : dtype == Dtype::kBool ? "!a && b"
                              : dtype == Dtype::kI64  ? "i64_less(a, b)"
                                                      : "a < b"}};
  b.numbers({"rows", "length", "inner", "step"});
  b.map("row", {"input"});
  one_element_an_invocation(b);
}

void arg_reduce(OpgenBuilder& b) {
  const std::string& name = b.from().op->name;
  const bool smallest = name == "argmin" || name == "min_dim";
  const bool wide = *b.from().inputs[0] == Dtype::kI64;
  const std::string better =
      wide ? (smallest ? "i64_less(x, most)" : "i64_less(most, x)") : (smallest ? "x < most" : "x > most");
  b.op_inputs();
  b.spec().stores_directly = true;
  const std::string type = computed_type(*b.from().inputs[0]);
  b.spec().values = {
      {"type", type},
      {"pair", b.from().outputs.size() > 1},
      {"better",
       graph::is_float(*b.from().inputs[0]) ? fmt::format("!is_nan(most) && (is_nan(x) || {})", better) : better}};
  b.number("reduced_count");
  b.map("row", {"input"});
  b.map("reduced", {"input"});
  b.spec().pattern = b.software() ? "arg_reduce_loop" : "arg_reduce_tree";
  if (b.software()) return one_line_an_invocation(b);
  b.number("rows");
  share_rows(b, wide ? WordType::kWords4 : WordType::kI64);
  // What lanes exchange: the element's bits, then its place.
  b.spec().values["place"] = wide ? "z" : "y";
  b.spec().values["pack"] = wide ? "vec4<u32>(most, best, 0u)" : "vec2<u32>(bitcast<u32>(most), best)";
  b.spec().values["unpack_a"] = wide ? "a.xy" : fmt::format("bitcast<{}>(a.x)", type);
  b.spec().values["unpack_b"] = wide ? "b.xy" : fmt::format("bitcast<{}>(b.x)", type);
}

struct IndexingPattern {
  std::string_view name;  // of the template in the op table
  void (*build)(OpgenBuilder&);
};
constexpr std::array kIndexingPatterns = {
    IndexingPattern{"gather", gather}, IndexingPattern{"scatter", scatter}, IndexingPattern{"place", place},
    IndexingPattern{"scan", scan},     IndexingPattern{"sort", sort},       IndexingPattern{"arg_reduce", arg_reduce},
};

}  // namespace

bool opgen_indexing(OpgenBuilder& builder, std::string_view name) {
  for (const auto& pattern : kIndexingPatterns) {
    if (pattern.name != name) continue;
    pattern.build(builder);
    return true;
  }
  return false;
}

}  // namespace alknet::compute
