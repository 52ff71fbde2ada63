// alknet-webc OUT SCRIPT.js...: compiles what esbuild made of the scripts of this folder to bytecode. OUT.bin holds all
// of it, OUT.inc the table for scripts.cc. The build runs it.
#include <fmt/format.h>
#include <quickjs.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

/// The function that a script in the way of CommonJS stands in; what it requires is always the host.
std::string wrapped(std::string_view text) {
  return fmt::format("(function (web, module, exports) {{ const require = () => web; {}\n}})", text);
}

std::string compile(JSContext* context, const std::string& text, const std::string& name) {
  const JSValue function = JS_Eval(context, text.data(), text.size(), ("alknet:web/" + name).c_str(),
                                   JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
  if (JS_IsException(function)) {
    const JSValue error = JS_GetException(context);
    const char* const message = JS_ToCString(context, error);
    std::fprintf(stderr, "alknet-webc: %s: %s\n", name.c_str(), message == nullptr ? "?" : message);
    JS_FreeCString(context, message);
    JS_FreeValue(context, error);
    return {};
  }
  std::size_t size = 0;
  std::uint8_t* const bytes =
      JS_WriteObject(context, &size, function, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
  std::string out;
  if (bytes != nullptr) out.assign(reinterpret_cast<const char*>(bytes), size);
  js_free(context, bytes);
  JS_FreeValue(context, function);
  return out;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fputs("usage: alknet-webc OUT SCRIPT.js...\n", stderr);
    return 2;
  }
  JSRuntime* const runtime = JS_NewRuntime();
  JSContext* const context = JS_NewContext(runtime);
  const std::string out = arguments[1];
  std::ofstream data(out + ".bin", std::ios::binary);
  std::ofstream table(out + ".inc");
  std::size_t offset = 0;
  bool ok = true;
  for (int i = 2; i < count; ++i) {
    const std::filesystem::path path = arguments[i];
    std::ifstream file(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::string bytecode = compile(context, wrapped(text), path.filename().string());
    ok = ok && !text.empty() && !bytecode.empty();
    data << bytecode;
    table << fmt::format("    {{\"{}\", {{alknet_web_scripts + {}, {}}}}},\n", path.stem().string(), offset,
                         bytecode.size());
    offset += bytecode.size();
  }
  JS_FreeContext(context);
  JS_FreeRuntime(runtime);
  data.close();
  table.close();
  return ok && data && table ? 0 : 1;
}
