# SPDX-License-Identifier: MIT
# ipcstat: what lives only as long as its processes.
# shellcheck disable=SC2154 # variables of lib.bash
load support/lib.bash

# start_fixture: spawns a python that runs what stdin holds, with `say(...)` for words that the test
# waits for and finds in ${words[@]}, the first of which is $fixture, its pid; then it sleeps.
start_fixture() {
    local fifo=$BATS_TEST_TMPDIR/words
    rm -f "$fifo"
    mkfifo "$fifo"
    {
        cat <<'PYTHON'
import ctypes, fcntl, mmap, os, signal, socket, struct, sys, time
spoken = [os.getpid()]
say = spoken.extend
def say_all():
    with open(sys.argv[1], "w") as out:
        print(*spoken, file=out)
PYTHON
        cat
        echo 'say_all(); time.sleep(3600)'
    } >"$BATS_TEST_TMPDIR/fixture.py"
    spawn fixture python3 "$BATS_TEST_TMPDIR/fixture.py" "$fifo"
    read -r -t "$PATIENCE" -a words <>"$fifo" || fail "no word of the fixture: $(cat "$(err fixture)")"
    fixture=${words[0]}
}

# rows KIND COLUMN,...: of what the fixture uses.
rows() { run_tool 0 ipcstat -k "$1" -p "$fixture" -r --noheadings -o "$2"; }

# row NAME KIND COLUMN,...: the columns behind the name of the row with this name; $output.
row() {
    rows "$2" "NAME,$3"
    output=$(awk -v name="$1" '$1 == name { sub(/^[^ ]+ ?/, ""); print }' <<<"$output")
}

