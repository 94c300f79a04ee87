#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ipcclean: what it removes, what it leaves, and that the two are never confused.
# shellcheck disable=SC2016 # variables of other shells, of perl and PHP
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

# Some tests put what no tool makes into /dev/shm.
teardown() {
    clean_up
    rm -rf /dev/shm/clean-* /dev/shm/sem.clean-*
}

all=(-s 'orphan,unused,idle' --older-than 0)

# exists NAME: with its kind in front.
exists() {
    case $1 in
    mq:*) mqctl show -- "$1" >/dev/null 2>&1 ;;
    sem:*) semctl show -- "$1" >/dev/null 2>&1 ;;
    shm:*) shmctl show -- "$1" >/dev/null 2>&1 ;;
    esac
}

is_gone() { ! exists "$1" || fail "$1 is still there"; }

# holder NAME PYTHON: a process that runs it, then is ready, and stays.
holder() {
    spawn_ready "$1" python3 -c "
import mmap, os, signal, sys
sys.path.insert(0, '$BATS_TEST_DIRNAME/support')
$2
os.write(9, b'\n')
signal.pause()" 9
}

# stopped N COMMAND...: spawns it as `clean`, and waits until it is stopped before its Nth removal,
# behind the look at all objects, and before the second one at that object: there it asks whether
# the pipe that is its stdout is still read. `go_on` lets it go on.
stopped() {
    local trace=$BATS_TEST_TMPDIR/trace
    rm -f "$trace"
    spawn clean bash -o pipefail -c '"$@" | cat' bash \
        strace -o "$trace" -e trace=poll -e inject=poll:signal=STOP:when="$1" "${@:2}"
    wait_until grep -q 'stopped by SIGSTOP' "$trace"
    stopped_pid=$(pgrep -x -P "$(pgrep -x -P "${pid[clean]}" strace)" ipcclean)
}
go_on() { kill -CONT "$stopped_pid"; }

# create_as ID NAME CREATE...: an object by that name which gets the identifier that another had.
create_as() {
    local kind=${2%%:*}
    kind=${kind/mq/msg}
    put_limit "kernel/${kind}_next_id" "$1"
    "${@:3}" "$2" >/dev/null
}
id_of() { ("${1%%:*}ctl" show "$1" | sed -n 's/^id=//p'); }

