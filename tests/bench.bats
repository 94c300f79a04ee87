#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The benchmarks: what their rows say, with commands that take no time. No time is judged here.

# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2154 # from lib.bash

load support/lib.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    export TMPDIR=$PWD BENCH_ROUNDS=3 BENCH_STARTS=2 BENCH_LINES=200 BENCH_DEPTH=10
    bench=$BATS_TEST_DIRNAME/bench
    printf 'label\tinstructions\tbuilt_with\n' >baseline
}

# measure [ARGUMENT]... <TABLE: with figures in the file tsv.
measure() {
    cat >table
    run_tool 0 "$bench/run" -t "$PWD/table" -b "$PWD/baseline" -o "$PWD/tsv" "$@"
    assert_no_stderr
}

# column NAME LABEL: of that row.
column() {
    awk -F '\t' -v name="$1" -v label="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) number[$i] = i }
        $1 == label { print $number[name] }' tsv
}

# Stands in for a valgrind that counts this many instructions.
fake_valgrind() {
    mkdir -p bin
    printf '#!/bin/sh\n[ "$1" = --version ] && echo fake-1 || echo "==1== Collected : %s" >&2\n' \
        "$1" >bin/valgrind
    chmod +x bin/valgrind
    PATH=$PWD/bin:$PATH
}

@test "a row has the figures of both, the ratio of their medians, and its bound" {
    measure <<'TABLE'
start - 1000000 'start' true true
pair - 1000000 'pair' 'echo same' 'printf "same\n"'
TABLE
    awk -F '\t' '
        NF != 11 { exit 1 }
        NR > 1 && !($3 > 0 && $3 <= $4 && $4 <= $5 && $6 > 0 && $6 <= $7 && $7 <= $8 &&
            $9 == sprintf("%.3f", $4 / $7) && $10 == 1000000 && $11 == "") { exit 1 }
        END { if (NR != 3) exit 1 }' tsv || fail "$(<tsv)"
    assert_equal "$(column unit start) $(column unit pair)" 'ms s'
    local label
    for label in start pair; do
        assert_line --regexp "^$label .* $(column ratio "$label") 1000000 *$"
    done
    assert_line '2 rows: 0 over their bounds, 0 not compared'
    assert_line "$PWD/tsv"
}

@test "a bound that is missed is marked, and no failure" {
    measure <<'TABLE'
start - 0 'start' true true
peak 1 'memory' /dev/null true true
TABLE
    assert_equal "$(column note start)" over
    assert_equal "$(column note memory)" over
    assert_line --regexp '^start .* 0 *over$'
    assert_line '2 rows: 2 over their bounds, 0 not compared'
}

@test "what cannot be measured is said, and the next is measured" {
    measure <<'TABLE'
pair 'sh no-such-peer' 1 'peer' true true
pair - 1 'status' true 'exit 3'
pair - 1 'pipe' 'false | cat' 'true | cat'
pair - 1 'output' 'echo a' 'echo b'
start - 1 'program' ./no-such-program true
pair - 1000000 'next' true true
TABLE
    assert_equal "$(column note peer)" 'missing: no-such-peer'
    assert_equal "$(column note status)" 'failed: ended with status 3'
    assert_equal "$(column note pipe)" 'failed: ended with status 1'
    assert_equal "$(column note output)" 'failed: not the same output'
    assert_equal "$(column note program)" \
        'failed: measure: ./no-such-program: cannot start: No such file or directory'
    assert_equal "$(column note next)" ''
    assert_line '6 rows: 0 over their bounds, 5 not compared'
}

@test "where no queue can be made, no row has figures for one" {
    mkdir bin
    printf '#!/bin/sh\necho "mqctl: cannot" >&2\nexit 2\n' >bin/mqctl
    chmod +x bin/mqctl
    run_tool 0 env PATH="$PWD/bin:$PATH" "$bench/run" -b "$PWD/baseline" -o "$PWD/tsv" '*seq|*'
    awk -F '\t' 'NR > 1 && $1 ~ /mqreceive/ { ++rows; if ($6 != "" || $3 != "") exit 1 }
        END { exit rows < 3 }' tsv || fail "$(cat tsv)"
}

@test "a pattern chooses rows" {
    measure 'a*' <<'TABLE'
pair - 1000000 'ab' true true
pair no-such-peer 1 'ba' true true
TABLE
    assert_line --regexp '^ab '
    refute_line --regexp '^ba '
}

@test "instructions are compared with those of the same compiler; 2 % more is marked" {
    local job='count job true </dev/null'
    fake_valgrind 1000
    measure -r <<<"$job"
    assert_equal "$(column note 'job : baseline')" 'no baseline'
    fake_valgrind 1020
    measure <<<"$job"
    assert_equal "$(column ratio 'job : baseline') $(column note 'job : baseline')" '1.020 '
    fake_valgrind 1021
    measure <<<"$job"
    assert_equal "$(column ratio 'job : baseline') $(column note 'job : baseline')" '1.021 over'

    # Another's: it is not compared with, and stays.
    sed -i 's/fake-1/fake-0/' baseline
    measure <<<"$job"
    assert_equal "$(column note 'job : baseline')" 'no baseline'
    measure -r <<<"$job"
    measure -r <<<"$job"
    assert_equal "$(cut -f 1,2 baseline)" $'label\tinstructions\njob\t1000\njob\t1021'
}

@test "instructions of a command that fails are none, and the baseline stays" {
    local job='count job true </dev/null'
    fake_valgrind 1000
    measure -r <<<"$job"
    cp baseline before
    echo 'exit 3' >>bin/valgrind
    measure <<<"$job"
    assert_equal "$(column note 'job : baseline')" 'failed: true: ended with status 3'
    run_tool 1 "$bench/run" -r -t "$PWD/table" -b "$PWD/baseline"
    [ "$stderr" = "bench: $PWD/baseline is left as it was" ]
    assert_same before baseline
}

@test "the instructions of a start repeat, whatever the environment" {
    requires valgrind release
    local now before=
    for _ in 1 2 3; do
        long=$(printf "%$((RANDOM % 2000))s") measure <<<'count job mqctl --version </dev/null'
        now=$(column a_median 'job : baseline')
        [ "$now" -gt 1000 ]
        assert_equal "${before:-$now}" "$now"
        before=$now
    done
}

@test "each tool's start is measured, and has a baseline" {
    local tool
    while read -r tool _; do
        grep -q "^starts $tool " "$bench/table.bash" || fail "$tool has no row"
        grep -q "^$tool --version"$'\t' "$bench/instructions.tsv" || fail "$tool has no baseline"
    done <"$IPCTOOLS_BIN/../tools.list"
}

@test "every row can be measured where its peers are" {
    requires release
    PATIENCE=1200 BENCH_ROUNDS=1 measure <"$bench/table.bash"
    awk -F '\t' '$11 ~ /^failed/ { exit 1 }' tsv || fail "$output"
}
