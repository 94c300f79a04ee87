#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ipcstat: what outlives processes; its users and states, its forms and filters.
# shellcheck disable=SC2154,SC2016 # variables of lib.bash and of bats; what other shells expand

load support/lib.bash

# Some tests put what no tool makes into /dev/shm.
teardown() {
    clean_up
    rm -rf /dev/shm/stat-* /dev/shm/sem.stat-*
    [ -z "${segments-}" ] || shmctl rm -f "$segments"
}

# of NAME COLUMN: that cell of it.
of() { ipcstat -r --noheadings -o "$2" -- "$1"; }

# holder NAME PYTHON: a process that runs it, then is ready, and stays.
holder() {
    spawn_ready "$1" python3 -c "
import ctypes, mmap, os, signal, sys
$2
os.write(9, b'\n')
signal.pause()" 9
}

# json PYTHON: with \$output as `d`, what this prints.
json() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)" <<<"$output"; }

# bats test_tags=user
@test "both families of the three kinds, under names that every tool accepts" {
    make_queue /stat-q
    make_queue key:0x5157
    make_semaphore /stat-s
    make_semaphore key:0x5157 --nsems 3
    make_memory /stat-m 8K
    make_memory key:0x5157 4K
    run_tool 0 ipcstat -r -o KIND,NAME,PERMS,KEY,NSEMS,SIZE
    assert_no_stderr
    assert_output "KIND NAME PERMS KEY NSEMS SIZE
mq mq:/stat-q 0600   
mq mq:key:0x00005157 0600 0x00005157  
sem sem:/stat-s 0600   
sem sem:key:0x00005157 0600 0x00005157 3 
shm shm:/stat-m 0600   8192
shm shm:key:0x00005157 0600 0x00005157  4096"
    run_tool 0 ipcstat -r --noheadings -o NAME
    local name
    for name in "${lines[@]}"; do
        case $name in
        mq:*) mqctl show "$name" >/dev/null ;;
        sem:*) semctl show "$name" >/dev/null ;;
        shm:*) shmctl show "$name" >/dev/null ;;
        esac
    done
}

@test "an object without a key goes by its identifier" {
    segments=$(shmctl create -s 1K private)
    run_tool 0 ipcstat -r --noheadings -o NAME,ID
    assert_output "shm:$segments ${segments#id:}"
}

@test "nothing there: headings alone, and status 0" {
    run_tool 0 ipcstat
    assert_no_stderr
    assert_output --regexp '^KIND +NAME +OWNER +PERMS +USED +STATE +USERS$'
    run_tool 0 ipcstat --noheadings
    assert_output ''
    run_tool 0 ipcstat -J
    [ "$(json 'd["ipc"]')" = '[]' ]
}

@test "the default columns of usual objects fit into 80 columns" {
    make_queue /some-queue-name
    make_memory key:0x12345678 100M
    local line
    run_tool 0 ipcstat
    [ "${#lines[@]}" -eq 3 ]
    for line in "${lines[@]}"; do
        [ "${#line}" -le 80 ]
    done
}

@test "figures: those of the tool of each kind" {
    make_queue /stat-q --maxmsg 7 --msgsize 100
    mqsend -p 3 /stat-q four five5
    run_tool 0 ipcstat -r --noheadings -o MSGS,USED,MAXMSG,MSGSIZE,NOTIFY /stat-q
    assert_output '2 9 7 100 '
    make_queue key:0x5157 --maxbytes 1000
    mqsend key:0x5157 abc
    run_tool 0 ipcstat -r --noheadings -o MSGS,USED,LIMIT,FILL key:0x5157
    assert_output '1 3 1000 0'
    make_semaphore /stat-s --value 5
    [ "$(of sem:/stat-s VALUE)" = 5 ]
    make_semaphore key:0x5157 --value 6
    [ "$(of sem:key:0x5157 VALUE)" = 6 ]
    make_memory /stat-m 5000
    [ "$(of shm:/stat-m SIZE)" = 5000 ]
    make_memory key:0x5157 5001
    run_tool 0 ipcstat -r --noheadings -o SIZE,NATTCH,CPID shm:key:0x5157
    assert_output --regexp '^5001 0 [0-9]+$'
}

@test "sets are asked about their semaphores only for the columns that need it" {
    requires strace
    local trace=$BATS_TEST_TMPDIR/trace
    make_semaphore key:0x5157 --value 6
    run_tool 0 strace -o "$trace" -e trace=semctl ipcstat -k sem -r --noheadings -o NAME,USED,NSEMS
    run -1 grep -E 'GETVAL|GETNCNT|GETZCNT|GETPID' "$trace"
    grep -q SEM_STAT_ANY "$trace"
    local column
    for column in VALUE WAITERS LASTPID STATE; do
        run_tool 0 strace -o "$trace" -e trace=semctl ipcstat -k sem -o "$column"
        grep -Eq 'GETVAL|GETNCNT' "$trace"
    done
}

@test "json: numbers are numbers, users objects, what is unknown null" {
    make_queue /stat-q
    mqsend /stat-q hello
    holder user 'fd = os.open("/dev/mqueue/stat-q" if os.path.exists("/dev/mqueue/stat-q") else "/", os.O_RDONLY)'
    run_tool 0 ipcstat -J -o NAME,MSGS,KEY,STATE,USERS,CTIME /stat-q
    [ "$(json 'd["ipc"][0]["name"]')" = mq:/stat-q ]
    [ "$(json 'd["ipc"][0]["msgs"] + 1')" = 2 ]
    [ "$(json 'd["ipc"][0]["key"]')" = None ]
    [ "$(json 'd["ipc"][0]["state"]')" = in-use ]
    [ "$(json 'd["ipc"][0]["users"]')" = "[{'pid': ${pid[user]}, 'command': 'python3', 'role': 'reads'}]" ]
    [ "$(json 'd["unexamined"] >= 0')" = True ]
}

