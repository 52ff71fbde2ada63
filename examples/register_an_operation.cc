// Adds two operations at run time: one from an expression, which gets kernels on every device, fusion and a gradient,
// and one from WGSL, which runs on GPUs (without one: on the software adapter).
//
//   example_register_an_operation [cpu | gpu | gpu:0]

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/gradcheck.h"
#include "alknet/compute/kernels/kernel_registry.h"

using namespace alknet;
using namespace alknet::compute;

namespace {

void show(const char* what, const Tensor& tensor) {
  std::printf("%-28s", what);
  for (const float value : tensor.to_vector<float>()) std::printf("%9.4f", static_cast<double>(value));
  std::printf("\n");
}

// Every row becomes its running maximum. Columns come from the input's shape, the floor is given with each call.
constexpr const char* kRunningMaximum = R"json({
  "name": "running_maximum",
  "language": "wgsl",
  "source": "struct P { columns: u32, least: f32 }\n@group(0) @binding(0) var<uniform> p: P;\n@group(0) @binding(1) var<storage, read> x: array<f32>;\n@group(0) @binding(2) var<storage, read_write> y: array<f32>;\n@compute @workgroup_size(64)\nfn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) n: vec3u) {\n  let first = (id.x + id.y * n.x * 64u) * p.columns;\n  if (first >= arrayLength(&x)) { return; }\n  var high = p.least;\n  for (var c = 0u; c < p.columns; c++) {\n    high = max(high, x[first + c]);\n    y[first + c] = high;\n  }\n}",
  "parameters": [{"name": "columns", "dtype": "u32", "value": "columns"}, {"name": "least", "dtype": "f32", "default": -1e30}],
  "inputs": [{"name": "x", "dtype": "f32", "shape": ["rows", "columns"]}],
  "outputs": [{"name": "y", "dtype": "f32", "shape": "x"}],
  "workgroups": "(rows + 63)//64"
})json";

}  // namespace

int main(int argc, char** argv) {
  try {
    const Context context(argc > 1 ? argv[1] : "cpu");
    std::printf("on %s\n", context.backend()->id().c_str());

    const std::array<std::string, 2> names = {"x", "y"};
    const Json entry = graph::expression_entry("wobble", "output = x * sin(y) + log1p(exp(-abs(x)))", names);
    context.register_operation(entry);
    Tensor x = context.from<float>(std::vector<float>{-2, 0.5F, 1, 3}, {2, 2}).requires_grad_();
    const Tensor y = context.from<float>(std::vector<float>{0, 1, 2, 3}, {2, 2});
    const std::array<Argument, 2> operands = {x, y};
    const Tensor wobbled = apply("wobble", operands).front();
    wobbled.sum().backward();
    show("wobble(x, y)", wobbled);
    show("its gradient by x", x.grad());

    GradcheckRequest request;
    request.op = "wobble";
    request.inputs = {x, y};
    std::printf("gradcheck: %s\n", gradcheck(request, context.operations()).summary().c_str());

    KernelRegistry kernels(context);
    kernels.add(parse_json(kRunningMaximum));
    const std::array<Tensor, 1> inputs = {x.detach()};
    show("running_maximum(x)", kernels.dispatch("running_maximum", inputs).front());
    show("with a floor of 0.75",
         kernels.dispatch("running_maximum", inputs, {.parameters = {{"least", 0.75}}}).front());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_register_an_operation: %s\n", error.what());
    return 1;
  }
}