# COMMAND with a stdout that is a pipe which nobody reads.
closed_pipe=(python3 -c '
import os, subprocess, sys
r, w = os.pipe()
os.close(r)
sys.exit(subprocess.run(sys.argv[1:], stdout=w).returncode)')

# ---- What goes ----

# bats test_tags=user
@test "without -y it says what it would remove and why; with -y it removes that, and says so" {
    make_memory key:0x6301 4096
    local what='shm:key:0x00006301: orphan: creator [0-9]+ is gone, nobody attached, [0-9]+ s old, 4096 bytes'
    run_tool 0 ipcclean --older-than 0
    assert_no_stderr
    assert_output --regexp "^would remove $what\$"
    exists shm:key:0x6301
    run_tool 0 ipcclean -y --older-than 0
    assert_no_stderr
    assert_output --regexp "^removed $what\$"
    is_gone shm:key:0x6301
    run_tool 0 ipcclean -y --older-than 0
    assert_output ''
}

@test "what is younger than 60 seconds, or than --older-than, is left" {
    make_memory key:0x6302 4096
    make_queue /clean-q
    run_tool 0 ipcclean -y
    assert_output ''
    assert_diagnostic ipcclean '^ipcclean: left shm:key:0x00006302: [0-9]+ s old only \(--older-than\)$'
    # A queue's time is that of its last change, which tests can set.
    touch -d '2 minutes ago' /dev/mqueue/clean-q
    run_tool 0 ipcclean -y -k mq -s unused --older-than 3m
    assert_output ''
    run_tool 0 ipcclean -k mq -s unused
    assert_output --regexp '^would remove mq:/clean-q: unused: nobody has it open or mapped, 2 min old, 0 messages$'
    run_tool 0 ipcclean -y -k mq -s unused --older-than 1.5m
    is_gone mq:/clean-q
}

@test "a time that has not come yet, or was before the boot, is no age" {
    make_queue /clean-q
    local when
    for when in tomorrow '1980-01-01'; do
        touch -d "$when" /dev/mqueue/clean-q
        run_tool 0 ipcclean -y -k mq -s unused --older-than 1ms
        assert_output ''
        assert_diagnostic ipcclean 'left mq:/clean-q: its times are before the boot or not yet'
    done
    run_tool 0 ipcclean -y -k mq -s unused --older-than 0
    assert_output --partial 'of unknown age'
    is_gone mq:/clean-q
}

# bats test_tags=user
@test "-s widens: POSIX objects of all kinds, and System V sets" {
    make_queue /clean-q
    make_semaphore /clean-s
    make_memory /clean-m 4K
    make_semaphore key:0x6303 --nsems 3
    run_tool 0 ipcclean -y --older-than 0
    assert_no_stderr
    assert_output ''
    run_tool 0 ipcclean -y "${all[@]}"
    assert_no_stderr
    assert_line --regexp '^removed mq:/clean-q: unused: '
    assert_line --regexp '^removed sem:/clean-s: unused: '
    assert_line --regexp '^removed shm:/clean-m: unused: .* 4096 bytes$'
    assert_line --regexp '^removed sem:key:0x00006303: idle: no user was found, .* 3 semaphores$'
    [ "${#lines[@]}" -eq 4 ]
    local name
    for name in mq:/clean-q sem:/clean-s shm:/clean-m sem:key:0x6303; do
        is_gone "$name"
    done
}

# bats test_tags=user
@test "-k, -u and --name choose" {
    make_queue /clean-q
    make_memory /clean-m 4K
    make_memory /clean-n 4K
    run_tool 0 ipcclean "${all[@]}" -k mq
    assert_output --regexp '^would remove mq:/clean-q: [^
]*$'
    run_tool 0 ipcclean "${all[@]}" --name '*-[m]'
    assert_output --regexp '^would remove shm:/clean-m: [^
]*$'
    run_tool 0 ipcclean "${all[@]}" --name 'shm:*'
    [ "${#lines[@]}" -eq 2 ]
    run_tool 0 ipcclean "${all[@]}" --name 'clean*'
    assert_output ''
    run_tool 0 ipcclean "${all[@]}" -u "$EUID"
    [ "${#lines[@]}" -eq 3 ]
    run_tool 0 ipcclean "${all[@]}" -u 12345
    assert_output ''
}

# ---- What stays ----

@test "a queue that holds messages is left, except --with-data" {
    make_queue /clean-q
    make_queue key:0x6304
    mqsend /clean-q a b
    mqsend key:0x6304 c
    run_tool 0 ipcclean -y "${all[@]}" -s unused,idle,unknown
    assert_output ''
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ $stderr == *'left mq:/clean-q: holds 2 messages (--with-data)'* ]]
    [[ $stderr == *'left mq:key:0x00006304: holds 1 message (--with-data)'* ]]
    [ "$(queued /clean-q)" -eq 2 ]
    run_tool 0 ipcclean -y "${all[@]}" -s unused,idle,unknown --with-data
    assert_no_stderr
    [ "${#lines[@]}" -eq 2 ]
    is_gone mq:/clean-q
    is_gone mq:key:0x6304
}

# bats test_tags=user
@test "what is open, mapped, attached or waited for is left, whatever the states" {
    make_queue /clean-q
    make_memory /clean-m 4K
    make_memory key:0x6305 4K
    make_semaphore /clean-s
    make_semaphore key:0x6305
    make_queue key:0x6305
    holder open "
q = os.open('/dev/mqueue/clean-q', os.O_RDONLY)
f = os.open('/dev/shm/clean-m', os.O_RDWR)
m = mmap.mmap(f, 4096)
os.close(f)"
    spawn attached perl -MIPC::SysV=shmat -e '$| = 1; $id = shmget(0x6305, 0, 0); shmat($id, undef, 0) or die; print "ready\n"; sleep'
    spawn waiting semctl wait /clean-s
    spawn set semctl wait key:0x6305
    spawn receiver mqreceive key:0x6305
    wait_until grep -q ready "$(out attached)"
    wait_blocked set semtimedop semop
    wait_blocked receiver msgrcv
    wait_blocked waiting futex
    run_tool 0 ipcclean -y --with-data --older-than 0 -s orphan,unused,idle,unknown
    assert_output ''
    local name
    for name in mq:/clean-q shm:/clean-m shm:key:0x6305 sem:/clean-s sem:key:0x6305 mq:key:0x6305; do
        exists "$name" || fail "$name is gone"
    done
    run_tool 0 ipcclean -v "${all[@]}"
    [[ $stderr == *'left shm:/clean-m: is in use by '"${pid[open]} (python"* ]]
    [[ $stderr == *'left shm:key:0x00006305: is in use by '"${pid[attached]} (perl)"* ]]
    run_tool 1 ipcclean shm:/clean-m
    assert_diagnostic ipcclean "left shm:/clean-m: is in use by ${pid[open]}"
}

