#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The build: what configuring insists on, installing and uninstalling, what make and CI call.

# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2154 # from lib.bash

load support/lib.bash
load support/build.bash

setup_file() {
    take_census
    configure_copy
}

setup() {
    copy_sources
    cd "$BATS_TEST_TMPDIR" || return
}

# ---- Configuring ----

can_configure() {
    run cmake "$build"
    assert_success
}

# cannot_configure WHY: the lines of the message are cmake's.
cannot_configure() {
    run -1 cmake "$build"
    output=$(tr -s ' \n' ' ' <<<"$output")
    assert_output --partial " $1 "
}

# edit FILE SED_SCRIPT: in the copy; the script must change something.
edit() {
    cp "$copy/$1" unedited
    sed -i "$2" "$copy/$1"
    run ! cmp -s unedited "$copy/$1"
}

@test "a tool has a source, a page and a bats file" {
    local file
    for file in tools/mqctl.cpp man/mqctl.1 tests/mqctl.bats; do
        mv "$copy/$file" aside
        cannot_configure "mqctl is registered, but $file is missing"
        mv aside "$copy/$file"
        can_configure
    done
}

@test "a tool has a row in the README" {
    edit README.md '/^| `mqctl` /d'
    cannot_configure 'mqctl is registered, but README.md has no row "| `mqctl` |"'
    mv unedited "$copy/README.md"
    can_configure
}

@test "a tool's libraries are targets" {
    local libraries='LIBRARIES ipctools_settings PkgConfig::some'
    edit CMakeLists.txt "s/^ipctools_add_tool(mqctl queue /&$libraries /"
    cannot_configure 'mqctl needs the library PkgConfig::some, which is not a target'
    edit CMakeLists.txt \
        's/^ipctools_add_tool(mqsend/add_library(PkgConfig::some INTERFACE IMPORTED)\n&/'
    can_configure
}

@test "a tool is over a wing of the library, and a wing over those before it" {
    edit CMakeLists.txt 's/^ipctools_add_tool(mqctl queue/ipctools_add_tool(mqctl queues/'
    cannot_configure 'mqctl is over the wing queues, which the library does not have'
    mv unedited "$copy/CMakeLists.txt"
    edit lib/wings.cmake 's/^ipctools_add_wing(record USES base/& tool/'
    cannot_configure 'the wing record uses tool, which does not come before it'
}

@test "a tool is registered with known words only" {
    edit CMakeLists.txt 's/^ipctools_add_tool(mqctl .*)/ipctools_add_tool(mqctl queue LIBRARY some)/'
    cannot_configure 'mqctl: what is LIBRARY;some?'
}

@test "a fuzz target has seeds" {
    requires clang++
    local configure=(cmake -G Ninja -S "$copy" -B fuzz -DCMAKE_CXX_COMPILER=clang++
        -DIPCTOOLS_FUZZ=ON -DIPCTOOLS_SANITIZE=ON -DIPCTOOLS_STATIC=OFF)
    rm -r "$copy/tests/fuzz/corpus/json"
    run -1 "${configure[@]}"
    output=$(tr -s ' \n' ' ' <<<"$output")
    assert_output --partial ' tests/fuzz/json.cpp has no seeds in tests/fuzz/corpus/json '
    mkdir "$copy/tests/fuzz/corpus/json"
    run -1 "${configure[@]}"
    touch "$copy/tests/fuzz/corpus/json/seed"
    run -0 "${configure[@]}"
}

@test "fuzzing needs clang and the sanitizers" {
    run -1 cmake -DIPCTOOLS_FUZZ=ON "$build"
    output=$(tr -s ' \n' ' ' <<<"$output")
    assert_output --partial ' fuzzing needs clang and the sanitizers: use the preset fuzz '
    run -0 cmake -DIPCTOOLS_FUZZ=OFF "$build"
}

# ---- Installing ----

# As make has them.
install_below() { DESTDIR=$1 run -0 cmake --install "$build" --prefix "$2"; }
uninstall_below() { DESTDIR=$1 run -0 "$top/.ci/uninstall" "$build"; }

# What is there, with modes and owners.
list() { find "$1" -printf '%M %u %p\n' | sort; }

@test "what is uninstalled leaves what was there before" {
    take_build
    mkdir -p root/usr/local/bin root/usr/local/share/man/man1
    touch root/usr/local/share/man/man1/other.1
    list root >before
    # The second time is an upgrade.
    for _ in 1 2; do
        install_below "$PWD/root" /usr/local
        local file
        for file in bin/mqctl share/man/man1/mqctl.1 share/man/man7/ipctools.7 \
            share/bash-completion/completions/mqctl share/zsh/site-functions/_mqctl \
            share/fish/vendor_completions.d/mqctl.fish \
            share/doc/ipctools/examples/systemd/jobs.socket; do
            [ -f "root/usr/local/$file" ] || fail "$file is not installed"
        done
    done
    uninstall_below "$PWD/root"
    list root | diff before -
}

