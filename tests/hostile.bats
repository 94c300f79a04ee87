#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Users who mean harm, beside the tools that root runs: nothing of theirs moves root's hand, stops it,
# or drowns it.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016,SC2086 # scripts for other shells; words

load support/lib.bash

# compiled NAME: the program in C on stdin, at $program.
compiled() {
    program=$BATS_TEST_TMPDIR/$1
    cc -O1 -pthread -o "$program" -x c -
}

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

# flood N: spawns a process of which so many threads raise USR1 without pause.
flood() {
    spawn flood python3 -IS -c '
import ctypes, signal, sys, threading
libc = ctypes.CDLL(None)
libc.signal(signal.SIGUSR1, libc.getpid)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
def flood():
    while True:
        libc["raise"](signal.SIGUSR1)
print("ready", flush=True)
for _ in range(int(sys.argv[1])):
    threading.Thread(target=flood).start()' "$1"
    wait_until grep -q ready "$(out flood)"
}

@test "sigwatch -p of a process that raises signals without pause: -w and a signal end it" {
    flood 40
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

# Reads a page of stdin now and then, never a second apart, for ever.
slow_reader='import os, select
while True:
    select.select([], [], [], 0.4)
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
    set_limit kernel.msgmax 1048576
    set_limit kernel.msgmnb 1048576
    make_queue key:0x6c617267
    head -c 700K /dev/zero | mqsend -F whole key:0x6c617267
    spawn_into receive "$pipe" mqreceive -F whole key:0x6c617267
    wait_blocked receive
    ends_by_term receive
    assert_equal "$(queued key:0x6c617267)" 1
    kill "${pid[reader]}"
    wait_exit reader
}

@test "peers that do not pause: a signal ends each tool" {
    local dir=$BATS_TEST_TMPDIR name
    cd "$dir"
    mkfifo in out
    make_queue /flood --msgsize 64
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
    make_queue /flood --msgsize 64
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
    : >on
    spawn maker sh -c 'while [ -e on ]; do semctl create /flood; semctl rm /flood; done'
    spawn watch ipcstat --watch 1ms -b
    wait_until test -s "$(out watch)"
    ends_by_term watch
    rm on
    wait_exit maker 0
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
    assert_diagnostic "$1" ": it exists and belongs to user 65534, not to us; --owner-any accepts it$"
    assert_output ''
}

@test "what a tool was told to create is ours, or the superuser's, or refused with its owner" {
    requires root
    local shared=/dev/shm/shared
    "${mallory[@]}" mqctl create -m 0666 --msgsize 64 /q
    "${mallory[@]}" mqctl create -m 0666 key:0x00000071
    "${mallory[@]}" mqctl create --msgsize 64 /closed
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
    # One that we may not open can be opened to us later.
    run_tool 2 "${victim[@]}" mqctl create /closed
    assert_diagnostic mqctl '/closed: cannot open: Permission denied'
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
    run_tool 0 mqctl create -m 0666 --msgsize 64 /root
    run_tool 0 mqctl create -m 0666 key:0x00000072
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
    mqctl rm /q /closed key:0x00000071
    semctl rm /s key:0x00000073
    shmctl rm /m key:0x0000006d
    cd /
    rm -r "$shared"
}

# ---- Listings ----

