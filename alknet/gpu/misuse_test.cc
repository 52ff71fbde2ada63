// Every kind of misuse that ends the process or passes in silence on some WebGPU library comes back as an error here,
// and the device works afterwards.
#include "alknet/base/json.h"
#include "alknet/gpu/gpu_test_fixture.h"

namespace alknet::gpu {
namespace {

class GpuMisuse : public GpuTest {
 protected:
  // Whatever a test did, the device still computes.
  void TearDown() override {
    if (IsSkipped() || HasFatalFailure() || !device() || gone_) return;
    const Buffer input = upload({21});
    const Buffer output = device().create_buffer(4);
    device().dispatch(device().compile_shader(scale_kernel()), std::vector<Binding>{{&input}, {&output}}, {});
    EXPECT_EQ(download(output).front(), 42u);
  }

  BindGroup bind(const Pipeline& kernel, const Buffer& input, const Buffer& output) const {
    return device().create_bind_group(kernel, std::vector<Binding>{{&input}, {&output}});
  }

  bool gone_ = false;
};

TEST_F(GpuMisuse, ShaderThatDoesNotParse) {
  EXPECT_THAT(error_of([&] { device().compile_shader({.name = "k", .code = "fn main( {"}); }),
              IsGpuError(GpuError::kShaderInvalid, "\"k\""));
}

TEST_F(GpuMisuse, SourceThatIsNoText) {
  for (const std::string& bytes : {std::string("// \xff\xfe"), std::string("fn main() {}\0", 13)}) {
    EXPECT_THAT(error_of([&] { device().compile_shader({.name = "noise", .code = bytes}); }),
                IsGpuError(GpuError::kShaderInvalid, "UTF-8"));
  }
}

TEST_F(GpuMisuse, ShaderThatNeedsAMissingFeature) {
  EXPECT_THAT(error_of([&] { device().compile_shader({.name = "k", .code = "enable no_such_extension;"}); }),
              IsGpuError(GpuError::kShaderInvalid, "no_such_extension"));
}

TEST_F(GpuMisuse, ShaderWithAnEndlessLoop) {
  if (provider_is("wgpu")) GTEST_SKIP() << "wgpu-native takes such a kernel and ends its loop after a while";
  EXPECT_THAT(error_of([&] {
                device().compile_shader({.name = "spin", .code = "@compute @workgroup_size(1) fn main() { loop {} }"});
              }),
              IsGpuError(GpuError::kShaderInvalid, "\"spin\""));
}

TEST_F(GpuMisuse, WorkgroupLargerThanTheLimit) {
  EXPECT_THAT(error_of([&] {
                device().compile_shader({.name = "wide", .code = "@compute @workgroup_size(65536) fn main() {}"});
              }),
              IsGpuError(GpuError::kShaderInvalid, "\"wide\""));
}

TEST_F(GpuMisuse, WorkgroupMemoryLargerThanTheLimit) {
  if (provider_is("wgpu")) GTEST_SKIP() << "wgpu-native does not count workgroup memory";
  EXPECT_THAT(error_of([&] {
                device().compile_shader({.name = "hungry",
                                         .code = "var<workgroup> big: array<u32, 1000000>;\n"
                                                 "@compute @workgroup_size(1) fn main() { big[0] = 1u; }"});
              }),
              IsGpuError(GpuError::kShaderInvalid, "\"hungry\""));
}

TEST_F(GpuMisuse, BindingsThatDifferFromTheShader) {
  KernelSource source = scale_kernel("mixed up");
  source.bindings = {BindingKind::kStorage, BindingKind::kUniform};
  EXPECT_THAT(error_of([&] { device().compile_shader(source); }), IsGpuError(GpuError::kShaderInvalid, "mixed up"));
}

TEST_F(GpuMisuse, BufferLargerThanTheLimit) {
  const auto error = error_of([&] { device().create_buffer(UINT64_MAX, BufferUsage::kStorage, "huge"); });
  EXPECT_THAT(error, IsGpuError(GpuError::kLimitExceeded, "huge"));
  EXPECT_EQ(error->details().at("limit"), "maxBufferSize");
  EXPECT_THAT(error_of([&] { device().create_buffer(device().limits().max_buffer_size + 1); }),
              IsGpuError(GpuError::kLimitExceeded, "bytes"));
}

TEST_F(GpuMisuse, BindingLargerThanTheLimit) {
  const std::uint64_t limit = device().limits().max_storage_binding_size;
  if (limit + 16 > device().limits().max_buffer_size || limit > (std::uint64_t{1} << 30)) {
    GTEST_SKIP() << "no buffer can exceed the binding limit here";
  }
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer large = device().create_buffer(limit + 16);
  const Buffer output = device().create_buffer(4);
  EXPECT_THAT(error_of([&] { bind(kernel, large, output); }),
              IsGpuError(GpuError::kLimitExceeded, "maxStorageBufferBindingSize"));
}

TEST_F(GpuMisuse, TooManyWorkgroups) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer a = upload({1});
  const Buffer b = device().create_buffer(4);
  Encoder work = device().encoder();
  const auto error = error_of([&] { work.dispatch(kernel, bind(kernel, a, b), {1, 70000, 1}); });
  EXPECT_THAT(error, IsGpuError(GpuError::kLimitExceeded, "\"scale\""));
  EXPECT_EQ(error->details().at("value"), 70000);
}

TEST_F(GpuMisuse, BindGroupWithTooFewBuffers) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer a = upload({1});
  EXPECT_THAT(error_of([&] { device().create_bind_group(kernel, std::vector<Binding>{{&a}}); }),
              IsGpuError(GpuError::kValidationFailed, "2 bindings, 1 were given"));
  EXPECT_THAT(error_of([&] {
                device().create_bind_group(kernel, std::vector<Binding>{{&a}, {}});
              }),
              IsGpuError(GpuError::kValidationFailed, "binding 1 is missing"));
}

