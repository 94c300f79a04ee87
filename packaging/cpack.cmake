# SPDX-License-Identifier: MIT
# What `make package` makes of an installation: a .deb, or an .rpm. Its prefix is always /usr.

set(IPCTOOLS_MAINTAINER "ipctools maintainers <maintainers@ipctools.invalid>" CACHE STRING
    "Who answers for the packages that are built here")

set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_PACKAGE_VENDOR "ipctools")
set(CPACK_PACKAGE_CONTACT "${IPCTOOLS_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_FILE "${CMAKE_CURRENT_LIST_DIR}/description")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Everything, but named as a component: the manifest of `make install` stays what it was.
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};ipctools;Unspecified;/")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/stage.cmake")
set(CPACK_IPCTOOLS_MANDIR "${CMAKE_INSTALL_MANDIR}")
set(CPACK_IPCTOOLS_DOCDIR "${CMAKE_INSTALL_DOCDIR}")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE MIT)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none")
# These directories belong to others.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION "")
foreach(dir "${CMAKE_INSTALL_MANDIR}/man1" "${CMAKE_INSTALL_MANDIR}/man7" "${IPCTOOLS_BASH_DIR}"
            "${IPCTOOLS_ZSH_DIR}" "${IPCTOOLS_FISH_DIR}")
  cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY /usr)
  while(NOT dir MATCHES "^(/usr)?/?$")
    list(APPEND CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION "${dir}")
    cmake_path(GET dir PARENT_PATH dir)
  endwhile()
endforeach()

include(CPack)
