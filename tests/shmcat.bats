#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shmcat: bytes of shared memory to stdout, and stdin to shared memory.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2002,SC2016 # a pipe is meant; scripts for other shells

load support/lib.bash

both=(/m key:0x71717171)

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# made OBJECT...: leaves their removal to clean_up.
made() { made_memory+=("$@"); }

# attribute NAME OBJECT: what shmctl shows.
attribute() { shmctl show -- "$2" | sed -n "s/^$1=//p"; }

# filled OBJECT SIZE: a new object, and in the file "content" what is in it.
filled() {
    made "$1"
    head -c "$2" /dev/urandom >content
    shmcat -W --create -- "$1" <content
}

# holds OBJECT TEXT: exactly this, with \ as printf has it.
holds() {
    # shellcheck disable=SC2059 # the format is meant
    assert_same <(shmcat -- "$1") <(printf "$2")
}

refused() {
    echo "shmcat $*"
    run_tool 2 shmcat "$@"
    assert_diagnostic shmcat '; see shmcat --help$'
    assert_output ''
}

# is_file FILE TEXT: for wait_until.
is_file() { [ -e "$1" ] && [ "$(<"$1")" = "$2" ]; }

# ---- Reading ----

@test "all of an object, byte by byte, into a pipe, a file, an appended file, a device" {
    local object size
    for object in "${both[@]}"; do
        for size in 1 4095 4096 4097 300000 3000000; do
            filled "$object" "$size"
            shmcat "$object" | cmp - content
            shmcat "$object" >out
            assert_same out content
            echo first >out
            shmcat "$object" >>out
            assert_same out <(echo first && cat content)
            shmcat "$object" >/dev/null
            shmctl rm "$object"
        done
    done
}

@test "an empty object" {
    make_memory /m 0
    run_tool 0 shmcat /m
    assert_output ''
    assert_no_stderr
}

@test "-o and -l reach any bytes" {
    local object offset length
    for object in "${both[@]}"; do
        filled "$object" 10000
        for offset in 0 1 4095 4096 5000 9999 10000; do
            shmcat -o "$offset" "$object" | cmp - <(tail -c +$((offset + 1)) content)
            shmcat --offset="$offset" --length=0 "$object" | cmp - /dev/null
            for length in 1 100 4096; do
                [ $((offset + length)) -le 10000 ] || continue
                shmcat -o "$offset" -l "$length" "$object" |
                    cmp - <(tail -c +$((offset + 1)) content | head -c "$length")
            done
        done
        shmcat -l 2K -o 1K "$object" | cmp - <(tail -c +1025 content | head -c 2048)
    done
}

@test "past the end is said" {
    local object
    for object in "${both[@]}"; do
        filled "$object" 10
        run_tool 2 shmcat -o 11 "$object"
        assert_output ''
        assert_diagnostic shmcat "$object: offset 11 is past the end; the object has 10 bytes"
        run_tool 2 shmcat -o 9223372036854775807 -l 9223372036854775807 "$object"
        assert_diagnostic shmcat "is past the end"
        run_tool 2 sh -c 'shmcat -o 6 -l 9223372036854775807 "$1" >out' sh "$object"
        assert_diagnostic shmcat "the object has 10 bytes; 9223372036854775803 of the 9223372036854775807 from offset 6 on are missing"
        assert_same out <(tail -c 4 content)
        run_tool 2 shmcat -o 10 -l 1 "$object"
        assert_diagnostic shmcat '1 of the 1 from offset 10 on are missing'
    done
}

@test "sizes and intervals that are none, and options that do not go together" {
    local size
    make_memory /m 10
    for size in '' x 12x -1 99999999999999999999 1.5K; do
        refused "--offset=$size" /m
        refused "--length=$size" /m
        refused -W "--create=$size" /m </dev/null
    done
    refused -f0 /m
    refused -f1x /m
    refused -W -l 5 /m </dev/null
    refused -W -f /m </dev/null
    refused -W --literal /m </dev/null
    refused --create /m
    refused --truncate /m
    refused /m /m
    refused
    make_memory key:7 10
    refused -W --truncate key:7 </dev/null
    refused -W --truncate --create=10 key:8 </dev/null
    run_tool 2 shmcat key:8
}