TEST_F(GpuMisuse, BindGroupForDerivedBindingsOfAnotherNumber) {
  KernelSource source = scale_kernel("derived");
  source.bindings = {};
  const Pipeline kernel = device().compile_shader(source);
  const Buffer a = upload({1});
  EXPECT_THAT(error_of([&] { device().create_bind_group(kernel, std::vector<Binding>{{&a}}); }),
              IsGpuError(GpuError::kValidationFailed, "derived"));
}

TEST_F(GpuMisuse, BindGroupOfAnotherLayout) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  KernelSource other = scale_kernel("other");
  other.bindings = {};
  const Pipeline derived = device().compile_shader(other);
  const Buffer a = upload({1});
  const Buffer b = device().create_buffer(4);
  Encoder work = device().encoder();
  EXPECT_THAT(error_of([&] { work.dispatch(kernel, bind(derived, a, b), {}); }),
              IsGpuError(GpuError::kValidationFailed, "\"scale\""));
}

TEST_F(GpuMisuse, BindingOfTheWrongUsageOffsetOrRange) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer uniform = device().create_buffer(16, BufferUsage::kUniform, "u");
  const Buffer storage = device().create_buffer(1024);
  const auto refused = [&](std::vector<Binding> bindings) {
    return error_of([&] { device().create_bind_group(kernel, bindings); });
  };
  EXPECT_THAT(refused({{&uniform}, {&storage}}), IsGpuError(GpuError::kValidationFailed, "kStorage"));
  EXPECT_THAT(refused({{&storage, 4}, {&storage}}), IsGpuError(GpuError::kValidationFailed, "multiple of"));
  EXPECT_THAT(refused({{&storage, 0, 2000}, {&storage}}), IsGpuError(GpuError::kValidationFailed, "cannot be bound"));
  EXPECT_THAT(refused({{&storage, 0, 7}, {&storage}}), IsGpuError(GpuError::kValidationFailed, "multiples of 4"));
  EXPECT_THAT(refused({{&storage, 4096}, {&storage}}), IsGpuError(GpuError::kValidationFailed, "cannot be bound"));
}