@test "a set whose neighbour is in use is left: by number, or by the file of ftok(3)" {
    make_queue key:0x6306
    make_semaphore key:0x6308
    make_semaphore key:0x6309
    make_semaphore key:0x05006306
    spawn receiver mqreceive key:0x6306
    wait_blocked receiver msgrcv
    run_tool 0 ipcclean "${all[@]}"
    assert_output --regexp '^would remove sem:key:0x00006309: [^
]*$'
    [[ $stderr == *'left sem:key:0x00006308: one of the same creator with a neighbouring key is in use'* ]]
    [[ $stderr == *'left sem:key:0x05006306: one of the same creator'* ]]
    # Also where queues are none of the kinds that were chosen.
    run_tool 0 ipcclean "${all[@]}" -k sem
    [ "${#lines[@]}" -eq 1 ]
}

@test "in-use and marked are no states to remove, nor are other kinds kinds" {
    run_tool 2 ipcclean -s orphan,in-use
    assert_diagnostic ipcclean "--state: 'in-use' is used; only orphan, unused, idle, malformed and unknown"
    run_tool 2 ipcclean -s marked
    assert_diagnostic ipcclean "--state: 'marked' is used"
    run_tool 2 ipcclean -k mq,pipe
    assert_diagnostic ipcclean "--kinds: 'pipe' goes with its processes"
}

@test "of what is malformed, regular files and symbolic links go, when asked for" {
    echo target >/dev/shm/clean-target
    ln -s clean-target /dev/shm/clean-link
    mkfifo /dev/shm/clean-fifo
    mkdir /dev/shm/clean-dir
    : >/dev/shm/sem.clean-evil
    run_tool 0 ipcclean -y -s orphan,idle --older-than 0
    assert_output ''
    run_tool 0 ipcclean -y -s malformed --older-than 0
    assert_line --regexp '^removed shm:/clean-link: malformed: it is not what its name says, '
    assert_line --regexp '^removed sem:/clean-evil: malformed: '
    [ "${#lines[@]}" -eq 2 ]
    [[ $stderr == *'left shm:/clean-dir: of what is malformed, only regular files and symbolic links can be removed'* ]]
    [[ $stderr == *'left shm:/clean-fifo: '* ]]
    [ -p /dev/shm/clean-fifo ]
    [ -d /dev/shm/clean-dir ]
    [ -f /dev/shm/clean-target ]
    [ ! -e /dev/shm/sem.clean-evil ]
    [ ! -L /dev/shm/clean-link ]
}

@test "a segment that is removed and still attached is left alone" {
    make_memory key:0x6310 4K
    spawn attached perl -MIPC::SysV=shmat,IPC_RMID -e '
        $id = shmget(0x6310, 0, 0); shmat($id, undef, 0) or die; shmctl($id, IPC_RMID, 0);
        $| = 1; print "id:$id\n"; sleep'
    wait_until grep -q id "$(out attached)"
    local name
    name=shm:$(<"$(out attached)")
    run_tool 0 ipcclean -y -s orphan,unused,unknown --older-than 0
    assert_output ''
    run_tool 1 ipcclean -y "$name"
    assert_diagnostic ipcclean "left $name: is marked: removed already, and still attached"
}

# ---- Names ----