@test "a root directory of a user's choosing is not looked at, nor is anything removed there" {
    requires root userns
    local evil=$BATS_TEST_TMPDIR/evil
    mkdir -p "$evil/dev/shm"
    truncate -s 4K "$evil/dev/shm/hostile-victim"
    make_memory /hostile-ours 4K
    # In a user namespace of its own, where it may do so, and in our mount namespace.
    spawn_ready prisoner unshare --user --map-root-user --ipc python3 -c '
import os, signal, sys
os.chroot(sys.argv[1])
os.write(9, b"\n")
signal.pause()' "$evil"
    run_tool 2 ipcstat -k shm -r --noheadings -o NAME -N "${pid[prisoner]}"
    assert_output ''
    assert_diagnostic ipcstat '/dev/shm: not looked at, for its root directory is not that of its mount namespace$'
    run_tool 2 ipcstat --all-namespaces -k shm -r --noheadings -o NAME
    assert_output shm:/hostile-ours
    [[ $stderr == *'/dev/shm of 1 IPC namespace: not looked at, for its root directory'* ]]
    run_tool 2 ipcclean -y -k shm -s unused --older-than 0 -N "${pid[prisoner]}"
    assert_output ''
    [ -e "$evil/dev/shm/hostile-victim" ]
}

@test "nor is one in another mount namespace that is ours, where all others are" {
    requires root userns mount
    local evil=$BATS_TEST_TMPDIR/evil
    mkdir -p "$evil/dev/shm"
    : >"$evil/dev/shm/hostile-victim"
    spawn_ready there unshare --ipc --mount python3 -c '
import os, signal, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "none", "/dev/shm"], check=True)
open("/dev/shm/hostile-theirs", "w").truncate(4096)
if os.fork() == 0:
    os.execvp("unshare", ["unshare", "--user", "--map-root-user", "python3", "-c", """if True:
        import os, signal, sys
        os.chroot(sys.argv[1])
        os.write(9, b"\\n")
        signal.pause()""", sys.argv[1]])
signal.pause()' "$evil"
    local prisoner
    prisoner=$(pgrep -P "${pid[there]}")
    run_tool 0 ipcstat -k shm -r --noheadings -o NAME -N "${pid[there]}"
    assert_output shm:/hostile-theirs
    run_tool 2 ipcstat -k shm -r --noheadings -o NAME -N "$prisoner"
    assert_output ''
    run_tool 2 ipcclean -y -k shm -s unused --older-than 0 -N "$prisoner"
    [ -e "$evil/dev/shm/hostile-victim" ]
    kill -KILL "$prisoner"
}

@test "the root directory of a mount namespace is trusted, wherever that is" {
    requires root mount pivot_root
    local root=$BATS_TEST_TMPDIR/root
    mkdir "$root"
    mkfifo "$BATS_TEST_TMPDIR/never"
    # As containers have it. A process whose root directory was the old one has the new one with it.
    local pivot='mount -t tmpfs none "$1" && mkdir -p "$1/dev/shm" "$1/old" && pivot_root "$1" "$1/old"'
    unshare --mount bash -c "$pivot" bash "$root" 2>/dev/null || skip 'needs a root directory that is a mount point'
    spawn_ready there unshare --ipc --mount bash -c '
        exec 8<>"$2"
        '"$pivot"' || exit
        : >/dev/shm/hostile-theirs
        echo >&9
        read -ru 8' bash "$root" "$BATS_TEST_TMPDIR/never"
    run_tool 0 ipcstat -k shm -r --noheadings -o NAME -N "${pid[there]}"
    assert_output shm:/hostile-theirs
}

# zombie_threads NAME SETS: a process of another user that has used each member of so many System V
# sets, and has ended with all of its 1,000 threads, which a tracer keeps.
zombie_threads() {
    local program
    compiled zombie_threads <<'C'
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <dirent.h>
#include <unistd.h>

enum { threads = 1000, members = 256 };
static int gate[2];

static void *wait_for_the_end(void *nothing) {
    char byte;
    (void)!read(gate[0], &byte, 1);
    return nothing;
}

static void use(int key) {
    struct sembuf up[members];
    for (int i = 0; i < members; ++i)
        up[i] = (struct sembuf){.sem_num = i, .sem_op = 1};
    const int set = semget(key, members, IPC_CREAT | 0600);
    if (set < 0 || semop(set, up, members) != 0)
        _exit(1);
}

static int count(pid_t child, int seize, char state) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", child);
    DIR *tasks = opendir(path);
    int found = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        const int thread = atoi(task->d_name);
        char line[256] = "";
        if (thread == 0 || (seize && ptrace(PTRACE_SEIZE, thread, 0, 0) != 0))
            continue;
        snprintf(path, sizeof path, "/proc/%d/stat", thread);
        FILE *stat = fopen(path, "r");
        char its = 0;
        if (stat && fgets(line, sizeof line, stat))
            sscanf(line, "%*d %*s %c", &its);
        if (stat)
            fclose(stat);
        found += its == state;
    }
    closedir(tasks);
    return found;
}

