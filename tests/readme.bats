#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a newcomer meets first: the sessions in the README, and the demo.

# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# shellcheck disable=SC2154 # from lib.bash

load support/lib.bash
load support/session.bash

setup() {
    top=$(realpath "$BATS_TEST_DIRNAME/..")
    cd "$BATS_TEST_TMPDIR" || return
}

# ---- The README ----

# Writes the README's sessions into session.1, session.2 and so on, as they are printed.
extract_sessions() {
    awk '
        /^```$/ { inside = 0 }
        inside { print > ("session." number) }
        /^```console$/ { inside = 1; number++ }' "$top/README.md"
}

@test "the README's sessions run as they are printed" {
    extract_sessions
    local session count=0
    for session in session.*; do
        run_session "$session"
        diff "$session" "$session.actual" || fail "the README and the tools differ in $session"
        remove_all_queues
        remove_all_semaphores
        remove_all_memory
        count=$((count + 1))
    done
    [ "$count" -ge 5 ]
    [ "$(cat session.? session.?? | grep -c '^\$ ')" -ge 20 ]
}

@test "the README's sessions use every tool" {
    local tool
    extract_sessions
    while read -r tool _; do
        script_of <(cat session.*) | grep -qw "$tool" || fail "$tool is in no session"
    done <"$IPCTOOLS_BIN/../tools.list"
}

@test "the README names targets that the Makefile has" {
    local target count=0
    while read -r target; do
        count=$((count + 1))
        grep -q "^$target:.*##" "$top/Makefile" || fail "make $target does not exist"
    done < <(grep -Eo '(^    |`)make [a-z-]+' "$top/README.md" | sed 's/.*make //' | sort -u)
    [ "$count" -ge 5 ]
}

# ---- The demo ----

# run_demo STATUS COMMAND...: with a TMPDIR of its own, so that what it leaves there is seen.
run_demo() {
    mkdir -p temporary
    TMPDIR=$PWD/temporary run_tool "$@"
    assert_nothing_left
}

assert_nothing_left() {
    assert_no_queues
    [ -z "$(ls -A /dev/shm)" ] || fail "left: $(ls -A /dev/shm)"
    [ -z "$(ls -A temporary)" ] || fail "left: $(ls -A temporary)"
}

# replace_tool TOOL SCRIPT: makes the directory tools, in which this one is a script.
replace_tool() {
    mkdir tools
    ln -s "$IPCTOOLS_BIN"/{mq*,sem*} tools/
    rm "tools/$1"
    printf "%s\n" "#!/bin/bash" "$2" >"tools/$1"
    chmod +x "tools/$1"
}

@test "the demo shows every tool at work" {
    local tool
    run_demo 0 "$top/tests/support/demo" "$IPCTOOLS_BIN"
    assert_no_stderr
    while read -r tool _; do
        grep -Eq "^(\\$|   ) .*\b$tool " <<<"$output" || fail "$tool is not shown"
    done <"$IPCTOOLS_BIN/../tools.list"
    assert_output --partial $'9\tput out the fire\n5\tfeed the cat\n1\tsweep the floor\n'
    assert_line 'all there, all intact'
    run ! grep -E '.{81}' <<<"$output"
}

@test "the demo works without /dev/mqueue" {
    requires mount
    mkdir temporary
    TMPDIR=$PWD/temporary run -0 without_mqueue "$top/tests/support/demo" "$IPCTOOLS_BIN"
    assert_nothing_left
}

@test "the demo works where little is set" {
    run_demo 0 env -i PATH="/usr/bin:/bin" "$top/tests/support/demo" "$IPCTOOLS_BIN" <&-
}

@test "two demos do not disturb each other" {
    mkdir temporary
    export TMPDIR=$PWD/temporary
    spawn one "$top/tests/support/demo" "$IPCTOOLS_BIN"
    spawn two "$top/tests/support/demo" "$IPCTOOLS_BIN"
    wait_exit one 0
    wait_exit two 0
    assert_nothing_left
}

@test "the demo fails, and leaves nothing, when a message is lost" {
    replace_tool mqreceive '[ "$1" = -f ] || exec "$IPCTOOLS_BIN/mqreceive" "$@"
"$IPCTOOLS_BIN/mqreceive" "$@" | sed 2d'
    run_demo 1 "$top/tests/support/demo" tools
    refute_line 'all there, all intact'
    [[ $stderr == *'that went wrong'* ]]
}

@test "the demo fails, and leaves nothing, when a tool does" {
    replace_tool mqnotify 'exit 2'
    run_demo 1 "$top/tests/support/demo" tools
    [[ $stderr == *'that went wrong'* ]]
}

@test "Ctrl-C in the demo leaves nothing" {
    replace_tool mqnotify 'echo "$BASHPID" >"$BATS_TEST_TMPDIR/started"; exec sleep 1000'
    mkdir temporary
    export TMPDIR=$PWD/temporary
    spawn demo setsid "$top/tests/support/demo" tools
    wait_until test -s started
    wait_blocked demo
    # As the terminal does it: to all of them. What runs in the background ignores it.
    kill -INT -- "-${pid[demo]}"
    wait_exit demo 130
    assert_nothing_left
    run ! kill -0 "$(cat started)"
}
