# Language level, warnings, sanitizers and ccache for every target of this project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(ALKNET_CCACHE ccache)
if(ALKNET_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${ALKNET_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ALKNET_CCACHE})
endif()

add_library(alknet_options INTERFACE)
target_include_directories(alknet_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(alknet_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow
  # GCC 12 sees overlapping copies in std::string operator+ where there are none (its bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # Local types are in included files when several sources are compiled at a time.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wno-subobject-linkage> $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)

# The build type of the presets asan and tsan: quick to compile, readable stacks, assertions on.
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")
if(ALKNET_SANITIZE)
  add_compile_options(-fsanitize=${ALKNET_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ALKNET_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fno-sanitize=function)  # clang 14 cannot assemble coroutines with it
  endif()
endif()
if(ALKNET_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link) # the layers count coverage, which steers the fuzzers
endif()