int main(int argc, char **argv) {
    (void)!pipe(gate);
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 1; i <= atoi(argv[argc - 1]); ++i)
            use(0x7a000 + i);
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 1 << 16);
        pthread_t thread;
        for (int i = 1; i < threads; ++i)
            if (pthread_create(&thread, &small, wait_for_the_end, NULL) != 0)
                _exit(1);
        close(gate[1]);
        wait_for_the_end(NULL);
        syscall(SYS_exit, 0);
    }
    close(gate[0]);
    while (count(child, 0, 'S') < threads)
        usleep(10000);
    count(child, 1, 'S');
    close(gate[1]);
    while (count(child, 0, 'Z') < threads)
        usleep(10000);
    (void)!write(9, "\n", 1);
    pause();
}
C
    spawn_ready "$1" setpriv --reuid 65534 --regid 65534 --clear-groups "$program" "$2"
    local i
    for ((i = 1; i <= $2; ++i)); do
        made_semaphores+=("key:$((0x7a000 + i))")
    done
}

# in_time SECONDS COMMAND...: run_tool 0 of what is to take a small part of that, and has no more than
# 64 MiB of memory at its peak.
in_time() {
    run_tool 0 python3 -c '
import resource, subprocess, sys
try:
    status = subprocess.run(sys.argv[3:], timeout=float(sys.argv[2])).returncode
except subprocess.TimeoutExpired:
    sys.exit("it took more than " + sys.argv[2] + " s")
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)' "$BATS_TEST_TMPDIR/peak" "$@"
    is_sanitized || [ "$(<"$BATS_TEST_TMPDIR/peak")" -le 65536 ] ||
        fail "it took $(<"$BATS_TEST_TMPDIR/peak") KiB of memory: $*"
}

@test "threads that have ended are looked at once, not for each semaphore that their process used" {
    requires root
    zombie_threads zombie 200
    in_time 10 ipcstat -k sem -r --noheadings -o NAME,STATE,LASTPID
    assert_line --regexp '^sem:key:0x0007a001 idle [0-9]+$'
    [ "${#lines[@]}" -eq 200 ]
    in_time 10 ipcclean -y -k sem -s idle --older-than 0
    [ "${#lines[@]}" -eq 200 ]
}

# slowly FIRST COMMAND...: spawns it as `slow`, its calls of openat(2) taking a while longer from that
# one on.
slowly() {
    : >"$BATS_TEST_TMPDIR/trace"
    spawn slow strace -fo "$BATS_TEST_TMPDIR/trace" -e trace=openat -e inject=openat:delay_enter=20ms:when="$1+" "${@:2}"
}

# opened NUMBER: whether it has come that far.
opened() { [ "$(grep -c openat "$BATS_TEST_TMPDIR/trace")" -ge "$1" ]; }

# ends_at_once SIGNAL: what was spawned `slowly` ends by that signal in a moment.
ends_at_once() {
    local began=$SECONDS
    kill "-$1" "$(pgrep -P "${pid[slow]}")"
    wait_exit slow $((128 + $(kill -l "$1")))
    ((SECONDS - began <= 2)) || fail "it took $((SECONDS - began)) seconds to end"
}

