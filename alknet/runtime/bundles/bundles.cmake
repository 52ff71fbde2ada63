# Modules that are part of the program: esbuild makes one module of each entry of a package, alknet-jsc compiles them to
# bytecode, and the archive becomes data of alknet_bundles. esbuild is a program of its own: no Node is needed.
set(ALKNET_MODULES ${ALKNET_DEPS}/modules/node_modules)
set(ALKNET_ESBUILD ${ALKNET_MODULES}/@esbuild/linux-x64/bin/esbuild)
if(NOT EXISTS ${ALKNET_ESBUILD})
  message(FATAL_ERROR "${ALKNET_ESBUILD} is missing: run bin/setup first")
endif()

# What a package imports by these names stays an import, so that all packages share one copy.
set(ALKNET_SHARED_MODULES @alknet/* alknet:* @preact/signals-core @sinclair/typebox @sinclair/typebox/* @logtape/logtape)

# alknet_bundle(NAME ENTRIES entry=file... [SOURCES files...] [OPTIONS esbuild options...] [AFTERWARDS script])
#   Bundles a package. The entry `index` is imported as NAME, another entry as NAME/entry. SOURCES are the files that it is
#   made of. The CMake script AFTERWARDS changes the module index, FILE, when it is made. Appends NAME=FOLDER to ALKNET_BUNDLE_FOLDERS and a file to ALKNET_BUNDLE_STAMPS.
function(alknet_bundle name)
  cmake_parse_arguments(ARG "" "" "ENTRIES;SOURCES;OPTIONS;AFTERWARDS" ${ARGN})
  string(MAKE_C_IDENTIFIER ${name} folder)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/packages/${folder})
  set(afterwards true)
  if(ARG_AFTERWARDS)
    set(afterwards ${CMAKE_COMMAND} -DFILE=${folder}/index.js -P ${ARG_AFTERWARDS})
  endif()
  list(TRANSFORM ALKNET_SHARED_MODULES PREPEND "--external:" OUTPUT_VARIABLE externals)
  add_custom_command(OUTPUT ${folder}.stamp
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}
    COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=${ALKNET_MODULES} ${ALKNET_ESBUILD} ${ARG_ENTRIES} --outdir=${folder}
            --bundle --splitting --chunk-names=chunk-[hash] --format=esm --platform=neutral --main-fields=module,main
            --target=es2023 --jsx=automatic --jsx-import-source=@alknet/ujsx --log-level=warning ${externals} ${ARG_OPTIONS}
    COMMAND ${afterwards}
    COMMAND ${CMAKE_COMMAND} -E touch ${folder}.stamp
    DEPENDS ${ARG_SOURCES} ${ARG_AFTERWARDS} ${ALKNET_ESBUILD}
    COMMENT "Bundling ${name}" VERBATIM)
  set(ALKNET_BUNDLE_FOLDERS ${ALKNET_BUNDLE_FOLDERS} ${name}=${folder} PARENT_SCOPE)
  set(ALKNET_BUNDLE_STAMPS ${ALKNET_BUNDLE_STAMPS} ${folder}.stamp PARENT_SCOPE)
endfunction()

# alknet_bundle_package(FOLDER)
#   Bundles one of our own packages by the `exports` of its package.json, with a source map. The condition `alknet` of its
#   `imports` holds: it chooses files that use native modules.
function(alknet_bundle_package folder)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/package.json)
  file(READ ${folder}/package.json package)
  string(JSON name GET "${package}" name)
  string(JSON exports GET "${package}" exports)
  string(JSON count LENGTH "${exports}")
  math(EXPR last "${count} - 1")
  set(entries "")
  foreach(i RANGE ${last})
    string(JSON key MEMBER "${exports}" ${i})
    string(JSON file GET "${exports}" ${key})
    string(JSON type TYPE "${exports}" ${key})
    if(type STREQUAL "OBJECT")
      string(JSON file GET "${exports}" ${key} default)
    endif()
    if(key STREQUAL ".")
      set(key "./index")
    endif()
    string(SUBSTRING ${key} 2 -1 key)
    list(APPEND entries ${key}=${folder}/${file})
  endforeach()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/src/*.ts ${folder}/src/*.tsx)
  list(FILTER sources EXCLUDE REGEX "\\.test\\.tsx?$|/testing/")
  alknet_bundle(${name} ENTRIES ${entries} SOURCES ${sources} ${folder}/package.json
    OPTIONS --sourcemap=external --sources-content=false --conditions=alknet)
  set(ALKNET_BUNDLE_FOLDERS ${ALKNET_BUNDLE_FOLDERS} PARENT_SCOPE)
  set(ALKNET_BUNDLE_STAMPS ${ALKNET_BUNDLE_STAMPS} PARENT_SCOPE)
endfunction()