TEST_F(GpuMisuse, OneBufferReadAndWrittenByOneDispatch) {
  const Pipeline kernel = device().compile_shader(scale_kernel("alias"));
  const Buffer a = upload({1, 2});
  Encoder work = device().encoder({.label = "step"});
  work.dispatch(kernel, bind(kernel, a, a), {});
  const auto error = error_of([&] { device().submit(std::move(work)); });
  EXPECT_THAT(error, IsGpuError(GpuError::kValidationFailed, "alias"));
  EXPECT_THAT(error->message(), testing::HasSubstr("step"));
}

TEST_F(GpuMisuse, DestroyedBufferBeforeAndAfterRecording) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer a = upload({1});
  Buffer b = device().create_buffer(4, BufferUsage::kStorage, "late");
  const BindGroup group = bind(kernel, a, b);
  Encoder recorded = device().encoder();
  recorded.dispatch(kernel, group, {});
  b.destroy();
  EXPECT_FALSE(b.valid());
  EXPECT_THAT(error_of([&] { device().submit(std::move(recorded)); }), IsGpuError(GpuError::kDestroyed, "scale"));
  Encoder work = device().encoder();
  EXPECT_THAT(error_of([&] { work.dispatch(kernel, group, {}); }), IsGpuError(GpuError::kDestroyed, "late"));
  EXPECT_THAT(error_of([&] { bind(kernel, a, b); }), IsGpuError(GpuError::kDestroyed, "late"));
  EXPECT_THAT(error_of([&] { work.clear(b, 0, 4); }), IsGpuError(GpuError::kDestroyed, "late"));
  EXPECT_THAT(error_of([&] { download(b); }), IsGpuError(GpuError::kDestroyed, "late"));
}

TEST_F(GpuMisuse, DestroyedDevice) {
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Buffer a = upload({1});
  const Buffer b = device().create_buffer(4);
  Encoder work = device().encoder();
  work.dispatch(kernel, bind(kernel, a, b), {});
  gone_ = true;
  device().destroy();
  EXPECT_THAT(error_of([&] { device().submit(std::move(work)); }), IsGpuError(GpuError::kDestroyed, "gpu:0"));
  EXPECT_THAT(error_of([&] { download(b); }), IsGpuError(GpuError::kDestroyed, "gpu:0"));
}

TEST_F(GpuMisuse, ObjectsOfAnotherDevice) {
  const Device other = instance().acquire("gpu:0");
  const Pipeline kernel = device().compile_shader(scale_kernel());
  const Pipeline foreign_kernel = other.compile_shader(scale_kernel());
  const Buffer a = upload({1});
  const Buffer b = device().create_buffer(4);
  const Buffer foreign = other.create_buffer(4);
  const BindGroup group = bind(kernel, a, b);
  Encoder work = device().encoder();
  const auto refused = [](auto body) { return error_of(body); };
  const auto foreign_error = IsGpuError(GpuError::kValidationFailed, "another device");
  EXPECT_THAT(refused([&] { bind(kernel, a, foreign); }), foreign_error);
  EXPECT_THAT(refused([&] { bind(foreign_kernel, a, b); }), foreign_error);
  EXPECT_THAT(refused([&] { work.dispatch(foreign_kernel, group, {}); }), foreign_error);
  EXPECT_THAT(refused([&] { work.copy(a, 0, foreign, 0, 4); }), foreign_error);
  EXPECT_THAT(refused([&] { device().write_buffer(foreign, 0, {}); }), foreign_error);
  EXPECT_THAT(refused([&] { device().submit(other.encoder()); }), foreign_error);
}

TEST_F(GpuMisuse, CopyOutsideOrOntoItself) {
  const Buffer a = upload({1, 2});
  const Buffer b = device().create_buffer(8);
  Encoder work = device().encoder();
  EXPECT_THAT(error_of([&] { work.copy(a, 0, b, 0, 64); }), IsGpuError(GpuError::kValidationFailed, "cannot copy"));
  EXPECT_THAT(error_of([&] { work.copy(a, 0, b, 2, 4); }), IsGpuError(GpuError::kValidationFailed, "multiples of 4"));
  EXPECT_THAT(error_of([&] { work.copy(a, 0, a, 0, 4); }), IsGpuError(GpuError::kValidationFailed, "itself"));
}