@test "SIGTERM ends ipcclean in the midst of a look at all processes: the first, and that before a removal" {
    requires root strace
    local i clean=(ipcclean -k mq -s 'idle,unknown' --older-than 0)
    for ((i = 0; i < 100; ++i)); do
        spawn "idler$i" sleep 1000
    done
    make_queue key:0x7b01
    slowly 20 "${clean[@]}"
    wait_until opened 30
    ends_at_once TERM
    # The second look is one more at each.
    run_tool 0 strace -o "$BATS_TEST_TMPDIR/trace" -e trace=openat "${clean[@]}"
    local opens
    opens=$(grep -c openat "$BATS_TEST_TMPDIR/trace")
    slowly "$opens" "${clean[@]}" -y
    wait_until opened $((opens + 20))
    ends_at_once TERM
    assert_output ''
    [[ $stderr == *'ipcclean: 0 removed before the signal, all others left' ]]
    mqctl show key:0x7b01 >/dev/null
}

# sharing NAME PROCESSES PATH: so many processes of another user that share one table of descriptors
# and one memory, with 20,000 descriptors and 20,000 mappings of that object.
sharing() {
    local program
    compiled sharing <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { many = 20000, stack = 1 << 14 };

static int wait_for_the_end(void *nothing) {
    if (nothing == NULL) /* a child */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

int main(int argc, char **argv) {
    const int processes = atoi(argv[argc - 2]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < many + 64 ? limit.rlim_max : many + 64;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (rlim_t i = 32; i < limit.rlim_cur; ++i)
        if (open(argv[argc - 1], O_RDWR) < 0)
            return 1;
    for (int i = 0; i < many; ++i) /* no two of them are one: they differ in what they permit */
        if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, 5, 0) == MAP_FAILED)
            return 1;
    char *const stacks = malloc((size_t)processes * stack);
    for (int i = 1; i < processes; ++i)
        if (clone(wait_for_the_end, stacks + (size_t)(i + 1) * stack, CLONE_FILES | CLONE_VM | SIGCHLD, NULL) < 0)
            return 1;
    (void)!write(9, "\n", 1);
    wait_for_the_end(argv);
}
C
    spawn_ready "$1" setpriv --reuid 65534 --regid 65534 --clear-groups "$program" "$2" "$3"
    shared=("${pid[$1]}")
    mapfile -t -O 1 shared < <(pgrep -P "${pid[$1]}")
    [ "${#shared[@]}" -eq "$2" ]
}

@test "what processes share is looked at once, and each of them is its user" {
    requires root
    make_memory /hostile-shared 4K -m 666
    make_queue /hostile-unshared
    sharing sharers 200 /dev/shm/hostile-shared
    local users
    users=$(printf '%s\n' "${shared[@]}" | sort -n | sed 's/$/:sharing/' | paste -sd ,)
    in_time 20 ipcstat -r --noheadings -o STATE,USERS shm:/hostile-shared
    assert_output "in-use $users"
    in_time 20 ipcstat -a -r --noheadings -o NAME
    in_time 20 ipcstat -r --noheadings -o NAME -k mq,sem,shm -p "${shared[100]}"
    assert_output shm:/hostile-shared
}

@test "what looks shared and is a copy is looked at: each process has its own" {
    make_memory /hostile-a 4K
    make_memory /hostile-b 4K
    # Both with as many descriptors, mappings and numbers of them.
    spawn_ready copies python3 -c '
import mmap, os, signal
def take(path):
    return [mmap.mmap(os.open(path, os.O_RDWR), 4096) for i in range(200)]
kept = take("/dev/shm/hostile-a")
if os.fork() == 0:
    kept = None
    os.closerange(3, 9)
    os.closerange(10, 1000)
    kept = take("/dev/shm/hostile-b")
    os.write(9, b"\n")
signal.pause()'
    local child
    child=$(pgrep -P "${pid[copies]}")
    run_tool 0 ipcstat -r --noheadings -o NAME,USERS -k shm
    kill -KILL "$child"
    assert_line "shm:/hostile-a ${pid[copies]}:python3"
    assert_line "shm:/hostile-b $child:python3"
}

