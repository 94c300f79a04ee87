#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A sample of the sweep of `make faults`, and whether the sweep would notice.
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

sweep() { "$BATS_TEST_DIRNAME/faults/sweep" "$@" 3>&-; }

# can_sweep: it traces, in an IPC namespace of its own.
can_sweep() {
    requires strace
    unshare --ipc --mount true 2>/dev/null || unshare --user --ipc --mount true 2>/dev/null ||
        skip 'needs namespaces within namespaces'
}

@test "a sample of all faults: each tool copes with each kind" {
    can_sweep
    run sweep --sample
    assert_success
    refute_output --partial FAILED
    assert_output --regexp '[1-9][0-9]+ passed, 0 failed$'
    while read -r tool _; do
        assert_output --regexp "$tool +[1-9][0-9]+ "
    done <"$IPCTOOLS_BIN/../tools.list"
}

@test "the sweep finds what a careless tool does wrong, and how to see it again" {
    can_sweep
    local bin=$BATS_TEST_TMPDIR/tools
    mkdir "$bin"
    cc -o "$bin/mqreceive" "$BATS_TEST_DIRNAME/faults/careless.c"
    local journal=$BATS_TEST_TMPDIR/journal
    IPCTOOLS_BIN=$bin PATH=$bin:$PATH PATIENCE=1 run sweep --journal "$journal" mqreceive.posix.all
    assert_failure 1
    assert_output --regexp ' [1-9][0-9]* failed$'
    local fault all=${lines[-1]} failed
    failed=$(sort <<<"$output" | grep -e ^FAILED -e ' again: ')
    while IFS='|' read -r fault wrong; do
        assert_output --partial "FAILED mqreceive.posix.all $fault
    $wrong"
        assert_line --partial "tests/faults/sweep --replay mqreceive.posix.all '$fault'"
    done <<'WRONG'
mq_open#1=EACCES|killed by SIGABRT
mq_open#1=ENOMEM|it hangs
mq_open#1=EMFILE|no diagnostic
mq_open#1=ENFILE|the diagnostic names no object
mq_open#1=EINVAL|status 7
mq_open#1=ENOENT|/stranger is left
mq_open#1=ENOSPC|/dev/shm/stranger is left
mq_timedreceive#2=EBADF|the output differs, and the status does not say so
write#1=EPIPE|lost: 5 b'five
write#1=ENOSPC+|lost: 3 b'three'
fsize=60|lost: 3 b'three
WRONG
    refute_line --partial 'FAILED mqreceive.posix.all write#1=EIO '

    # What failed before it was stopped is told, and counts, when it goes on.
    IPCTOOLS_BIN=$bin PATH=$bin:$PATH PATIENCE=1 run sweep --journal "$journal" mqreceive.posix.all
    assert_failure 1
    assert_line --regexp '^[1-9][0-9]* of [0-9]+ runs were done before$'
    assert_line --index -1 "$all"
    assert_equal "$(sort <<<"$output" | grep -e ^FAILED -e ' again: ')" "$failed"

    IPCTOOLS_BIN=$bin PATH=$bin:$PATH run sweep --replay mqreceive.posix.all 'write#1=EPIPE'
    assert_failure 1
    assert_line --regexp 'write\(1, .*EPIPE.*INJECTED'
    assert_line --partial "lost: 5 b'five"
    assert_line failed
}

@test "a fault that is never reached does not pass" {
    can_sweep
    run sweep --replay mqsend.posix 'read#99=EIO'
    assert_failure 1
    assert_line missed
}

@test "a fault that cannot be named, and a case that is none, are misuse" {
    can_sweep
    run sweep --replay mqsend.posix 'open'
    assert_failure 2
    run sweep mqsend.posix no-such-case
    assert_failure 2
}

@test "a call that strace parts, as another process got between, is one again" {
    run python3 -B - "$BATS_TEST_DIRNAME" <<'PYTHON'
import sys
sys.path[:0] = [f"{sys.argv[1]}/support", f"{sys.argv[1]}/faults"]
import run
print(*run.whole_calls("""\
7 read(4,  <unfinished ...>
8 execve("./none", ["none"] <unfinished ...>
7 <... read resumed>0x7ffd, 4) = -1 EISDIR (Is a directory) (INJECTED)
8 <... execve resumed>) = -1 ENOENT
8 read(0,  <unfinished ...>) = ?
8 +++ killed by SIGKILL +++""".splitlines()), sep="\n")
PYTHON
    assert_success
    assert_output '7 read(4, 0x7ffd, 4) = -1 EISDIR (Is a directory) (INJECTED)
8 execve("./none", ["none"]) = -1 ENOENT
8 read(0,  <unfinished ...>) = ?
8 +++ killed by SIGKILL +++'
}