# json EXPRESSION: what it is of the objects `ipc` in the json of $output, in Python.
json() {
    output=$(python3 -c 'import json, os, sys
ipc = json.load(sys.stdin)["ipc"]
print(eval(sys.argv[1]))' "$1" <<<"$output")
}

@test 'a pipe: its ends, its capacity, what is unread' {
    start_fixture <<'PYTHON'
r, w = os.pipe()
fcntl.fcntl(w, 1031, 8192) # F_SETPIPE_SZ
os.write(w, b"hello")
say([os.fstat(r).st_ino])
PYTHON
    row "pipe:[${words[1]}]" pipe USED,LIMIT,PERMS,STATE,INODE,PERSISTENCE
    assert_output "5 8192 0600 in-use ${words[1]} process"
    row "pipe:[${words[1]}]" pipe READERS,WRITERS
    assert_output "$fixture:python3 $fixture:python3"
}

@test 'a pipe between two processes: who reads and who writes' {
    # shellcheck disable=SC2016
    spawn pipeline sh -c 'sleep 3600 | tail -f /dev/stdin & wait'
    local from to
    child_of() { pgrep -P "${pid[pipeline]}" -x "$1" >/dev/null; }
    wait_until child_of sleep
    wait_until child_of tail
    from=$(pgrep -P "${pid[pipeline]}" -x sleep) to=$(pgrep -P "${pid[pipeline]}" -x tail)
    local name
    name=$(readlink "/proc/$from/fd/1")
    run_tool 0 ipcstat -k pipe -r --noheadings -o NAME,READERS,WRITERS
    assert_line "$name $to:tail $from:sleep"
    kill "$to" "$from"
}

@test 'to look at a pipe is not to take part in it: its reader sees the end as soon as the writer goes' {
    start_fixture <<'PYTHON'
r, w = os.pipe()
child = os.fork()
if child == 0:
    os.close(w)
    os.read(r, 1)
    os._exit(7)
os.close(r)
say([child, os.fstat(w).st_ino])
def end(*_):
    os.close(w)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
signal.signal(signal.SIGUSR1, end)
PYTHON
    rows pipe NAME,READERS,WRITERS
    assert_line "pipe:[${words[2]}] ${words[1]}:python3 $fixture:python3"
    kill -USR1 "$fixture"
    wait_exit fixture 7
}

@test 'a FIFO: by its path, with its owner, mode, ends and bytes; one that was removed is marked' {
    local path=$BATS_TEST_TMPDIR/jobs
    mkfifo -m 640 "$path"
    FIFO=$path start_fixture <<'PYTHON'
path = os.environ["FIFO"]
both = os.open(path, os.O_RDWR)
os.write(both, b"abc")
PYTHON
    row "fifo:$path" fifo USED,LIMIT,PERMS,STATE,READERS,WRITERS,PERSISTENCE
    assert_output "3 65536 0640 in-use $fixture:python3 $fixture:python3 filesystem"
    rm "$path"
    rows fifo NAME,STATE
    assert_output "fifo:$path\\x20(deleted) marked"
}

@test 'a FIFO is listed without a reader or a writer being woken' {
    local path=$BATS_TEST_TMPDIR/lonely
    mkfifo "$path"
    spawn reader cat "$path"
    local reader=${pid[reader]}
    wait_blocked reader openat
    # It has no descriptor of it yet: it waits for a writer, and must go on waiting.
    run_tool 0 ipcstat -k fifo -r --noheadings -o NAME
    refute_output --partial "$path"
    wait_blocked reader openat
    # With a writer it has one, until that leaves.
    exec 8>"$path"
    wait_blocked reader read
    run_tool 0 ipcstat -k fifo -p "$reader" -r --noheadings -o NAME,READERS
    assert_output "fifo:$path $reader:cat"
    exec 8>&-
    wait_exit reader 0
}

@test 'eventfds are told apart by number, with their counts' {
    start_fixture <<'PYTHON'
libc = ctypes.CDLL(None)
a = libc.eventfd(31, 0)
b = libc.eventfd(5, 1) # EFD_SEMAPHORE
for fd in (a, b):
    say([line.split()[1] for line in open("/proc/self/fdinfo/%d" % fd) if line.startswith("eventfd-id")])
PYTHON
    [ "${#words[@]}" -eq 3 ] || skip 'needs a kernel that numbers eventfds'
    rows eventfd NAME,VALUE,USERS
    assert_line "eventfd:[${words[1]}] 31 $fixture:python3"
    assert_line "eventfd:[${words[2]}] 5 $fixture:python3"
    rows eventfd NAME,TYPE
    assert_line "eventfd:[${words[2]}] semaphore"
}

@test 'memfds: their names as given, sizes, what is allocated, and who maps one without a descriptor' {
    start_fixture <<'PYTHON'
fd = os.memfd_create("a b\nc (deleted)")
os.ftruncate(fd, 10000)
os.pwrite(fd, b"x", 0)
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
mapped = os.memfd_create("mapped alone")
os.ftruncate(mapped, 4096)
libc.mmap(None, 4096, 3, 1, mapped, 0)
say([mapped])
os.close(mapped)
PYTHON
    rows memfd NAME,SIZE,USED,STATE,USERS
    assert_line "memfd:a\\x20b\\x0ac\\x20(deleted) 10000 4096 in-use $fixture:python3"
    rows memfd NAME,SIZE,USERS
    assert_line "memfd:mapped\\x20alone 4096 $fixture:python3"
    run_tool 0 ipcstat -k memfd -p "$fixture" -J -o NAME,SIZE
    json '[o["name"] for o in ipc if o["size"] == 10000][0]'
    assert_output $'memfd:a b\nc (deleted)'
}

@test 'FD: a descriptor by which the first of its users has it' {
    start_fixture <<'PYTHON'
libc = ctypes.CDLL(None)
os.dup2(os.memfd_create("numbered"), 50)
os.closerange(3, 50)
os.dup2(libc.eventfd(7, 0), 61)
r, w = os.pipe()
os.dup2(w, 72)
for fd in (3, r, w):
    os.close(fd)
child = os.fork()
if child == 0:
    os.dup2(50, 40)
    os.dup2(61, 41)
    os.dup2(72, 42)
    os.closerange(50, 80)
    signal.pause()
say([child])
PYTHON
    local kind fd
    declare -A theirs=([memfd]=50 [eventfd]=61 [pipe]=72)
    for kind in memfd eventfd pipe; do
        fd=${theirs[$kind]}
        # Others have pipes and the like, too.
        rows "$kind" NAME,FD
        assert_line --regexp "^$kind:[^ ]+ $fd\$"
    done
    [ "$(readlink "/proc/$fixture/fd/$fd")" = "$(awk '$2 == 72 { print $1 }' <<<"$output")" ]
    kill "${words[1]}"
}

@test 'mapped files: shared ones with a name, and how; private ones and those of other kinds are not' {
    make_memory /ours 4096
    printf '%10000s' '' >"$BATS_TEST_TMPDIR/data"
    chmod 604 "$BATS_TEST_TMPDIR/data"
    printf '%100s' '' >"$BATS_TEST_TMPDIR/private"
    DIR=$BATS_TEST_TMPDIR start_fixture <<'PYTHON'
def map_file(path, **how):
    with open(path, "r+b") as f:
        return mmap.mmap(f.fileno(), 0, **how)
d = os.environ["DIR"]
kept = [map_file(d + "/data"), map_file(d + "/private", flags=mmap.MAP_PRIVATE),
        map_file("/dev/shm/ours"), mmap.mmap(-1, 4096)]
fd = os.open(d + "/gone", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 5000)
kept.append(mmap.mmap(fd, 5000, prot=mmap.PROT_READ))
os.unlink(d + "/gone")
PYTHON
    rows map NAME,SIZE,PERMS,TYPE,STATE,USERS
    assert_line "map:$BATS_TEST_TMPDIR/data 10000 0604 rw in-use $fixture:python3"
    rows map NAME,TYPE,STATE
    assert_line "map:$BATS_TEST_TMPDIR/gone\\x20(deleted) r marked"
    refute_output --partial private
    refute_output --partial /dev/
}

# bats test_tags=user
@test 'unix sockets: names, types, peers, what waits, and who has them' {
    DIR=$BATS_TEST_TMPDIR start_fixture <<'PYTHON'
os.chdir(os.environ["DIR"])
U = socket.AF_UNIX
server = socket.socket(U); server.bind("\0ab\0str act"); server.listen(7)
client = socket.socket(U); client.connect("\0ab\0str act")
accepted, _ = server.accept()
client.send(b"12345")
waiting = socket.socket(U); waiting.connect("\0ab\0str act")
os.umask(0o27)
named = socket.socket(U, socket.SOCK_DGRAM); named.bind(os.environ["DIR"] + "/log")
sender = socket.socket(U, socket.SOCK_DGRAM); sender.connect(os.environ["DIR"] + "/log"); sender.send(b"xy")
one, two = socket.socketpair(U, socket.SOCK_SEQPACKET)
say([os.fstat(s.fileno()).st_ino for s in (server, client, accepted, named, sender, one, two)])
PYTHON
    local -a inode=("${words[@]:1}")
    rows unix INODE,NAME,TYPE,USERS
    assert_line "${inode[0]} unix:@ab\\x00str\\x20act stream\\x20listen $fixture:python3"
    assert_line "${inode[1]} socket:[${inode[1]}] stream $fixture:python3"
    assert_line "${inode[3]} unix:$BATS_TEST_TMPDIR/log dgram $fixture:python3"
    assert_line "${inode[5]} socket:[${inode[5]}] seqpacket $fixture:python3"
    rows unix INODE,PEER
    assert_line "${inode[1]} @ab\\x00str\\x20act"
    assert_line "${inode[2]} socket:[${inode[1]}]"
    assert_line "${inode[4]} $BATS_TEST_TMPDIR/log"
    assert_line "${inode[5]} socket:[${inode[6]}]"
    rows unix INODE,USED
    assert_line "${inode[2]} 5"
    assert_line "${inode[3]} 2"
    rows unix INODE,USED,LIMIT
    assert_line "${inode[0]} 1 7"
    rows unix INODE,OWNER,PERMS
    assert_line "${inode[3]} $(id -un) 0750"
}

@test 'unix sockets without sock_diag: what /proc/net/unix shows' {
    requires strace
    start_fixture <<'PYTHON'
server = socket.socket(socket.AF_UNIX); server.bind("\0two\nlines"); server.listen(7)
one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
say([os.fstat(s.fileno()).st_ino for s in (server, one)])
PYTHON
    run_tool 0 strace -f -qq -o /dev/null -e inject=socket:error=EPROTONOSUPPORT \
        ipcstat -k unix -p "$fixture" -r --noheadings -o INODE,NAME,TYPE,USERS
    assert_line "${words[1]} unix:@two\\x0alines stream\\x20listen $fixture:python3"
    assert_line "${words[2]} socket:[${words[2]}] dgram $fixture:python3"
    [ "${#lines[@]}" -eq 3 ]
}

@test 'locks: what is locked, how, who holds it and who waits' {
    local file=$BATS_TEST_TMPDIR/file
    : >"$file"
    FILE=$file start_fixture <<'PYTHON'
path = os.environ["FILE"]
a = open(path, "r+"); fcntl.flock(a, fcntl.LOCK_EX)
b = open(path, "r+"); fcntl.lockf(b, fcntl.LOCK_SH, 10, 5)
c = open(path, "r+"); fcntl.fcntl(c, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 100, 0, 0)) # F_OFD_SETLK
PYTHON
    spawn waiter flock --no-fork "$file" true
    wait_blocked waiter flock
    rows lock NAME,TYPE,REGION,WAITERS
    assert_line "lock:$file flock\\x20write 0-EOF 1"
    assert_line "lock:$file posix\\x20read 5-14 0"
    assert_line "lock:$file ofd\\x20write 100-EOF 0"
    rows lock NAME,TYPE,HOLDERS,WAITING
    assert_line "lock:$file flock\\x20write $fixture:python3 ${pid[waiter]}:flock"
    run_tool 0 ipcstat -k lock -p "$fixture" -J -o NAME,TYPE,USERS
    json '[list(u.values()) for o in ipc if o["type"] == "ofd write" for u in o["users"]]'
    assert_output "[[$fixture, 'python3', 'holds']]"
    run_tool 0 ipcstat -k lock -p "${pid[waiter]}" -r --noheadings -o TYPE,WAITING
    assert_output "flock\\x20write ${pid[waiter]}:flock"
}