# locking NAME: a process of another user with 10,000 locks of a file, by one open(2) of it, and 1,000
# descriptors of that and of others.
locking() {
    local program
    make_memory /hostile-locked 4K -m 666
    compiled locking <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *const path = argv[argc - 1];
    const int file = open(path, O_RDWR);
    for (int i = 10000 - 1; i > 0; --i) { /* downwards: the kernel sorts them */
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1};
        if (fcntl(file, i % 2 ? F_SETLK : F_OFD_SETLK, &lock) != 0)
            return 1;
    }
    for (int i = 1; i < 500; ++i)
        if (dup(file) < 0 || open(path, O_RDWR) < 0)
            return 1;
    if (flock(dup(file), LOCK_SH) != 0 || flock(open(path, O_RDWR), LOCK_SH) != 0)
        return 1;
    (void)!write(9, "\n", 1);
    pause();
}
C
    spawn_ready "$1" setpriv --reuid 65534 --regid 65534 --clear-groups "$program" /dev/shm/hostile-locked
}

@test "the locks of a file are looked up once for all descriptors that one call of open(2) made" {
    requires root
    locking locker
    in_time 10 ipcstat -k lock -r --noheadings -o TYPE,USERS
    [ "$(grep -c "^posix\\\\x20write ${pid[locker]}:locking\$" <<<"$output")" -eq 5000 ]
    [ "$(grep -c "^ofd\\\\x20write ${pid[locker]}:locking\$" <<<"$output")" -eq 4999 ]
    [ "$(grep -c "^flock\\\\x20read ${pid[locker]}:locking\$" <<<"$output")" -eq 1 ]
}

# many_namespaces NAME COUNT: a process of root with so many children, each in an IPC namespace of its
# own, in which it has made a queue of the key 0x7c01.
many_namespaces() {
    local program
    compiled many_namespaces <<'C'
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const int count = atoi(argv[argc - 1]);
    int started[2];
    (void)!pipe(started);
    for (int i = 0; i < count; ++i) {
        const pid_t child = fork();
        if (child < 0)
            return 1;
        if (child > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWIPC) != 0 || msgget(0x7c01, IPC_CREAT | 0600) < 0)
            kill(getppid(), SIGKILL);
        (void)!write(started[1], "", 1);
        for (;;)
            pause();
    }
    char byte;
    for (int i = 0; i < count; ++i)
        (void)!read(started[0], &byte, 1);
    (void)!write(9, "\n", 1);
    pause();
}
C
    spawn_ready "$1" "$program" "$2"
}

@test "as many IPC namespaces as there may be: no descriptor is held for each" {
    requires root
    many_namespaces many 1100
    in_time 20 prlimit --nofile=64:64 ipcstat --all-namespaces -r --noheadings -o NAME,NS -k mq
    [ "$(grep -c '^mq:key:0x00007c01 ' <<<"$output")" -eq 1100 ]
    [ "$(sort -u <<<"$output" | wc -l)" -eq 1100 ]
}

@test "one IPC namespace that cannot be looked at hides no other" {
    requires root strace
    many_namespaces many 3
    # The second that is entered: home again, and there.
    run_tool 2 strace -o /dev/null -e trace=setns -e inject=setns:error=ENOMEM:when=5 \
        ipcstat --all-namespaces -r --noheadings -o NAME -k mq
    assert_output $'mq:key:0x00007c01\nmq:key:0x00007c01'
    assert_diagnostic ipcstat '^ipcstat: IPC namespace [0-9]+: cannot enter: Cannot allocate memory$'
}

