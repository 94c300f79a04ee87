#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the mechanisms differ in: how their objects are named, who gets in, and how long they live.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2016 # scripts for later

load support/lib.bash

posix=/persistence
key=key:0x70657273

# A queue, shared memory and a semaphore, each of the name $1, which hold something.
make_all() {
    local -a size=()
    [[ $1 != /* ]] || size=(--msgsize 64)
    make_queue "$1" "${size[@]}" "${@:2}"
    make_memory "$1" 5 "${@:2}"
    make_semaphore "$1" --value 3 "${@:2}"
    mqsend "$1" hello
    printf hello | shmcat -W "$1"
}

# What they hold; a queue's message stays.
show_all() {
    echo "$(queued "$1") $(shmcat "$1") $(semctl value "$1")"
}

as_other() { as_user -u 65533 "$@"; }

# ---- Names ----

@test "names: one name is three objects, and two families never meet" {
    local name
    for name in "$posix" "$key"; do
        make_all "$name"
        mqctl rm "$name"
        run -2 mqctl show "$name"
        assert_equal "$(shmcat "$name") $(semctl value "$name")" 'hello 3'
        shmctl rm "$name"
        run -2 shmcat "$name"
        assert_equal "$(semctl value "$name")" 3
    done
}

@test "names: POSIX objects are files in a place of their own, except semaphores, which share one" {
    requires posix-mount
    make_all "$posix"
    [ -f /dev/mqueue/persistence ]
    [ -f /dev/shm/persistence ]
    [ -f /dev/shm/sem.persistence ]
    run -2 shmcat /sem.nothing
    run -0 shmcat -l 4 /sem.persistence
}

@test "names: a key and an identifier name the same object of System V, a path's key does too" {
    local path=$BATS_TEST_TMPDIR/file name id
    : >"$path"
    make_all "ftok:$path"
    for name in mqctl shmctl semctl; do
        id=$("$name" show "ftok:$path" | sed -n 's/^id=//p')
        "$name" show "id:$id"
        "$name" show "key:$(mqctl show "ftok:$path" | sed -n 's/^key=//p')"
    done
    # Another file of the same path has another key: the objects are out of its reach.
    mv "$path" "$path.old"
    : >"$path"
    run -2 mqctl show "ftok:$path"
    mqctl rm "ftok:$path.old"
    shmctl rm "ftok:$path.old"
    semctl rm "ftok:$path.old"
}

@test "names: a private object has none but its identifier" {
    local tool
    local -a size=()
    for tool in mqctl shmctl semctl; do
        [ $tool != shmctl ] || size=(-s 5)
        run -0 --separate-stderr "$tool" create private "${size[@]}"
        assert_output --regexp '^id:[0-9]+$'
        name=$output
        run -0 "$tool" create private "${size[@]}"
        refute_output "$name"
        "$tool" rm "$name" "$output"
        size=()
    done
}

# bats test_tags=user
@test "names: another IPC namespace has its own" {
    requires userns
    local -a elsewhere=(unshare --ipc)
    "${elsewhere[@]}" true 2>/dev/null || elsewhere=(unshare --user --map-root-user --ipc)
    make_all "$key"
    make_queue "$posix" --msgsize 64
    # POSIX memory and semaphores are files: their namespace is that of mounts.
    make_memory "$posix" 5
    make_semaphore "$posix"
    run -2 "${elsewhere[@]}" mqctl show "$key"
    run -2 "${elsewhere[@]}" shmctl show "$key"
    run -2 "${elsewhere[@]}" semctl show "$key"
    run -2 "${elsewhere[@]}" mqctl show "$posix"
    run -0 "${elsewhere[@]}" shmctl show "$posix"
    run -0 "${elsewhere[@]}" semctl show "$posix"
}

# ---- Access ----

@test "access: 0600, and another user gets nowhere" {
    requires root
    local name command
    for name in "$posix" "$key"; do
        make_all "$name"
        while read -r command; do
            # shellcheck disable=SC2086 # words
            run -2 --separate-stderr as_other $command "$name" <<<bye
            assert_output ''
            [[ $stderr == *': Permission denied'* ]] || fail "$command: $stderr"
        done <<'COMMANDS'
mqreceive -n
mqsend -n
shmcat
shmcat -W
semctl wait -n
semctl post
semctl value
COMMANDS
        for command in mqctl shmctl semctl; do
            run -2 as_other "$command" rm "$name"
        done
        assert_equal "$(show_all "$name")" '1 hello 3'
    done
}

@test "access: who may read may not write, and the other way round" {
    requires root
    local name
    for name in "$posix" "$key"; do
        make_all "$name" -m 0644
        run -0 as_other shmcat "$name"
        run -2 as_other shmcat -W "$name" <<<bye
        run -2 as_other mqsend -n "$name" bye
        run -2 as_other semctl post "$name"
        run -0 as_other mqreceive -n "$name"
        assert_output hello
        mqctl set -m 0622 "$name"
        run -0 as_other mqsend -n "$name" bye
        run -2 as_other mqreceive -n "$name"
        assert_equal "$(show_all "$name")" '1 hello 3'
    done
}

# ---- Persistence ----

# Of a process that ends without a word, what it made and did stays.
@test "kernel persistence: queues, memory and semaphores survive their creator and their users" {
    local name
    for name in "$posix" "$key"; do
        made_queues+=("$name") made_memory+=("$name") made_semaphores+=("$name")
        local -a size=()
        [[ $name != /* ]] || size=(--msgsize 64)
        run -137 bash -c 'set -e
            mqctl create "${@:2}" "$1" && shmctl create -s 5 "$1" && semctl create --value 3 "$1"
            mqsend "$1" hello && printf hello | shmcat -W "$1" && semctl wait "$1"
            kill -KILL $$' bash "$name" "${size[@]}"
        assert_equal "$(show_all "$name")" '1 hello 2'
    done
}

@test "process persistence: what a process holds of a semaphore under run goes back with it" {
    local name
    for name in "$posix" "$key"; do
        make_semaphore "$name" --value 3
        run -137 semctl run -c 2 "$name" -- sh -c 'semctl value "$1" >"$2" && kill -KILL $$' sh \
            "$name" "$BATS_TEST_TMPDIR/value"
        assert_equal "$(<"$BATS_TEST_TMPDIR/value")" 1
        value_is() { [ "$(semctl value "$name")" -eq 3 ]; }
        wait_until value_is
        semctl wait "$name" # and this is for good
        assert_equal "$(semctl value "$name")" 2
    done
}

@test "process persistence: a removed POSIX object lives until the last descriptor is closed" {
    requires posix-mount
    make_queue "$posix" --msgsize 64
    make_memory "$posix" 5
    mqsend "$posix" hello
    printf hello | shmcat -W "$posix"
    exec 7<>/dev/mqueue/persistence 8<>/dev/shm/persistence
    mqctl rm "$posix"
    shmctl rm "$posix"
    run -2 mqreceive -n "$posix"
    run -2 shmcat "$posix"
    # A new object of the name is another one.
    make_memory "$posix" 3
    run -0 mqreceive -n fd:7
    assert_output hello
    run -0 shmcat fd:8
    assert_output hello
    exec 7>&- 8>&-
}

# attach ID: has the segment attached until it is told to end.
attach='import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
assert libc.shmat(int(sys.argv[1]), None, 0) != ctypes.c_void_p(-1).value
print(flush=True)
sys.stdin.read()'

@test "process persistence: a removed segment lives until the last detach, without its key" {
    make_memory "$key" 5
    printf hello | shmcat -W "$key"
    local id
    id=$(shmctl show "$key" | sed -n 's/^id=//p')
    coproc ATTACHED { python3 -c "$attach" "$id" 3>&-; }
    local attached=$ATTACHED_PID to=${ATTACHED[1]}
    read -r _ <&"${ATTACHED[0]}"
    run -0 --separate-stderr shmctl rm "$key"
    [[ $stderr == *'lives on until it is detached (1 attach)'* ]]
    run -2 shmcat "$key"
    run -0 shmcat "id:$id"
    assert_output hello
    exec {to}>&-
    wait "$attached"
    run -2 shmcat "id:$id"
}

@test "process persistence: a memfd never had a name, and goes with those who have it" {
    run -0 python3 -c 'import os, subprocess, sys
fd = os.memfd_create("hello")
os.write(fd, b"hello")
sys.exit(subprocess.call(["shmcat", f"fd:{fd}"], pass_fds=[fd]))'
    assert_output hello
}

@test "process persistence: a registration for notification goes with its process" {
    local ready=$BATS_TEST_TMPDIR/ready
    make_queue "$posix" --msgsize 64
    mkfifo "$ready"
    exec 9<>"$ready"
    spawn watcher mqnotify --ready-fd 9 "$posix"
    read -r _ <&9
    mqctl show "$posix" | grep -qx "notify=${pid[watcher]}"
    kill -KILL "${pid[watcher]}"
    wait_exit watcher 137
    mqctl show "$posix" | grep -qx notify=0
    exec 9>&-
}

@test "file system persistence: a FIFO's name stays, what was in it does not; a file keeps both" {
    local fifo=$BATS_TEST_TMPDIR/fifo file=$BATS_TEST_TMPDIR/file
    mkfifo "$fifo"
    exec 7<>"$fifo"
    echo hello >&7
    exec 7>&-
    [ -p "$fifo" ]
    exec 7<>"$fifo"
    run -1 read -r -t 0 -u 7 # there is nothing to read
    exec 7>&-
    echo hello >"$file"
    assert_equal "$(<"$file")" hello
}