# bats test_tags=user
@test 'a lock is held by all who inherited its descriptor, and a lease is one too' {
    local file=$BATS_TEST_TMPDIR/file
    : >"$file"
    FILE=$file start_fixture <<'PYTHON'
path = os.environ["FILE"]
a = open(path, "r"); fcntl.flock(a, fcntl.LOCK_SH)
fcntl.fcntl(a, fcntl.F_SETLEASE, fcntl.F_RDLCK)
child = os.fork()
if child == 0:
    signal.pause()
    os._exit(0)
say([child])
PYTHON
    rows lock NAME,TYPE,HOLDERS
    assert_line "lock:$file flock\\x20read $fixture:python3,${words[1]}:python3"
    assert_line "lock:$file lease\\x20read $fixture:python3,${words[1]}:python3"
    kill "${words[1]}"
}

# bats test_tags=user
@test 'signals of a process: pending, blocked, ignored and caught, by name' {
    start_fixture <<'PYTHON'
for s in range(1, 65):
    if s not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
        signal.signal(s, signal.SIG_DFL)
signal.signal(signal.SIGUSR1, lambda *_: 0)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGTERM, signal.SIGRTMIN + 3])
os.kill(os.getpid(), signal.SIGTERM)
PYTHON
    rows sig NAME,PENDING,BLOCKED,IGNORED,CAUGHT
    # The two of the C library cannot be reset: who ignores them leaves that to all it starts.
    output=${output/'\x2032\x2033'/}
    assert_output "sig:$fixture TERM TERM\\x20RTMIN+3 USR2 USR1"
    rows sig OWNER,USERS
    assert_output "$(id -un) $fixture:python3"
}

