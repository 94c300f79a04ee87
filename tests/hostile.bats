#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Users who mean harm, beside the tools that root runs: nothing of theirs moves root's hand, stops it,
# or drowns it.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016,SC2086 # scripts for other shells; words

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

# ---- Loops that a peer can feed: each looks at the deadline and at signals ----

# ends_by_term NAME: however much there is to do for it.
ends_by_term() {
    kill -TERM "${pid[$1]}"
    wait_exit "$1" 143
}

@test "sigwatch -p of a process that raises signals without pause: -w and a signal end it" {
    spawn flood python3 -IS -c '
import os, signal, threading
signal.signal(signal.SIGUSR1, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
libc = __import__("ctypes").CDLL(None)
libc.signal(signal.SIGUSR1, libc.getpid)
def flood():
    while True:
        libc["raise"](signal.SIGUSR1)
print("ready", flush=True)
for _ in range(40):
    threading.Thread(target=flood).start()'
    wait_until grep -q ready "$(out flood)"
    run_tool 124 sigwatch -w 0.3 -p "${pid[flood]}" TERM
    spawn watch sigwatch -p "${pid[flood]}"
    wait_until test -s "$(out watch)"
    ends_by_term watch
    # A process that makes threads without pause.
    kill -KILL "${pid[flood]}"
    wait_exit flood
    spawn flood python3 -IS -c '
import threading
print("ready", flush=True)
while True:
    threading.Thread(target=lambda: None).start()'
    wait_until grep -q ready "$(out flood)"
    run_tool 124 sigwatch -w 0.3 --children -p "${pid[flood]}" TERM
    spawn_ready watch sigwatch --ready-fd 9 -p "${pid[flood]}" TERM
    ends_by_term watch
    kill -KILL "${pid[flood]}"
    wait_exit flood
}

@test "shmcat -f of an object that nobody can read to its end: a signal ends it" {
    local signal
    made_memory+=(/huge)
    truncate -s 8E /dev/shm/huge 2>/dev/null || truncate -s 4611686018427387904 /dev/shm/huge
    for signal in TERM INT; do
        spawn follow shmcat -f /huge
        wait_until test -s "$(out follow)"
        rm "$(out follow)"
        kill -"$signal" "${pid[follow]}"
        wait_until ended "${pid[follow]}"
        : >"$(out follow)"
        wait_exit follow $((128 + $(kill -l "$signal")))
        assert_diagnostic shmcat '^shmcat: /huge: ended by a signal before its last state was printed whole$'
    done
}

# Reads a page of stdin now and then, for ever.
slow_reader='import os, select
while True:
    select.select([], [], [], 1)
    os.read(0, 4096)'

@test "a reader that is slow on purpose does not hold up one that was told to end" {
    requires limits
    local pipe=$BATS_TEST_TMPDIR/pipe
    mkfifo "$pipe"
    exec 7<>"$pipe"
    spawn reader python3 -IS -c "$slow_reader" <"$pipe"
    exec 7<&-
    make_memory /large 64M
    spawn_into follow "$pipe" shmcat -f /large
    wait_blocked follow
    ends_by_term follow
    # The message goes back, whole.
    set_limit fs.mqueue.msgsize_max 1048576
    make_queue /large --maxmsg 1 --msgsize 700K
    head -c 700K /dev/zero | mqsend -F whole /large
    spawn_into receive "$pipe" mqreceive -F whole /large
    wait_blocked receive
    ends_by_term receive
    assert_equal "$(queued /large)" 1
    kill "${pid[reader]}"
    wait_exit reader
}

@test "peers that do not pause: a signal ends each tool" {
    local dir=$BATS_TEST_TMPDIR name
    cd "$dir"
    mkfifo in out
    make_queue /flood
    make_queue key:0x666c6f6f
    for name in /flood key:0x666c6f6f; do
        spawn sender mqsend "$name" < <(yes)
        spawn receiver mqreceive -f "$name"
        wait_until test -s "$(out receiver)"
        ends_by_term receiver
        spawn receiver mqreceive -f "$name" -- echo ran
        wait_until test -s "$(out receiver)"
        ends_by_term receiver
        spawn receiver mqreceive -f "$name"
        wait_until test -s "$(out receiver)"
        ends_by_term sender
        mqctl rm "$name"
        wait_exit receiver 0
    done
    make_queue /flood
    spawn sender sh -c 'while mqsend -n /flood x; do mqreceive -a /flood >/dev/null; done'
    spawn watcher mqnotify -f /flood
    wait_until test -s "$(out watcher)"
    ends_by_term watcher
    spawn watcher mqnotify -ef /flood
    wait_until test -s "$(out watcher)"
    ends_by_term watcher
    spawn watcher mqnotify -f /flood -- echo ran
    wait_until test -s "$(out watcher)"
    ends_by_term watcher
    mqctl rm /flood
    wait_exit sender
    spawn writer sh -c 'yes >in'
    spawn cat fifocat in
    wait_until test -s "$(out cat)"
    ends_by_term cat
    wait_exit writer
    spawn reader sh -c 'cat out >/dev/null'
    spawn tee fifotee out </dev/zero
    wait_until test -s "$(out tee)"
    ends_by_term tee
    wait_exit reader
    spawn writer shmpipe -W /flood </dev/zero
    spawn reader shmpipe -R /flood
    wait_until test -s "$(out reader)"
    ends_by_term reader
    wait_exit writer 2
    spawn watch sigwatch USR1
    wait_until eval 'grep -q "^SigBlk:.*[2-9a-f]..$" "/proc/${pid[watch]}/status"'
    spawn flood python3 -IS -c 'import os, sys
try:
    while True: os.kill(int(sys.argv[1]), 10)
except ProcessLookupError: pass' "${pid[watch]}"
    wait_until test -s "$(out watch)"
    ends_by_term watch
    wait_exit flood
    spawn maker sh -c 'while :; do semctl create /flood; semctl rm /flood; done'
    spawn watch ipcstat --watch 1ms -b
    wait_until test -s "$(out watch)"
    ends_by_term watch
    kill "${pid[maker]}"
    wait_exit maker
}

# ---- Leases ----

# Takes a lease on a file, tells when somebody wants it, and ends when told.
lease_holder='import fcntl, os, signal, sys
signal.signal(signal.SIGIO, lambda *_: print("wanted", flush=True))
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
open(sys.argv[2]).read()'

@test "a lease that somebody holds on an object is waited for, and then named" {
    requires mount
    local command object
    cd "$BATS_TEST_TMPDIR"
    mkfifo go
    echo 0 >no_time
    make_semaphore /s --value 1
    make_memory /m 5
    for command in 'semctl show /s' 'semctl wait /s' 'shmcat /m' 'shmcat -W /m' 'shmctl show /m' \
        'shmctl set -s 5 /m'; do
        object=/dev/shm/m
        [[ $command != semctl* ]] || object=/dev/shm/sem.s
        spawn holder python3 -IS -c "$lease_holder" "$object" go
        wait_until grep -q held "$(out holder)"
        # Looking does not wait.
        run_tool 0 ipcstat -r --noheadings -o NAME,STATE
        assert_line 'shm:/m '"$([ "$object" = /dev/shm/m ] && echo in-use || echo unused)"
        run_tool 2 unshare --mount sh -c 'mount --bind no_time /proc/sys/fs/lease-break-time; exec "$@"' \
            sh $command </dev/null
        assert_diagnostic "${command%% *}" '\(a process holds a lease on it, and has not given it up within 0 s, which is fs.lease-break-time\)$'
        spawn tool $command </dev/null
        wait_blocked tool clock_nanosleep
        : >go
        wait_exit tool 0
        wait_exit holder 0
        # One that is told to end does not wait for it.
        spawn holder python3 -IS -c "$lease_holder" "$object" go
        wait_until grep -q held "$(out holder)"
        spawn tool $command </dev/null
        wait_blocked tool clock_nanosleep
        ends_by_term tool
        : >go
        wait_exit holder 0
    done
}

# ---- Names ----

# Two others. Root is "we".
mallory=(setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all')
victim=(setpriv --reuid 65533 --regid 65533 --clear-groups '--inh-caps=-all')

@test "shmpipe removes its own ring, not what another user has put in its place" {
    requires root
    local how
    mkfifo "$BATS_TEST_TMPDIR/in"
    exec 7<>"$BATS_TEST_TMPDIR/in"
    for how in rename link; do
        spawn writer "${mallory[@]}" shmpipe -W -m 0666 /copy <&7
        wait_until test -e /dev/shm/copy
        spawn reader shmpipe -R /copy
        wait_blocked reader futex
        if [ "$how" = rename ]; then
            "${mallory[@]}" mv /dev/shm/copy /dev/shm/away
        else
            "${mallory[@]}" ln /dev/shm/copy /dev/shm/away
            "${mallory[@]}" rm /dev/shm/copy
        fi
        "${victim[@]}" sh -c 'echo precious >/dev/shm/copy'
        kill -KILL "${pid[writer]}"
        wait_exit writer
        wait_exit reader 2
        assert_equal "$(cat /dev/shm/copy)" precious
        rm -f /dev/shm/copy /dev/shm/away
    done
    exec 7<&-
}

@test "fifotee removes its own FIFO, not what another user has put in its place" {
    requires root strace
    local dir=/dev/shm/dir trace=$BATS_TEST_TMPDIR/trace
    mkdir -m 0777 "$dir"
    mkfifo "$BATS_TEST_TMPDIR/in"
    exec 7<>"$BATS_TEST_TMPDIR/in"
    ignore_leaks
    # Its last look at the name is over when the other comes.
    spawn tee strace -qq -o "$trace" -e trace=renameat2,unlink,unlinkat \
        -e inject=renameat2,unlink,unlinkat:delay_enter=1000000:when=1 \
        fifotee --no-stdout "$dir/f" <&7
    wait_until test -p "$dir/f"
    pkill -x -P "${pid[tee]}" fifotee
    wait_until test -s "$trace"
    "${mallory[@]}" mv "$dir/f" "$dir/away"
    "${victim[@]}" sh -c 'echo precious >"$1"' sh "$dir/f"
    wait_exit tee 143
    assert_equal "$(cat "$dir/f")" precious
    run ls -A "$dir"
    assert_output $'away\nf'
    rm -r "$dir"
    exec 7<&-
}

# foreign COMMAND...: it is refused, for the object belongs to another user.
foreign() {
    echo "$*"
    run_tool 2 "$@" <<<hello
    assert_diagnostic "$1" ": it is there already and belongs to user 65534, not to us; --owner-any takes it$"
    assert_output ''
}

@test "what a tool was told to create is ours, or the superuser's, or refused with its owner" {
    requires root
    local shared=/dev/shm/shared
    "${mallory[@]}" mqctl create -m 0666 /q key:0x00000071
    "${mallory[@]}" semctl create -m 0666 --value 1 /s key:0x00000073
    "${mallory[@]}" shmctl create -m 0666 -s 100K /m key:0x0000006d
    mkdir -m 1777 "$shared"
    "${mallory[@]}" mkfifo -m 0666 "$shared/f"
    local name
    for name in /q key:0x00000071; do
        foreign mqctl create "$name"
        foreign mqsend --create "$name"
        foreign mqsend --create "$name" message
        assert_equal "$(queued "$name")" 0
        run_tool 2 mqctl create -x "$name"
        assert_diagnostic mqctl 'File exists'
        # Without being told to create it, and where it is meant.
        run_tool 0 mqsend "$name" one
        run_tool 0 mqsend --create --owner-any "$name" two
        run_tool 0 mqctl create --owner-any "$name"
        assert_output "$name"
        assert_equal "$(queued "$name")" 2
    done
    for name in /s key:0x00000073; do
        foreign semctl create "$name"
        run_tool 0 semctl create --owner-any "$name"
        assert_output "$name"
    done
    for name in /m key:0x0000006d; do
        foreign shmctl create -s 5 "$name"
        foreign shmcat -W --create "$name"
        foreign shmpipe -W "$name"
        run_tool 0 shmctl create --owner-any -s 5 "$name"
        run_tool 0 shmcat -W --create --owner-any "$name" <<<hello
        assert_equal "$(shmcat -l 5 "$name")" hello
    done
    foreign fifotee "$shared/f"
    foreign fifocat "$shared/f"
    cd "$shared"
    foreign fifotee f
    spawn reader cat "$shared/f"
    run_tool 0 fifotee --owner-any --no-stdout f <<<hello
    wait_exit reader 0
    assert_output hello
    # What root has made serves all; and where not all may make names, they are nobody's trap.
    run_tool 0 mqctl create -m 0666 /root key:0x00000072
    run_tool 0 "${mallory[@]}" mqsend --create /root message
    run_tool 0 "${mallory[@]}" mqctl create key:0x00000072
    mqctl rm /root key:0x00000072
    chmod 0755 "$shared" /dev/shm
    spawn reader cat "$shared/f"
    run_tool 0 fifotee --no-stdout f <<<hello
    wait_exit reader 0
    run_tool 0 semctl create /s
    run_tool 0 shmctl create -s 5 /m
    chmod 1777 /dev/shm
    mqctl rm /q key:0x00000071
    semctl rm /s key:0x00000073
    shmctl rm /m key:0x0000006d
    cd /
    rm -r "$shared"
}
