#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A little of `make soak`, and whether it would notice.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2016 # scripts for later

load support/lib.bash

setup() { made_queues+=(/soak key:0x736f616b); }

soak() { "$BATS_TEST_DIRNAME/soak/messages" --messages 40000 --processes 2 --seed 1 "$@" 3>&-; }

# stand_in TOOL: a script from stdin is run in the place of $real.
stand_in() {
    local bin=$BATS_TEST_TMPDIR/tools
    mkdir "$bin"
    { echo '#!/bin/bash' && echo "real=$(command -v "$1")" && cat; } >"$bin/$1"
    chmod +x "$bin/$1"
    PATH=$bin:$PATH
}

@test "processes that are stopped, continued and terminated lose and double nothing" {
    run soak --messages 400000
    assert_success
    assert_line '400000 passed, 0 failed'
}

@test "the soak notices what is lost" {
    stand_in mqsend <<<'read -r _; exec "$real" "$@"'
    run soak
    assert_failure 1
    assert_line --regexp '^FAILED: [1-9][0-9]* lost, the first: 0$'
    assert_line --regexp '^[0-9]+ passed, [1-9][0-9]* failed$'
}

@test "the soak notices what is doubled" {
    stand_in mqsend <<<'"$real" "$@" 7 && exec "$real" "$@"'
    run soak
    assert_failure 1
    assert_line 'FAILED: 1 doubled'
}

@test "the soak gives up in time" {
    stand_in mqreceive <<<'exec tail -f /dev/null'
    run soak --seconds 1
    assert_failure 1
    assert_line 'FAILED: not done after 1 s'
}

@test "streams whose writer or reader is killed: the other says so at once, no wrong byte" {
    run "$BATS_TEST_DIRNAME/soak/streams" --kills 60 --size 268435456 --seed 1 3>&-
    assert_success
    assert_line '61 passed, 0 failed'
}

@test "the soak of streams notices a wrong byte" {
    stand_in shmpipe <<<'[ "$1" = -R ] || exec "$real" "$@"; "$real" "$@" | tr a b'
    run "$BATS_TEST_DIRNAME/soak/streams" --kills 1 --size 8388608 --seed 1 3>&-
    assert_failure 1
    assert_line --partial 'FAILED'
}
