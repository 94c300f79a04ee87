#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Users who mean harm, beside the tools that root runs: nothing of theirs moves root's hand, stops it,
# or drowns it.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # scripts for other shells

load support/lib.bash

# ---- Semaphores: a peer's data never chooses a system call ----

# forge SEM MARK: as whoever may write the file can: glibc takes the flags of futex(2) from there.
forge() {
    python3 -IS -c 'import struct, sys
with open("/dev/shm/sem" + "." + sys.argv[1][1:], "r+b") as file:
    file.seek(8)
    file.write(struct.pack("=I", int(sys.argv[2])))' "$1" "$2"
}

waiting() { [ "$(semctl show "$1" | sed -n 's/^waiters=//p')" = "$2" ]; }

value_is() { [ "$(semctl value "$1")" = "$2" ]; }

@test "a semaphore that is marked as none can be is malformed, and stays as it is" {
    local mark verb content=$BATS_TEST_TMPDIR/content
    make_semaphore /s --value 1
    for mark in 0 1 129 136 255 4294967295; do
        forge /s "$mark"
        cp /dev/shm/sem.s "$content"
        for verb in show value post wait 'set 1' run; do
            local -a words=("${verb% *}" /s)
            [ "$verb" != 'set 1' ] || words+=(1)
            [ "$verb" != run ] || words+=(-- true)
            run_tool - semctl "${words[@]}"
            assert_equal "$status" "$([ "$verb" = run ] && echo 125 || echo 2)"
            assert_diagnostic semctl "^semctl: /s: malformed: /dev/shm/sem.s is marked $mark, a semaphore that processes share 128$"
        done
        assert_same /dev/shm/sem.s "$content"
        run_tool 0 ipcstat -k sem -r --noheadings -o NAME,STATE
        assert_output 'sem:/s malformed'
    done
}

@test "one that is forged under a wait: the wait ends in time, by a signal, and by a post" {
    local mark
    for mark in 0 129 136 255; do
        make_semaphore /s
        spawn timed semctl wait -w 1 /s
        spawn ended semctl wait /s
        spawn woken semctl wait /s
        spawn poster semctl run /s -- sleep 1000
        wait_until waiting /s 4
        forge /s "$mark"
        wait_exit timed 124
        kill "${pid[ended]}" "${pid[poster]}"
        wait_exit ended 143
        wait_exit poster 143
        forge /s 128
        semctl post /s
        wait_exit woken 0
        semctl rm /s
    done
}

@test "one that is forged while COMMAND runs: its guard gives back, and is gone" {
    local mark
    cd "$BATS_TEST_TMPDIR"
    for mark in 0 129 136 255; do
        make_semaphore /s --value 1
        mkfifo go
        spawn run semctl run /s -- sh -c 'read -r _ <go'
        wait_until value_is /s 0
        spawn waiter semctl wait /s
        wait_until waiting /s 1
        forge /s "$mark"
        echo >go
        wait_exit run 0
        wait_exit waiter 0
        wait_until eval '! pgrep -x semctl >/dev/null'
        forge /s 128
        assert_equal "$(semctl value /s)" 0
        semctl rm /s
        rm go
    done
}

@test "one whose value changes without pause: a wait ends in time, and by a signal" {
    local how
    make_semaphore /s
    spawn scribbler python3 -IS -c '
import mmap
file = open("/dev/shm/sem.s", "r+b")
words = memoryview(mmap.mmap(file.fileno(), 32)).cast("I")
while True:
    words[0] = 1
    words[0] = 0
    words[1] += 1 if words[1] < 99 else -9'
    for how in 0.2 1h; do
        spawn wait semctl wait -c 2147483647 -w "$how" /s
        if [ "$how" = 1h ]; then
            wait_until eval '[ "$(ps -o comm= "${pid[wait]}")" = semctl ]'
            kill "${pid[wait]}"
            wait_exit wait 143
        else
            wait_exit wait 124
        fi
    done
    kill "${pid[scribbler]}"
    wait_exit scribbler
}

@test "one that is cut short while COMMAND runs: its guard ends, by no signal" {
    make_semaphore /s --value 1
    cd "$BATS_TEST_TMPDIR"
    mkfifo go
    # The guard is nobody's child: what becomes of it, who adopts it knows.
    spawn keeper python3 -IS -c '
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1)
command = subprocess.Popen(["semctl", "run", "/s", "--", "sh", "-c", "read -r _ <go"])
command.wait()
while True:
    try:
        _, status = os.wait()
    except ChildProcessError:
        break
    print(os.waitstatus_to_exitcode(status))'
    wait_until value_is /s 0
    : >/dev/shm/sem.s
    echo >go
    wait_exit keeper 0
    assert_output 0
    rm /dev/shm/sem.s
}
