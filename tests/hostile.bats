#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Root's tools beside users who mean harm: what one of them makes costs time linear in it and little
# memory, hides nothing else, and leads nobody astray.
# shellcheck disable=SC2016 # variables of other shells
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

# compiled NAME: the program in C on stdin, at $program.
compiled() {
    program=$BATS_TEST_TMPDIR/$1
    cc -O1 -pthread -o "$program" -x c -
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