TEST_F(GpuMisuse, BufferTooSmallForTheShadersParameters) {
  const Pipeline kernel = device().compile_shader({.name = "needs 64 bytes",
                                                   .code = R"(
struct Parameters { values: array<vec4<u32>, 4> }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(1) fn main() { output[0] = parameters.values[3].x; }
)",
                                                   .bindings = {BindingKind::kUniform, BindingKind::kStorage}});
  const Buffer small = device().create_buffer(16, BufferUsage::kUniform);
  const Buffer output = device().create_buffer(4);
  Encoder work = device().encoder();
  work.dispatch(kernel, bind(kernel, small, output), {});
  const auto error = error_of([&] { device().submit(std::move(work)); });
  EXPECT_THAT(error, IsGpuError(GpuError::kValidationFailed, "needs 64 bytes"));
  EXPECT_EQ(error->details().at("kernel"), "needs 64 bytes");
}

TEST_F(GpuMisuse, WrongDynamicOffsets) {
  KernelSource source = scale_kernel("dynamic");
  source.code =
      "@group(0) @binding(0) var<uniform> p: vec4<u32>;\n"
      "@group(0) @binding(1) var<storage, read_write> o: array<u32>;\n"
      "@compute @workgroup_size(1) fn main() { o[0] = p.x; }";
  source.bindings = {BindingKind::kDynamicUniform, BindingKind::kStorage};
  const Pipeline kernel = device().compile_shader(source);
  const Buffer uniform = device().create_buffer(512, BufferUsage::kUniform);
  const Buffer output = device().create_buffer(4);
  const BindGroup group = device().create_bind_group(kernel, std::vector<Binding>{{&uniform, 0, 16}, {&output}});
  Encoder work = device().encoder();
  EXPECT_THAT(error_of([&] { work.dispatch(kernel, group, {}); }),
              IsGpuError(GpuError::kValidationFailed, "1 dynamic offsets, 0 were given"));
  for (const std::uint32_t wrong : {4u, 512u, 1u << 20}) {
    const std::uint32_t offsets[] = {wrong};
    EXPECT_THAT(error_of([&] { work.dispatch(kernel, group, {}, offsets); }),
                IsGpuError(GpuError::kValidationFailed, "dynamic offset"));
  }
}

TEST_F(GpuMisuse, EncoderUsedAfterSubmission) {
  Encoder work = device().encoder();
  device().submit(std::move(work));
  const Buffer a = upload({1});
  EXPECT_EQ(error_of([&] { work.clear(a, 0, 4); })->code_name(), "invalid_argument");
  EXPECT_EQ(error_of([&] { device().submit(std::move(work)); })->code_name(), "invalid_argument");
}

TEST_F(GpuMisuse, EmptyHandles) {
  Encoder work = device().encoder();
  EXPECT_THAT(error_of([&] { work.dispatch({}, {}, {}); }), IsGpuError(GpuError::kValidationFailed, "needs a kernel"));
  EXPECT_THAT(error_of([&] { device().create_bind_group({}, {}); }),
              IsGpuError(GpuError::kValidationFailed, "needs a compiled kernel"));
  EXPECT_THAT(error_of([&] { work.clear({}, 0, 4); }), IsGpuError(GpuError::kValidationFailed, "never created"));
}

TEST_F(GpuMisuse, RobustKernelsStayInsideTheirBuffers) {
  const Pipeline kernel = device().compile_shader({.name = "outside",
                                                   .code = R"(
@group(0) @binding(0) var<storage, read> far: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(1) fn main() {
  output[0] = far[0x3fffffffu + output[1]] * 0u + 1u;
  output[0x3fffffffu - output[1]] = 7u;
}
)",
                                                   .bindings = {BindingKind::kReadOnly, BindingKind::kStorage}});
  const Buffer input = upload({1, 2, 3, 4});
  const Buffer output = device().create_buffer(16);
  device().dispatch(kernel, std::vector<Binding>{{&input}, {&output}}, {}).wait();
  EXPECT_EQ(download(input), (std::vector<std::uint32_t>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace alknet::gpu
