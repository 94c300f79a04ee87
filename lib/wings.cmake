# SPDX-License-Identifier: MIT
# The library: a wing is a folder of lib/ and a target, ipctools_NAME. This list has their order and
# which others each stands on; `.ci/wings` holds the includes and CONTRIBUTING.md to it.

# ipctools_add_wing(NAME [USES WING...]): all of lib/NAME, over wings that were added before.
function(ipctools_add_wing name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES")
  file(GLOB sources CONFIGURE_DEPENDS "lib/${name}/*.cpp")
  add_library(ipctools_${name} STATIC ${sources})
  target_link_libraries(ipctools_${name} PUBLIC ipctools_settings)
  # Reading these again and again would be most of the time that a build takes.
  if(name STREQUAL "base")
    target_precompile_headers(ipctools_base PRIVATE
      <algorithm> <cerrno> <cstdint> <functional> <optional> <span> <string> <utility> <vector>)
  else()
    target_precompile_headers(ipctools_${name} REUSE_FROM ipctools_base)
  endif()
  foreach(used IN LISTS arg_USES)
    if(NOT TARGET ipctools_${used})
      message(FATAL_ERROR "the wing ${name} uses ${used}, which does not come before it")
    endif()
    target_link_libraries(ipctools_${name} PUBLIC ipctools_${used})
  endforeach()
endfunction()

ipctools_add_wing(base)
ipctools_add_wing(object USES base)
ipctools_add_wing(record USES base)
ipctools_add_wing(process USES base object)
ipctools_add_wing(tool USES base object)
ipctools_add_wing(sync USES base)
ipctools_add_wing(queue USES base object record process tool)
ipctools_add_wing(memory USES base object tool)
ipctools_add_wing(semaphore USES base object tool)
ipctools_add_wing(signal USES base process tool)
ipctools_add_wing(fifo USES base object tool)
ipctools_add_wing(ring USES base object tool sync memory)
ipctools_add_wing(inventory USES base object process tool queue semaphore signal)
ipctools_add_wing(report USES base object record process tool inventory)

target_include_directories(ipctools_base SYSTEM PRIVATE "${RAPIDJSON_INCLUDE_DIR}") # for json.cpp
if(IPCTOOLS_COVERAGE)
  target_sources(ipctools_base PRIVATE tests/coverage/write_counts.cpp)
endif()
