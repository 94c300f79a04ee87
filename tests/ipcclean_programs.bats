#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ipcclean and the objects of programs that are not ours: what they use stays, what they left goes.
# shellcheck disable=SC2016 # variables of other shells, of perl and PHP
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

# What the tests' programs left, should ipcclean fail to remove it. All objects here are ours.
teardown() {
    clean_up
    rm -rf /dev/shm/* /dev/mqueue/*
    ipcrm --all 2>/dev/null || true
}

# Queues are unknown, not idle, where not all processes can be examined, as in a PID namespace.
unused=(-s 'orphan,unused,idle,unknown' --older-than 0)

# An object a line, and for messages their number.
objects() {
    ls -A /dev/shm /dev/mqueue
    awk 'FNR > 1 { print FILENAME, $1, $2 }' /proc/sysvipc/{msg,sem,shm}
}
no_objects=$'/dev/mqueue:\n\n/dev/shm:'

# survives COMMAND...: no object goes, neither by default nor by COMMAND, an ipcclean -y.
survives() {
    local before
    before=$(objects)
    run_tool 0 ipcclean -y
    run_tool 0 "$@"
    [ "$(objects)" = "$before" ] ||
        batslib_decorate "objects are gone" <<<"$output"$'\n'"$before" | fail
}

# Everything that is there is removed.
all_go() {
    run_tool 0 ipcclean -y "${unused[@]}" --with-data
    run objects
    assert_output "$no_objects"
}

# group NAME COMMAND...: as spawn, in a process group of its own; kill_group ends all of it.
group() { spawn "$1" setsid "${@:2}"; }
kill_group() {
    kill -KILL -- "-${pid[$1]}"
    wait_until no_group "${pid[$1]}"
    wait_exit "$1" 137
}
no_group() { ! pgrep -g "$1" -r D,R,S,T,t >/dev/null; }

@test "stress-ng, killed: all that it leaves goes" {
    requires stress-ng
    local kind
    for kind in mq msg sem-sysv shm shm-sysv; do
        group stress stress-ng --quiet --no-rand-seed --temp-path "$BATS_TEST_TMPDIR" "--$kind" 1 -t 60
        wait_until has_objects
        kill_group stress
        all_go || fail "$kind"
    done
}
has_objects() { [ "$(objects)" != "$no_objects" ]; }

@test "python and perl: shared memory, queues and sets, in use and after SIGKILL" {
    group python python3 -c '
import time
from multiprocessing.shared_memory import SharedMemory
memory = SharedMemory(create=True, size=4096)
print("ready", flush=True)
time.sleep(600)'
    wait_until grep -q ready "$(out python)"
    survives ipcclean -y "${unused[@]}" --with-data
    kill_group python
    run_tool 0 ipcclean -y --older-than 0
    assert_output ''
    all_go

    group perl perl -MIPC::SysV=:all -e '
        $| = 1;
        $queue = msgget(0x6401, IPC_CREAT | 0600);
        $set = semget(0x6401, 2, IPC_CREAT | 0600);
        $memory = shmget(0x6401, 4096, IPC_CREAT | 0600);
        msgsnd($queue, pack("l! a*", 1, "x"), 0);
        semop($set, pack("s!3", 0, 1, 0));
        shmat($memory, undef, 0) or die;
        print "ready\n";
        sleep 600'
    wait_until grep -q ready "$(out perl)"
    survives ipcclean -y "${unused[@]}" --with-data
    kill_group perl
    run_tool 0 ipcclean -y --older-than 0
    assert_output --regexp '^removed shm:key:0x00006401: orphan: [^
]*$'
    run_tool 0 ipcclean -y "${unused[@]}"
    assert_output --regexp '^removed sem:key:0x00006401: [^
]*$'
    all_go
}

@test "PHP: what it leaves goes" {
    requires php
    php -r 'exit(function_exists("msg_get_queue") && function_exists("sem_get") &&
        function_exists("shm_attach") ? 0 : 1);' || skip 'needs the System V functions of PHP'
    group php php -r '
        $queue = msg_get_queue(0x6402, 0600);
        msg_send($queue, 1, "x");
        $set = sem_get(0x6403);
        sem_acquire($set);
        $memory = shm_attach(0x6404, 4096, 0600);
        shm_put_var($memory, 1, "x");
        echo "ready\n";
        sleep(600);'
    wait_until grep -q ready "$(out php)"
    survives ipcclean -y "${unused[@]}" --with-data
    kill_group php
    all_go
}

@test "fakeroot-sysv at work loses neither its queues nor its set" {
    requires fakeroot-sysv
    mkfifo "$BATS_TEST_TMPDIR/go"
    spawn_ready fake fakeroot-sysv bash -c '
        echo >&9
        read -r _ <"$1"
        : >"$2"
        chown 12345 "$2" && stat -c %u "$2"' bash "$BATS_TEST_TMPDIR/go" "$BATS_TEST_TMPDIR/file"
    has_objects
    survives ipcclean -y "${unused[@]}" --with-data
    echo go >"$BATS_TEST_TMPDIR/go"
    wait_exit fake 0
    assert_output 12345
}

@test "PostgreSQL: running, and with one process left after a crash; when that has ended, all goes" {
    local bin directory=$BATS_TEST_TMPDIR/pg
    local -a as=()
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
    [ -x "$bin/postgres" ] || skip 'needs PostgreSQL'
    mkdir "$directory"
    if [ "$EUID" -eq 0 ]; then
        is_root || skip 'needs somebody who is not root'
        chown 65534:65534 "$directory"
        chmod 0711 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BATS_TEST_TMPDIR"
        as=(as_user)
    fi
    "${as[@]}" "$bin/initdb" -D "$directory/data" -A trust -U pg --no-sync --no-locale >"$(out initdb)" 2>&1 ||
        batslib_decorate 'initdb' <"$(out initdb)" | fail
    if [ "$EUID" -eq 0 ]; then
        as=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
    fi
    spawn postgres "${as[@]}" setsid "$bin/postgres" -D "$directory/data" -h '' -k "$directory" -F
    wait_until "$bin/pg_isready" -q -h "$directory"
    survives ipcclean -y "${unused[@]}" --with-data
    [ "$("$bin/psql" -h "$directory" -U pg -Atc 'select 1' postgres)" = 1 ]

    # One that is stopped does not see that the others are gone.
    pid[left]=$(pgrep -P "${pid[postgres]}" -f checkpointer)
    kill -STOP "${pid[left]}"
    kill -KILL "${pid[postgres]}"
    wait_exit postgres 137
    survives ipcclean -y
    run_tool 0 ipcclean -y "${unused[@]}" --with-data
    # Segments that it has not mapped are used by nobody.
    local -a used
    mapfile -t used < <(grep -o '/dev/shm/.*' "/proc/${pid[left]}/maps" | sort -u)
    [ "${#used[@]}" -gt 0 ]
    ls -- "${used[@]}"
    [ "$(wc -l </proc/sysvipc/shm)" -eq 2 ]
    kill -KILL "${pid[left]}"
    wait_until ended "${pid[left]}"
    unset 'pid[left]'
    all_go
}
