# Sources are compiled several at a time (CMAKE_UNITY_BUILD in the presets), which takes a fifth of the time. SEPARATE
# names those among them whose local names are also another file's: they are compiled alone.

# alknet_layer(NAME SOURCES ... [SEPARATE ...] [PUBLIC targets...] [PRIVATE targets...])
#   The static library alknet_NAME of one folder under alknet/. PUBLIC and PRIVATE are link targets as in CMake.
function(alknet_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;SEPARATE;PUBLIC;PRIVATE" ${ARGN})
  if(ARG_SEPARATE)
    set_source_files_properties(${ARG_SEPARATE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  add_library(alknet_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(alknet_${name} PUBLIC alknet_options ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# alknet_tests(NAME SOURCES ... [SEPARATE ...] [LINK targets...])
#   The GoogleTest program alknet_NAME_test, registered with ctest as NAME; built only with ALKNET_BUILD_TESTS.
#   It finds the checkout through the macro ALKNET_SOURCE_DIR.
function(alknet_tests name)
  if(NOT ALKNET_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;SEPARATE;LINK" ${ARGN})
  if(ARG_SEPARATE)
    set_source_files_properties(${ARG_SEPARATE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  add_executable(alknet_${name}_test ${ARG_SOURCES})
  target_link_libraries(alknet_${name}_test PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(alknet_${name}_test PRIVATE ALKNET_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND alknet_${name}_test)
  alknet_report_cases(${name})
endfunction()

# alknet_tests_with_wgpu(NAME)
#   The tests of alknet_tests(NAME) once more, on the WebGPU provider wgpu; they skip with the reason where it is absent.
function(alknet_tests_with_wgpu name)
  if(NOT ALKNET_BUILD_TESTS)
    return()
  endif()
  add_test(NAME ${name}_wgpu COMMAND alknet_${name}_test)
  alknet_report_cases(${name}_wgpu)
  set_property(TEST ${name}_wgpu APPEND PROPERTY ENVIRONMENT "ALKNET_WEBGPU=wgpu")
endfunction()

# alknet_report_cases(NAME)
#   The GoogleTest program behind the test NAME writes its cases to test-results/NAME.xml, where bin/test counts them. It
#   leaves the user's cache of GPU kernels alone.
function(alknet_report_cases name)
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "GTEST_OUTPUT=xml:${PROJECT_BINARY_DIR}/test-results/${name}.xml;ALKNET_PIPELINE_CACHE=off" TIMEOUT 900)
endfunction()

# alknet_fuzzer(NAME SOURCES ... [LINK targets...])
#   The libFuzzer program fuzz/fuzz_NAME in the build folder, with its seeds in fuzz/seeds/NAME of the checkout; built only
#   with ALKNET_BUILD_FUZZERS (clang). The target `fuzzers` builds them all.
function(alknet_fuzzer name)
  if(NOT ALKNET_BUILD_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/fuzz/options.cc)
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LINK})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers fuzz_${name})
endfunction()
