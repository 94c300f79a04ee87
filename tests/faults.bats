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
    IPCTOOLS_BIN=$bin PATH=$bin:$PATH PATIENCE=1 run sweep mqreceive.posix.all
    assert_failure 1
    assert_output --regexp ' [1-9][0-9]* failed$'
    local fault
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
    run sweep no-such-case
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
