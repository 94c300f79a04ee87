#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tests/fuzz/run, with scripts in place of what clang builds.

# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2154 # from lib.bash

load support/lib.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    mkdir bin tmp
    export FUZZ_BIN=$PWD/bin TMPDIR=$PWD/tmp
    unset FUZZ_CORPUS
    fuzz=$BATS_TEST_DIRNAME/fuzz/run
}

# target NAME SCRIPT: what runs as this target. ${artifacts} is where it puts the inputs that fail.
target() {
    {
        echo '#!/bin/bash'
        echo 'for argument; do case $argument in -artifact_prefix=*) artifacts=${argument#*=};; esac; done'
        echo "$2"
    } >"bin/$1"
    chmod +x "bin/$1"
}

# What libFuzzer says at the end.
figures='echo "#9 DONE   cov: 12 ft: 34 corp: 5/67b lim: 89 exec/s: 0 rss: 40Mb"
echo "stat::number_of_executed_units: 1234"'

@test "a table of the targets, and how many passed" {
    target json "$figures"
    target size "$figures"
    run_tool 0 "$fuzz" --jobs 1 json size
    assert_line --index 0 --regexp '^TARGET +RUNS +CORPUS +COVERAGE +RESULT$'
    assert_line --index 1 --regexp '^json +1234 +5 +12 +passed$'
    assert_line --index 2 --regexp '^size +1234 +5 +12 +passed$'
    assert_line --index 3 '2 passed, 0 failed'
    assert_equal "${#lines[@]}" 4
    assert_no_stderr
    [ -z "$(ls -A tmp)" ]
}

@test "a failure: why, and how to replay the input, which is kept" {
    target json 'echo bad >"${artifacts}crash-1"; echo "does not hold: this" >&2; exit 77'
    target size "$figures"
    run_tool 1 "$fuzz" json size
    assert_line --regexp '^json .* FAILED$'
    assert_line 'does not hold: this'
    assert_line --regexp '^size .* passed$'
    assert_line --index -1 '1 passed, 1 failed'
    local replay
    replay=$(sed -n 's/^replay: //p' <<<"$output")
    [ "${replay% *}" = "$FUZZ_BIN/json" ]
    [ "$(cat "${replay#* }")" = bad ]
}

@test "a target that was not built, or only says its status, failed" {
    target json 'exit 3'
    run_tool 1 "$fuzz" --jobs 1 json size
    assert_line 'status 3'
    assert_line --regexp '^size .* FAILED$'
    assert_line --index -1 '0 passed, 2 failed'
}

@test "all targets by default: those that have a source" {
    local source name count=0
    for source in "$BATS_TEST_DIRNAME"/fuzz/*.cpp; do
        name=$(basename "$source" .cpp)
        target "$name" "$figures"
        [ -n "$(ls "$BATS_TEST_DIRNAME/fuzz/corpus/$name")" ]
        ((++count))
    done
    run_tool 0 "$fuzz"
    assert_line --index -1 "$count passed, 0 failed"
}

@test "each gets its share of the time, and a most of runs" {
    target json 'printf "%s\n" "$@" >>arguments'
    target size ''
    run_tool 0 "$fuzz" --seconds 61 --runs 7 --seed 5 json size
    grep -qx -- -max_total_time=30 arguments
    grep -qx -- -runs=7 arguments
    grep -qx -- -seed=5 arguments
    rm arguments
    # None would be for ever.
    run_tool 0 "$fuzz" --seconds 1 json size
    grep -qx -- -max_total_time=1 arguments
}

@test "what is found goes anywhere but to the seeds" {
    target json 'printf "%s\n" "${@: -2}" >corpora; echo new >"${@: -2:1}/input"'
    run_tool 0 "$fuzz" json
    mapfile -t lines <corpora
    [[ ${lines[0]} == "$TMPDIR"/* ]]
    [ "${lines[1]}" = "$(realpath "$BATS_TEST_DIRNAME/fuzz/corpus/json")" ]
    [ -z "$(ls -A tmp)" ]
    FUZZ_CORPUS=kept run_tool 0 "$fuzz" json
    [ "$(cat kept/json/input)" = new ]
    [ -z "$(ls -A tmp)" ]
}

@test "--jobs: no more than so many at a time" {
    local name
    mkfifo go
    for name in json size text; do
        target $name "echo begin >>log; read -r <go; echo end >>log"
    done
    spawn fuzz "$fuzz" --jobs 1 json size text
    for name in 1 3 5; do
        wait_until has_lines log $name
        echo >go
    done
    wait_exit fuzz 0
    [ "$(tr '\n' ' ' <log)" = 'begin end begin end begin end ' ]
}
has_lines() { [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "a signal ends it with what it started, and keeps what failed before" {
    local signal status_of left
    target size 'touch started; exec sleep infinity'
    for signal in INT TERM; do
        status_of=$((128 + $(kill -l $signal)))
        target json 'exit 0'
        spawn fuzz "$fuzz" --jobs 1 json size
        wait_until test -e started
        kill -s "$signal" "${pid[fuzz]}"
        wait_exit fuzz "$status_of"
        [ -z "$(ls -A tmp)" ]
        rm started
    done
    target json 'echo bad >"${artifacts}crash-1"; exit 77'
    spawn fuzz "$fuzz" --jobs 1 json size
    wait_until test -e started
    kill -s TERM "${pid[fuzz]}"
    wait_exit fuzz 143
    left=(tmp/*/json/crash-1)
    [ -e "${left[0]}" ]
}

@test "misuse, and nothing built" {
    local misuse
    for misuse in '--seconds' '--seconds 0' '--seconds x' '--jobs -1' '--other 1' 'nothing'; do
        # shellcheck disable=SC2086 # words
        run_tool 2 "$fuzz" $misuse
        assert_output ''
        [ "${#stderr_lines[@]}" -eq 1 ]
    done
    FUZZ_BIN=$PWD/none run_tool 77 "$fuzz"
    assert_output ''
    [[ $stderr == *skipped:*"$PWD/none"* ]]
}