@test "names: of other kinds, without slash, private, not there" {
    run_tool 2 shmcat m
    assert_diagnostic shmcat "'/m'"
    run_tool 2 shmcat mq:/m
    assert_diagnostic shmcat 'mq:/m is a message queue, not shared memory'
    run_tool 2 shmcat private
    assert_diagnostic shmcat "'private' is for create"
    local object
    for object in "${both[@]}" id:2147483647; do
        run_tool 2 shmcat "$object"
        assert_diagnostic shmcat "$object: cannot open: No such file"
        run_tool 2 shmcat -W "$object" </dev/null
        assert_diagnostic shmcat "$object: cannot [a-z]*: No such file"
    done
    filled /m 10
    shmcat shm:/m | cmp - content
    [ -z "$(tail -n +2 /proc/sysvipc/shm)" ]
}

@test "a descriptor: its position is not used, and is left to others" {
    filled /m 1000
    exec 7<>/dev/shm/m
    head -c 100 <&7 >/dev/null
    shmcat fd:7 | cmp - content
    shmcat -o 10 -l 5 fd:7 >out
    printf hello | shmcat -W -o 500 fd:7
    seq 20 >input
    shmcat -W -o 600 fd:7 <input
    assert_same <(cat <&7) <(tail -c +101 /dev/shm/m)
    assert_equal "$(shmcat -o 500 -l 5 fd:7)" hello
    exec 7<&-
    exec 7</dev/shm/m
    run_tool 2 shmcat -W fd:7 </dev/null
    assert_diagnostic shmcat 'fd:7: this descriptor cannot be written to'
    exec 7<&-
    run_tool 2 shmcat fd:7 7>>/dev/shm/m
    assert_diagnostic shmcat 'fd:7: this descriptor cannot be read from'
    cp /dev/shm/m before
    run_tool 2 shmcat -W -o 10 fd:7 7>>/dev/shm/m < <(echo x)
    assert_diagnostic shmcat 'fd:7: this descriptor appends, and can store nowhere else'
    assert_same /dev/shm/m before
    run_tool 2 shmcat fd:7 7</dev/null
    assert_diagnostic shmcat 'fd:7: this is a device, not shared memory'
    run_tool 2 shmcat fd:77
    assert_diagnostic shmcat 'fd:77.*Bad file descriptor'
}

# bats test_tags=user
@test "a memfd, sealed or not" {
    cat >memfd.py <<'PYTHON'
import fcntl, os, sys
fd = os.memfd_create("x", os.MFD_ALLOW_SEALING)
os.write(fd, b"hello")
if sys.argv[1] == "sealed":
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW)
os.dup2(fd, 7)
sys.exit(os.spawnvp(os.P_WAIT, sys.argv[2], sys.argv[2:]) or os.system("cat /dev/fd/7"))
PYTHON
    run_tool 0 python3 memfd.py open shmcat fd:7
    assert_output hellohello
    run_tool 0 python3 memfd.py open shmcat -W -o 4 fd:7 < <(echo out)
    assert_output hellout
    run_tool 2 python3 memfd.py sealed shmcat -W fd:7 < <(echo out)
    assert_diagnostic shmcat 'fd:7: cannot store: Operation not permitted.*; 0 bytes stored'
}

@test "a symlink, FIFO or directory in /dev/shm is refused, and does not block" {
    local what
    mkfifo /dev/shm/fifo
    mkdir /dev/shm/directory
    filled /m 10
    ln -s m /dev/shm/symlink
    for what in 'symlink a symbolic link' 'fifo a FIFO' 'directory a directory'; do
        run_tool 2 shmcat "/${what%% *}"
        assert_diagnostic shmcat "/${what%% *}: this is ${what#* }, not shared memory"
        run_tool 2 shmcat -W "/${what%% *}"
        assert_diagnostic shmcat "/${what%% *}: this is ${what#* }, not shared memory"
        run_tool 2 shmcat -W --create "/${what%% *}"
        assert_diagnostic shmcat "/${what%% *}: this is ${what#* }, not shared memory"
    done
    assert_same /dev/shm/m content
    rm -r /dev/shm/{symlink,fifo,directory}
}

@test "permissions: a reader reads, a writer need not" {
    requires root
    local object
    local nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all')
    for object in "${both[@]}"; do
        make_memory "$object" 5 -m 0604
        run_tool 0 "${nobody[@]}" shmcat "$object"
        run_tool 2 "${nobody[@]}" shmcat -W "$object"
        assert_diagnostic shmcat "$object: cannot .*: Permission denied"
        shmctl set -m 0600 "$object"
        run_tool 2 "${nobody[@]}" shmcat "$object"
        assert_diagnostic shmcat "$object: cannot .*: Permission denied"
    done
    shmctl set -m 0602 /m
    run_tool 0 "${nobody[@]}" shmcat -W /m < <(printf hello)
    holds /m hello
}

