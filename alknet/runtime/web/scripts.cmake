# The scripts of the web interfaces: esbuild makes one script of each group that loads together, alknet-webc compiles them
# to bytecode, and the result becomes data of alknet_runtime. A script is loaded when a global of it is first used; which
# those are stands in globals.cc.
set(web_groups blobs console crypto encoding events fetch images navigator performance report_error streams structured_clone timers
  url webidl websocket)

set(web_source ${CMAKE_CURRENT_SOURCE_DIR}/web)
set(web_binary ${CMAKE_CURRENT_BINARY_DIR}/web)
set(web_esbuild ${ALKNET_DEPS}/modules/node_modules/@esbuild/linux-x64/bin/esbuild)
set(web_entries ${web_groups})
list(TRANSFORM web_entries PREPEND ${web_source}/)
list(TRANSFORM web_entries APPEND .js)
set(web_bundled ${web_groups})
list(TRANSFORM web_bundled PREPEND ${web_binary}/bundled/)
list(TRANSFORM web_bundled APPEND .js)
file(GLOB web_sources CONFIGURE_DEPENDS ${web_source}/*.js)

add_custom_command(OUTPUT ${web_bundled}
  COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=${ALKNET_DEPS}/modules/node_modules ${web_esbuild} ${web_entries}
          --outdir=${web_binary}/bundled --bundle --format=cjs --platform=neutral --main-fields=module,main --target=esnext
          --keep-names --external:alknet:web --log-level=warning
  DEPENDS ${web_sources} ${web_esbuild}
  COMMENT "Bundling the web interfaces" VERBATIM)

add_executable(alknet-webc ${web_source}/compile_scripts.cc)
target_link_libraries(alknet-webc PRIVATE alknet_options dep_quickjs fmt::fmt)
set(ALKNET_WEB_SCRIPTS ${web_binary}/scripts)
add_custom_command(OUTPUT ${ALKNET_WEB_SCRIPTS}.bin ${ALKNET_WEB_SCRIPTS}.inc
  COMMAND alknet-webc ${ALKNET_WEB_SCRIPTS} ${web_bundled}
  DEPENDS alknet-webc ${web_bundled}
  COMMENT "Compiling the web interfaces" VERBATIM)
configure_file(${web_source}/scripts.cc.in ${web_binary}/scripts.cc @ONLY)
set_source_files_properties(${web_binary}/scripts.cc PROPERTIES
  OBJECT_DEPENDS "${ALKNET_WEB_SCRIPTS}.bin;${ALKNET_WEB_SCRIPTS}.inc" SKIP_UNITY_BUILD_INCLUSION ON)
