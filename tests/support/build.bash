# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables are for the tests
# For tests of the build itself: a build of their own, of a copy of the sources. It is configured
# once a file, and nothing is ever compiled in it.

top=$(realpath "$BATS_TEST_DIRNAME/..")
copy=$BATS_FILE_TMPDIR/copy
build=$BATS_FILE_TMPDIR/build

# The sources, as a test may change them.
copy_sources() {
    rm -rf "$copy"
    mkdir "$copy"
    cp -R --no-preserve=mode "$top"/{.ci,CMakeLists.txt,README.md,lib,man,packaging,tests,tools} "$copy"
    chmod +x "$copy/.ci/sources"
}

configure_copy() {
    copy_sources
    cmake -G Ninja -S "$copy" -B "$build"
}

# As if it had made the tools and completions that are tested.
take_build() {
    cp -R "$IPCTOOLS_BIN" "$IPCTOOLS_BIN/../completions" "$build"
}
