# SPDX-License-Identifier: MIT
# Run by cpack on the files to be packed: adds what only a package has, and compresses what Debian
# wants compressed.

set(usr "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr")
set(doc "${usr}/${CPACK_IPCTOOLS_DOCDIR}")
set(here "${CMAKE_CURRENT_LIST_DIR}")

file(COPY "${here}/copyright" "${here}/changelog" DESTINATION "${doc}" NO_SOURCE_PERMISSIONS)
if(CPACK_GENERATOR STREQUAL "DEB")
  file(COPY "${here}/lintian/ipctools" DESTINATION "${usr}/share/lintian/overrides"
       NO_SOURCE_PERMISSIONS)
endif()

file(GLOB pages "${usr}/${CPACK_IPCTOOLS_MANDIR}/man*/*")
execute_process(COMMAND gzip -9n ${pages} "${doc}/changelog" COMMAND_ERROR_IS_FATAL ANY)