@test "the number of a call may come from another macro" {
    run -0 python3 -B - "$BATS_TEST_DIRNAME/faults" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import injection
print(injection.numbers_in("""\
#define __NR_read 63
#define __NR_fcntl __NR3264_fcntl
#define __NR3264_fcntl 25
#define __NR_syscalls 451"""))
PYTHON
    assert_output "{'read': 63, 'fcntl': 25, 'syscalls': 451}"
}

@test "a sweep that is killed goes on where it was, and what it has done counts" {
    can_sweep
    local journal=$BATS_TEST_TMPDIR/journal all
    run -0 sweep mqctl.rm
    all=${lines[-1]}
    spawn stopped setsid "$BATS_TEST_DIRNAME/faults/sweep" --jobs 1 --journal "$journal" mqctl.rm
    wait_until has_bytes "$journal" 8000
    kill -KILL -- "-${pid[stopped]}"
    wait_exit stopped 137
    # As if the last one had been written in part.
    truncate -s -1 "$journal"
    run -0 sweep --journal "$journal" mqctl.rm
    assert_line --regexp '^[1-9][0-9]* of [0-9]+ runs were done before$'
    assert_line --index -1 "$all"
    local size total=${all%% *}
    [ "${lines[0]%% *}" -lt "$total" ]
    size=$(stat -c %s "$journal")
    run -0 sweep --journal "$journal" mqctl.rm
    assert_line --index 0 "$total of $total runs were done before"
    assert_line --index -1 "$all"
    assert_equal "$(stat -c %s "$journal")" "$size"
    # Two sweeps do not write to one.
    run -1 flock "$journal" "$BATS_TEST_DIRNAME/faults/sweep" --journal "$journal" mqctl.rm 3>&-
    assert_output "sweep: another sweep is writing $journal"
    # With other tools all has to be done again.
    local bin=$BATS_TEST_TMPDIR/tools
    cp -R "$IPCTOOLS_BIN" "$bin"
    echo >>"$bin/mqctl"
    IPCTOOLS_BIN=$bin run -0 sweep --journal "$journal" mqctl.rm
    refute_output --partial 'done before'
    assert_line --index -1 "$all"
}

has_bytes() { [ -e "$1" ] && [ "$(stat -c %s "$1")" -ge "$2" ]; }