# bats test_tags=user
@test '-a shows all kinds, each name a record, whatever is in it' {
    start_fixture <<'PYTHON'
fd = os.memfd_create("two\nrows \x1b[31m")
s = socket.socket(socket.AF_UNIX); s.bind("\0\n\xff")
os.close(os.memfd_create("gone"))
r, w = os.pipe()
PYTHON
    run_tool 0 ipcstat -p "$fixture" -r --noheadings -o KIND,NAME
    assert_line 'memfd memfd:two\x0arows\x20\x1b[31m'
    assert_line --partial 'unix unix:@\x0a'
    assert_line --partial 'pipe pipe:['
    assert_line "sig sig:$fixture"
    refute_output --partial gone
    run_tool 0 ipcstat -a -J -o KIND,NAME,PERSISTENCE
    json '{"memfd", "pipe", "sig", "unix"} - {o["kind"] for o in ipc}'
    assert_output 'set()'
}

@test 'what cannot be listed is said: locks without /proc/locks' {
    ! is_sanitized || skip 'the sanitizers need /proc'
    requires mount
    # shellcheck disable=SC2016
    run_tool 2 unshare --mount sh -c 'mount -t tmpfs none /proc && exec ipcstat -k lock'
    assert_diagnostic ipcstat '/proc'
}

