#include "alknet/platform/webgpu/testing.h"

#include <zlib.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "alknet/base/bytes.h"
#include "alknet/base/loop.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/web/web.h"

namespace alknet::platform::webgpu {

using runtime::Realm;
using runtime::Value;

namespace {

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Files by relative path, and the packages that tests use.
class TestResolver final : public runtime::ModuleResolver {
 public:
  std::string resolve(std::string_view specifier, std::string_view referrer) override {
    static const std::filesystem::path kModules = std::filesystem::path(ALKNET_SOURCE_DIR) / ".deps/node/node_modules";
    static const std::map<std::string, std::filesystem::path, std::less<>> kPackages = {
        {"three", kModules / "three/build/three.webgpu.js"},
        {"three/webgpu", kModules / "three/build/three.webgpu.js"},
        {"three/tsl", kModules / "three/build/three.tsl.js"}};
    if (const auto package = kPackages.find(specifier); package != kPackages.end()) return package->second;
    return (std::filesystem::path(referrer).parent_path() / specifier).lexically_normal();
  }
  runtime::ModuleSource load(const std::string& name) override {
    if (!std::filesystem::exists(name)) {
      throw Error(runtime::RuntimeError::kModuleNotFound, "there is no module " + name);
    }
    runtime::ModuleSource source;
    source.content = SharedBytes::copy(file_text(name));
    return source;
  }
};

Value print(Realm, const Value&, runtime::Arguments arguments) {
  std::cout << arguments[0].to_string() << '\n';
  return {};
}

Value read_file(Realm realm, const Value&, runtime::Arguments arguments) {
  const std::string text = file_text(std::filesystem::path(ALKNET_SOURCE_DIR) / arguments[0].to_string());
  return realm.array_buffer(std::as_bytes(std::span(text)));
}

// The pixels of a PNG of 8 bits RGBA without filters: as tests/three_scene.png is.
Value read_picture(Realm realm, const Value&, runtime::Arguments arguments) {
  const std::string png = file_text(std::filesystem::path(ALKNET_SOURCE_DIR) / arguments[0].to_string());
  const auto number = [&](std::size_t at) {
    return load_be<std::uint32_t>(std::as_bytes(std::span(png)).subspan(at, 4).data());
  };
  std::string packed;
  std::size_t width = 0, height = 0;
  for (std::size_t at = 8; at + 12 <= png.size(); at += 12 + number(at)) {
    const std::string type = png.substr(at + 4, 4);
    if (type == "IHDR") width = number(at + 8), height = number(at + 12);
    if (type == "IDAT") packed += png.substr(at + 8, number(at));
  }
  std::string rows((width * 4 + 1) * height, '\0');
  uLongf size = rows.size();
  if (uncompress(reinterpret_cast<Bytef*>(rows.data()), &size, reinterpret_cast<const Bytef*>(packed.data()),
                 packed.size()) != Z_OK) {
    throw realm.type_error("readPicture: " + arguments[0].to_string() + " is no such picture");
  }
  std::string pixels;
  for (std::size_t y = 0; y < height; ++y) pixels += rows.substr(y * (width * 4 + 1) + 1, width * 4);
  return realm.typed_array(runtime::TypedArray::kUint8, std::as_bytes(std::span(pixels)));
}

Value write_file(Realm, const Value&, runtime::Arguments arguments) {
  std::ofstream file(arguments[0].to_string(), std::ios::binary);
  const auto bytes = arguments[1].buffer();
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return {};
}

}  // namespace

std::string run_script(const std::filesystem::path& script, WebGpuOptions options, std::function<void()> lose) {
  std::string failure;
  bool done = false;
  Loop loop;
  const auto finish = [&] {
    done = true;
    loop.stop();
  };
  {
    runtime::IsolateOptions isolate_options;
    isolate_options.executor = &loop;
    isolate_options.resolver = std::make_shared<TestResolver>();
    isolate_options.on_uncaught = [&](const runtime::ScriptError& error) {
      failure += "uncaught: " + error.message() + "\n";
      finish();
    };
    runtime::Isolate isolate(std::move(isolate_options));
    const Realm realm = isolate.realm();
    realm.global().set("print", realm.function("print", 1, print));
    realm.global().set("readFile", realm.function("readFile", 1, read_file));
    realm.global().set("writeFile", realm.function("writeFile", 2, write_file));
    realm.global().set("readPicture", realm.function("readPicture", 1, read_picture));
    realm.global().set("loseDevice", realm.closure("loseDevice", 0, [lose](Realm, const Value&, runtime::Arguments) {
      lose();
      return Value();
    }));
    runtime::install_web(isolate);
    install_webgpu(realm, std::move(options));
    isolate.run_turn([&](Realm) {
      const auto fail = [&](Realm, const Value& reason) {
        failure +=
            reason.is_object() ? reason.to_string() + "\n" + reason.get("stack").to_string() : reason.to_string();
        finish();
      };
      runtime::when_settled(
          isolate.eval_module(file_text(script), script.string()), [&](Realm, const Value&) { finish(); }, fail);
    });
    if (!done) loop.run();
  }
  return failure;
}

}  // namespace alknet::platform::webgpu
