// G1 to G4: the GPU. The cases "raw_..." are peers: the same work by the WebGPU library's functions alone.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/bind_parameters.h"
#include "alknet/compute/device_gpu/gpu_backend.h"
#include "alknet/compute/device_gpu/templates.h"
#include "alknet/compute/generate/opgen.h"
#include "alknet/compute/generate/wgsl.h"
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
    if (dtype == graph::Dtype::kI8) {
      std::vector<std::int8_t> bytes(count);
      for (auto& value : bytes) value = static_cast<std::int8_t>(random());
      run.inputs.push_back(context.from_bytes(dtype, shape, std::as_bytes(std::span(bytes))));
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
  const char* const op = dtype == graph::Dtype::kI8 ? "int_mm" : "matmul";
  return prepare_plan(parameters, {{n, n}, {n, n}}, dtype, [op](GraphBuilder& g, const std::vector<Ref>& x) {
    return g.node(op, {x[0], x[1]});
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

/// As `dispatches`, by the library's functions: the same kernel on two buffers by turns, one pass, one submission.
Case raw_dispatches(const Json& parameters) {
  const auto count = parameters.at("count").to_number<std::size_t>();
  const gpu::Device device = acquire();
  constexpr graph::Dtype kF32 = graph::Dtype::kF32;
  const compute::Strided row{{16}, {1}, 0};
  compute::Computation softmax;
  softmax.op = &graph::OpTable::builtin().at("softmax");
  softmax.attrs = graph::complete_attributes(*softmax.op, {{"dim", -1}});
  softmax.inputs = {kF32};
  softmax.outputs = {kF32};
  compute::Binding binding;
  binding.attrs = softmax.attrs;
  binding.inputs = {compute::Operand{0, kF32, row}};
  binding.outputs = {{1, kF32, row}};
  const bool software = device.adapter().type == gpu::AdapterType::kSoftware;
  const compute::KernelSpec spec = compute::opgen(softmax, {.software = software}).spec;
  compute::ParameterBlock block(spec);
  compute::bind_parameters(softmax, spec, binding, block);
  using Kind = gpu::BindingKind;
  const auto kernel =
      device.compile_shader({.name = "raw",
                             .code = compute::WgslGenerator({false, compute::wgsl_template}).generate(spec),
                             .bindings = {Kind::kUniform, Kind::kReadOnly, Kind::kStorage}});
  const auto buffers = std::make_shared<std::vector<gpu::Buffer>>();
  buffers->push_back(device.create_buffer(block.bytes(), gpu::BufferUsage::kUniform));
  for (int i = 0; i < 2; ++i) buffers->push_back(device.create_buffer(64));
  std::vector<gpu::BindGroup> groups;
  for (const auto& [from, to] : {std::pair(1, 2), std::pair(2, 1)}) {
    const gpu::Binding bindings[] = {{&(*buffers)[0]}, {&buffers->at(from)}, {&buffers->at(to)}};
    groups.push_back(device.create_bind_group(kernel, bindings));
  }
  return [device, kernel, buffers, groups, count] {
    const gpu::Functions& wgpu = device.state()->functions();
    const WGPUCommandEncoder encoder = wgpu.device_create_command_encoder(device.state()->device.get(), nullptr);
    const WGPUComputePassEncoder pass = wgpu.command_encoder_begin_compute_pass(encoder, nullptr);
    wgpu.compute_pass_encoder_set_pipeline(pass, kernel.state()->pipeline.get());
    for (std::size_t i = 0; i < count; ++i) {
      wgpu.compute_pass_encoder_set_bind_group(pass, 0, groups[i % 2].state()->group.get(), 0, nullptr);
      wgpu.compute_pass_encoder_dispatch_workgroups(pass, 1, 1, 1);
    }
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
