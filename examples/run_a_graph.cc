// Builds a small graph, compiles it for a device and runs it for two sizes.
//
//   example_run_a_graph [cpu | gpu | gpu:0]

#include <cstdio>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/session.h"

using namespace alknet;

int main(int argc, char** argv) {
  try {
    compute::Devices devices;
    const auto backend = devices.open(argc > 1 ? argv[1] : "cpu");
    const compute::Context context(std::make_shared<compute::BufferManager>(), backend);

    // gelu(x w + b) for any number of rows; w and b are parameters, found by name in a store.
    graph::GraphBuilder builder;
    const auto x = builder.input("x", graph::Dtype::kF32, {graph::Dim::symbol("rows"), 2});
    const auto w = builder.state("w", graph::Dtype::kF32, {2, 3});
    const auto b = builder.state("b", graph::Dtype::kF32, {3});
    const auto sum = builder.node("add", {builder.node("matmul", {x, w}), b});
    builder.output("y", builder.node("gelu", {sum}));

    compute::Store store(context);
    store.set("w", context.from<float>(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}));
    store.set("b", context.from<float>(std::vector<float>{0, 0.5f, -20}, {3}));

    const auto plan = compute::Plan::compile(std::move(builder).build(), backend);
    std::printf("The plan on %s:\n%s\n", backend->id().c_str(), plan->dump().c_str());

    compute::Session session(plan, store);
    for (const std::int64_t rows : {1, 2}) {
      const std::vector<float> ones(static_cast<std::size_t>(2 * rows), 1.0f);
      const auto outputs = session.run(std::vector{context.from<float>(ones, {rows, 2})});
      for (const float value : outputs[0].to_vector<float>()) std::printf("%8.4f", static_cast<double>(value));
      std::printf("\n");
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_run_a_graph: %s\n", error.what());
    return 1;
  }
}