@test "beside all of that at once, each listing takes little time and memory, and SIGTERM ends it at once" {
    requires root strace
    make_memory /hostile-shared 4K -m 666
    sharing sharers 200 /dev/shm/hostile-shared
    locking locker
    zombie_threads zombie 60
    many_namespaces many 1100
    local tool
    for tool in ipcstat 'ipcstat -a' 'ipcstat --openmetrics' 'ipcstat --all-namespaces' ipcclean; do
        # On an idle machine each takes a few seconds at most.
        # shellcheck disable=SC2086
        in_time 20 $tool
        # shellcheck disable=SC2086
        slowly 1 $tool
        wait_until opened 20
        ends_at_once TERM
        assert_output ''
    done
}

# ---- What holds ----

@test "removal beside names that change without pause: nothing of others is lost" {
    requires root
    # Three users: who churns, whose objects are unused, and whose are in use under any name.
    "${victim[@]}" python3 -IS -c '
import os
for i in range(300):
    os.close(os.open(f"/dev/shm/precious{i}", os.O_CREAT | os.O_WRONLY, 0o644))'
    spawn churn "${mallory[@]}" python3 -IS -c '
import ctypes, os, random
libc = ctypes.CDLL(None)
names = [b"/dev/shm/churn%d" % i for i in range(400)]
def make(name):
    try:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644))
    except OSError:
        pass
print("ready", flush=True)
while True:
    name, other = random.sample(names, 2)
    what = random.randrange(6)
    try:
        if what == 0: make(name)
        elif what == 1: os.rename(name, other)
        elif what == 2: libc.renameat2(-100, name, -100, other, 2)
        elif what == 3: os.link(name, other)
        elif what == 4: os.symlink(b"/dev/shm/precious%d" % random.randrange(300), other)
        else: os.unlink(name)
    except OSError:
        pass'
    wait_until grep -q ready "$(out churn)"
    local removed=0 deadline=$((SECONDS + PATIENCE))
    until ((removed >= 1000)); do
        ((SECONDS < deadline))
        run_tool - ipcclean -y -s unused,malformed --older-than 0 --name 'shm:/churn*'
        [ "$status" -le 2 ]
        removed=$((removed + $(grep -c '^removed ' <<<"$output" || true)))
    done
    kill "${pid[churn]}"
    wait_exit churn
    run find /dev/shm -name 'precious*'
    assert_equal "${#lines[@]}" 300
    run find /dev/shm -name '.ipctools-*'
    assert_output ''
    find /dev/shm -name 'precious*' -delete -o -name 'churn*' -delete
}

# Each is alone a name of shared memory: what shells, terminals and tables take for their own.
hostile_names=($'a\nb' $'\e[31mred' $'\e]0;title\a' $'tab\tbed' $'cr\r' $'\x7f' $'\xff\xfe' $'\x9b31m'
    ' ' '  lead' 'trail ' '*' '?' '[a-z]' '~' '-n' '--help' '$HOME' '$(touch "$0.owned")' '`id`' "it's" 'a"b' 'a\b'
    'a;b' 'a|b' 'a&b' '!x' '#x' 'a=b' '{a,b}' '日本')

@test "hostile names in each form of output: one record each, no control byte, and nothing that a shell runs" {
    local name form shell
    local count=${#hostile_names[@]}
    cd "$BATS_TEST_TMPDIR"
    for name in "${hostile_names[@]}"; do
        : >"/dev/shm/$name"
    done
    for form in '' -r -e -y -J --graph --openmetrics '-r --noheadings' '-b' '--output-all -r' '-o +INODE' '-k shm -e' \
        '--output-all -y'; do
        run_tool 0 ipcstat $form
        # Bytes above 0x7f are those of UTF-8 alone, and no control characters of it.
        python3 -IS -c '
import sys, unicodedata
text = sys.stdin.buffer.read().decode()
bad = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cs")}
sys.exit(f"control bytes: {bad}" if bad else 0)' <<<"$output"
        case $form in
        -J | --graph | --openmetrics) ;;
        *) [ "${#lines[@]}" -ge "$count" ] && [ "${#lines[@]}" -le $((count + 1)) ] ;;
        esac
    done
    ipcstat -J | python3 -IS -c '