@test "all builds: their runs are added up, failures told again, and journals kept until all have ended" {
    local top=$BATS_TEST_TMPDIR/top
    mkdir -p "$top/tests/faults"
    cp "$BATS_TEST_DIRNAME/faults/all" "$top/tests/faults"
    # Instead of a sweep: its journal, and what it prints.
    cat >"$top/tests/run" <<'RUN'
#!/bin/bash
echo "$IPCTOOLS_BIN ${*:5}" >>calls
: >>"$4"
case $IPCTOOLS_BIN in
build/asan/*) printf '%s\n' 'FAILED case fault' '    again: replay' '2 passed, 1 failed' ;;
*) [ -e stopped ] || echo '5 passed, 0 failed' ;;
esac
RUN
    chmod +x "$top/tests/run"
    cd "$top"
    : >stopped
    run -1 tests/faults/all mqsend
    assert_line 'FAILED: the sweep of dynamic did not come to its end'
    [ -e build/faults/mqsend/asan ]
    rm stopped calls
    run -1 tests/faults/all
    assert_line --index -3 '==> failed'
    assert_line --index -2 '    again: IPCTOOLS_BIN=build/asan/tools replay'
    assert_line --index -1 '12 passed, 1 failed'
    assert_equal "$(<calls)" $'build/release/tools \nbuild/asan/tools \nbuild/dynamic/tools --malloc'
    [ ! -e build/faults/all ]
    [ -e build/faults/mqsend/asan ]
    run -1 tests/faults/all mqsend semctl
    assert_equal "$(tail -n 1 calls)" 'build/dynamic/tools --malloc mqsend. semctl.'
}

@test "the tools to sweep: those that are named, or built from what has changed" {
    requires git
    local top=$BATS_TEST_TMPDIR/top
    mkdir -p "$top/tests" "$top/.ci"
    cp -R "$BATS_TEST_DIRNAME"/../{lib,tools} "$top"
    cp -R "$BATS_TEST_DIRNAME/faults" "$top/tests"
    cp "$BATS_TEST_DIRNAME/../.ci/sources" "$top/.ci"
    cd "$top"
    local choose=tests/faults/choose
    git init -q
    git add .
    git -c user.name=tests -c user.email=tests@localhost commit -qm all
    run_tool 2 "$choose"
    assert_diagnostic faults 'there is no tag'
    git tag v1
    run_tool 0 "$choose"
    assert_output ''

    echo >>lib/fifo/reader.cpp
    run_tool 0 "$choose"
    assert_output fifocat
    echo >lib/semaphore/sysv_more.cpp
    echo >>tools/mqsend.cpp
    run_tool 0 "$choose"
    assert_output $'fifocat\nipcclean\nipcstat\nmqsend\nsemctl'
    run_tool 0 env SINCE=HEAD "$choose"
    assert_output $'fifocat\nipcclean\nipcstat\nmqsend\nsemctl'
    echo >>lib/base/text.hpp
    run_tool 0 "$choose"
    assert_equal "${#lines[@]}" "$(wc -l <"$IPCTOOLS_BIN/../tools.list")"

    run_tool 0 env FAULTS='semctl mqctl' "$choose"
    assert_output $'semctl\nmqctl'
    run_tool 2 env FAULTS='semctl mqctll' "$choose"
    assert_diagnostic faults 'there is no tool mqctll'
}

# build_inject: $inject, whose log is $log, and the number of the call $write.
build_inject() {
    requires ptrace
    inject=$BATS_TEST_TMPDIR/inject log=$BATS_TEST_TMPDIR/log
    cc -o "$inject" "$BATS_TEST_DIRNAME/faults/inject.c"
    write=$(list_syscalls | grep -o '\<write=[0-9]*')
    write=${write#write=}
}

@test "a call is spoiled: the one that is meant, or it and all behind it" {
    build_inject
    run_tool 7 "$inject" "$log" "$write" 2 error 28 sh -c 'echo 1; echo 2; echo 3; exit 7'
    assert_output $'1\n3'
    run_tool 7 "$inject" "$log" "$write" 2+ error 28 sh -c 'echo 1; echo 2; echo 3; exit 7'
    assert_output 1
    # The call is made all the same, unless it is KILL.
    run_tool 143 "$inject" "$log" "$write" 2 signal 15 sh -c 'echo 1; echo 2; echo 3; exit 7'
    assert_output $'1\n2'
    run_tool 3 "$inject" "$log" "$write" 2 signal 15 sh -c 'trap "exit 3" TERM; echo 1; echo 2; echo 3'
    assert_output $'1\n2'
    # A shell says 143 of both, of which one is no death.
    run_tool 0 python3 -c 'import subprocess, sys; print(subprocess.run(sys.argv[1:]).returncode)' \
        "$inject" "$log" "$write" 1 signal 15 sh -c 'echo 1'
    assert_line --index -1 -- -15
    run_tool 137 "$inject" "$log" "$write" 2 signal 9 sh -c 'echo 1; echo 2; echo 3'
    assert_output 1
}

@test "a call is spoiled: children count on their own, and other programs are let be" {
    build_inject
    run_tool 0 "$inject" "$log" "$write" 1 error 5 \
        sh -c '(echo mine; echo second); /bin/echo other; /bin/sh -c "(echo its; :)"'
    assert_output $'second\nother\nits'
    assert_equal "$(grep -c spoiled "$log")" 1
    run_tool 0 "$inject" "$log" "$write" 2 error 5 sh -c 'echo 1; echo 2; (echo 3; echo 4; :)'
    assert_output $'1\n3'
    # A thread is one that counts on its own, too, and that gets its signal.
    run_tool 143 "$inject" "$log" "$write" 1 signal 15 python3 -c '
import os, threading
thread = threading.Thread(target=os.write, args=(1, b"thread\n"))
thread.start()
thread.join()
os.write(1, b"main\n")'
    assert_output thread
    run_tool 0 "$inject" -1 "$log" "$write" 1 error 5 sh -c '(echo child; :); echo mine; echo second'
    assert_output $'child\nsecond'
}

@test "a call is spoiled: what is stopped is told, and goes on when it is continued" {
    build_inject
    spawn stopped "$inject" "$log" "$write" 2 signal 19 sh -c 'echo 1; echo 2; echo 3'
    wait_until grep -qs stopped "$log"
    kill -CONT "$(sed -n 's/^began //p' "$log")"
    wait_exit stopped 0
    assert_output $'1\n2\n3'
}