@test "what is uninstalled leaves what was added since, and its directory" {
    take_build
    install_below '' "$PWD/two words"
    touch 'two words/share/zsh/site-functions/_other'
    uninstall_below ''
    run find 'two words' ! -type d
    assert_output 'two words/share/zsh/site-functions/_other'
    run find 'two words' -type d -empty
    assert_output ''
}

@test "what was not installed is not uninstalled" {
    rm -f "$build/install_manifest.txt"
    run -1 "$top/.ci/uninstall" "$build"
    assert_line --partial "$build/install_manifest.txt is missing: nothing was installed from here"
    assert_equal "${#lines[@]}" 1
}

# ---- What the build needs: .ci/deps, with fakes of all that it could call ----

# fake NAME SCRIPT
fake() {
    printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}

# fake_system UID [MISSING PACKAGE]...: what is called to install is noted in the file calls.
fake_system() {
    mkdir bin
    local tool
    for tool in awk cat env true; do
        ln -s "$(type -P "$tool")" bin
    done
    fake id "echo $1"
    fake dpkg-query "for package; do :; done
        case ' ${*:2} ' in *\" \$package \"*) exit 1 ;; esac
        echo installed"
    fake apt-get '[ -t 0 ] || could="could not "
        echo "$DEBIAN_FRONTEND, ${could}ask: apt-get $*" >>calls'
    # It keeps no more of the environment than this.
    fake sudo 'echo "sudo $*" >>calls
        exec env -i PATH="$PATH" "$@"'
    touch calls
}

# deps STATUS GROUP...
deps() {
    run --separate-stderr "-$1" env PATH="$PWD/bin" "$top/.ci/deps" "${@:2}"
}
deps_on_terminal() {
    run -0 on_terminal env -u DEBIAN_FRONTEND PATH="$PWD/bin" "$top/.ci/deps" "$@"
}

@test "deps: does nothing when all is there" {
    local uid
    fake_system 0 something-else
    for uid in 0 1000; do
        fake id "echo $uid"
        deps 0 build test lint
        assert_output ''
        assert_no_stderr
    done
    assert_same calls /dev/null
}

@test "deps: does nothing when what is missing is of another group" {
    fake_system 0 clang-tidy
    deps 0 build test
    assert_same calls /dev/null
}

@test "deps: root gets what is missing, and is asked nothing" {
    fake_system 0 zsh cmake mandoc
    deps_on_terminal build test lint
    assert_output 'Installing: cmake zsh mandoc'
    mapfile -t lines <calls
    assert_equal "${#lines[@]}" 2
    assert_line --index 0 --regexp '^noninteractive, could not ask: apt-get .*update$'
    assert_line --index 1 --regexp '^noninteractive, could not ask: apt-get .* cmake zsh mandoc$'
    assert_line --index 1 --regexp ' install -y '
}

@test "deps: what was removed but for its configuration is missing" {
    fake_system 0
    fake dpkg-query 'echo config-files'
    deps 0 lint
    assert_output --regexp '^Installing: .*shellcheck'
}

@test "deps: a user gets what is missing through sudo" {
    fake_system 1000 zsh
    deps_on_terminal test
    assert_output 'Installing: zsh'
    # What sudo runs comes after it.
    run sed -n '/^sudo .*apt-get/ { n; p }' calls
    assert_equal "${#lines[@]}" 2
    assert_line --index 0 --regexp '^noninteractive, could not ask: apt-get .*update$'
    assert_line --index 1 --regexp '^noninteractive, could not ask: apt-get .*install -y .* zsh$'
}

@test "deps: a user without sudo is told what is missing" {
    local told='deps: missing: cmake zsh; as root: apt-get install cmake zsh'
    fake_system 1000 cmake zsh
    fake sudo 'echo no >&2; exit 1'
    deps 1 build test
    [ "$stderr" = $'no\n'"$told" ]
    rm bin/sudo
    deps 1 build test
    assert_output ''
    [ "$stderr" = "$told" ]
    assert_same calls /dev/null
}

@test "deps: fails when apt-get does" {
    local fails
    fake_system 0 zsh
    for fails in update install; do
        fake apt-get "case \" \$* \" in *' $fails '*) exit 100 ;; esac"
        deps 100 test
    done
}

@test "deps: an unknown group" {
    fake_system 0 cmake
    deps 2 build tests
    assert_output ''
    [ "$stderr" = "deps: 'tests' is none of build, test, lint, package, bench, extra, coverage" ]
    assert_same calls /dev/null
}

# ---- make ----

@test "make help: a line for each target" {
    requires make
    local target
    run -0 env -u MAKEFLAGS -u MAKELEVEL make -C "$top" --no-print-directory help
    for target in all help deps demo check check-asan fuzz bench coverage package package-check \
        lint tidy format install uninstall; do
        assert_line --regexp "^  $target +[^ ]"
    done
    [ "$(grep -c '^  [a-z]' <<<"$output")" -eq "$(grep -c '^[a-z-]*:.*##' "$top/Makefile")" ]
    assert_line --regexp '^Variables: PREFIX='
}
