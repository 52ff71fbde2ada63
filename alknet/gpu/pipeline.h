#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace alknet::gpu {

/// How a kernel uses the binding `@group(0) @binding(i)`.
enum class BindingKind : std::uint8_t {
  kStorage,         ///< var<storage, read_write>
  kReadOnly,        ///< var<storage, read>
  kUniform,         ///< var<uniform> at an offset fixed in the bind group
  kDynamicUniform,  ///< var<uniform> at an offset given with each dispatch (see UniformRing)
};

/// What a kernel is written in. Every provider takes WGSL; wgpu-native takes SPIR-V, and Dawn where it was built with
/// its reader. GLSL is compiled to SPIR-V first.
enum class ShaderLanguage : std::uint8_t {
  kWgsl,
  kSpirv,  ///< Words in the machine's byte order.
  kGlsl,   ///< GLSL 450, a compute shader whose buffers are in set 0; the entry is "main".
};

/// A kernel's text and how it is used. All bindings are in group 0.
struct KernelSource {
  std::string name;  ///< For people: errors, timings and provider messages name the kernel so.
  std::string code;  ///< In `language`; bytes for SPIR-V.
  std::string entry = "main";
  std::vector<std::pair<std::string, double>> constants = {};  ///< Values of `override` declarations.
  /// The kinds of bindings 0, 1, 2, ...; pipelines with equal lists share bind groups. Empty: derived from the shader
  /// (no dynamic offsets then, and bind groups fit this pipeline only).
  std::vector<BindingKind> bindings = {};
  ShaderLanguage language = ShaderLanguage::kWgsl;
};

/// Numbers of workgroups; a 0 anywhere means that nothing runs.
struct Workgroups {
  std::uint32_t x = 1;
  std::uint32_t y = 1;
  std::uint32_t z = 1;
};

/// A compiled kernel: made by Device::compile_shader. A cheap handle to immutable data; thread-safe. Equal sources
/// (code, entry, constants, bindings) give the same pipeline, compiled once a device.
class Pipeline {
 public:
  Pipeline() = default;
  const std::string& name() const;
  explicit operator bool() const { return state_ != nullptr; }
  /// The same compiled kernel.
  friend bool operator==(const Pipeline& a, const Pipeline& b) { return a.state_ == b.state_; }

  struct State;
  const std::shared_ptr<const State>& state() const { return state_; }
  explicit Pipeline(std::shared_ptr<const State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const State> state_;
};

/// Buffers bound to a kernel's group 0: made by Device::create_bind_group, used for any number of dispatches. A cheap
/// handle to immutable data; thread-safe. It does not own the buffers (destroying one makes dispatches throw
/// `destroyed`).
class BindGroup {
 public:
  BindGroup() = default;
  explicit operator bool() const { return state_ != nullptr; }

  struct State;
  const std::shared_ptr<const State>& state() const { return state_; }
  explicit BindGroup(std::shared_ptr<const State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace alknet::gpu