@test "an object shortened while it is read: no SIGBUS, and it is said" {
    make_memory /m 4M
    open_full_pipe
    spawn_into reader "$fifo" shmcat /m
    wait_blocked reader sendfile write
    shmctl set -s 10 /m
    read_pipe
    wait_exit reader 2
    assert_diagnostic shmcat '/m: it was shortened while it was read; [0-9]+ bytes are missing'
}

@test "stdout that is full, closed or not ready" {
    local object
    for object in "${both[@]}"; do
        filled "$object" 300000
        run_tool 2 sh -c 'exec shmcat "$1" >/dev/full' sh "$object"
        assert_diagnostic shmcat 'stdout: cannot write: No space left on device'
        run_tool 2 sh -c 'exec shmcat "$1" >&-' sh "$object"
        assert_diagnostic shmcat 'stdout: cannot write: Bad file descriptor'
        # A pipe that nobody reads.
        rm -f fifo
        mkfifo fifo
        run_tool 2 bash -c 'exec 7<>fifo 8>fifo 7>&- && exec shmcat "$1" >&8 8>&-' bash "$object"
        assert_diagnostic shmcat 'stdout: cannot write: Broken pipe'
        # Non-blocking.
        python3 -c '
import os, subprocess, sys, time
out, into = os.pipe()
os.set_blocking(into, False)
child = subprocess.Popen(["shmcat", sys.argv[1]], stdout=into)
os.close(into)
with open(out, "rb") as pipe:
    read = pipe.read()
sys.exit(child.wait() or read != open("content", "rb").read())' "$object"
    done
}

@test "a terminal gets control bytes escaped, but newlines; --literal leaves them" {
    local object
    for object in "${both[@]}"; do
        made "$object"
        printf 'one\ntwo\e[31m\xff\t\xc3\xa9\0' | shmcat -W --create=18 "$object"
        on_terminal shmcat "$object" >shown
        assert_same shown <(printf 'one\ntwo\\x1b[31m\\xff\\x09\xc3\xa9\\x00\\x00')
        on_terminal shmcat --literal "$object" >shown
        assert_same shown <(shmcat "$object")
        # A character across the border of two reads.
        shmctl rm "$object"
        { printf '%65535s' ''; printf '\xc3\xa9\xe2\x82\xac\xe2\x82'; } >content
        shmcat -W --create "$object" <content
        on_terminal shmcat "$object" >shown
        assert_same shown <(printf '%65535s' ''; printf '\xc3\xa9\xe2\x82\xac\\xe2\\x82')
    done
}

@test "several GiB, sparse: in constant memory, and without making pages" {
    requires release
    make_memory /m 0
    truncate -s 3G /dev/shm/m
    printf end | shmcat -W -o 3221225469 /m
    local before
    before=$(attribute allocated /m)
    run_tool 0 bash -c 'shmcat /m | tail -c 3'
    assert_output end
    run_tool 0 python3 -c '
import resource, subprocess, sys
with open("/dev/null", "wb") as null:
    for command in ["shmcat", "/m"], ["shmcat", "-o", "1G", "-l", "2G", "/m"]:
        subprocess.run(command, stdout=null, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 16384)'
    assert_output True
    assert_equal "$(attribute allocated /m)" "$before"
}