@test "hostile names: one record each, and back by every form" {
    local name=$'/stat \n\e[1m"$x`\\\xff' got
    python3 - "$name" <<'PYTHON'
import os, sys
os.close(os.open(b"/dev/shm" + os.fsencode(sys.argv[1]), os.O_CREAT | os.O_RDWR, 0o600))
PYTHON
    run_tool 0 ipcstat
    [ "${#lines[@]}" -eq 2 ]
    assert_output --partial 'shm:/stat \x0a\x1b[1m"$x`\\xff '
    run_tool 0 ipcstat -r --noheadings -o NAME
    assert_output 'shm:/stat\x20\x0a\x1b[1m"$x`\x5c\xff'
    ipcstat -0 -o NAME >"$BATS_TEST_TMPDIR/names"
    printf 'shm:%s\0' "$name" | cmp - "$BATS_TEST_TMPDIR/names"
    run_tool 0 ipcstat -e -o NAME
    assert_output 'NAME="shm:/stat \x0a\x1b[1m\x22\x24x\x60\x5c\xff"'
    run_tool 0 ipcstat -J -o NAME
    got=$(json '__import__("base64").b64decode(d["ipc"][0]["name_base64"])')
    [ "$got" = 'b'\''shm:/stat \n\x1b[1m"$x`\\\xff'\' ]
    run_tool 0 ipcstat -r --noheadings -o KIND -- "$name"
    assert_output shm
    rm -f -- "/dev/shm$name"
}

@test "-e and -y: pairs that a shell can eval" {
    make_memory /stat-m 4K
    run_tool 0 ipcstat -y -o NAME,SIZE,STATE
    (
        eval "$output"
        # shellcheck disable=SC2153
        [ "$NAME $SIZE $STATE" = 'shm:/stat-m 4096 unused' ]
    )
}

@test "wide characters: columns stay in line" {
    : >/dev/shm/stat-日本
    : >/dev/shm/stat-ab
    run_tool 0 ipcstat -o NAME,PERMS
    assert_line --regexp '^shm:/stat-ab   0'
    assert_line --regexp '^shm:/stat-日本 0'
}

@test "on a terminal a line is cut to its width, behind the names" {
    make_memory /stat-m 4K
    holder user 'a = [os.open("/dev/shm/stat-m", os.O_RDONLY)]'
    run on_terminal sh -c 'stty cols 24; ipcstat -o NAME,PERMS,USERS'
    assert_line --regexp '^shm:/stat-m 0600 .*\.\.\.$'
    assert_line --regexp '^.{24}$'
}

# bats test_tags=user
@test "in-use: a descriptor, a mapping without one, a private mapping" {
    make_memory /stat-fd 4K
    make_memory /stat-map 4K
    make_memory /stat-private 4K
    make_memory /stat-free 4K
    holder fd 'a = os.open("/dev/shm/stat-fd", os.O_RDONLY)'
    holder map 'f = open("/dev/shm/stat-map", "r+b"); m = mmap.mmap(f.fileno(), 4096); f.close()
for n in range(3, 9): # mmap has one of its own
    try: os.close(n)
    except OSError: pass'
    holder private 'f = os.open("/dev/shm/stat-private", os.O_RDONLY)
libc = ctypes.CDLL(None); libc.mmap.restype = ctypes.c_void_p
assert libc.mmap(None, 4096, 1, 2, f, 0) not in (None, 2**64 - 1)
os.close(f)'
    run_tool 0 ipcstat -r --noheadings -o NAME,STATE,USERS
    assert_line "shm:/stat-fd in-use ${pid[fd]}:python3"
    assert_line "shm:/stat-map in-use ${pid[map]}:python3"
    assert_line "shm:/stat-private in-use ${pid[private]}:python3"
    assert_line 'shm:/stat-free unused '
}

# bats test_tags=user
@test "POSIX queues and semaphores: in use while open, unused by proof" {
    make_queue /stat-q
    make_semaphore /stat-s --value 1
    run_tool 0 ipcstat -r --noheadings -o NAME,STATE
    assert_output 'mq:/stat-q unused
sem:/stat-s unused'
    spawn reader mqreceive /stat-q
    wait_blocked reader ppoll
    semctl wait /stat-s
    spawn waiter semctl wait /stat-s
    wait_until ipcstat_says 'sem:/stat-s 1' -o NAME,WAITERS
    run_tool 0 ipcstat -r --noheadings -o NAME,STATE,USERS
    assert_output "mq:/stat-q in-use ${pid[reader]}:mqreceive
sem:/stat-s in-use ${pid[waiter]}:semctl"
    mqsend /stat-q x
    wait_exit reader 0
    semctl post /stat-s
    wait_exit waiter 0
}

# ipcstat_says LINE OPTION...
ipcstat_says() { ipcstat -r --noheadings "${@:2}" | grep -qxF -- "$1"; }

@test "an object of another user, whose processes cannot be examined, is unknown" {
    requires root
    make_memory /stat-m 4K -m 0644
    run -0 --separate-stderr as_user ipcstat -r --noheadings -o STATE /stat-m
    assert_output unknown
    run -0 --separate-stderr as_user ipcstat -v -J -o STATE /stat-m
    [ "$(json 'd["unexamined"] > 0')" = True ]
    [[ $stderr == *'could not be examined'* ]]
    run -2 --separate-stderr as_user ipcstat -s unused
    [[ $stderr == *'state is unknown'* ]]
    run -0 --separate-stderr as_user ipcstat
    assert_no_stderr
}

# bats test_tags=user
@test "System V segments: in use while attached, then unused, orphan when its creator is gone" {
    local id
    segments=$(shmctl create -s 4K private)
    holder attached "libc = ctypes.CDLL(None, use_errno=True); libc.shmat.restype = ctypes.c_void_p
assert libc.shmat(${segments#id:}, None, 0) not in (None, 2**64 - 1)"
    run_tool 0 ipcstat -r --noheadings -o STATE,NATTCH,USERS "shm:$segments"
    assert_output "in-use 1 ${pid[attached]}:python3"
    shmctl rm "$segments" 2>/dev/null
    run_tool 0 ipcstat -r --noheadings -o STATE,NAME,USERS -k shm
    assert_output "marked shm:$segments ${pid[attached]}:python3"
    kill "${pid[attached]}"
    wait_exit attached 143
    run_tool 0 ipcstat -r --noheadings -k shm
    assert_output ''

    holder creator 'libc = ctypes.CDLL(None); id = libc.shmget(0, 4096, 0o600); os.write(1, b"%d" % id)'
    id=$(cat "$(out creator)")
    segments=id:$id
    [ "$(of "shm:id:$id" STATE)" = unused ]
    kill -KILL "${pid[creator]}"
    wait_until ended "${pid[creator]}"
    # A zombie is gone.
    [ "$(of "shm:id:$id" STATE)" = orphan ]
    wait_exit creator 137
    [ "$(of "shm:id:$id" STATE)" = orphan ]
}

# bats test_tags=user
@test "a System V queue: in use by who is blocked in it, and by its last user while that lives" {
    make_queue key:0x5157
    spawn reader mqreceive key:0x5157
    wait_blocked reader msgrcv
    run_tool 0 ipcstat -r --noheadings -o STATE,USERS key:0x5157
    assert_output "in-use ${pid[reader]}:mqreceive"
    mqsend key:0x5157 x
    wait_exit reader 0
    holder sender 'libc = ctypes.CDLL(None); assert libc.msgsnd(libc.msgget(0x5157, 0), b"\1" + bytes(7) + b"x", 1, 0) == 0'
    run_tool 0 ipcstat -r --noheadings -o STATE,USERS key:0x5157
    assert_output "in-use ${pid[sender]}:python3"
    kill "${pid[sender]}"
    wait_exit sender 143
    run_tool 0 ipcstat -r --noheadings -o STATE key:0x5157
    # The kernel keeps no proof; and where not all is visible, nobody knows.
    assert_output --regexp '^(idle|unknown)$'
}

# bats test_tags=user
@test "a System V set: in use while waited for, and by its last user; else idle" {
    make_semaphore key:0x5157
    [ "$(of sem:key:0x5157 STATE)" = idle ]
    spawn waiter semctl wait key:0x5157
    wait_until ipcstat_says in-use -o STATE sem:key:0x5157
    wait_until ipcstat_says 1 -o WAITERS sem:key:0x5157
    semctl post key:0x5157
    wait_exit waiter 0
    [ "$(of sem:key:0x5157 STATE)" = idle ]
}

@test "a pid that was given away since is not the last user" {
    requires root pids mount
    run_tool 0 "${other_pids[@]}" unshare --mount sh -c '
        mount -t proc proc /proc || exit
        id=$(python3 -c "import ctypes; print(ctypes.CDLL(None).shmget(0, 4096, 0o600))")
        cpid=$(ipcstat -r --noheadings -o CPID "shm:id:$id")
        ipcstat -r --noheadings -o STATE "shm:id:$id"
        python3 - "$cpid" <<PYTHON
import os, sys, time
wanted = int(sys.argv[1])
time.sleep(2.1) # the record has seconds: only what starts in another one is told apart
open("/proc/sys/kernel/ns_last_pid", "w").write(str(wanted - 1))
if os.fork() == 0:
    assert os.getpid() == wanted
    os.execvp("ipcstat", ["ipcstat", "-r", "--noheadings", "-o", "STATE", "-k", "shm"])
os.wait()
PYTHON
        shmctl rm "id:$id"'
    assert_output $'orphan\norphan'
}

@test "what is no object, for all its name: malformed, and neither opened nor mapped" {
    : >/dev/shm/sem.stat-evil
    ln -s /etc/passwd /dev/shm/stat-link
    mkfifo /dev/shm/stat-fifo
    mkdir /dev/shm/stat-dir
    run_tool 0 ipcstat -r --noheadings -o NAME,STATE
    assert_output 'sem:/stat-evil malformed
shm:/stat-dir malformed
shm:/stat-fifo malformed
shm:/stat-link malformed'
    requires strace
    run_tool 0 strace -f -qq -e trace=open,openat,mmap -o "$BATS_TEST_TMPDIR/calls" ipcstat
    run ! grep -E 'stat-(link|fifo|dir|evil)' "$BATS_TEST_TMPDIR/calls"
}

@test "objects that come and go while it lists are no trouble" {
    spawn churn sh -c 'while :; do
        mqctl create /stat-q /stat-q2; mqctl rm /stat-q /stat-q2; s=$(shmctl create -s 1K private /stat-m)
        shmctl rm $s; s=$(semctl create private); semctl rm $s; done'
    for _ in {1..20}; do
        run_tool 0 ipcstat --output-all -r
        assert_no_stderr
    done
    kill "${pid[churn]}"
    wait_exit churn
    mqctl rm -f /stat-q /stat-q2
    shmctl rm -f /stat-m
    ipcstat -r --noheadings -k shm -o NAME | xargs -r shmctl rm
    ipcstat -r --noheadings -k sem -o NAME | xargs -r semctl rm
}

# bats test_tags=user
@test "-k, -u, -s and NAME choose; kinds in front or not" {
    make_queue /stat-a
    make_memory /stat-a 4K
    make_memory /stat-b 4K
    run_tool 0 ipcstat -r --noheadings -o NAME -k mq,sem
    assert_output mq:/stat-a
    run_tool 0 ipcstat -r --noheadings -o NAME /stat-a
    assert_output $'mq:/stat-a\nshm:/stat-a'
    run_tool 0 ipcstat -r --noheadings -o NAME shm:/stat-b mq:/stat-a
    assert_output $'mq:/stat-a\nshm:/stat-b'
    run_tool 0 ipcstat -r --noheadings -o NAME -u "$(id -u)" -k shm
    assert_output $'shm:/stat-a\nshm:/stat-b'
    run_tool 0 ipcstat -r --noheadings -o NAME -u 4711
    assert_output ''
    holder user 'a = os.open("/dev/shm/stat-b", os.O_RDONLY)'
    run_tool 0 ipcstat -r --noheadings -o NAME -s in-use
    assert_output shm:/stat-b
    run_tool 0 ipcstat -r --noheadings -o NAME -s unused,orphan
    assert_output $'mq:/stat-a\nshm:/stat-a'
}

@test "a NAME that is not there: said, and status 1; a bad one is misuse" {
    make_queue /stat-a
    run_tool 1 ipcstat -r --noheadings -o NAME /stat-a key:0x77
    assert_output mq:/stat-a
    assert_diagnostic ipcstat '^ipcstat: key:0x77: there is no such object'
    run_tool 2 ipcstat stat-a
    assert_diagnostic ipcstat "did you mean '/stat-a'"
    run_tool 2 ipcstat fd:3
    assert_diagnostic ipcstat 'is a descriptor'
}

@test "misuse: kinds, states, columns, times, users, options that exclude each other" {
    run_tool 2 ipcstat -k mq,foo
    assert_diagnostic ipcstat "'foo' is none of mq, sem"
    run_tool 2 ipcstat -s busy
    assert_diagnostic ipcstat "'busy' is none of in-use"
    run_tool 2 ipcstat -o NAME,SIZ
    assert_diagnostic ipcstat "there is no column 'SIZ'; there are KIND NAME"
    run_tool 2 ipcstat --time-format=long
    assert_diagnostic ipcstat 'is none of short'
    run_tool 2 ipcstat -J -r
    assert_diagnostic ipcstat 'exclude each other'
    run_tool 2 ipcstat -p 0
    assert_diagnostic ipcstat
    run_tool 2 ipcstat -u no-such-user
    assert_diagnostic ipcstat 'no user'
}

# bats test_tags=user
@test "-p: what a process uses, of all kinds; one that is not there is trouble" {
    make_memory /stat-m 4K
    make_memory /stat-other 4K
    holder user 'a = os.open("/dev/shm/stat-m", os.O_RDONLY)'
    run_tool 0 ipcstat -p "${pid[user]}" -r --noheadings -o NAME
    assert_line shm:/stat-m
    refute_line shm:/stat-other
    assert_line --regexp '^sig:'
    run_tool 2 ipcstat -p 4194304
    assert_diagnostic ipcstat 'there is no such process'
}

@test "-o +COL adds, --output-all has all, sizes and times as asked" {
    make_memory /stat-m 1M
    run_tool 0 ipcstat -o +size
    assert_line --index 0 --regexp 'USERS +SIZE$'
    assert_line --index 1 --regexp ' 1M$'
    run_tool 0 ipcstat -b -o size
    assert_line --index 1 1048576
    run_tool 0 ipcstat --output-all -J
    [ "$(json 'len(d["ipc"][0]) > 40')" = True ]
    run_tool 0 ipcstat --noheadings -o MTIME --time-format=timestamp
    assert_output --regexp '^[0-9]{9,}$'
    run_tool 0 ipcstat -r --noheadings -o MTIME --time-format=iso
    assert_output --regexp '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+-][0-9]{2}:[0-9]{2}$'
    [ "$(date -d "$output" +%s)" -eq "$(stat -c %Y /dev/shm/stat-m)" ]
    run_tool 0 ipcstat --noheadings -o MTIME --time-format=full
    assert_output --regexp '^[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]{4}$'
    run_tool 0 ipcstat --noheadings -o MTIME
    assert_output --regexp '^[0-9]{2}:[0-9]{2}$|^[A-Z][a-z]{2}[0-9]{2}$'
}

@test "without /dev/mqueue mounted: by a mount of its own, or it says so" {
    requires mount
    make_queue /stat-q
    run -0 --separate-stderr without_mqueue ipcstat -r --noheadings -o NAME -k mq
    assert_output mq:/stat-q
    requires root
    run -0 --separate-stderr without_mqueue setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all ipcstat
    assert_diagnostic ipcstat '/dev/mqueue'
    run -2 --separate-stderr without_mqueue setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all ipcstat -k mq
    assert_diagnostic ipcstat '/dev/mqueue'
}

# bats test_tags=user
@test "another namespace's /dev/mqueue does not fool it" {
    requires mount
    make_queue /stat-ours
    run_tool 0 unshare --ipc sh -c 'mqctl create /stat-theirs >/dev/null
        ipcstat -r --noheadings -o NAME -k mq; mqctl rm /stat-theirs'
    assert_output mq:/stat-theirs
}

@test "-N and --all-namespaces: the objects of others, and who uses them" {
    requires root mount
    make_memory key:0x5157 4K
    make_queue /stat-ours
    spawn_ready other unshare --ipc --mount sh -c 'umount /dev/mqueue; mount -t tmpfs none /dev/shm
        mqctl create key:0x77 /stat-theirs; shmctl create -s 4K /stat-memory
        echo >&9; exec sleep 1000 9</dev/shm/stat-memory'
    run_tool 0 ipcstat -r --noheadings -o NAME -N "${pid[other]}"
    assert_output $'mq:/stat-theirs\nmq:key:0x00000077\nshm:/stat-memory'
    run_tool 0 ipcstat -r --noheadings -o STATE,USERS -N "${pid[other]}" shm:/stat-memory
    assert_output "in-use ${pid[other]}:sleep"
    # The lease is asked for where they are; what has the same name here is another one.
    make_memory /stat-left 4K
    exec {ours}<>/dev/shm/stat-left
    run_tool 0 nsenter --target "${pid[other]}" --ipc --mount "$(command -v shmctl)" create -s 4K /stat-left
    run_tool 0 ipcstat -r --noheadings -o STATE -N "${pid[other]}" shm:/stat-left
    assert_output unused
    exec {ours}>&-
    local ours theirs
    ours=$(stat -Lc %i /proc/self/ns/ipc) theirs=$(stat -Lc %i "/proc/${pid[other]}/ns/ipc")
    run_tool - ipcstat --all-namespaces -r --noheadings -o NAME,NS
    assert_line "mq:/stat-ours $ours"
    assert_line "shm:key:0x00005157 $ours"
    assert_line "mq:/stat-theirs $theirs"
    assert_line "mq:key:0x00000077 $theirs"
    assert_line "shm:/stat-memory $theirs"
    run_tool 2 ipcstat -N 4194304
    assert_diagnostic ipcstat '4194304'
}

@test "what ipcs and lsipc tell, it tells as well" {
    requires ipcs lsipc
    make_queue key:0x5157
    mqsend key:0x5157 hello world
    make_semaphore key:0x5158 --nsems 4
    make_memory key:0x5159 12345
    segments=$(shmctl create -s 77 -m 0640 private)
    run_tool 0 ipcstat -r --noheadings -o KEY,ID,PERMS,USED,MSGS -k mq
    assert_output "$(ipcs -q | awk '/^0x/ { print $1, $2, "0" $4, $5, $6 }')"
    run_tool 0 ipcstat -r --noheadings -o KEY,ID,PERMS,NSEMS -k sem
    assert_output "$(ipcs -s | awk '/^0x/ { print $1, $2, "0" $4, $5 }')"
    run_tool 0 ipcstat -r --noheadings -o KEY,ID,PERMS,SIZE,NATTCH -k shm
    assert_output "$(ipcs -m | awk '/^0x/ { print $1, $2, "0" $4, $5, $6 }')"
    run_tool 0 ipcstat -r --noheadings -o KEY,ID,OWNER,SIZE,NATTCH,CPID -k shm
    assert_output "$(lsipc -m -b -r --noheadings -o KEY,ID,OWNER,SIZE,NATTCH,CPID)"
    run_tool 0 ipcstat -r --noheadings -o KEY,ID,USED,MSGS,SENDER -k mq
    assert_output "$(lsipc -q -b -r --noheadings -o KEY,ID,USEDBYTES,MSGS,LSPID)"
    run_tool 0 ipcstat -r --noheadings -o KEY,ID,NSEMS -k sem
    assert_output "$(lsipc -s -r --noheadings -o KEY,ID,NSEMS)"
}

@test "System V: the times, processes, creators and groups that the kernel keeps" {
    local owner=$EUID group creator
    creator=$(id -un) group=$(id -g)
    make_queue key:0x5157
    make_semaphore key:0x5157
    make_memory key:0x5157 4K
    if is_root; then
        owner=4711 group=4712
        give_away
    fi
    # No two in the same second, and each by a process of its own.
    run_tool 0 perl -MIPC::SysV=shmat,shmdt,GETPID -e '
        my ($queue, $set, $segment) = (msgget(0x5157, 0), semget(0x5157, 0, 0), shmget(0x5157, 0, 0));
        sub next_second { my $now = time; select(undef, undef, undef, 0.01) while time == $now }
        sub in_child {
            my $work = shift;
            fork or do { $work->() or die "$!"; exit };
            wait > 0 && $? == 0 or die;
        }
        next_second;
        in_child(sub { msgsnd($queue, pack("l! a*", 1, "one"), 0) });
        next_second;
        in_child(sub { msgrcv($queue, my $message, 100, 0, 0) });
        in_child(sub { semop($set, pack("s!3", 0, 1, 0)) });
        my $address = shmat($segment, undef, 0) // die; # behind fork, which attaches it as well
        next_second;
        shmdt($address) // die;
        print semctl($set, 0, GETPID, 0)'
    local last=$output
    # row KIND COLUMN...: these of the only object of a kind, as the kernel itself shows it.
    row() {
        awk -v list="${*:2}" 'NR == 2 {
            count = split(list, column, " ")
            for (i = 1; i <= count; ++i) printf "%s%s", $column[i], i < count ? " " : "\n"
        }' "/proc/sysvipc/$1"
    }
    local -a plain=(-r --noheadings --time-format=timestamp)
    run_tool 0 ipcstat "${plain[@]}" -k mq -o CTIME,SEND,RECV,SENDER,RECEIVER,LASTPID
    assert_output "$(row msg 14 12 13 6 7 7)"
    [ "$(tr ' ' '\n' <<<"$output" | sort -u | wc -l)" -eq 5 ]
    run_tool 0 ipcstat "${plain[@]}" -k shm -o CTIME,ATTACH,DETACH,CPID,LASTPID
    assert_output "$(row shm 14 12 13 5 6)"
    [ "$(tr ' ' '\n' <<<"$output" | sort -u | wc -l)" -eq 5 ]
    run_tool 0 ipcstat "${plain[@]}" -k sem -o CTIME,OTIME,LASTPID
    assert_output "$(row sem 10 9) $last"
    run_tool 0 ipcstat -r --noheadings -o CREATOR,OWNER,GROUP
    local expected
    expected="$creator $(name_of passwd "$owner") $(name_of group "$group")"
    assert_output "$expected"$'\n'"$expected"$'\n'"$expected"
    # Who has received was the last only until somebody sends.
    mqsend key:0x5157 x
    run_tool 0 ipcstat -r --noheadings -k mq -o SENDER,LASTPID
    assert_output "$(row msg 6 6)"
}

# Makes others the owner and the group of the objects of that key; `requires root`.
give_away() {
    mqctl set --owner 4711:4712 key:0x5157
    shmctl set --owner 4711:4712 key:0x5157
    perl -MIPC::Semaphore -e \
        'IPC::Semaphore->new(0x5157, 0, 0)->set(uid => 4711, gid => 4712) // die'
}

# name_of DATABASE NUMBER
name_of() { getent "$1" "$2" | cut -d : -f 1 | grep . || echo "$2"; }

# bats test_tags=user
@test "System V objects from /proc where the kernel tells of them in no other way: the same rows" {
    requires strace
    make_queue key:0x5157
    mqsend key:0x5157 hello you
    mqreceive key:0x5157 >/dev/null
    make_semaphore key:0x5157 --nsems 3
    semctl op key:0x5157 0+1
    make_memory key:0x5157 12345 -m 0640
    shmcat key:0x5157 >/dev/null
    ! is_root || give_away
    local of_sets=NAME,OWNER,GROUP,PERMS,KEY,ID,NSEMS,CTIME,OTIME,CREATOR
    local of_all=$of_sets,USED,STATE,MSGS,SIZE,NATTCH,SEND,RECV,ATTACH,DETACH,CPID,SENDER,RECEIVER
    of_all+=,LASTPID,USERS
    local -a traced=(strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -e 'trace=msgctl,semctl,shmctl,openat')
    # from_proc ERROR WHEN KINDS COLUMNS: the first call on each kind tells how many there are, those
    # behind it ask for one after the other.
    from_proc() {
        local expected
        expected=$(ipcstat -r --noheadings -k "$3" -o "$4")
        run_tool 0 "${traced[@]}" -e "inject=msgctl,semctl,shmctl:error=$1:when=$2" \
            ipcstat -r --noheadings -k "$3" -o "$4"
        assert_no_stderr
        assert_output "$expected"
        [ "$(grep -c '"/proc/sysvipc/' "$BATS_TEST_TMPDIR/calls")" -eq "$5" ]
        grep -q 'STAT_ANY.*INJECTED' "$BATS_TEST_TMPDIR/calls"
    }
    local error
    # A kernel that does not know the command; one that refuses it.
    for error in EINVAL EACCES; do
        from_proc "$error" 2+ mq,shm "$of_all" 2
        from_proc "$error" 2+ sem "$of_sets" 1
    done
    # Those that it told of before it refused one are not there twice.
    make_queue key:0x5158
    make_semaphore key:0x5158
    segments=$(shmctl create -s 77 private)
    from_proc EACCES 2 mq,sem,shm "$of_all,VALUE,WAITERS" 3
}

# bats test_tags=user
@test "System V objects that can be listed in no way are said to be missing" {
    requires mount strace
    make_memory key:0x5157 4K
    make_memory /stat-m 4K
    make_queue key:0x5157
    local -a refused=(unshare --mount sh -c 'mount -t tmpfs none /proc/sysvipc && exec "$@"' sh
        strace -f -qq -o /dev/null -e inject=shmctl:error=EACCES)
    run_tool 2 "${refused[@]}" ipcstat -k shm -r --noheadings -o NAME
    assert_output shm:/stat-m
    assert_diagnostic ipcstat '^ipcstat: System V shared memory: cannot list: '
    run_tool 0 "${refused[@]}" ipcstat -r --noheadings -o NAME
    assert_output $'mq:key:0x00005157\nshm:/stat-m'
    assert_diagnostic ipcstat '^ipcstat: System V shared memory: cannot list: '
    run_tool 0 "${refused[@]}" ipcstat -k mq,sem -r --noheadings -o NAME
    assert_no_stderr
    assert_output mq:key:0x00005157
}

@test "a queue or semaphore that cannot be looked at for want of descriptors is no empty cell alone" {
    requires strace
    make_queue /stat-q
    make_semaphore /stat-s
    local kind file figure number
    while read -r kind file figure; do
        local -a list=(ipcstat -k "$kind" -r --noheadings -o "NAME,$figure")
        run_tool 0 strace -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=openat "${list[@]}"
        number=$(grep -n "\"$file\"" "$BATS_TEST_TMPDIR/calls" | cut -d: -f1)
        run_tool 2 strace -qq -o /dev/null -e inject=openat:error=EMFILE:when="$number" "${list[@]}"
        assert_output "$kind:/${file#sem.} "
        assert_diagnostic ipcstat 'cannot list: Too many open files'
        run_tool 0 strace -qq -o /dev/null -e inject=openat:error=EACCES:when="$number" "${list[@]}"
        assert_output "$kind:/${file#sem.} "
        assert_no_stderr
    done <<'KINDS'
mq stat-q MSGS
sem sem.stat-s VALUE
KINDS
}

# bats test_tags=user
@test "who only maps memory is found where the kernel answers no questions about mappings" {
    requires strace
    make_memory /stat-m 4K
    make_memory key:0x5157 4K
    # Without mmap.mmap, which keeps a descriptor.
    holder user '
libc = ctypes.CDLL(None)
libc.mmap.restype = libc.shmat.restype = ctypes.c_void_p
fd = os.open("/dev/shm/stat-m", os.O_RDWR)
assert libc.mmap(None, ctypes.c_size_t(4096), 3, mmap.MAP_SHARED, fd, ctypes.c_long(0)) not in (None, 2**64 - 1)
os.close(fd)
assert libc.shmat(libc.shmget(0x5157, 0, 0), None, 0) not in (None, 2**64 - 1)'
    local error
    for error in ENOTTY EINVAL; do
        run_tool 0 strace -f -qq -o "$BATS_TEST_TMPDIR/calls" -e inject=ioctl:error=$error \
            ipcstat -r --noheadings -o NAME,STATE,USERS
        assert_output "shm:/stat-m in-use ${pid[user]}:python3
shm:key:0x00005157 in-use ${pid[user]}:python3"
        grep -q INJECTED "$BATS_TEST_TMPDIR/calls"
    done
}

@test "a full stdout is an error" {
    make_memory /stat-m 4K
    local form
    for form in -J -r -e -0 -b; do
        run_tool 2 sh -c 'ipcstat "$1" >/dev/full' sh "$form"
        assert_diagnostic ipcstat 'No space left'
    done
}

# bats test_tags=user
@test "without /proc: what the kernel itself tells, and no state that is not proved" {
    ! is_sanitized || skip 'the sanitizers need /proc'
    requires mount
    make_queue /stat-q
    make_queue /stat-used
    make_queue key:0x5157
    make_queue key:0x5158
    make_semaphore /stat-s
    make_semaphore key:0x5157
    make_semaphore key:0x5158
    make_memory /stat-m 4K
    make_memory /stat-used 4K
    make_memory key:0x5157 4K
    make_memory key:0x5158 4K
    holder user '
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
assert libc.shmat(libc.shmget(0x5158, 0, 0), None, 0) not in (None, 2**64 - 1)
files = [os.open(place + "/stat-used", os.O_RDWR) for place in ("/dev/mqueue", "/dev/shm")]'
    spawn reader mqreceive key:0x5158
    spawn waiter semctl wait key:0x5158
    wait_blocked reader msgrcv
    wait_blocked waiter semtimedop semop
    local -a bare=(unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh)
    # Leases prove for POSIX queues, which need no /proc to be opened; the kernel counts attaches and
    # who waits for a set, and knows that a creator is gone. Nothing else is known.
    run_tool 0 "${bare[@]}" ipcstat -r --noheadings -o NAME,STATE,USERS
    assert_no_stderr
    assert_output 'mq:/stat-q unused 
mq:/stat-used in-use 
mq:key:0x00005157 unknown 
mq:key:0x00005158 unknown 
sem:/stat-s unknown 
sem:key:0x00005157 idle 
sem:key:0x00005158 in-use 
shm:/stat-m unknown 
shm:/stat-used unknown 
shm:key:0x00005157 orphan 
shm:key:0x00005158 in-use '
    run_tool 2 "${bare[@]}" ipcstat -r --noheadings -o NAME -s orphan,unused,idle
    assert_output $'mq:/stat-q\nsem:key:0x00005157\nshm:key:0x00005157'
    assert_diagnostic ipcstat 'state is unknown, since processes could not be examined'
    run_tool 0 "${bare[@]}" ipcstat -v -r --noheadings -o NAME,SIZE -k shm /stat-used
    assert_output 'shm:/stat-used 4096'
    assert_diagnostic ipcstat 'not visible from here'
}

@test "hidepid: what may be hidden makes states unknown, and nothing unused" {
    requires root mount pids
    segments=$(shmctl create -s 4K private)
    make_memory /stat-m 4K -m 0644
    run_tool 0 "${other_pids[@]}" unshare --mount sh -c '
        mount -t proc -o hidepid=2 proc /proc || exit
        setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
            ipcstat -v -r --noheadings -o NAME,STATE'
    assert_line 'shm:/stat-m unknown'
    assert_line "shm:$segments unused"
    [[ $stderr == *'not visible from here'* ]]
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    make_memory /stat-m 4K
    local limit expected
    expected=$(ipcstat -r --noheadings -o NAME,SIZE)
    for ((limit = 4; limit < 16; limit++)); do
        # Below that it cannot even be loaded.
        prlimit --nofile="$limit" ipcstat --version >/dev/null 2>&1 || continue
        run_tool - prlimit --nofile="$limit" ipcstat -r --noheadings -o NAME,SIZE,STATE,USERS
        if [ "$status" -eq 0 ] && [ -z "$stderr" ]; then
            assert_output --partial "$expected"
            refute_output --partial in-use
        else
            [ "$status" -eq 0 ] || [ "$status" -eq 2 ]
            [[ $stderr == ipcstat:* ]]
        fi
    done
}

@test "the recorded creator is not looked up in the /proc of another PID namespace" {
    requires root pids
    spawn_ready inner unshare --pid --fork --kill-child bash -c 'echo 30000 >/proc/sys/kernel/ns_last_pid
        perl -e '"'"'use IPC::SysV qw(IPC_CREAT); shmget(0x5157, 4096, 0600 | IPC_CREAT) // die; print STDERR "ready\n"; sleep 1000'"'"' 2>&9 9>&- &
        exec sleep 1000 9>&-' 9
    local number=30001 twin=0 second
    second=$(($(ipcstat -r --noheadings -o CTIME key:0x5157) + 2))
    later() { (($(date +%s) > second)); }
    wait_until later
    # Another process of that number, here.
    until ((twin == number)); do
        ((twin == 0)) || kill "$twin"
        echo $((number - 1)) >/proc/sys/kernel/ns_last_pid
        sleep 1000 3>&- &
        twin=$!
    done
    run_tool 0 nsenter --target "$(pgrep -P "${pid[inner]}")" --pid ipcstat -r --noheadings -o CPID,STATE key:0x5157
    kill "$twin"
    [ "$output" != "$number orphan" ] || fail 'its creator lives'
    [[ $output == "$number "* ]]
    shmctl rm key:0x5157
}

@test "what a user may have mounted on /dev/shm is not looked at" {
    requires root userns mount
    cd "$BATS_TEST_TMPDIR"
    mkdir victim
    : >victim/file
    spawn_ready other unshare --user --map-root-user --ipc --mount bash -c 'mount --bind victim /dev/shm
        shmctl create -s 4K key:0x5157 >/dev/null; echo >&9; exec sleep 1000 9>&-' 9
    run_tool 2 ipcstat -r --noheadings -o NAME -k shm -N "${pid[other]}"
    assert_output shm:key:0x00005157
    assert_diagnostic ipcstat 'dev/shm: not looked at, for its mounts are those of another user namespace$'
    run_tool 2 ipcstat --all-namespaces -r --noheadings -o NAME -k shm
    refute_output --partial file
    [[ $stderr == *'/dev/shm of 1 IPC namespace: not looked at'* ]]
    run_tool 2 ipcclean -y -k shm -s unused --older-than 0 -N "${pid[other]}"
    [ -e victim/file ]
}

@test "-s of a state that an unknown object cannot have is decided" {
    make_queue key:0x5157
    make_memory /stat-m 4K
    # A queue of System V whose user would not be seen from here.
    [ "$(ipcstat -r --noheadings -o STATE key:0x5157)" = unknown ] || skip 'needs a queue of unknown state'
    run_tool 0 ipcstat -s orphan,unused,marked,malformed -r --noheadings -o NAME
    assert_output shm:/stat-m
    assert_no_stderr
    run_tool 2 ipcstat -s idle
    assert_diagnostic ipcstat '1 object is left out: its state is unknown'
}

@test "each name in the list is one that is understood, files by any path to them" {
    cd "$BATS_TEST_TMPDIR"
    mkfifo fifo
    ln -s fifo link
    spawn_ready user python3 -c 'import os, socket, sys, time
fifo = os.open("fifo", os.O_RDWR)
one, other = socket.socketpair()
os.write(9, b"\n")
os.close(9)
time.sleep(1000)' 9
    local name count=0
    while read -r name; do
        run_tool 0 ipcstat -r --noheadings -o NAME "$name"
        assert_output "$name"
        count=$((count + 1))
    done < <(ipcstat -k fifo,unix,pipe -p "${pid[user]}" -r --noheadings -o NAME | grep -v '\\x')
    [ "$count" -ge 3 ]
    for name in fifo:fifo fifo:./link "fifo:$PWD/../${PWD##*/}/fifo"; do
        run_tool 0 ipcstat -r --noheadings -o NAME "$name"
        assert_output "fifo:$PWD/fifo"
    done
}

@test "a command's name does not make up a user" {
    make_queue /stat-q
    spawn_ready user python3 -c 'import ctypes, os, time
libc = ctypes.CDLL(None)
libc.prctl(15, b"a,1:init x", 0, 0, 0)
libc.mq_open(b"/stat-q", os.O_RDONLY)
os.write(9, b"\n")
os.close(9)
time.sleep(1000)' 9
    run_tool 0 ipcstat -e --noheadings -o USERS /stat-q
    assert_output "USERS=\"${pid[user]}:a?1:init x\""
}

@test "characters that separate lines or hide others are written as bytes" {
    touch /dev/shm/$'line\u2028shm:turn\u202eed\u200b\ufeff'
    run_tool 0 ipcstat -r --noheadings -o NAME -k shm
    rm /dev/shm/line*
    assert_output 'shm:/line\xe2\x80\xa8shm:turn\xe2\x80\xaeed\xe2\x80\x8b\xef\xbb\xbf'
}

# bats test_tags=user
@test "json tells of processes that cannot be seen at all" {
    make_memory /stat-m 4K
    local hidden=True
    [ "$(stat -Lc %i /proc/self/ns/pid)" != 4026531836 ] || hidden=False
    run_tool 0 ipcstat -J /stat-m
    assert_equal "$(json 'd["hidden"]')" "$hidden"
}

# bats test_tags=user
@test "an owner who is not mapped is the overflow user" {
    requires root userns
    make_memory /stat-m 4K -m 0644
    chown 4711 /dev/shm/stat-m
    run_tool 0 unshare --user --map-root-user ipcstat -r --noheadings -o NAME,OWNER shm:/stat-m
    assert_output --regexp '^shm:/stat-m (nobody|65534)$'
}

# leaver: a process whose first thread has left this IPC namespace, while another one waits in the
# queue key:0x5157.
leaver() {
    local -a as=()
    if [ "$EUID" -ne 0 ]; then
        requires userns
        as=(unshare --user --map-root-user)
    fi
    spawn_ready leaver "${as[@]}" python3 -c '
import ctypes, os, signal, threading
libc = ctypes.CDLL(None, use_errno=True)
queue = libc.msgget(0x5157, 0)
buffer = ctypes.create_string_buffer(100)
waits = threading.Thread(target=libc.msgrcv, args=(queue, buffer, 8, 0, 0), daemon=True)
waits.start()
while True:
    with open(f"/proc/self/task/{waits.native_id}/stat") as file:
        if file.read().rsplit(")")[1].split()[0] == "S":
            break
newipc = 0x08000000
assert libc.unshare(newipc) == 0, ctypes.get_errno()
os.write(9, b"\n")
signal.pause()' 9
}

# bats test_tags=user
@test "a thread that waits here, of a process whose first thread left the IPC namespace" {
    make_queue key:0x5157
    leaver
    wait_until waits_here
    [ "$(of mq:key:0x5157 STATE)" = in-use ]
}
waits_here() { [ "$(of mq:key:0x5157 WAITING)" = "${pid[leaver]}:python3" ]; }

@test "who waits in a call of the other word size waits all the same" {
    [ "$(uname -m)" = x86_64 ] || skip 'needs x86-64'
    make_queue key:0x5157
    local call
    cc -O1 -x c -o "$BATS_TEST_TMPDIR/receive" - <<'C'
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
int main(int argc, char **argv) {
    int low = MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT;
    long *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, low, -1, 0);
    long queue = msgget(0x5157, 0), result, number = atoi(argv[argc - 1]);
    if (place == MAP_FAILED)
        return 99;
    if (number == 401) /* msgrcv */
        asm volatile("int $0x80" : "=a"(result)
                     : "a"(number), "b"(queue), "c"(place), "d"(8L), "S"(0L), "D"(0L)
                     : "memory", "r8", "r9", "r10", "r11");
    else /* ipc: MSGRCV, of its newer version */
        asm volatile("mov %%rbp, %%r15; xor %%ebp, %%ebp; int $0x80; mov %%r15, %%rbp"
                     : "=a"(result)
                     : "a"(number), "b"(0x1000cL), "c"(queue), "d"(8L), "S"(0L), "D"(place)
                     : "memory", "r8", "r9", "r10", "r11", "r15");
    return result < 0 ? 98 : 0;
}
C
    for call in 401 117; do
        spawn receiver "$BATS_TEST_TMPDIR/receive" $call
        wait_until is_asleep_or_ended "${pid[receiver]}"
        ! ended "${pid[receiver]}" || skip 'needs a kernel with the calls of i386'
        run_tool 0 ipcstat -r --noheadings -o STATE,WAITING mq:key:0x5157
        assert_output "in-use ${pid[receiver]}:receive"
        mqsend key:0x5157 x
        wait_exit receiver
    done
}
is_asleep_or_ended() { ended "$1" || is_blocked "$1"; }

@test "a lease proves nothing on a file system that grants it for what is in use" {
    requires root mount
    on_overlay '
        echo memory >/dev/shm/stat-over
        ipcstat -r --noheadings -o NAME,STATE
        mount -t ramfs none /dev/shm
        echo memory >/dev/shm/stat-ram
        ipcstat -r --noheadings -o NAME,STATE'
    assert_output $'shm:/stat-over unknown\nshm:/stat-ram unused'
}

# bats test_tags=user
@test "who is not to be seen and holds a lease uses it" {
    make_memory /stat-m 4K
    make_queue /stat-q
    holder user '
import fcntl, socket
signal.signal(signal.SIGIO, signal.SIG_IGN)
ends = socket.socketpair()
for path in "/dev/shm/stat-m", "/dev/mqueue/stat-q":
    fd = os.open(path, os.O_RDWR)
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    socket.send_fds(ends[0], [b"x"], [fd])
    os.close(fd)'
    run_tool 0 ipcstat -r --noheadings -o NAME,STATE
    assert_no_stderr
    assert_output $'mq:/stat-q in-use\nshm:/stat-m in-use'
}

# bats test_tags=user
@test "RLIMIT_NOFILE: a lack of descriptors is trouble, and no state" {
    make_memory /stat-m 4K
    local limit
    for limit in {4..24}; do
        prlimit --nofile="$limit" ipcstat --version >/dev/null 2>&1 || continue
        run_tool - prlimit --nofile="$limit" ipcstat -k shm -r --noheadings -o NAME,STATE
        if [ "$status" -eq 0 ]; then
            assert_output 'shm:/stat-m unused'
        else
            [ "$status" -eq 2 ]
            [[ $stderr == ipcstat:*RLIMIT_NOFILE* || $stderr == *'Too many open files'* ]] || fail "$limit: $stderr"
        fi
    done
    [ "$status" -eq 0 ]
}

@test "a file with many names, of which somebody has many descriptors, takes no memory for each pair" {
    requires release
    spawn_ready user python3 -c '
import os, resource, signal
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
count = min(hard, 8000) if hard > 0 else 8000
resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
fd = os.open("/dev/shm/stat-0", os.O_RDWR | os.O_CREAT)
for i in range(1, 4000):
    os.link("/dev/shm/stat-0", f"/dev/shm/stat-{i}")
for i in range(count - 16):
    os.dup(fd)
os.write(9, b"\n")
signal.pause()' 9
    run_tool 0 prlimit --as=$((160 << 20)) ipcstat -r --noheadings -o STATE,USERS
    [ "$(sort -u <<<"$output")" = "in-use ${pid[user]}:python3" ]
    [ "${#lines[@]}" -eq 4000 ]
}
