// G1 to G4: the GPU. The cases "raw_..." are peers: the same work by the WebGPU library's functions alone.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/gpu_backend.h"
#include "alknet/compute/session.h"
#include "alknet/gpu/device_state.h"
#include "alknet/gpu/instance.h"
#include "bench/cases.h"

namespace alknet::bench {
namespace {

using graph::GraphBuilder;
using graph::Ref;

gpu::Device acquire() {
  const gpu::Instance instance;
  return instance.acquire("gpu:0", {.robust = false});
}

/// Runs one plan `burst` times, then waits, as a program does that reads only the last result.
struct Burst {
  std::shared_ptr<compute::Backend> backend;
  std::shared_ptr<compute::Session> session;
  std::vector<compute::Tensor> inputs, out;
  int burst = 1;

  void operator()() const {
    for (int i = 0; i < burst; ++i) session->run(inputs, out);
    backend->synchronize();
  }
};

template <typename Build>
Case prepare_plan(const Json& parameters, const std::vector<compute::Shape>& shapes, graph::Dtype dtype, Build build) {
  compute::GpuBackendOptions options;
  if (const Json* tile = parameters.as_object().if_contains("tile")) {
    const auto sizes = boost::json::value_to<std::vector<std::uint32_t>>(*tile);
    options.matmul_tile = compute::MatmulTile{sizes.at(0), sizes.at(1), sizes.at(2), sizes.at(3), sizes.at(4)};
  }
  Burst run;
  run.backend = compute::make_gpu_backend(std::make_shared<gpu::Device>(acquire()), options);
  run.burst = parameters.at("burst").to_number<int>();
  const compute::Context context(std::make_shared<compute::BufferManager>(), run.backend);
  GraphBuilder builder;
  std::vector<Ref> refs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    refs.push_back(builder.input(fmt::format("x{}", i), dtype, {shapes[i].begin(), shapes[i].end()}));
  }
  builder.output("y", build(builder, refs));
  run.session = std::make_shared<compute::Session>(compute::Plan::compile(std::move(builder).build(), run.backend),
                                                   compute::Store(context));
  std::mt19937 random(1);
  for (const compute::Shape& shape : shapes) {
    const auto count = static_cast<std::size_t>(graph::element_count(shape));
    if (dtype == graph::Dtype::kF16) {
      std::vector<std::uint16_t> bits(count);  // 0.5 to 1 in either sign
      for (auto& value : bits) value = static_cast<std::uint16_t>(0x3800 | (random() & 0x83ff));
      run.inputs.push_back(context.from_bytes(dtype, shape, std::as_bytes(std::span(bits))));
      continue;
    }
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(count);
    for (float& value : values) value = uniform(random);
    run.inputs.push_back(context.from<float>(values, shape));
  }
  run.out = run.session->run(run.inputs);
  return run;
}

Case gpu_add(const Json& parameters) {
  const auto n = parameters.at("n").to_number<std::int64_t>();
  return prepare_plan(parameters, {{n}, {n}}, graph::Dtype::kF32, [](GraphBuilder& g, const std::vector<Ref>& x) {
    return g.node("add", {x[0], x[1]});
  });
}

Case gpu_matmul(const Json& parameters) {
  const auto n = parameters.at("n").to_number<std::int64_t>();
  const auto dtype = graph::parse_dtype(std::string(parameters.at("dtype").as_string())).value();
  return prepare_plan(parameters, {{n, n}, {n, n}}, dtype, [](GraphBuilder& g, const std::vector<Ref>& x) {
    return g.node("matmul", {x[0], x[1]});
  });
}

/// A plan of so many kernels that each wait for the last.
Case gpu_dispatches(const Json& parameters) {
  const auto count = parameters.at("count").to_number<int>();
  return prepare_plan(parameters, {{16}}, graph::Dtype::kF32, [&](GraphBuilder& g, const std::vector<Ref>& x) {
    Ref value = x[0];
    for (int i = 0; i < count; ++i) value = g.node("softmax", {value}, {{"dim", -1}});
    return value;
  });
}

/// As `dispatches`, by the library's functions: one pass, one submission.
Case raw_dispatches(const Json& parameters) {
  const auto count = parameters.at("count").to_number<int>();
  const gpu::Device device = acquire();
  const auto kernel = device.compile_shader({.name = "raw",
                                             .code = R"(
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(16)
fn main(@builtin(local_invocation_index) i: u32) { x[i] = exp(x[i]) / 3.0; }
)",
                                             .bindings = {gpu::BindingKind::kStorage}});
  const auto buffer = std::make_shared<gpu::Buffer>(device.create_buffer(64));
  const auto group = device.create_bind_group(kernel, std::vector<gpu::Binding>{{buffer.get()}});
  return [device, kernel, buffer, group, count] {
    const gpu::Functions& wgpu = device.state()->functions();
    const WGPUCommandEncoder encoder = wgpu.device_create_command_encoder(device.state()->device.get(), nullptr);
    const WGPUComputePassEncoder pass = wgpu.command_encoder_begin_compute_pass(encoder, nullptr);
    wgpu.compute_pass_encoder_set_pipeline(pass, kernel.state()->pipeline.get());
    wgpu.compute_pass_encoder_set_bind_group(pass, 0, group.state()->group.get(), 0, nullptr);
    for (int i = 0; i < count; ++i) wgpu.compute_pass_encoder_dispatch_workgroups(pass, 1, 1, 1);
    wgpu.compute_pass_encoder_end(pass);
    wgpu.compute_pass_encoder_release(pass);
    const WGPUCommandBuffer commands = wgpu.command_encoder_finish(encoder, nullptr);
    wgpu.command_encoder_release(encoder);
    wgpu.queue_submit(device.state()->queue.get(), 1, &commands);
    wgpu.command_buffer_release(commands);
    device.wait();
  };
}

}  // namespace

Cases gpu_cases() {
  return {{"gpu_add", gpu_add},
          {"gpu_matmul", gpu_matmul},
          {"gpu_dispatches", gpu_dispatches},
          {"raw_dispatches", raw_dispatches}};
}

}  // namespace alknet::bench