@test "operands are subject to the same states; what is left or not there is status 1" {
    make_memory /clean-m 4K
    make_memory /clean-n 4K
    run_tool 1 ipcclean -y /clean-m
    assert_output ''
    assert_diagnostic ipcclean '^ipcclean: left shm:/clean-m: is unused: nobody has it open or mapped$'
    run_tool 1 ipcclean -y "${all[@]}" shm:/clean-m /clean-none
    assert_output --regexp '^removed shm:/clean-m: [^
]*$'
    assert_diagnostic ipcclean '^ipcclean: /clean-none: there is no such object$'
    run_tool 2 ipcclean -y fifo:/clean-none
    assert_diagnostic ipcclean "'fifo:/clean-none' goes with its processes"
    exists shm:/clean-n
    run_tool 1 ipcclean "${all[@]}" -k mq shm:/clean-n
    assert_diagnostic ipcclean 'left shm:/clean-n: other options leave it out'
    make_memory key:0x6311 4K
    run_tool 0 ipcclean --older-than 0 "id:$(shmctl show key:0x6311 | sed -n 's/^id=//p')" shm:key:0x6311
    [ "${#lines[@]}" -eq 1 ]
}

@test "- takes names from stdin, escaped or with NULs; hostile ones are exact" {
    local name hostile=$'/clean-\n \\x41\t\xff\e[1m*'
    make_memory "$hostile" 4K
    make_memory /clean-m 4K
    printf 'shm:/clean-\\x0a\\x20\\x5cx41\\x09\\xff\\x1b[1m*\n' >"$BATS_TEST_TMPDIR/names"
    run_tool 0 ipcclean "${all[@]}" - <"$BATS_TEST_TMPDIR/names"
    assert_output --regexp '^would remove shm:/clean-\\x0a \\x41\\x09\\xff\\x1b\[1m\*: unused: [^
]*$'
    printf 'shm:%s\0' "$hostile" >"$BATS_TEST_TMPDIR/names"
    run_tool 0 ipcclean -y "${all[@]}" -0 - <"$BATS_TEST_TMPDIR/names"
    [ "${#lines[@]}" -eq 1 ]
    is_gone "shm:$hostile"
    exists shm:/clean-m
}

@test "stdin without a name removes nothing; a malformed name stops it before anything goes" {
    make_memory /clean-m 4K
    run_tool 0 ipcclean -y "${all[@]}" - </dev/null
    assert_output ''
    assert_no_stderr
    printf 'shm:/clean-m\n\n' >"$BATS_TEST_TMPDIR/names"
    run_tool 2 ipcclean -y "${all[@]}" - <"$BATS_TEST_TMPDIR/names"
    assert_diagnostic ipcclean 'stdin, name 2: '
    printf 'shm:/clean-m\nshm:/\\xZ' >"$BATS_TEST_TMPDIR/names"
    run_tool 2 ipcclean -y "${all[@]}" - <"$BATS_TEST_TMPDIR/names"
    assert_diagnostic ipcclean 'stdin, name 2: '
    run_tool 2 ipcclean -y "${all[@]}" - /clean-m
    run_tool 2 ipcclean -y "${all[@]}" -0 /clean-m
    exists shm:/clean-m
}

@test "what ipcstat prints is what it takes" {
    requires ipcstat
    local hostile=$'/clean-\n \\\xff'
    make_memory "$hostile" 4K
    make_queue "$hostile"
    make_semaphore key:0x6312
    run_tool 0 bash -c 'set -o pipefail
        ipcstat -s unused -r --noheadings -o NAME | ipcclean -y -s unused --older-than 0 -'
    [ "${#lines[@]}" -eq 2 ]
    is_gone "shm:$hostile"
    is_gone "mq:$hostile"
    exists sem:key:0x6312
    make_memory "$hostile" 4K
    run_tool 0 bash -c 'set -o pipefail
        ipcstat -s unused -0 --noheadings -o NAME | ipcclean -y -s unused --older-than 0 -0 -'
    [ "${#lines[@]}" -eq 1 ]
    is_gone "shm:$hostile"
}

# ---- Between look and removal ----

