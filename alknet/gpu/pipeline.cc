#include "alknet/gpu/pipeline.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <optional>

#include "alknet/base/json.h"
#include "alknet/base/utf8.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/device_state.h"
#include "alknet/gpu/glsl_compiler.h"

namespace alknet::gpu {
namespace {

std::string cache_key(const KernelSource& source) {
  std::string key = source.code;
  key += '\0';
  key += source.entry;
  for (const auto& [name, value] : source.constants) {
    key += '\0';
    key += name;
    key += '=';
    key.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  key += '\0';
  for (const BindingKind kind : source.bindings) key += static_cast<char>('0' + static_cast<int>(kind));
  key += static_cast<char>('a' + static_cast<int>(source.language));
  return key;
}

struct Position {
  std::int64_t line = 0;
  std::int64_t column = 0;
};

// Dawn writes ":LINE:COLUMN error:" or "LINE:COLUMN error:", naga " wgsl:LINE:COLUMN" and a line end, the compiler of
// GLSL ":LINE: error:"; the first such place. Columns count from 1; 0: not told.
std::optional<Position> error_position(std::string_view message) {
  std::size_t mark = message.find(" error: ");
  constexpr std::string_view kNaga = "wgsl:";
  if (const std::size_t naga = message.find(kNaga); naga != std::string_view::npos) {
    mark = message.find_first_not_of("0123456789:", naga + kNaga.size());
  }
  if (mark == std::string_view::npos) return std::nullopt;
  const auto number_before = [&](std::size_t& end) -> std::int64_t {
    std::size_t begin = end;
    while (begin > 0 && message[begin - 1] >= '0' && message[begin - 1] <= '9') --begin;
    const std::int64_t value = begin == end ? 0 : std::atoll(std::string(message.substr(begin, end - begin)).c_str());
    end = begin;
    return value;
  };
  std::size_t end = mark;
  Position position;
  position.column = number_before(end);
  if (end == 0 || message[end - 1] != ':') return std::nullopt;
  position.line = number_before(--end);
  return position.line > 0 ? std::optional(position) : std::nullopt;
}

Error shader_error(const KernelSource& source, std::string_view message) {
  JsonObject details{{"kernel", source.name}, {"messages", message}};
  std::string place;
  if (const auto position = error_position(message)) {
    details["line"] = position->line;
    if (position->column > 0) details["column"] = position->column;
    place = fmt::format(" at line {}", position->line);
    if (position->column > 0) place += fmt::format(", column {}", position->column);
  }
  return {GpuError::kShaderInvalid, fmt::format("Kernel \"{}\" does not compile{}: {}", source.name, place, message),
          std::move(details)};
}

/// The source as providers take it: GLSL compiled to SPIR-V. Throws `shader_invalid`.
KernelSource provider_source(const KernelSource& source) {
  KernelSource result = source;
  if (source.language != ShaderLanguage::kSpirv &&
      (find_invalid_utf8(source.code) || source.code.find('\0') != std::string::npos)) {
    throw shader_error(source, "the source is not UTF-8 text");  // wgpu-native would end the process
  }
  if (source.language == ShaderLanguage::kGlsl) {
    GlslResult compiled = compile_glsl(source);
    if (compiled.spirv.empty()) throw shader_error(source, compiled.message);
    result.code = std::move(compiled.spirv);
    result.language = ShaderLanguage::kSpirv;
  }
  if (result.language == ShaderLanguage::kSpirv) {
    constexpr std::uint32_t kMagic = 0x07230203;
    constexpr std::size_t kHeaderBytes = 20;
    std::uint32_t magic = 0;
    if (result.code.size() >= kHeaderBytes) std::memcpy(&magic, result.code.data(), sizeof magic);
    if (magic != kMagic || result.code.size() % sizeof magic != 0) {
      throw shader_error(source, "the bytes are no SPIR-V module in this machine's byte order");
    }
  }
  return result;
}

/// The error of a module that the provider refused. A Dawn built without its reader refuses every SPIR-V.
Error module_error(const KernelSource& source, std::string_view message, std::string_view provider) {
  const bool no_reader =
      provider == "dawn" && source.language != ShaderLanguage::kWgsl &&
      message.find("SPIR-V") != std::string_view::npos &&
      (message.find("disallowed") != std::string_view::npos || message.find("not supported") != std::string_view::npos);
  if (!no_reader) return shader_error(source, message);
  return {GpuError::kFeatureMissing,
          fmt::format("Kernel \"{}\" needs a provider that reads SPIR-V, which this Dawn was built without ({}); set "
                      "ALKNET_WEBGPU=wgpu, or give the kernel as WGSL",
                      source.name, message),
          JsonObject{{"kernel", source.name}, {"feature", "spirv"}, {"provider", "wgpu"}}};
}

WGPUBindGroupLayoutEntry layout_entry(BindingKind kind, std::uint32_t binding) {
  struct Row {
    WGPUBufferBindingType type;
    bool dynamic;
  };
  constexpr Row kRows[] = {{WGPUBufferBindingType_Storage, false},
                           {WGPUBufferBindingType_ReadOnlyStorage, false},
                           {WGPUBufferBindingType_Uniform, false},
                           {WGPUBufferBindingType_Uniform, true}};
  const Row& row = kRows[static_cast<std::size_t>(kind)];
  WGPUBindGroupLayoutEntry entry{};
  entry.binding = binding;
  entry.visibility = WGPUShaderStage_Compute;
  entry.buffer.type = row.type;
  entry.buffer.hasDynamicOffset = row.dynamic ? WGPU_TRUE : WGPU_FALSE;
  return entry;
}

// The layout for a list of kinds, made once a device. The device's mutex is held.
std::shared_ptr<const BindLayout> shared_layout(DeviceState& device, const std::vector<BindingKind>& kinds) {
  auto& cached = device.layouts[kinds];
  if (cached) return cached;
  const Functions& functions = device.functions();
  std::vector<WGPUBindGroupLayoutEntry> entries;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    entries.push_back(layout_entry(kinds[i], static_cast<std::uint32_t>(i)));
  }
  auto layout = std::make_shared<BindLayout>();
  layout->kinds = kinds;
  WGPUBindGroupLayoutDescriptor group{};
  group.entryCount = entries.size();
  group.entries = entries.data();
  layout->group = {functions.device_create_bind_group_layout(device.device.get(), &group),
                   functions.bind_group_layout_release};
  const WGPUBindGroupLayout only = layout->group.get();
  WGPUPipelineLayoutDescriptor pipeline{};
  pipeline.bindGroupLayoutCount = 1;
  pipeline.bindGroupLayouts = &only;
  layout->pipeline = {functions.device_create_pipeline_layout(device.device.get(), &pipeline),
                      functions.pipeline_layout_release};
  device.check_reports("The bindings of a kernel");
  return cached = std::move(layout);
}

// One kernel on its way through the compiler.
struct Compilation {
  const KernelSource* source = nullptr;
  std::string key;
  std::shared_ptr<const BindLayout> layout;
  PipelineAnswer answer;
  bool begun = false;
};

// Starts compiling; the device's mutex is held. WGSL that does not parse throws here.
void begin_compilation(DeviceState& device, Compilation& compilation) {
  const Functions& functions = device.functions();
  const KernelSource& source = *compilation.source;
  if (!source.bindings.empty()) compilation.layout = shared_layout(device, source.bindings);

  const Dialect& dialect = *device.instance->provider->dialect;
  const Handle<WGPUShaderModule> module(
      dialect.create_shader_module(functions, device.device.get(), provider_source(source), device.options.robust),
      functions.shader_module_release);
  const auto report = device.sink->take();
  device.check_alive();
  if (report) throw module_error(source, report->message, dialect.name());

  std::vector<WGPUConstantEntry> constants;
  for (const auto& [name, value] : source.constants) constants.push_back({nullptr, view_of(name), value});
  WGPUComputePipelineDescriptor descriptor{};
  descriptor.label = view_of(source.name);
  descriptor.layout = compilation.layout ? compilation.layout->pipeline.get() : nullptr;
  descriptor.compute.module = module.get();
  descriptor.compute.entryPoint = view_of(source.entry);
  descriptor.compute.constantCount = constants.size();
  descriptor.compute.constants = constants.data();
  dialect.create_pipeline(functions, device.device.get(), descriptor, compilation.answer);
  compilation.begun = true;
  if (!compilation.answer.done) return;
  // Made at once: what the library reported meanwhile belongs to this kernel, not to the next.
  if (const auto refused = device.sink->take()) {
    if (compilation.answer.pipeline != nullptr) functions.compute_pipeline_release(compilation.answer.pipeline);
    compilation.answer.pipeline = nullptr;
    compilation.answer.message = refused->message;
  }
}

// Puts a finished pipeline into the cache; the device's mutex is held.
std::shared_ptr<const Pipeline::State> finish_compilation(DeviceState& device, Compilation& compilation) {
  const Functions& functions = device.functions();
  auto state = std::make_shared<Pipeline::State>();
  state->pipeline = {compilation.answer.pipeline, functions.compute_pipeline_release};
  device.check_reports(compilation.source->name);
  if (!state->pipeline) throw shader_error(*compilation.source, compilation.answer.message);
  state->name = compilation.source->name;
  state->device = device.sink;
  state->layout = compilation.layout;
  if (!state->layout) {
    auto derived = std::make_shared<BindLayout>();
    derived->group = {functions.compute_pipeline_get_bind_group_layout(state->pipeline.get(), 0),
                      functions.bind_group_layout_release};
    device.sink->take();  // a kernel without bindings has no group 0, which is no error of the caller's
    state->layout = std::move(derived);
  }
  return device.pipelines.try_emplace(std::move(compilation.key), std::move(state)).first->second;
}

}  // namespace

const std::string& Pipeline::name() const { return state_->name; }

Pipeline Device::compile_shader(const KernelSource& source) const { return compile_shaders({&source, 1}).front(); }

std::vector<Pipeline> Device::compile_shaders(std::span<const KernelSource> sources) const {
  DeviceState& device = *state_;
  std::vector<Pipeline> result(sources.size());
  std::vector<Compilation> compilations(sources.size());
  std::exception_ptr failure;
  {
    const ProviderCall call(device);
    try {
      for (std::size_t i = 0; i < sources.size(); ++i) {
        compilations[i].source = &sources[i];
        compilations[i].key = cache_key(sources[i]);
        if (const auto cached = device.pipelines.find(compilations[i].key); cached != device.pipelines.end()) {
          result[i] = Pipeline(cached->second);
        } else {
          begin_compilation(device, compilations[i]);
        }
      }
    } catch (const Error&) {
      failure = std::current_exception();  // those begun before must be waited for first
    }
  }
  for (Compilation& compilation : compilations) {
    if (compilation.begun) device.await(compilation.answer);
  }
  const std::lock_guard lock(device.mutex);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (!compilations[i].begun) continue;
    try {
      result[i] = Pipeline(finish_compilation(device, compilations[i]));
    } catch (const Error&) {
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  return result;
}

}  // namespace alknet::gpu