# bats test_tags=user
@test 'how full a pipe is is not waited for, where a duplicate of it keeps who made it' {
    requires strace
    start_fixture <<'PYTHON'
r, w = os.pipe()
os.write(w, b"hello")
say([os.fstat(r).st_ino])
PYTHON
    # As if it waited for a file server.
    run_tool 0 strace -f -qq -o /dev/null -e trace=pidfd_getfd \
        -e inject=pidfd_getfd:signal=STOP \
        ipcstat -k pipe -p "$fixture" -J -o NAME,USED,LIMIT
    json "[(o['used'], o['limit']) for o in ipc if o['name'] == 'pipe:[${words[1]}]']"
    assert_output '[(None, None)]'
}

@test 'permissions of a socket are those that the kernel has at hand: no path of others is followed' {
    requires strace
    DIR=$BATS_TEST_TMPDIR start_fixture <<'PYTHON'
s = socket.socket(socket.AF_UNIX); s.bind(os.environ["DIR"] + "/s")
kept = os.open(os.environ["DIR"] + "/data", os.O_RDWR | os.O_CREAT)
os.ftruncate(kept, 10)
kept = mmap.mmap(kept, 10)
PYTHON
    run_tool 0 strace -f -qq -o /dev/null -e trace=openat2 -e inject=openat2:error=EAGAIN \
        ipcstat -k unix,map -p "$fixture" -J -o NAME,OWNER,PERMS
    json '[(os.path.basename(o["name"]), o["owner"] is None, o["perms"]) for o in ipc
        if os.path.basename(o["name"]) in ("s", "data")]'
    assert_output "[('s', False, None), ('data', True, None)]"
}

@test 'a name that ends in (deleted) is no removed file; POSIX memory that was removed is listed while mapped' {
    local path="$BATS_TEST_TMPDIR/jobs (deleted)"
    mkfifo "$path"
    printf '%100s' '' >"$BATS_TEST_TMPDIR/data (deleted)"
    make_memory /ours 4096
    make_memory '/kept (deleted)' 4096
    DIR=$BATS_TEST_TMPDIR start_fixture <<'PYTHON'
d = os.environ["DIR"]
both = os.open(d + "/jobs (deleted)", os.O_RDWR)
kept = []
for path in d + "/data (deleted)", "/dev/shm/ours", "/dev/shm/kept (deleted)":
    with open(path, "r+b") as f:
        kept.append(mmap.mmap(f.fileno(), 0))
os.unlink("/dev/shm/ours")
PYTHON
    # The one by which the fixture is told what to do may be open as well.
    rows fifo NAME,STATE
    assert_line "fifo:${path/ /\\x20} in-use"
    refute_output --partial marked
    rows map NAME,STATE
    assert_line "map:$BATS_TEST_TMPDIR/data\\x20(deleted) in-use"
    assert_line 'map:/dev/shm/ours\x20(deleted) marked'
    refute_output --partial kept
}

@test 'many locks of one file, of a descriptor with duplicates, and many memfds mapped: each once' {
    local file=$BATS_TEST_TMPDIR/file
    : >"$file"
    FILE=$file start_fixture <<'PYTHON'
f = open(os.environ["FILE"], "r+")
for i in range(20):
    fcntl.fcntl(f, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 2 * i, 1, 0)) # F_OFD_SETLK
other = os.dup(f.fileno())
kept = []
for i in range(20):
    fd = os.memfd_create("m")
    os.ftruncate(fd, 4096)
    kept.append(mmap.mmap(fd, 4096))
    os.close(fd)
PYTHON
    rows lock REGION,HOLDERS
    [ "${#lines[@]}" -eq 20 ]
    assert_line "38-38 $fixture:python3"
    rows memfd NAME,USERS
    [ "${#lines[@]}" -eq 20 ]
    [ "$(sort -u <<<"$output")" = "memfd:m $fixture:python3" ]
}

@test 'with no memory at all, what is said is that: one line, and the status 2' {
    ! is_sanitized || skip 'the sanitizers need memory'
    local kib said=0
    # Where the loader can go on, but not the tool, is for the library's size to say.
    for ((kib = 2400; kib < 4400; kib += 100)); do
        status=0
        output=$(ulimit -v "$kib" && exec ipcstat -k pipe -r --noheadings -o INODE 2>&1) || status=$?
        case $status in
        0) break ;;
        126 | 127 | 137 | 139) continue ;; # the kernel or the loader had too little
        esac
        assert_equal "$status" 2
        assert_output 'ipcstat: out of memory'
        said=1
    done
    [ "$said" -eq 1 ] || skip 'no such size'
}