@test "an identifier that is given again between look and removal is another object" {
    requires strace limits
    [ -e /proc/sys/kernel/shm_next_id ] || skip 'needs a kernel that lets identifiers be chosen'
    local name id
    make_memory key:0x6313 4K
    make_queue key:0x6313
    make_semaphore key:0x6313
    for name in shm:key:0x6313 mq:key:0x6313 sem:key:0x6313; do
        id=$(id_of "$name")
        stopped 1 ipcclean -y -s orphan,unused,idle,unknown --older-than 0 "$name"
        "${name%%:*}ctl" rm "$name"
        wait_until next_second
        case $name in
        shm:*) create_as "$id" "$name" shmctl create -s 4K ;;
        mq:*) create_as "$id" "$name" mqctl create ;;
        sem:*) create_as "$id" "$name" semctl create ;;
        esac
        [ "$(id_of "$name")" = "$id" ]
        go_on
        wait_exit clean 1
        [[ $stderr == *"left $name"*': it has changed since it was looked at'* ]] ||
            [[ $stderr == *"left ${name/0x6313/0x00006313}: it has changed since it was looked at"* ]]
        [ -z "$output" ]
        exists "$name"
    done
}

# bats test_tags=user
@test "what is used again between look and removal is left" {
    requires strace
    make_memory key:0x6315 4K
    make_semaphore key:0x6315
    make_queue key:0x6315
    make_memory /clean-m 4K
    make_queue /clean-q
    local name
    for name in shm:key:0x00006315 sem:key:0x00006315 mq:key:0x00006315 shm:/clean-m mq:/clean-q; do
        stopped 1 ipcclean -y -s orphan,unused,idle,unknown --older-than 0 "$name"
        case $name in
        shm:key:*)
            spawn user perl -MIPC::SysV=shmat -e '$| = 1;
                $id = shmget(0x6315, 0, 0); shmat($id, undef, 0) or die; print "ready\n"; sleep'
            wait_until grep -q ready "$(out user)"
            ;;
        sem:*)
            spawn user semctl wait "$name"
            wait_blocked user semtimedop semop
            ;;
        mq:key:*)
            spawn user mqreceive "$name"
            wait_blocked user msgrcv
            ;;
        shm:/*) holder user "f = os.open('/dev/shm/clean-m', os.O_RDONLY)" ;;
        mq:/*) holder user "f = os.open('/dev/mqueue/clean-q', os.O_WRONLY)" ;;
        esac
        go_on
        wait_exit clean 1
        [[ $stderr =~ "left $name: "('a process has attached it now'|'a process waits '(for|in)' it now'|'somebody has it open or mapped') ]] ||
            fail "$name: $stderr"
        [ -z "$output" ]
        exists "$name"
        kill -KILL "${pid[user]}"
        wait_until ended "${pid[user]}"
    done
}

@test "a file that is replaced between look and removal, or at the last moment, is left" {
    requires strace
    local moment
    export ended=$BATS_TEST_TMPDIR/ended
    for moment in look rename; do
        make_memory /clean-m 4K
        if [ $moment = look ]; then
            stopped 1 ipcclean -y "${all[@]}" /clean-m
        else
            # Until strace is killed, that is.
            spawn clean strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=renameat2 \
                -e inject=renameat2:delay_enter=1000000000 -f \
                sh -c 'ipcclean "$@" || echo $? >"$ended"' sh -y "${all[@]}" /clean-m
            wait_until in_rename
        fi
        echo new >/dev/shm/clean-new
        mv /dev/shm/clean-new /dev/shm/clean-m
        if [ $moment = look ]; then
            go_on
            wait_exit clean 1
        else
            kill -KILL "${pid[clean]}"
            wait_until test -s "$ended"
            [ "$(<"$ended")" -eq 1 ]
            wait_exit clean 137
        fi
        [[ $stderr == *'left shm:/clean-m: it was replaced since it was looked at'* ]] || fail "$stderr"
        [ "$(</dev/shm/clean-m)" = new ]
        rm /dev/shm/clean-m
        run ls -A /dev/shm
        assert_output ''
    done
}
in_rename() {
    local child
    child=$(pgrep -P "$(pgrep -P "${pid[clean]}" -x sh)" -x ipcclean) &&
        grep -q ^State:.t "/proc/$child/status" &&
        [[ $(<"/proc/$child/syscall") == "$(number_of renameat2) "* ]]
}
number_of() {
    know_syscalls
    local number=${syscalls#* "$1"=}
    echo "${number%% *}"
}
next_second() {
    : "${since:=$(date +%s)}"
    [ "$(date +%s)" -gt "$since" ]
}

# ---- Output, signals, others ----

@test "a signal ends it between two removals, and it says how many there were" {
    requires strace
    make_memory /clean-1 4K
    make_memory /clean-2 4K
    make_memory /clean-3 4K
    stopped 2 ipcclean -y "${all[@]}"
    kill -TERM "$stopped_pid"
    go_on
    wait_exit clean 143
    [[ $stderr == *'ipcclean: 2 removed before the signal, all others left'* ]] || fail "$stderr"
    [ "$(grep -c ^removed <<<"$output")" -eq 2 ]
    run ls /dev/shm
    assert_output clean-3
}

@test "a stdout that fails stops it: at once if that can be known, else behind the first" {
    make_memory /clean-1 4K
    make_memory /clean-2 4K
    run_tool 2 "${closed_pipe[@]}" ipcclean -y "${all[@]}"
    assert_diagnostic ipcclean 'stdout: cannot write: Broken pipe'
    [ -e /dev/shm/clean-1 ]
    [ -e /dev/shm/clean-2 ]
    run_tool 2 bash -c '"$@" >&-' bash ipcclean -y "${all[@]}"
    assert_diagnostic ipcclean 'stdout: cannot write: Bad file descriptor'
    [ -e /dev/shm/clean-1 ]
    [ -e /dev/shm/clean-2 ]
    run_tool 2 bash -c '"$@" >/dev/full' bash ipcclean -y "${all[@]}"
    assert_diagnostic ipcclean 'stdout: cannot write: No space left on device \(removed shm:/clean-1: .*; all others left\)'
    [ ! -e /dev/shm/clean-1 ]
    [ -e /dev/shm/clean-2 ]
}

@test "objects of others: what cannot be proved is left, what is refused is trouble" {
    requires root
    local -a as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
    make_memory /clean-m 4K -m 0644
    make_memory key:0x6314 4K
    run_tool 1 "${as_user[@]}" ipcclean -y "${all[@]}" /clean-m
    assert_diagnostic ipcclean 'left shm:/clean-m: is unknown: processes that could not be examined may use it'
    run_tool 2 "${as_user[@]}" ipcclean -y -s unknown --older-than 0 /clean-m
    assert_diagnostic ipcclean '^ipcclean: shm:/clean-m: cannot remove: Operation not permitted$'
    run_tool 2 "${as_user[@]}" ipcclean -y --older-than 0
    assert_diagnostic ipcclean '^ipcclean: shm:key:0x00006314: cannot remove: Operation not permitted$'
    exists shm:/clean-m && exists shm:key:0x6314
}

@test "-N: the objects of another IPC namespace, and no others" {
    requires root
    make_semaphore key:0x6316
    spawn_ready there unshare --ipc bash -c 'semctl create key:0x6316 >/dev/null && echo >&9 && exec sleep 600' 9
    run_tool 0 ipcclean -y "${all[@]}" -k sem -N "${pid[there]}"
    assert_output --regexp '^removed sem:key:0x00006316: idle: [^
]*$'
    run_tool 0 nsenter --ipc="/proc/${pid[there]}/ns/ipc" ipcclean "${all[@]}"
    assert_output ''
    exists sem:key:0x6316
    run_tool 2 ipcclean -N 999999999
}

@test "-N: POSIX objects there, in the /dev/mqueue and /dev/shm that its process has; the same names here stay" {
    requires root mount
    make_queue /clean-q
    make_semaphore /clean-s
    make_memory /clean-m 4K
    make_memory /clean-ours 4K
    spawn_ready there unshare --ipc --mount bash -c '
        mount -t mqueue none /dev/mqueue && mount -t tmpfs none /dev/shm || exit
        mqctl create /clean-q /clean-used && semctl create /clean-s && shmctl create -s 4K /clean-m /clean-used
        exec 8</dev/shm/clean-used 7</dev/mqueue/clean-used && echo >&9 && exec sleep 600' 9
    local -a inside=(nsenter --target "${pid[there]}" --ipc --mount)
    there() { "${inside[@]}" sh -c 'cd /dev && echo mqueue/* shm/*'; }
    [ "$(there)" = 'mqueue/clean-q mqueue/clean-used shm/clean-m shm/clean-used shm/sem.clean-s' ]
    run_tool 0 ipcclean "${all[@]}" -N "${pid[there]}"
    [ "${#lines[@]}" -eq 3 ]
    [ "$(there)" = 'mqueue/clean-q mqueue/clean-used shm/clean-m shm/clean-used shm/sem.clean-s' ]
    # Names are looked up there, too.
    run_tool 1 ipcclean -y "${all[@]}" -N "${pid[there]}" shm:/clean-m shm:/clean-ours
    assert_output --regexp '^removed shm:/clean-m: unused: [^
]*$'
    assert_diagnostic ipcclean '^ipcclean: shm:/clean-ours: there is no such object$'
    run_tool 0 ipcclean -y "${all[@]}" -N "${pid[there]}"
    assert_line --regexp '^removed mq:/clean-q: unused: '
    assert_line --regexp '^removed sem:/clean-s: unused: '
    [ "${#lines[@]}" -eq 2 ]
    [ "$(there)" = 'mqueue/clean-used shm/clean-used' ]
    local name
    for name in mq:/clean-q sem:/clean-s shm:/clean-m shm:/clean-ours; do
        exists "$name" || fail "$name is gone"
    done
}

# bats test_tags=user
@test "where /dev/mqueue is that of another IPC namespace, our queues go, and not those that it shows" {
    requires mount
    make_queue /clean-q
    make_queue /clean-theirs
    # None of ours is there yet: nothing in it proves whose it is.
    run_tool 0 unshare --ipc sh -c '
        ipcclean -y "$@" -k mq && mqctl create /clean-q /clean-ours >/dev/null && ipcclean -y "$@" -k mq
        ls /dev/mqueue; mqctl show /clean-q; mqctl show /clean-ours; true' sh "${all[@]}"
    assert_line --regexp '^removed mq:/clean-q: unused: '
    assert_line --regexp '^removed mq:/clean-ours: unused: '
    assert_line clean-q
    assert_line clean-theirs
    [ "${#lines[@]}" -eq 4 ]
    exists mq:/clean-q && exists mq:/clean-theirs
}

@test "what cannot be listed is said, and is trouble if it was asked for" {
    requires mount
    local -a no_shm
    make_memory key:0x6317 4K
    no_shm=(unshare --mount sh -c 'mount -t tmpfs none /dev && exec "$@"' sh)
    run_tool 0 "${no_shm[@]}" ipcclean --older-than 0
    assert_output --partial 'would remove shm:key:0x00006317'
    [[ $stderr == *'ipcclean: /dev/shm: cannot list: No such file or directory'* ]] || fail "$stderr"
    run_tool 2 "${no_shm[@]}" ipcclean -k shm --older-than 0
    assert_output --partial 'would remove shm:key:0x00006317'
}

@test "stdin that is a directory, or closed: nothing is removed" {
    make_memory /clean-m 4K
    run_tool 2 ipcclean -y "${all[@]}" - </
    assert_diagnostic ipcclean '^ipcclean: stdin: cannot read: Is a directory$'
    run_tool 2 sh -c '"$@" <&-' sh ipcclean -y "${all[@]}" -
    assert_diagnostic ipcclean '^ipcclean: stdin: cannot read: Bad file descriptor$'
    exists shm:/clean-m
}

# bats test_tags=user
@test "without /proc nothing goes but what the kernel itself proves" {
    ! is_sanitized || skip 'the sanitizers need /proc'
    requires mount
    make_queue key:0x6318
    make_memory key:0x6318 4K
    spawn receiver mqreceive key:0x6318
    wait_blocked receiver msgrcv
    run_tool 0 unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh ipcclean -y "${all[@]}"
    assert_output --regexp '^removed shm:key:0x00006318: orphan: [^
]*$'
    exists mq:key:0x6318
}

@test "two at once: each object is removed by one of them, or is left" {
    python3 -c 'for i in range(100): open(f"/dev/shm/clean-{i}", "x")'
    spawn one ipcclean -y "${all[@]}"
    spawn two ipcclean -y "${all[@]}"
    wait_exit one
    [ "$status" -eq 0 ] || fail "$stderr"
    local removed=$output
    wait_exit two
    [ "$status" -eq 0 ] || fail "$stderr"
    removed=$(sed -n 's/^removed shm:\([^:]*\):.*/\1/p' <<<"$removed"$'\n'"$output")
    local left
    left=$(find /dev/shm -mindepth 1 -printf '/%f\n')
    [ "$(sort <<<"$removed"$'\n'"$left" | sed '/^$/d' | uniq | wc -l)" -eq 100 ]
    [ "$(sort <<<"$removed"$'\n'"$left" | sed '/^$/d' | uniq -d | wc -l)" -eq 0 ]
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    local limit
    for limit in {4..16}; do
        [ -e /dev/shm/clean-m ] || make_memory /clean-m 4K
        # Where there are too few for the loader, that is not us.
        run_tool - sh -c '"$@"; status=$?; [ $status -ne 127 ] || status=99; exit $status' sh \
            prlimit --nofile="$limit" ipcclean -y "${all[@]}" /clean-m
        [ "$status" -ne 99 ] || continue
        case $status in
        0) [ ! -e /dev/shm/clean-m ] ;;
        *)
            [ -e /dev/shm/clean-m ]
            [[ $stderr == *RLIMIT_NOFILE* || $stderr == *'Too many open files'* ]] || fail "$limit: $stderr"
            ;;
        esac
    done
    [ "$status" -eq 0 ]
}