import json, sys
assert len(json.load(sys.stdin)["ipc"]) == int(sys.argv[1])' "$count"
    ipcstat -0 -o NAME | tr '\0' x | tr -dc x | wc -c
    for shell in bash dash zsh; do
        ipcstat -y -o NAME,STATE,USERS | while IFS= read -r line; do
            "$shell" -c 'eval "$1" && [ -n "$NAME" ] && [ "$STATE" = unused ]' "$shell" "$line"
        done
    done
    run find . -name '*.owned'
    assert_output ''
    # And back: each is removed by what was printed of it.
    ipcstat -r --noheadings -o NAME | ipcclean -y -s unused --older-than 0 -
    run find /dev/shm -type f
    assert_output ''
}

@test "a file system that does not answer, which a process has open: it is not waited for" {
    requires root mount
    local how device=$BATS_TEST_TMPDIR/fuse
    mknod "$device" c 10 229 || skip 'no FUSE'
    spawn silent unshare --mount python3 -IS -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
fuse = os.open(sys.argv[2], os.O_RDWR)
os.mkdir(sys.argv[1])
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"silent", sys.argv[1].encode(), b"fuse", 0, options):
    sys.exit(os.strerror(ctypes.get_errno()))
kept = os.open(sys.argv[1], os.O_PATH)
print("ready", flush=True)
os.read(fuse, 1 << 20)
import time
time.sleep(1000)' "$BATS_TEST_TMPDIR/silent" "$device"
    wait_until eval 'grep -q ready "$(out silent)" || ended "${pid[silent]}"'
    ! ended "${pid[silent]}" || skip "$(<"$(err silent)")"
    make_memory /m 5
    for how in '' -a --limits --openmetrics '-p '"${pid[silent]}" '--all-namespaces'; do
        run_tool 0 timeout 30 ipcstat $how
    done
    run_tool 0 timeout 30 ipcclean -s unused
    kill -KILL "${pid[silent]}"
    wait_exit silent
}

@test "very many objects: each is listed, in little memory" {
    requires root limits
    set_limit kernel.sem $'32000\t1024000000\t500\t32000'
    "${mallory[@]}" python3 -IS -c '
import ctypes, os
libc = ctypes.CDLL(None)
sets = sum(libc.semget(0, 1, 0o666) >= 0 for _ in range(32000))
for i in range(20000):
    os.close(os.open(f"/dev/shm/many{i}", os.O_CREAT | os.O_WRONLY, 0o644))
print(sets)' >"$BATS_TEST_TMPDIR/sets"
    assert_equal "$(<"$BATS_TEST_TMPDIR/sets")" 32000
    run_tool 0 sh -c 'ulimit -d 262144; ipcstat -r --noheadings -o KIND >"$1"' sh "$BATS_TEST_TMPDIR/kinds"
    assert_equal "$(sort <"$BATS_TEST_TMPDIR/kinds" | uniq -c | xargs)" '32000 sem 20000 shm'
    python3 -IS -c '
import ctypes
libc = ctypes.CDLL(None)
for line in open("/proc/sysvipc/sem").readlines()[1:]:
    libc.semctl(int(line.split()[1]), 0, 0)'
    find /dev/shm -name 'many*' -delete
}

@test "sigwatch -p killed in a flood of signals: no thread stays stopped" {
    flood 8
    for _ in {1..10}; do
        spawn watch sigwatch -p "${pid[flood]}"
        wait_until test -s "$(out watch)"
        kill -KILL "${pid[watch]}"
        wait_exit watch 137
        wait_until none_is_stopped "${pid[flood]}"
    done
    kill -KILL "${pid[flood]}"
    wait_exit flood
}
none_is_stopped() { ! grep -hq '^State:.[tT]' "/proc/$1/task/"*/status; }