@test "memory stays under 4 MiB, whatever moves through" {
    requires release
    local object
    for object in "${both[@]}"; do
        filled "$object" 64M
        run_tool 0 python3 -c '
import os, sys
def peak(command):
    pid = os.posix_spawnp(command[0], command, dict(os.environ), file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, "content", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "out", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    os.remove("out")
    return usage.ru_maxrss
# Of a process that does nothing, started in the same way.
least = peak(["shmcat", "--version"])
for command in ["shmcat", sys.argv[1]], ["shmcat", "-W", sys.argv[1]]:
    assert peak(command) - least < 4096, (command, peak(command), least)' "$object"
        shmctl rm "$object"
    done
}

# ---- Writing ----

@test "-W from a pipe, a file, a part of a file, a device" {
    local object
    head -c 300000 /dev/urandom >content
    for object in "${both[@]}"; do
        make_memory "$object" 300000
        shmcat -W "$object" <content
        shmcat "$object" | cmp - content
        printf 'xyz' | shmcat -W "$object"
        shmcat "$object" | cmp - <(printf xyz; tail -c +4 content)
        { head -c 10 >/dev/null; shmcat -W -o 10 "$object"; } < <(cat content)
        { read -r -N 0; shmcat -W "$object"; } <content
        shmcat "$object" | cmp - content
        python3 -c '
import os, subprocess, sys
fd = os.open("content", os.O_RDONLY)
os.lseek(fd, 299990, os.SEEK_SET)
subprocess.run(["shmcat", "-W", sys.argv[1]], stdin=fd, check=True)' "$object"
        shmcat "$object" | cmp - <(tail -c 10 content; tail -c +11 content)
        shmcat -W -o 5 "$object" </dev/null
        shmcat "$object" | cmp - <(tail -c 10 content; tail -c +11 content)
    done
}

@test "-W: a POSIX object grows, reserved, also before the offset" {
    make_memory /m 3
    printf abc | shmcat -W /m
    printf xyz | shmcat -W -o 8 /m
    holds /m 'abc\0\0\0\0\0xyz'
    printf Z | shmcat -W -o 100000 /m
    assert_equal "$(attribute size /m)" 100001
    assert_equal "$(attribute allocated /m)" 102400
    printf -- - | shmcat -W -o 1 /m
    assert_equal "$(shmcat -l 3 /m)" a-c
}

@test "-W --truncate: the object ends where the input does" {
    make_memory /m 10000
    printf '' >empty
    printf hello >file
    shmcat -W --truncate /m <file
    holds /m hello
    cat file | shmcat -W --truncate -o 2 /m
    holds /m hehello
    shmcat -W --truncate -o 3 /m <empty
    holds /m heh
    shmcat -W --truncate -o 5 /m <empty
    holds /m 'heh\0\0'
    assert_equal "$(attribute allocated /m)" 4096
}

@test "-W --create: with a size, without, where it is there" {
    printf hello >file
    made /m key:7 key:8
    umask 0777
    shmcat -W --create /m <file
    assert_equal "$(attribute perms /m)" 0600
    holds /m hello
    shmctl rm /m
    umask 022
    shmcat -W --create=8 /m <file
    holds /m 'hello\0\0\0'
    printf bye | shmcat -W --create=1M /m
    holds /m 'byelo\0\0\0'
    shmcat -W --create -o 2 key:7 <file
    holds key:7 '\0\0hello'
    assert_equal "$(attribute perms key:7)" 0600
    cat file | shmcat -W --create=8 key:8
    holds key:8 'hello\0\0\0'
    run_tool 2 shmcat -W --create key:9 < <(cat file)
    assert_diagnostic shmcat 'key:9: --create needs =SIZE for a segment'
    run_tool 2 shmcat -W --create=4 key:9 <file
    assert_diagnostic shmcat 'key:9: the input does not fit: 5 bytes from offset 0 on; the segment has 4 bytes'
    run_tool 2 shmcat key:9
}

@test "-W --create: of many at once, all store into one" {
    local i object
    printf x >file
    for object in "${both[@]}"; do
        made "$object"
        for i in {1..8}; do
            spawn "writer$i" shmcat -W --create=8 -o $((i - 1)) "$object" <file
        done
        for i in {1..8}; do
            wait_exit "writer$i" 0
        done
        holds "$object" xxxxxxxx
    done
}

@test "-W --create: an object of another user, where fs.protected_regular forbids O_CREAT" {
    requires root
    setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all' shmctl create -s 3 /m
    made /m
    printf abc | shmcat -W --create --owner-any /m
    holds /m abc
}

@test "a segment cannot grow: what does not fit is refused, and it is said what was stored" {
    make_memory key:7 10
    printf '%s' 0123456789 | shmcat -W key:7
    printf 'hello world' >file
    run_tool 2 shmcat -W key:7 <file
    assert_diagnostic shmcat 'key:7: the input does not fit: 11 bytes from offset 0 on; the segment has 10 bytes and cannot grow$'
    run_tool 2 shmcat -W -o 6 key:7 <file
    run_tool 2 shmcat -W -o 11 key:7 <file
    assert_diagnostic shmcat 'offset 11 is past the end'
    run_tool 2 shmcat -W -o 9223372036854775807 key:7 <file
    holds key:7 0123456789
    run_tool 2 shmcat -W -o 4 key:7 < <(cat file)
    assert_diagnostic shmcat 'key:7: the input does not fit; the segment has 10 bytes and cannot grow; 6 bytes stored, the rest not$'
    holds key:7 '0123hello '
    printf 'world!' | shmcat -W -o 4 key:7
    holds key:7 '0123world!'
}

@test "a full /dev/shm: from a file nothing changes, from a pipe it is said what was stored" {
    requires root
    run_tool 0 unshare --mount bash -c '
        mount -t tmpfs -o size=64K none /dev/shm
        head -c 100K /dev/urandom >file
        printf abc | shmcat -W --create --owner-any /m
        show() { stat -c "%n %s %b" /dev/shm/*; }
        show
        shmcat -W /m <file; echo $?
        shmcat -W -o 100K /m <<<x; echo $?
        printf x | shmcat -W -o 70000 /m; echo $?
        shmcat -W --create /n <file; echo $?
        shmcat -W --create=100K /n </dev/null; echo $?
        show
        cat file | shmcat -W -o 1K /m; echo $?
        show
        cmp <(tail -c +1025 /dev/shm/m) <(head -c 64512 file); cat /dev/shm/m | head -c 3'
    assert_output '/dev/shm/m 3 8
2
2
2
2
2
/dev/shm/m 3 8
2
/dev/shm/m 65536 128
abc'
    assert_equal "${#stderr_lines[@]}" 6
    [[ ${stderr_lines[0]} == 'shmcat: /m: cannot reserve memory: No space left on device (102397 bytes, 61440 are free in /dev/shm; enlarge it with: mount -o remount,size=SIZE /dev/shm)' ]]
    [[ ${stderr_lines[5]} == 'shmcat: /m: cannot store: No space left on device ('*' bytes, 0 are free in /dev/shm; '*'); 64512 bytes stored, the rest not' ]]
}

@test "a full /dev/shm: a hole that a file does not fit into" {
    requires root
    run_tool 0 unshare --mount bash -c '
        mount -t tmpfs -o size=64K none /dev/shm
        head -c 100K /dev/urandom >file
        truncate -s 200K /dev/shm/m
        printf abc | shmcat -W /m
        shmcat -W -o 1K /m <file; echo $?
        stat -c "%s %b" /dev/shm/m
        head -c 60K file | shmcat -W -o 2K /m; echo $?
        shmcat /m | cmp - <(printf abc; head -c 2045 /dev/zero; head -c 60K file; head -c 138K /dev/zero)'
    assert_output $'2\n204800 8\n0'
    assert_diagnostic shmcat '/m: cannot reserve memory: No space left on device \(102400 bytes, 61440 are free'
}

@test "what was reserved and not used is given back" {
    make_memory /m 10
    truncate -s 1M input
    # The input turns out shorter than its size: nothing of it can be read.
    requires strace
    run_tool 2 strace -qq -o /dev/null -e trace=splice,read -P "$PWD/input" -e inject=splice,read:error=EIO \
        shmcat -W /m <input
    assert_diagnostic shmcat 'stdin: cannot read: Input/output error; 0 bytes stored, the rest not'
    assert_equal "$(attribute size /m) $(attribute allocated /m)" '10 4096'
}

@test "stdin that is a directory, closed, not ready, a terminal" {
    local object
    for object in "${both[@]}"; do
        make_memory "$object" 10
        run_tool 2 shmcat -W "$object" </
        assert_diagnostic shmcat 'stdin: cannot read: Is a directory; 0 bytes stored, the rest not'
        run_tool 2 sh -c 'exec shmcat -W "$1" <&-' sh "$object"
        assert_diagnostic shmcat 'stdin: cannot read: Bad file descriptor; 0 bytes stored, the rest not'
        # Non-blocking, and waited for.
        rm -f fifo
        mkfifo fifo
        exec 8<>fifo
        spawn writer python3 -c '
import os, sys
os.close(8)
os.set_blocking(0, False)
os.execvp("shmcat", ["shmcat", "-W", sys.argv[1]])' "$object" <fifo
        wait_blocked writer poll ppoll
        printf hello >&8
        exec 8>&-
        wait_exit writer 0
        assert_equal "$(shmcat -l 5 "$object")" hello
    done
}

@test "an object shortened while it is stored into: no SIGBUS, and it grows again" {
    make_memory /m 20000
    mkfifo fifo
    exec 8<>fifo
    spawn writer sh -c 'exec shmcat -W /m 8>&-' <fifo
    head -c 10000 /dev/zero | tr '\0' x >&8
    wait_until eval '[ "$(shmcat -o 9999 -l 1 /m | tr -d "\0")" = x ]'
    shmctl set -s 0 /m
    printf end >&8
    exec 8>&-
    wait_exit writer 0
    assert_same /dev/shm/m <(head -c 10000 /dev/zero; printf end)
}

@test "a signal while it stores: it is said what was stored" {
    local object
    mkfifo fifo
    for object in "${both[@]}"; do
        make_memory "$object" 10
        exec 8<>fifo
        spawn writer sh -c 'exec shmcat -W "$1" 8>&-' sh "$object" <fifo
        printf hello >&8
        wait_until eval "[ \"\$(shmcat -l 5 $object | tr -d '\\0')\" = hello ]"
        kill -TERM "${pid[writer]}"
        wait_exit writer 143
        assert_equal "$stderr" "shmcat: $object: 5 bytes stored, the rest not"
        exec 8>&-
    done
}

@test "an object is not copied to itself, which need never end" {
    filled /m 10
    run_tool 2 sh -c 'shmcat -W -o 3 /m </dev/shm/m'
    assert_diagnostic shmcat '/m: stdin is the object itself'
    run_tool 2 sh -c 'shmcat /m >>/dev/shm/m'
    assert_diagnostic shmcat '/m: stdout is the object itself'
    run_tool 2 sh -c 'shmcat -f0.01 fd:1 1<>/dev/shm/m'
    assert_diagnostic shmcat 'fd:1: stdout is the object itself'
    assert_same /dev/shm/m content
}

# ---- Following ----

# follow OBJECT [OPTION]...: in the background, into the file $(out follower).
follow() { spawn follower shmcat -f0.01 "${@:2}" "$1"; }

@test "-f prints each state that lasts, the last one at removal" {
    local object
    for object in "${both[@]}"; do
        made "$object"
        printf 'one ' | shmcat -W --create=4 "$object"
        follow "$object"
        wait_until is_file "$(out follower)" 'one '
        printf 'two ' | shmcat -W "$object"
        wait_until is_file "$(out follower)" 'one two '
        # The same again is no change.
        printf 'two ' | shmcat -W "$object"
        printf 'six ' | shmcat -W "$object"
        wait_until is_file "$(out follower)" 'one two six '
        shmctl rm "$object"
        wait_exit follower 0
        assert_equal "$output" 'one two six '
        assert_no_stderr
    done
}

@test "-f: the last state is printed, at a removal and at a signal, however long the interval" {
    local object end
    for object in "${both[@]}"; do
        for end in removal TERM INT; do
            echo "$object $end"
            made "$object"
            printf 'one ' | shmcat -W --create=4 "$object"
            spawn follower shmcat --follow=1h "$object"
            wait_until is_file "$(out follower)" 'one '
            printf 'two ' | shmcat -W "$object"
            case $end in
            removal)
                shmctl rm "$object" 2>/dev/null
                wait_exit follower 0
                ;;
            TERM)
                kill -TERM "${pid[follower]}"
                wait_exit follower 143
                ;;
            INT)
                kill -INT "${pid[follower]}"
                wait_exit follower 130
                ;;
            esac
            assert_equal "$output" 'one two '
            shmctl rm -f "$object"
        done
    done
}

@test "-f of a range: only that counts, also when the object gets shorter or longer" {
    make_memory /m 10
    printf 0123456789 | shmcat -W /m
    follow /m -o 2 -l 3
    wait_until is_file "$(out follower)" 234
    printf x | shmcat -W -o 5 /m
    shmctl set -s 4 /m
    wait_until is_file "$(out follower)" 23423
    printf abc | shmcat -W -o 2 /m
    wait_until is_file "$(out follower)" 23423abc
    shmctl set -s 1 /m
    printf z | shmcat -W -o 2 /m
    wait_until is_file "$(out follower)" 23423abcz
    shmctl rm /m
    wait_exit follower 0
}

@test "-f ends when its reader has left" {
    make_memory /m 10
    mkfifo fifo
    exec 8<>fifo
    spawn_into follower fifo shmcat -f0.01 /m
    wait_blocked follower ppoll
    exec 8<&-
    wait_exit follower 2
    assert_diagnostic shmcat 'stdout: cannot write: Broken pipe'
}

@test "-f: a reader that is stuck when a signal comes does not hold it up" {
    local object
    for object in "${both[@]}"; do
        make_memory "$object" 100000
        open_full_pipe
        spawn_into follower "$fifo" shmcat -f0.01 "$object"
        wait_blocked follower write
        kill -TERM "${pid[follower]}"
        wait_exit follower 143
        assert_diagnostic shmcat 'stdout: stuck when a signal came; the last state is cut'
        exec 7<&- 8>&-
    done
}

@test "-f on a terminal: escaped, and a signal ends it at once" {
    make_memory /m 2
    printf '\e\n' | shmcat -W /m
    cat >terminal.py <<'PYTHON'
import os, pty, signal, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("shmcat", ["shmcat", "-f1h", "/m"])
print(os.read(fd, 100))
os.kill(pid, signal.SIGINT)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
    run_tool 0 python3 terminal.py
    assert_output "b'\\\\x1b\\r\\n'
-2"
}

@test "stop and continue change nothing, while reading, writing and following" {
    local object
    mkfifo fifo
    for object in "${both[@]}"; do
        filled "$object" 3000000 # more than a pipe takes
        open_full_pipe
        spawn_into reader "$fifo" shmcat "$object"
        wait_blocked reader
        kill -STOP "${pid[reader]}"
        wait_until is_stopped reader
        kill -CONT "${pid[reader]}"
        exec 8>&-
        timeout "$PATIENCE" cat <&7 | tail -c 3000000 | cmp - content
        exec 7<&-
        wait_exit reader 0

        rm -f fifo
        mkfifo fifo
        exec 8<>fifo
        spawn writer sh -c 'exec shmcat -W "$1" 8>&-' sh "$object" <fifo
        wait_blocked writer
        kill -STOP "${pid[writer]}"
        wait_until is_stopped writer
        kill -CONT "${pid[writer]}"
        printf hello >&8
        exec 8>&-
        wait_exit writer 0
        assert_equal "$(shmcat -l 5 "$object")" hello

        spawn follower shmcat -f1h -l 5 "$object"
        wait_until is_file "$(out follower)" hello
        wait_blocked follower ppoll
        kill -STOP "${pid[follower]}"
        wait_until is_stopped follower
        kill -CONT "${pid[follower]}"
        shmctl rm "$object" 2>/dev/null
        wait_exit follower 0
        assert_equal "$output" hello
    done
}

@test "-f: a signal that was ignored or blocked at the start does not end it" {
    local how
    for how in ignored blocked; do
        printf one | shmcat -W --create /m
        made /m
        spawn follower python3 -c '
import os, signal, sys
if sys.argv[1] == "ignored":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.SIGRTMAX + 1))
os.execvp("shmcat", ["shmcat", "-f0.01", "/m"])' "$how"
        wait_until is_file "$(out follower)" one
        kill -TERM "${pid[follower]}"
        printf two | shmcat -W /m
        wait_until is_file "$(out follower)" onetwo
        shmctl rm /m
        wait_exit follower 0
    done
}

# ---- Where something is missing ----

@test "everything works without /proc" {
    requires root
    ! is_sanitized || skip 'the sanitizers need /proc'
    run_tool 0 unshare --mount bash -ec '
        umount -l /proc
        printf one | shmcat -W --create /m
        printf two | shmcat -W --create=3 key:7
        shmcat /m
        shmcat key:7
        : >out
        shmcat -f0.01 /m >out &
        until [ "$(<out)" = one ]; do :; done
        shmctl rm /m key:7
        wait $!'
    assert_output onetwo
    assert_no_stderr
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    ! is_sanitized || skip 'the sanitizers need descriptors of their own'
    local object number command
    printf hello >input
    for object in "${both[@]}"; do
        make_memory "$object" 5
        for command in "shmcat $object" "shmcat -W $object" "shmctl show $object" "shmctl set -m 0600 $object"; do
            for number in {3..10}; do
                echo "$command: $number"
                # shellcheck disable=SC2086 # words
                run_tool - bash -c 'exec prlimit --nofile="$0" -- "$@" <input 3>&-' "$number" $command
                [ "$status" -eq 0 ] || [ "$status" -eq 127 ] ||
                    assert_diagnostic "${command%% *}" 'Too many open files \(RLIMIT_NOFILE = '
            done
            assert_equal "$status" 0
        done
        shmctl rm "$object"
        for number in {3..10}; do
            run_tool - bash -c 'exec prlimit --nofile="$0" -- "$@" <input 3>&-' "$number" shmctl create -s 1 "$object"
            made "$object"
            [ "$status" -eq 0 ] || [ "$status" -eq 127 ] ||
                assert_diagnostic shmctl 'Too many open files \(RLIMIT_NOFILE = '
        done
        assert_equal "$status" 0
    done
}

# ---- Objects of others ----

@test "python's shared memory, both ways" {
    cat >share.py <<'PYTHON'
import subprocess
from multiprocessing import shared_memory
memory = shared_memory.SharedMemory(create=True, size=5000)
name = memory._name
memory.buf[:5] = b"hello"
out = subprocess.run(["shmcat", "-l", "5", name], stdout=subprocess.PIPE, check=True).stdout
assert out == b"hello", out
out = subprocess.run(["shmcat", name], stdout=subprocess.PIPE, check=True).stdout
assert out == bytes(memory.buf), len(out)
subprocess.run(["shmcat", "-W", "-o", "4090", name], input=b"across pages", check=True)
assert bytes(memory.buf[4090:4102]) == b"across pages"
memory.close()
memory.unlink()
print("ok")
PYTHON
    run_tool 0 python3 share.py
    assert_output ok
}

@test "PostgreSQL's own segments and objects, of a server that runs and of one that crashed" {
    local as=() data kind object programs
    programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
    [ -x "$programs/initdb" ] || skip 'needs PostgreSQL'
    if [ "$EUID" -eq 0 ]; then
        requires root # who can be another: it does not run as root
        as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    fi
    data=$(mktemp -d) # others do not get at the test's own directory
    chmod 0777 "$data"
    run_tool 0 "${as[@]}" "$programs/initdb" --no-sync -A trust -U it -D "$data/base"
    for kind in 'mmap posix' 'sysv sysv'; do
        spawn server "${as[@]}" "$programs/postgres" -D "$data/base" -k "$data" \
            -c listen_addresses= -c shared_buffers=1MB \
            -c "shared_memory_type=${kind% *}" -c "dynamic_shared_memory_type=${kind#* }"
        wait_until grep -q 'ready to accept' "$(err server)"
        # One of them is made by another process of its, a moment later.
        wait_until has_memory 3
        for object in "${made_memory[@]}"; do
            assert_equal "$(shmcat "$object" | wc -c)" "$(attribute size "$object")"
            shmcat -l 4 "$object" >content
            "${as[@]}" shmcat -W "$object" <content
        done
        # The first is where it leaves its pid for the next one.
        assert_equal "$(attribute state "${made_memory[0]}")" attached
        assert_equal "$(shmcat -o 4 -l 4 "${made_memory[0]}" | od -An -tu4 | tr -d ' ')" "${pid[server]}"
        run_tool 0 "$programs/psql" -h "$data" -U it -Atc 'select 41 + 1' postgres
        assert_output 42
        kill -KILL "${pid[server]}"
        wait_exit server 137
        wait_until is_unused "${made_memory[0]}"
        shmctl rm "${made_memory[@]}"
    done
    rm -r "$data"
}
# has_memory N: so many objects there are, which are then in $made_memory.
has_memory() {
    mapfile -t made_memory < <(awk 'NR > 1 { print "id:" $2 }' /proc/sysvipc/shm
        find /dev/shm -type f -printf '/%P\n')
    [ "${#made_memory[@]}" -ge "$1" ]
}
is_unused() { [ "$(attribute state "$1")" = unused ]; }

@test "segments of perl, with attaches, as PostgreSQL has them" {
    # shellcheck disable=SC2016 # perl's
    run_tool 0 perl -MIPC::SysV=IPC_PRIVATE,IPC_CREAT,IPC_RMID,shmat,memwrite -e '
        my $id = shmget(IPC_PRIVATE, 56, 0600 | IPC_CREAT);
        my $at = shmat($id, undef, 0) or die "$!\n";
        memwrite($at, "postmaster", 0, 10);
        print scalar(`shmcat -l 10 id:$id`), "\n";
        system("printf DATA | shmcat -W -o 4 id:$id") == 0 or die;
        shmctl($id, IPC_RMID, 0);
        print scalar(`shmcat -l 10 id:$id`), "\n";'
    assert_output $'postmaster\npostDATAer'
}

@test "segments of PHP" {
    requires php
    made key:0x72
    run_tool 0 php -r '$m = shm_attach(0x72, 1000); shm_put_var($m, 1, "made by PHP");'
    assert_equal "$(shmcat key:0x72 | wc -c)" 1000
    shmcat -l 6 key:0x72 | grep -qx PHP_SM
    shmcat key:0x72 | grep -qa 's:11:"made by PHP"'
    shmcat key:0x72 | sed 's/made by PHP/made by sed/' | shmcat -W key:0x72
    run_tool 0 php -r 'echo shm_get_var(shm_attach(0x72), 1);'
    assert_output 'made by sed'
}
