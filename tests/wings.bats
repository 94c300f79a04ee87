#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The order of the wings of the library: .ci/wings finds what is against it, and our own keep it.
# shellcheck disable=SC2016,SC2154 # marks of Markdown; variables of bats

load support/lib.bash

setup() {
    top=$BATS_TEST_TMPDIR/top
    mkdir "$top"
    cp -R --no-preserve=mode "$BATS_TEST_DIRNAME/../lib" "$BATS_TEST_DIRNAME/../CONTRIBUTING.md" "$top"
}

wings() { "$BATS_TEST_DIRNAME/../.ci/wings" "$top"; }

# refuses LINE: it is the only one.
refuses() {
    run -1 wings
    assert_output "$1"
}

# include FILE HEADER: FILE begins with it.
include() { sed -i "1i #include \"$2\"" "$top/lib/$1"; }

@test "the wings keep their order" {
    run -0 wings
    assert_output ''
}

@test "a wing includes none that comes after it" {
    include base/text.cpp queue/posix.hpp
    refuses 'lib/base/text.cpp:1: base does not stand on queue'
}

@test "a wing includes none before it that it does not stand on" {
    include fifo/fan_in.hpp sync/robust_words.hpp
    refuses 'lib/fifo/fan_in.hpp:1: fifo does not stand on sync'
}

@test "a wing does not stand on one that comes after it, nor on one that it does not need" {
    sed -i 's/^ipctools_add_wing(record USES base/& tool/' "$top/lib/wings.cmake"
    sed -i 's/^| `record` | base |/| `record` | base tool |/' "$top/CONTRIBUTING.md"
    refuses 'lib/wings.cmake: record stands on tool, which does not come before it
lib/wings.cmake: record includes nothing of tool'
}

@test "an include carries its wing, and a wing is in the list" {
    include fifo/fan_in.cpp error.hpp
    refuses 'lib/fifo/fan_in.cpp:1: fifo names no wing here'
    mkdir "$top/lib/broker"
    echo '#include "base/error.hpp"' >"$top/lib/broker/window.hpp"
    include fifo/fan_in.cpp broker/window.hpp
    refuses 'lib/broker/window.hpp:1: broker does not stand on base
lib/fifo/fan_in.cpp:1: fifo does not stand on broker
lib/fifo/fan_in.cpp:2: fifo names no wing here'
}

@test "CONTRIBUTING shows the wings, in their order and with what they stand on" {
    local change
    for change in '/^| `signal` |/d' 's/^| `signal` | base /&queue /' \
        '/^| `signal` |/{h;d};/^| `fifo` |/G'; do
        cp --no-preserve=mode "$BATS_TEST_DIRNAME/../CONTRIBUTING.md" "$top"
        sed -i "$change" "$top/CONTRIBUTING.md"
        refuses 'CONTRIBUTING.md: the table of wings differs from lib/wings.cmake'
    done
}
