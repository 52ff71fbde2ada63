#pragma once

#include <cstddef>

/// The one function of the shared library alknet_glsl, which holds shaderc: large and rarely used, so it is loaded when
/// GLSL is first met.
extern "C" {

/// Compiles GLSL for Vulkan 1.0 and calls `take` once, before it returns, with the bytes of SPIR-V (result 1) or the
/// compiler's messages (result 0); -1 when there is no memory, without a call. Thread-safe.
__attribute__((visibility("default"))) int alknet_compile_glsl(
    const char* code, std::size_t size, const char* name, const char* entry,
    void (*take)(void* target, const char* data, std::size_t bytes), void* target);
}