@test "a thread that begins to wait between look and removal, though its process is elsewhere" {
    requires strace root
    make_queue key:0x6319
    stopped 1 ipcclean -y -s idle,unknown --older-than 0 mq:key:0x6319
    holder user "
import ctypes, threading
libc = ctypes.CDLL(None)
queue = libc.msgget(0x6319, 0)
waits = threading.Thread(target=libc.msgrcv, daemon=True,
                         args=(queue, ctypes.create_string_buffer(100), 8, 0, 0))
waits.start()
task = f'/proc/self/task/{waits.native_id}/syscall'
while not open(task).read().startswith('$(number_of msgrcv) '):
    pass
assert libc.unshare(0x08000000) == 0 # CLONE_NEWIPC"
    go_on
    wait_exit clean 1
    [[ $stderr == *'left mq:key:0x00006319: a process waits in it now'* ]] || fail "$stderr"
    exists mq:key:0x6319
}

@test "where a lease proves nothing, only the word of the user removes" {
    requires root mount
    on_overlay '
        echo >/dev/shm/sem.clean-over
        ipcclean -y --older-than 0 -s orphan,unused,idle,malformed
        echo and
        ipcclean -y --older-than 0 -s malformed,unknown'
    assert_output --regexp $'^and\nremoved sem:/clean-over: malformed: [^\n]*$'
    assert_diagnostic ipcclean 'left sem:/clean-over: that nobody has it open can be proved by its owner and root alone, and not in every file system'
}

# bats test_tags=user
@test "what is given away under a lease between look and removal is left" {
    requires strace
    make_memory /clean-m 4K
    make_queue /clean-q
    local name
    for name in shm:/clean-m mq:/clean-q; do
        stopped 1 ipcclean -y -s unused,unknown --older-than 0 "$name"
        holder user "
import fcntl, socket
signal.signal(signal.SIGIO, signal.SIG_IGN)
ends = socket.socketpair()
fd = os.open('/dev/shm/clean-m' if '$name'[0] == 's' else '/dev/mqueue/clean-q', os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
socket.send_fds(ends[0], [b'x'], [fd])
os.close(fd)"
        go_on
        wait_exit clean 1
        [[ $stderr == *"left $name: somebody has it open or mapped"* ]] || fail "$name: $stderr"
        kill -KILL "${pid[user]}"
        wait_until ended "${pid[user]}"
        exists "$name"
    done
}
