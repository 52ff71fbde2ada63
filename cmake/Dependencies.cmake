# Finds every third-party package once. bin/setup installs them: Debian 12's own with apt, the others under .deps/.
set(ALKNET_DEPS ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Where bin/setup unpacks packages that Debian 12 lacks")
if(NOT EXISTS ${ALKNET_DEPS}/root/usr/include/boost/json.hpp)
  message(FATAL_ERROR "${ALKNET_DEPS} lacks Boost 1.83: run bin/setup first")
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

# Boost 1.83, headers only.
add_library(dep_boost INTERFACE)
target_include_directories(dep_boost SYSTEM INTERFACE ${ALKNET_DEPS}/root/usr/include)
target_compile_definitions(dep_boost INTERFACE BOOST_JSON_STANDALONE=0 BOOST_ALL_NO_LIB)

# Boost.Asio and Boost.Beast, compiled once in alknet/base/asio_library.cc and alknet/net/asio_net_library.cc.
add_library(dep_asio INTERFACE)
target_link_libraries(dep_asio INTERFACE dep_boost Threads::Threads)
target_compile_definitions(dep_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_BEAST_SEPARATE_COMPILATION)

pkg_check_modules(dep_openssl REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(dep_gnutls REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(dep_zstd REQUIRED IMPORTED_TARGET libzstd)
find_package(yaml-cpp REQUIRED) # yaml-cpp

# ngtcp2 with its GnuTLS helper, as static libraries.
add_library(dep_ngtcp2 INTERFACE)
target_link_libraries(dep_ngtcp2 INTERFACE ${ALKNET_DEPS}/root/usr/lib/x86_64-linux-gnu/libngtcp2_crypto_gnutls.a
  ${ALKNET_DEPS}/root/usr/lib/x86_64-linux-gnu/libngtcp2.a PkgConfig::dep_gnutls)
target_include_directories(dep_ngtcp2 SYSTEM INTERFACE ${ALKNET_DEPS}/root/usr/include)

pkg_check_modules(dep_re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(dep_icu REQUIRED IMPORTED_TARGET icu-uc)
pkg_check_modules(dep_xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(dep_nettle REQUIRED IMPORTED_TARGET nettle)
pkg_check_modules(dep_zip REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(dep_zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(dep_seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(dep_hwy REQUIRED libhwy) # headers; alknet/compute/device_cpu/highway_library.cc loads the library
find_package(spdlog REQUIRED) # spdlog::spdlog
find_package(CLI11 REQUIRED)  # CLI11::CLI11

# libedit with what it needs, as static libraries: only one command edits lines, and all would load them.
add_library(dep_edit INTERFACE)
foreach(part edit tinfo bsd md)
  find_library(ALKNET_LIBRARY_${part} lib${part}.a REQUIRED)
  target_link_libraries(dep_edit INTERFACE ${ALKNET_LIBRARY_${part}})
endforeach()

# The standard webgpu.h; the provider's library is loaded at run time.
add_library(dep_webgpu_header INTERFACE)
target_include_directories(dep_webgpu_header SYSTEM INTERFACE ${ALKNET_DEPS}/webgpu/include)

# JavaScript: QuickJS-NG, compiled from its sources with what quickjs.patch says.
set(quickjs_sources ${ALKNET_DEPS}/source/usr/src/quickjs-ng)
set(quickjs_patch ${PROJECT_SOURCE_DIR}/cmake/quickjs.patch)
set(quickjs_patched ${PROJECT_BINARY_DIR}/quickjs/quickjs.c)
find_program(ALKNET_PATCH patch REQUIRED)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${quickjs_patch})
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/quickjs)
execute_process(
  COMMAND ${ALKNET_PATCH} --silent --fuzz=0 --output=${quickjs_patched}.new ${quickjs_sources}/quickjs.c ${quickjs_patch}
  RESULT_VARIABLE quickjs_result)
if(NOT quickjs_result EQUAL 0)
  message(FATAL_ERROR "${quickjs_patch} does not fit ${quickjs_sources}: make it anew for this version of QuickJS")
endif()
file(COPY_FILE ${quickjs_patched}.new ${quickjs_patched} ONLY_IF_DIFFERENT)
add_library(dep_quickjs STATIC ${quickjs_patched} ${quickjs_sources}/libregexp.c ${quickjs_sources}/libunicode.c
  ${quickjs_sources}/dtoa.c)
target_include_directories(dep_quickjs SYSTEM PUBLIC ${quickjs_sources})
target_compile_definitions(dep_quickjs PRIVATE _GNU_SOURCE)
target_compile_options(dep_quickjs PRIVATE -w)
if(ALKNET_SANITIZE MATCHES undefined)
  target_compile_options(dep_quickjs PRIVATE -fno-sanitize=undefined)
endif()
set_target_properties(dep_quickjs PROPERTIES C_STANDARD 11 C_EXTENSIONS ON UNITY_BUILD OFF)
target_link_libraries(dep_quickjs PUBLIC m Threads::Threads)

# URLs by the WHATWG's standard: Ada, compiled from its one source file.
add_library(dep_ada STATIC ${ALKNET_DEPS}/ada/ada.cpp)
target_include_directories(dep_ada SYSTEM PUBLIC ${ALKNET_DEPS}/ada)
target_compile_options(dep_ada PRIVATE -w)
set_target_properties(dep_ada PROPERTIES UNITY_BUILD OFF)

# PNG, JPEG and WebP, linked statically: scripts rarely need them, and every start would load them.
add_library(dep_images INTERFACE)
foreach(library png turbojpeg webp)
  find_library(ALKNET_LIBRARY_${library} lib${library}.a REQUIRED)
  target_link_libraries(dep_images INTERFACE ${ALKNET_LIBRARY_${library}})
endforeach()
target_link_libraries(dep_images INTERFACE PkgConfig::dep_zlib m Threads::Threads)

# shaderc compiles GLSL to SPIR-V. Debian's shared library lacks what it is made of, so its parts are linked statically.
add_library(dep_shaderc INTERFACE)
find_path(ALKNET_SHADERC_INCLUDE shaderc/shaderc.h REQUIRED)
target_include_directories(dep_shaderc SYSTEM INTERFACE ${ALKNET_SHADERC_INCLUDE})
foreach(part shaderc_combined glslang MachineIndependent GenericCodeGen SPIRV OSDependent OGLCompiler HLSL SPIRV-Tools-opt
    SPIRV-Tools)
  find_library(ALKNET_LIBRARY_${part} lib${part}.a REQUIRED)
  target_link_libraries(dep_shaderc INTERFACE ${ALKNET_LIBRARY_${part}})
endforeach()
target_link_libraries(dep_shaderc INTERFACE Threads::Threads)

# Mustache templates for the code generators: one header of libkainjow-mustache-dev.
find_path(ALKNET_MUSTACHE_INCLUDE kainjow/mustache.hpp REQUIRED)
add_library(dep_mustache INTERFACE)
target_include_directories(dep_mustache SYSTEM INTERFACE ${ALKNET_MUSTACHE_INCLUDE})

if(ALKNET_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
