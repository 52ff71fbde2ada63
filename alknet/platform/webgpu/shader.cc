// GPUShaderModule: WGSL, and what its compiler says.
#include <fmt/format.h>

#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/errors.h"
#include "alknet/platform/webgpu/own_structs.h"

namespace alknet::platform::webgpu {

using runtime::Realm;
using runtime::Value;

namespace {

struct Message {
  std::string text;
  WGPUCompilationMessageType type{};
  std::uint64_t line = 0;
  std::uint64_t column = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

class ShaderObject final : public GpuObject {
 public:
  using GpuObject::GpuObject;
  std::string refused;  ///< Why the source was not compiled at all.
};

Value create_shader_module(Call& call) {
  const auto& descriptor = *call.pointer<OwnShaderModuleDescriptor>(1);
  WGPUShaderSourceWGSL source{};
  source.chain.sType = WGPUSType_ShaderSourceWGSL;
  source.code = descriptor.code;
  WGPUShaderModuleDescriptor with_code = descriptor.base;
  with_code.nextInChain = &source.chain;
  Facade& facade = *call.object.facade();
  WGPUShaderModule handle = nullptr;
  std::string refused;
  if (call.binding.usable(call)) {
    if (gpu::text_of(descriptor.code).find('\0') != std::string_view::npos) {
      refused = "the source has a null character";
      facade.report({WGPUErrorFilter_Validation, "GPUDevice.createShaderModule: " + refused});
    } else {
      facade.run([&] {
        handle = facade.native().functions().device_create_shader_module(facade.native().handle(), &with_code);
      });
    }
  }
  auto object = std::make_unique<ShaderObject>(interface_named("GPUShaderModule"), call.object.shared_facade(), handle);
  object->set_label(call.converter.label);
  object->refused = std::move(refused);
  return call.binding.make(std::move(object));
}

// Asks the provider; its compiler has been heard by the time that the module is there.
std::vector<Message> messages_of(const ShaderObject& shader) {
  struct Request : gpu::Completion {
    std::vector<Message> messages;
  } request;
  if (!shader.refused.empty()) return {{shader.refused, WGPUCompilationMessageType_Error}};
  Facade& facade = *shader.facade();
  if (shader.handle() == nullptr || facade.ended() || !facade.native().answers_later()) return {};
  WGPUCompilationInfoCallbackInfo info{};
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.userdata1 = &request;
  info.callback = [](WGPUCompilationInfoRequestStatus, const WGPUCompilationInfo* said, void* user, void*) {
    auto* to = static_cast<Request*>(user);
    if (said != nullptr) {
      for (const WGPUCompilationMessage& one : std::span(said->messages, said->messageCount)) {
        to->messages.push_back(
            {std::string(gpu::text_of(one.message)), one.type, one.lineNum, one.linePos, one.offset, one.length});
      }
    }
    to->done = true;
  };
  const auto ask =
      facade.typed_function<decltype(&wgpuShaderModuleGetCompilationInfo)>("wgpuShaderModuleGetCompilationInfo");
  facade.run([&] { request.future = ask(static_cast<WGPUShaderModule>(shader.handle()), info); });
  facade.native().wait(request);
  return request.messages;
}

Value get_compilation_info(Call& call) {
  const Realm realm = call.realm;
  std::vector<Value> messages;
  for (const Message& message : messages_of(static_cast<const ShaderObject&>(call.object))) {
    auto object = std::make_unique<GpuObject>(interface_named("GPUCompilationMessage"), nullptr, nullptr);
    const std::string_view type = enum_text("GPUCompilationMessageType", message.type);
    call.binding.touch("GPUCompilationMessageType", type);
    object->set_attribute("message", realm.string(message.text));
    object->set_attribute("type", realm.string(type));
    const std::pair<std::string_view, std::uint64_t> numbers[] = {
        {"lineNum", message.line}, {"linePos", message.column}, {"offset", message.offset}, {"length", message.length}};
    for (const auto& [name, value] : numbers) object->set_attribute(name, realm.number(static_cast<double>(value)));
    messages.push_back(call.binding.make(std::move(object)));
  }
  auto info = std::make_unique<GpuObject>(interface_named("GPUCompilationInfo"), nullptr, nullptr);
  const Value list = realm.array(messages);
  info->set_attribute("messages", realm.global().get("Object").invoke("freeze", std::span(&list, 1)));
  return resolved_promise(realm, call.binding.make(std::move(info)));
}

constexpr SpecialMethod kShaderMethods[] = {
    {"GPUDevice.createShaderModule", create_shader_module},
    {"GPUShaderModule.getCompilationInfo", get_compilation_info},
};

}  // namespace

std::span<const SpecialMethod> shader_methods() { return kShaderMethods; }

}  // namespace alknet::platform::webgpu
