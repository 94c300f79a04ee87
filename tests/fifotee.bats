#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# fifotee: stdin to stdout and many FIFOs, whatever their readers do.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2002,SC2094 # cat makes a pipe of a file; a FIFO is opened at both ends

load support/lib.bash

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# has_opened NAME: a reader of spawn_reader has come through open(2), since there is a writer.
has_opened() { readlink "/proc/${pid[$1]}"/fd/* | grep -qx -- ".*/$1"; }

# spawn_reader NAME FIFO: copies FIFO to $(out NAME), from the start on.
spawn_reader() { spawn "$1" cat -- "$2" 8>&-; }

# tee_ready [OPTION]... FIFO...: starts fifotee as "tee" with the FIFO "input" as stdin, whose only
# writer is descriptor 8 of the test, and waits until the FIFOs are open.
tee_ready() {
    mkfifo input
    exec 9<>input 8>input
    spawn_ready tee sh -c 'exec "$@" 8>&-' sh fifotee --ready-fd 9 "$@" <input
    exec 9>&-
}
end_input() { exec 8>&-; }

# has FILE TEXT: for wait_until.
has() { [ -e "$1" ] && [ "$(<"$1")" = "$2" ]; }
got() { has "$(out "$1")" "$2"; }

# is_watching: it has waited for so long that inotify is to tell it.
is_watching() { [[ $(readlink "/proc/${pid[tee]}/fd/"*) == *inotify* ]]; }

# bytes_in FIFO: how many wait in it.
bytes_in() {
    python3 -c '
import array, fcntl, os, sys, termios
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
count = array.array("i", [0])
fcntl.ioctl(fd, termios.FIONREAD, count)
print(count[0])' "$1"
}
is_full() { [ "$(bytes_in "$1")" -ge 1000000 ]; }

refused() {
    echo "fifotee $*"
    run_tool 2 fifotee "$@"
    assert_diagnostic fifotee '; see fifotee --help$'
    assert_output ''
}

# ---- Copying ----

@test "all outputs get all bytes, from a pipe and from a file, small and large" {
    local size name
    for size in 0 1 4096 65536 300000 5000000; do
        head -c "$size" /dev/urandom >content
        for name in file pipe; do
            echo "$size $name"
            mkfifo a b
            spawn_reader a a
            spawn_reader b b
            case $name in
            file) fifotee a b <content >copy ;;
            pipe) cat content | fifotee a b | cat >copy ;;
            esac
            wait_exit a 0
            wait_exit b 0
            assert_same copy content
            assert_same "$(out a)" content
            assert_same "$(out b)" content
            rm a b copy
        done
    done
}

@test "stdout may be a pipe, a file, one that is appended to, a device, a socket" {
    head -c 3000000 /dev/urandom >content
    mkfifo a
    local how
    for how in '>copy' '>>copy' '| cat >copy' '>/dev/null'; do
        echo "$how"
        rm -f copy
        spawn_reader a a
        bash -c "cat content | fifotee a $how"
        wait_exit a 0
        assert_same "$(out a)" content
        [ "$how" = '>/dev/null' ] || assert_same copy content
    done
    spawn_reader a a
    cat content | python3 -c '
import socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen(["fifotee", "a"], stdout=theirs)
theirs.close()
with ours.makefile("rb") as stream:
    data = stream.read()
sys.exit(child.wait() or data != open("content", "rb").read())'
    wait_exit a 0
    assert_same "$(out a)" content
}

@test "--no-stdout writes nothing there" {
    mkfifo a
    spawn_reader a a
    run_tool 0 fifotee --no-stdout a < <(seq 100000)
    assert_output ''
    wait_exit a 0
    assert_same "$(out a)" <(seq 100000)
}

@test "a record is passed on as soon as it comes" {
    tee_ready a
    spawn_reader a a
    echo one >&8
    wait_until got a one
    wait_until got tee one
    printf two >&8
    wait_until got a $'one\ntwo'
    end_input
    wait_exit tee 0
    wait_exit a 0
}

# ---- The FIFOs ----

@test "those that are missing are made, and removed at the end; those that are there stay" {
    mkfifo there
    tee_ready there made
    [ -p made ]
    spawn_reader a there
    spawn_reader b made
    end_input
    wait_exit tee 0
    [ -p there ]
    [ ! -e made ]
}

@test "-k leaves what was made" {
    run_tool 0 fifotee -k --absent skip made
    [ -p made ]
}

@test "what exists and is no FIFO is refused before anything is read, and nothing is left" {
    mkdir directory
    : >file
    mkfifo there
    ln -s there link
    ln -s nothing dangling
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
    seq 5 >input
    local what
    while read -r name what; do
        exec 7<input
        run_tool 2 fifotee --absent skip made "$name" <&7
        assert_diagnostic fifotee "^fifotee: $name: this is $what, not a FIFO\$"
        assert_output ''
        assert_equal "$(cat <&7)" "$(seq 5)"
        exec 7<&-
        [ ! -e made ]
    done <<'NAMES'
file a regular file
directory a directory
link a symbolic link
dangling a symbolic link
socket a socket
/dev/null a device
NAMES
    [ -e there ]
    run_tool 2 fifotee no/such/place </dev/null
    assert_diagnostic fifotee '^fifotee: no/such/place: cannot make it: No such file'
}

ending=(HUP INT QUIT ALRM TERM USR2 RTMIN+5)

# bats test_tags=user
@test "a signal that ends it while it waits for a reader, for input, for room: what it made goes" {
    ulimit -c 0
    local signal state
    mkfifo there
    for signal in "${ending[@]}"; do
        for state in reader input room; do
            [ "$state" = reader ] || [[ $signal == [IT]* ]] || continue
            echo "$signal $state"
            rm -f input
            case $state in
            reader) tee_ready made there ;;
            input)
                tee_ready --absent skip made there
                wait_blocked tee ppoll
                ;;
            room)
                tee_ready --absent skip made there
                exec 7<made
                yes 3>&- | head -c 3000000 >&8 3>&- &
                wait_until is_full made
                ;;
            esac
            wait_blocked tee ppoll
            [ -p made ]
            kill -"$signal" "${pid[tee]}"
            wait_exit tee "$((128 + $(kill -l "$signal")))"
            [ ! -e made ]
            [ -p there ]
            exec 7<&-
            end_input
        done
    done
}

@test "the mode is exact, whatever the umask, and 0600 by default" {
    umask 077
    run_tool 0 fifotee -k --absent skip default </dev/null
    run_tool 0 fifotee -k -m 0666 --absent skip octal </dev/null
    umask 0
    run_tool 0 fifotee -k -m g+r --absent skip symbolic </dev/null
    assert_equal "$(stat -c %a default octal symbolic | tr '\n' ' ')" '600 666 640 '
}

@test "a FIFO of another user in a directory with the sticky bit, where fs.protected_fifos forbids O_CREAT" {
    requires root
    mkdir -m 1777 sticky
    chmod 755 . ..
    as_user -u 1234 mkfifo -m 0666 sticky/a
    spawn_reader a sticky/a
    run_tool 0 fifotee --owner-any sticky/a < <(seq 5)
    wait_exit a 0
    assert_equal "$output" "$(seq 5)"
    [ -p sticky/a ]
}

@test "one that may be written and not read, as a user: readers are noticed all the same" {
    requires root
    chmod 755 . ..
    mkfifo -m 0622 a
    mkfifo input
    exec 9<>input 8>input
    spawn_ready tee setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
        sh -c 'exec "$@" 8>&-' sh fifotee --ready-fd 9 --no-stdout a <input
    exec 9>&-
    wait_until is_watching
    spawn_reader a a
    echo one >&8
    wait_until got a one
    kill "${pid[a]}"
    wait_exit a
    echo two >&8
    spawn_reader again a
    wait_until eval 'echo more >&8; [ -s "$(out again)" ]'
    end_input
    wait_exit tee 0
    wait_exit again 0
}

@test "removed while it waits for a reader: trouble; later, the others go on" {
    tee_ready a b
    rm b
    wait_exit tee 2
    assert_diagnostic fifotee '^fifotee: b: it was removed before it had a reader$'
    [ ! -e a ]
    end_input
    rm input
    tee_ready a
    rm a
    wait_exit tee 2
    assert_diagnostic fifotee '^fifotee: a: it was removed before it had a reader$'
    end_input
    rm input
    tee_ready --absent skip a b
    spawn_reader b b
    wait_blocked b read
    echo one >&8
    wait_until got b one
    rm a
    echo two >&8
    wait_until got b $'one\ntwo'
    end_input
    wait_exit tee 0
}

@test "what stands at the path of a removed one at the end is left" {
    tee_ready --absent skip a
    mv a moved
    echo precious >a
    end_input
    wait_exit tee 0
    assert_equal "$(cat a)" precious
}

@test "two at once into one FIFO" {
    mkfifo a
    exec 7<>a
    spawn one fifotee a < <(seq 100)
    spawn two fifotee a < <(seq 101 200)
    wait_exit one 0
    wait_exit two 0
    assert_equal "$(head -n 200 <&7 | sort -n)" "$(seq 200)"
    exec 7<&-
    # Of two that find it missing, one makes it and removes it.
    rm a
    spawn one fifotee --absent=skip a </dev/null
    spawn two fifotee --absent=skip a </dev/null
    wait_exit one 0
    wait_exit two 0
    [ ! -e a ]
}

# ---- Names ----

@test "names: a kind in front, a descriptor, >(COMMAND), bytes of all kinds" {
    local name
    for name in fifo:a ./fifo:a ./-a ./fd:1 $'new\nline' $'\xff\e[31m'; do
        spawn_reader a <(:) # a name for pid
        wait_exit a 0
        tee_ready --absent skip "$name"
        [ -p "${name#fifo:}" ]
        end_input
        wait_exit tee 0
        [ ! -e "${name#fifo:}" ]
        rm input
    done
    mkfifo a
    spawn_reader a a
    run_tool 0 fifotee fd:7 7>a < <(seq 5)
    wait_exit a 0
    assert_output "$(seq 5)"
    exec 7<>a
    spawn_reader a a 7>&-
    run_tool 0 fifotee fifo:fd:7 < <(seq 5)
    wait_until got a "$(seq 5)"
    exec 7>&-
    wait_exit a 0
    assert_output "$(seq 5)"
    run_tool 0 bash -c 'seq 5 | fifotee --no-stdout >(sort -r >one; echo >done) >(cat >two; echo >done)' \
        3>&-
    wait_until test -s two
    wait_until has one $'5\n4\n3\n2\n1'
    wait_until has two "$(seq 5)"
}

@test "names that are none" {
    run_tool 2 fifotee mq:/jobs </dev/null
    assert_diagnostic fifotee '^fifotee: mq:/jobs is a message queue, not a FIFO$'
    run_tool 2 fifotee '' </dev/null
    assert_diagnostic fifotee "'' is not the path of a FIFO"
    run_tool 2 fifotee fifo:fifo:a </dev/null
    assert_diagnostic fifotee "'fifo:fifo:a' has two kinds in front; a path that begins with one needs ./"
    run_tool 2 fifotee fd:x </dev/null
    assert_diagnostic fifotee "'fd:x' is not a descriptor"
    run_tool 2 fifotee fd:77 </dev/null
    assert_diagnostic fifotee 'fd:77: .*Bad file descriptor'
    run_tool 2 fifotee fd:7 7</dev/null </dev/null
    assert_diagnostic fifotee 'fd:7: this is a device, not a FIFO'
    run_tool 2 fifotee $'\e[31m/x' </dev/null
    assert_diagnostic fifotee '^fifotee: \\x1b\[31m/x: '
    mkfifo input
    exec 8<>input
    mkfifo twice
    run_tool 2 fifotee twice ./twice </dev/null
    assert_diagnostic fifotee '^fifotee: ./twice: this FIFO was given before$'
    run_tool 2 fifotee input <&8
    assert_diagnostic fifotee '^fifotee: input: this is standard input$'
    exec 8<&-
}

@test "options that are none" {
    local options
    for options in '--absent=later' '--slow=fast' '--buffer=x' '--buffer=-1' '-m 888' '--ready-fd=99'; do
        # shellcheck disable=SC2086
        refused $options a </dev/null
    done
    refused </dev/null
    [ ! -e a ]
}

# ---- Readers that come and go ----

@test "--absent=wait: nothing is read before each FIFO has a reader" {
    tee_ready a b
    echo one >&8
    # One that comes and leaves before the others have come does not count.
    exec 7<a
    wait_idle tee
    exec 7<&-
    wait_idle tee
    spawn_reader b b
    wait_blocked b read
    wait_idle tee
    assert_equal "$(bytes_in input)" 4
    assert_equal "$(<"$(out b)")" ''
    spawn_reader a a
    wait_until got a one
    wait_until got b one
    end_input
    wait_exit tee 0
}

@test "one process may open the FIFOs in any order" {
    tee_ready a b c
    spawn reader bash -c 'exec 5<c 6<a 7<b; cat <&7 & cat <&6; cat <&5; wait' 8>&-
    echo one >&8
    end_input
    wait_exit tee 0
    wait_exit reader 0
    assert_output $'one\none\none'
}

@test "--absent=skip: a FIFO without a reader is passed over until it has one" {
    tee_ready --absent=skip a b
    spawn_reader b b
    wait_blocked b read
    echo one >&8
    wait_until got tee one
    wait_until got b one
    wait_blocked tee ppoll
    spawn_reader a a
    wait_blocked a read
    # Between records: it begins with the next one.
    wait_until eval 'echo two >&8; [ -s "$(out a)" ]'
    end_input
    wait_exit tee 0
    wait_exit a 0
    [ "${lines[0]}" = two ]
}

@test "a reader that is waited for long is noticed: inotify, or looks where there can be none" {
    requires strace
    local how
    for how in '' '-e inject=inotify_init1:error=EMFILE' '-e inject=inotify_add_watch:error=ENOSPC'; do
        mkfifo input
        exec 9<>input 8>input
        # shellcheck disable=SC2086
        spawn_ready tee sh -c 'exec "$@" 8>&-' sh strace -qq -o trace -e trace=inotify_init1,inotify_add_watch $how \
            fifotee --ready-fd 9 a <input
        exec 9>&-
        wait_until grep -q inotify_init1 trace
        spawn_reader a a
        echo one >&8
        wait_until got a one
        end_input
        wait_exit tee 0
        wait_exit a 0
        rm input trace
    done
}

@test "a reader that leaves never blocks the rest; what it did not read is discarded; it may come back" {
    tee_ready a b
    spawn_reader b b
    exec 7<a
    echo one >&8
    wait_until got tee one
    exec 7<&-
    echo two >&8
    wait_until got tee $'one\ntwo'
    wait_until got b $'one\ntwo'
    spawn_reader a a
    wait_blocked a read
    wait_until eval 'echo three >&8; [ -s "$(out a)" ]'
    kill "${pid[a]}"
    wait_exit a 143
    assert_equal "${lines[0]}" three
    end_input
    wait_exit tee 0
    wait_exit b 0
    assert_equal "${lines[*]:0:3}" 'one two three'
}

@test "a reader that dies in a record, and comes back: whole records, at any speed" {
    # Lines that tell whether they are whole, some longer than PIPE_BUF.
    cat >lines.py <<'PYTHON'
import sys
for i in range(int(sys.argv[1])):
    length = (1, 50, 3000, 9000)[i % 4] if sys.argv[2] == "long" else 60
    sys.stdout.write(f"{i}:{'x' * length}:{i}\n")
PYTHON
    cat >visits.py <<'PYTHON'
# Opens the FIFO again and again, reads a little, and leaves in the middle of something. What comes
# then begins with a whole record, or, if it was back too soon to be missed, where it left; then
# there may be a gap behind what was left.
import os, sys, time
visits = 0
rest = b""
while True:
    try:
        fd = os.open(sys.argv[1], os.O_RDONLY)
    except FileNotFoundError:
        break
    data = b""
    while len(data) < 50001:
        block = os.read(fd, 50001 - len(data))
        if not block:
            break
        data += block
    os.close(fd)
    if not data:
        break
    lines = data.split(b"\n")
    gaps = 0 if rest else 1
    if b":" not in lines[0] or lines[0].partition(b":")[0] != lines[0].rpartition(b":")[2]:
        lines[0] = rest + lines[0]
        gaps = 1
    rest = lines.pop()
    before = None
    for line in lines:
        fields = line.split(b":")
        number = int(fields[0]) if len(fields) == 3 and fields[0] == fields[2] else None
        if number is None or before is not None and before != number - 1 and \
                not (sys.argv[2] == "drop" and before < number):
            assert gaps > 0, (before, line[:80])
            gaps -= 1
        before = number
    visits += 1
    time.sleep(0.002) # mostly it is missed then
assert visits > 1 or sys.argv[2] == "drop", visits
PYTHON
    local length slow count
    for length in short long; do
        count=150000
        [ "$length" = short ] || count=8000
        python3 lines.py "$count" "$length" >content
        for slow in block drop; do
            echo "$length $slow"
            mkfifo b
            spawn_reader b b
            spawn tee sh -c 'cat content | fifotee --buffer=0 --absent=wait --slow="$0" --no-stdout a b' "$slow"
            wait_until test -p a
            run_tool 0 python3 visits.py a "$slow"
            wait_until ended "${pid[tee]}"
            wait_exit b 0
            [ "$slow" = drop ] || assert_same "$(out b)" content
            rm b
        done
    done
}

@test "while it waits for room it sees who leaves: the next reader has whole records only" {
    local where stdin
    seq 1000000 >content
    for where in fifo stdout; do
        for stdin in file pipe; do
            echo "$where $stdin"
            mkfifo a b full
            [ "$stdin" = pipe ] || exec 5<content
            [ "$stdin" = file ] || exec 5< <(cat content)
            case $where in
            fifo) spawn tee fifotee --no-stdout full b <&5 ;;
            stdout) spawn_into tee full fifotee b <&5 ;;
            esac
            exec 5<&-
            exec 7<full
            exec 6<b
            wait_until is_full full
            dd bs=65535 count=1 iflag=fullblock status=none <&6 >one
            wait_blocked tee ppoll
            [ "$(bytes_in b)" -gt 0 ]
            exec 6<&-
            wait_until eval '[ "$(bytes_in b)" -eq 0 ]'
            spawn_reader b b
            wait_until has_opened b
            cat <&7 >copy
            exec 7<&-
            wait_exit tee 0
            wait_exit b 0
            assert_same copy content
            # The rest of the stream, from the start of a record on.
            [ ! -s "$(out b)" ] || grep -qx -- "$(head -n 1 "$(out b)")" content
            run tail -n 1 "$(out b)"
            assert_output 1000000
            rm a b full
        done
    done
}

# ---- Slow readers ----

# slow_reader: opens the FIFO a as descriptor 7 and reads nothing.
slow_reader() { exec 7<a; }
rest_of_it() {
    timeout "$PATIENCE" cat <&7
    exec 7<&-
}

@test "--slow=block: a full FIFO holds all of them, without being busy" {
    mkfifo a b
    local stdin
    seq 400000 >content
    for stdin in file pipe; do
        spawn_reader b b
        case $stdin in
        file) spawn tee fifotee a b <content ;;
        pipe) spawn tee sh -c 'cat content | fifotee a b' ;;
        esac
        slow_reader
        wait_until is_full a
        [ "$stdin" = pipe ] || wait_idle tee
        run ! ended "${pid[tee]}"
        rest_of_it >copy
        wait_exit tee 0
        assert_same copy content
        assert_same "$(out tee)" content
        wait_exit b 0
        assert_same "$(out b)" content
    done
}

@test "--buffer: the others go on until that is full as well, and all is delivered" {
    mkfifo a
    seq 400000 >content
    spawn tee fifotee --buffer=10M a <content
    slow_reader
    wait_until eval 'cmp -s content "$(out tee)"'
    run ! ended "${pid[tee]}"
    wait_idle tee
    rest_of_it >copy
    wait_exit tee 0
    assert_same copy content
    spawn tee fifotee --buffer=100K a <content
    slow_reader
    wait_until is_full a
    wait_blocked tee ppoll
    rest_of_it >copy
    wait_exit tee 0
    assert_same copy content
}

# assert_whole FILE TOTAL: the lines of lines.py, in order; $missed are not there.
assert_whole() {
    missed=$(python3 - "$@" <<'PYTHON'
import sys
before = -1
count = 0
for line in open(sys.argv[1]):
    assert line.endswith("\n"), line[-80:]
    first, _, last = line[:-1].split(":")
    assert first == last and int(first) > before, (before, line[:80])
    before = int(first)
    count += 1
print(int(sys.argv[2]) - count)
PYTHON
    )
}

# spread_slowly OPTION...: fifotee with these to the FIFO a, which has a slow reader, and to b, whose
# reader takes each part of "content" before the next comes.
spread_slowly() {
    rm -f a b input part.*
    tee_ready "$@" a b
    spawn_reader b b
    slow_reader
    split -n 40 content part.
    local part size=0
    for part in part.*; do
        cat "$part" >&8
        size=$((size + $(stat -c %s "$part")))
        [ "$part" = part.bn ] || wait_until eval '[ "$(stat -c %s "$(out b)")" -ge $((size - 10000)) ]'
    done
    end_input
    wait_until eval 'cmp -s content "$(out b)"'
    rest_of_it >copy
    wait_exit b 0
    wait_exit tee 3
    assert_same "$(out tee)" content
}

@test "--slow=drop: whole records are dropped and counted, whatever their length; the others get all" {
    python3 -c '
for i in range(3000):
    length = (1, 50, 3000, 9000)[i % 4]
    print(f"{i}:" + "x" * length + f":{i}")' >content
    spread_slowly --slow=drop
    assert_whole copy 3000
    [ "$missed" -gt 100 ]
    assert_equal "$stderr" "fifotee: a: its reader was too slow; records dropped: $missed"
    # Records that NUL ends.
    tr '\n' '\0' <content >nul
    mv nul content
    spread_slowly -0 --slow=drop
    tr '\0' '\n' <copy >lines
    assert_whole lines 3000
    assert_equal "$stderr" "fifotee: a: its reader was too slow; records dropped: $missed"
    # As fast as it can be: each reader has its own count.
    tr '\0' '\n' <content >lines
    mkfifo a b
    spawn_reader a a
    spawn_reader b b
    run_tool - fifotee --slow=drop --no-stdout a b <lines
    local name said=$stderr
    for name in a b; do
        wait_exit "$name" 0
        assert_whole "$(out "$name")" 3000
        [ "$missed" -eq 0 ] || grep -qx "fifotee: $name: its reader was too slow; records dropped: $missed" <<<"$said"
    done
}

@test "--slow=drop: what it drops is said also when a signal ends it" {
    tee_ready --slow=drop a
    slow_reader
    seq 300000 >&8
    wait_until eval '[ "$(tail -n 1 "$(out tee)")" = 300000 ]'
    kill "${pid[tee]}"
    wait_exit tee 143
    assert_diagnostic fifotee '^fifotee: a: its reader was too slow; records dropped: [0-9]+$'
    exec 7<&-
    end_input
}

@test "--slow=drop --buffer: what fits is kept; a longer record than can be held is trouble" {
    mkfifo a
    seq 300000 >content
    spawn tee fifotee --slow=drop --buffer=10M a <content
    slow_reader
    wait_until eval 'cmp -s content "$(out tee)"'
    rest_of_it >copy
    wait_exit tee 0
    assert_same copy content
    spawn_reader a a
    run_tool 2 fifotee --slow=drop a < <(echo one; head -c 3000000 /dev/zero)
    assert_diagnostic fifotee '^fifotee: stdin: a record is longer than the 1048576 bytes that --slow=drop can hold; raise it with: --buffer$'
    assert_output one
    wait_exit a 0
    assert_output one
    spawn_reader a a
    run_tool 0 fifotee --slow=drop --buffer=4M a < <(head -c 3000000 /dev/zero | tr '\0' x)
    wait_exit a 0
    assert_equal "${#output}" 3000000
}

@test "--slow=disconnect: it reads what is there, and the end; the others get all; it may come back" {
    seq 300000 >content
    spread_slowly --slow=disconnect
    assert_diagnostic fifotee '^fifotee: a: its reader was too slow; cut off: 1$'
    [ "$(stat -c %s copy)" -ge 900000 ]
    cmp -n "$(stat -c %s copy)" copy content
    assert_equal "$(tail -c 1 copy)" '' # a newline
    # Also of records of any length up to PIPE_BUF, and from memory.
    python3 -c '
for i in range(3000):
    length = (1, 50, 1000, 4080)[i % 4]
    print(f"{i}:" + "x" * length + f":{i}")' >content
    spread_slowly --slow=disconnect --buffer=100K
    assert_equal "$(tail -c 1 copy)" ''
    cmp -n "$(stat -c %s copy)" copy content
    tr '\n' '\0' <content >nul
    mv nul content
    spread_slowly -0 --slow=disconnect
    assert_equal "$(tail -c 1 copy | tr '\0' .)" .

    # Longer ones are passed on before they end.
    rm input
    tee_ready --slow=disconnect --buffer=1M b
    spawn_reader b b
    head -c 100000 /dev/zero | tr '\0' x >&8
    wait_until eval '[ "$(stat -c %s "$(out b)")" -eq 100000 ]'
    echo end >&8
    end_input
    wait_exit tee 0
    wait_exit b 0
    assert_equal "$(tail -c 4 "$(out b)")" end

    seq 300000 >content
    rm input
    tee_ready --slow=disconnect a
    slow_reader
    cat content >&8
    # It has found the end when it closes the FIFO.
    rest_of_it >copy
    spawn_reader a a
    wait_blocked a read
    wait_until eval 'echo back >&8; [ -s "$(out a)" ]'
    end_input
    wait_exit tee 3
    wait_exit a 0
    assert_equal "${lines[0]}" back
}

# ---- stdout ----

@test "a stdout that fails is said at once, and does not stop the FIFOs" {
    tee_ready a >full
    end_input
    spawn_reader a a
    wait_exit tee 0
    rm -f input a
    mkfifo a
    local how
    for how in '>/dev/full|No space left on device' '>&-|Bad file descriptor' \
        '| true|Broken pipe'; do
        echo "$how"
        spawn_reader a a
        run_tool - bash -c "set -o pipefail; seq 600000 | fifotee a ${how%|*}" 3>&-
        [ "$status" -eq 2 ]
        assert_diagnostic fifotee "^fifotee: stdout: cannot write: ${how##*|}\$"
        wait_exit a 0
        assert_same "$(out a)" <(seq 600000)
    done
}

@test "a stdout whose reader leaves when it has all is no failure, however long others take" {
    mkfifo a output
    seq 400000 >content
    spawn tee sh -c 'exec fifotee --buffer=10M a <content >output'
    exec 6<output
    slow_reader
    run_tool 0 sh -c 'head -c "$(stat -c %s content)" | cmp - content' <&6
    exec 6<&-
    wait_idle tee
    rest_of_it >copy
    wait_exit tee 0
    assert_same copy content
}

@test "when stdout and all readers are gone, it ends" {
    mkfifo a output
    spawn_reader a a
    spawn_reader output output
    mkfifo input
    exec 9<>input 8>input
    spawn tee sh -c 'exec "$@" >output 8>&- 9>&-' sh fifotee a <input
    exec 9>&-
    echo one >&8
    wait_until got a one
    wait_until got output one
    kill "${pid[output]}"
    wait_exit output
    wait_until test -s "$(err tee)"
    echo two >&8
    wait_until got a $'one\ntwo'
    kill "${pid[a]}"
    wait_exit tee 2
    assert_diagnostic fifotee '^fifotee: stdout: cannot write: Broken pipe$'
    end_input
}

@test "--no-stdout: without readers, what is read is discarded" {
    tee_ready --no-stdout a
    spawn_reader a a
    echo one >&8
    wait_until got a one
    kill "${pid[a]}"
    wait_exit a
    seq 300000 >&8
    end_input
    wait_exit tee 0
}

@test "a terminal gets control bytes escaped, but newlines; --literal leaves them; FIFOs get the bytes" {
    printf 'one\ntwo\e[31m\xff\n' >content
    mkfifo a
    spawn_reader a a
    on_terminal sh -c 'fifotee a <content' >shown
    assert_same shown <(printf 'one\ntwo\\x1b[31m\\xff\n')
    wait_exit a 0
    assert_same "$(out a)" content
    spawn_reader a a
    on_terminal sh -c 'fifotee --literal a <content' >shown
    assert_same shown content
}

# ---- stdin ----

@test "stdin that is a directory, closed, not ready, a terminal" {
    run_tool 2 fifotee --absent skip a </
    assert_diagnostic fifotee '^fifotee: stdin: cannot read: Is a directory$'
    run_tool 2 sh -c 'fifotee --absent skip a <&-'
    assert_diagnostic fifotee '^fifotee: stdin: cannot read: Bad file descriptor$'
    [ ! -e a ]
    run_tool 0 python3 -c '
import os, subprocess, sys
out, into = os.pipe()
os.set_blocking(out, False)
child = subprocess.Popen(["fifotee", "--absent=skip", "a"], stdin=out, stdout=subprocess.PIPE)
for block in b"one\n", b"two\n" * 100000:
    with open(into, "wb", closefd=False) as pipe:
        pipe.write(block)
os.close(into)
assert child.stdout.read() == b"one\n" + b"two\n" * 100000
sys.exit(child.wait())'
    run_tool 0 python3 -c '
import os, pty
pid, fd = pty.fork()
if pid == 0:
    os.execvp("fifotee", ["fifotee", "--absent=skip", "a"])
os.write(fd, b"typed\n\4")
shown = b""
while shown.count(b"typed") < 2: # the terminal shows what is typed
    shown += os.read(fd, 100)
assert os.waitpid(pid, 0)[1] == 0'
}

# ---- Time, signals, limits ----

@test "nothing to do: no time of a processor is used, with readers, without, after one has left" {
    tee_ready --absent=skip a b
    spawn_reader b b
    wait_blocked b read
    echo one >&8
    wait_until got b one
    wait_until is_watching
    wait_blocked tee ppoll
    wait_idle tee
    kill "${pid[b]}"
    wait_exit b
    echo two >&8
    wait_until got tee $'one\ntwo'
    wait_blocked tee ppoll
    wait_idle tee
    end_input
    wait_exit tee 0
}

@test "stop and continue change nothing" {
    seq 300000 >content
    tee_ready a
    stop_and_continue() {
        kill -STOP "${pid[tee]}"
        wait_until is_stopped tee
        kill -CONT "${pid[tee]}"
    }
    wait_blocked tee ppoll
    stop_and_continue # while it waits for a reader
    slow_reader
    wait_blocked tee ppoll
    stop_and_continue # for input
    spawn feed cp content /dev/fd/8
    wait_until is_full a
    stop_and_continue # for room
    end_input
    rest_of_it >copy
    wait_exit tee 0
    wait_exit feed 0
    assert_same copy content
    assert_same "$(out tee)" content
}

@test "a signal that was ignored or blocked at the start does not end it" {
    local how
    for how in --ignore-signal=INT,TERM --block-signal=INT,TERM; do
        mkfifo input
        exec 9<>input 8>input
        spawn_ready tee env "$how" sh -c 'exec "$@" 8>&-' sh fifotee --ready-fd 9 --absent=skip a <input
        exec 9>&-
        kill "${pid[tee]}"
        kill -INT "${pid[tee]}"
        echo one >&8
        end_input
        wait_exit tee 0
        assert_output one
        rm input
    done
}

@test "--progress and SIGUSR1 tell how many bytes went" {
    tee_ready --absent=skip a
    seq 100000 >&8
    wait_until eval '[ "$(tail -n 1 "$(out tee)")" = 100000 ]'
    kill -USR1 "${pid[tee]}"
    wait_until grep -Eqx 'fifotee: 575.0KiB, [0-9.]+ s, [0-9.]+[KMG]iB/s' "$(err tee)"
    end_input
    wait_exit tee 0
    run_tool 0 fifotee --progress --absent=skip a < <(seq 10)
    assert_diagnostic fifotee '^fifotee: 21B, [0-9.]+ s, [0-9.]+[KMG]?i?B/s$'
}

@test "64 readers" {
    local i fifos=()
    seq 50000 >content
    for i in {1..64}; do
        fifos+=("f$i")
        mkfifo "f$i"
        spawn_reader "$i" "f$i"
    done
    cat content | fifotee "${fifos[@]}" >copy
    assert_same copy content
    for i in {1..64}; do
        wait_exit "$i" 0
        assert_same "$(out "$i")" content
    done
}

@test "memory stays under 4 MiB, whatever goes through" {
    requires release
    mkfifo a
    seq 3000000 >content
    local how
    for how in block drop; do
        spawn a sh -c 'cat a >/dev/null'
        run_tool - python3 -c '
import os, sys
def peak(command):
    pid = os.posix_spawnp(command[0], command, dict(os.environ), file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, "content", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    return usage.ru_maxrss
# Of a process that does nothing, started in the same way.
least = peak(["fifotee", "--version"])
print(peak(["fifotee", "--slow=" + sys.argv[1], "a"]) - least)' "$how"
        [ "$output" -lt 4096 ]
        wait_exit a 0
    done
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    requires release
    local number done_=no
    mkfifo a
    for ((number = 3; number < 14; number++)); do
        spawn_reader a a
        run_tool - bash -c 'ulimit -n "$1" && exec fifotee --absent=skip a made' bash "$number" </dev/null
        echo "$number: $status $stderr"
        [ ! -e made ]
        case $status in
        0) done_=yes ;;
        2) [[ $stderr == *'RLIMIT_NOFILE = '* ]] ;;
        *) false ;;
        esac
        kill "${pid[a]}" 2>/dev/null || true
        wait_exit a
    done
    [ "$done_" = yes ]
}

@test "everything works without /proc but descriptors" {
    requires mount
    ! is_sanitized || skip 'the sanitizers need /proc'
    mkfifo a
    exec 7<>a
    spawn_reader a a 7>&-
    run_tool 0 unshare --mount sh -c 'mount -t tmpfs none /proc && seq 5 | fifotee a made --absent=skip' 7>&-
    assert_output "$(seq 5)"
    wait_until got a "$(seq 5)"
    exec 7>&-
    wait_exit a 0
    assert_output "$(seq 5)"
}

# ---- The table of open(2) ----

@test "opening: a reader waits for a writer, unless O_NONBLOCK; with fifotee there, neither waits" {
    mkfifo a
    cat >open.py <<'PYTHON'
import os, sys
fd = os.open("a", getattr(os, sys.argv[1]) | (os.O_NONBLOCK if "nonblock" in sys.argv else 0))
print("open", flush=True)
if "read" in sys.argv:
    try:
        print(os.read(fd, 100))
    except BlockingIOError:
        print("EAGAIN")
if "write" in sys.argv:
    print(os.write(fd, b"x\n"))
PYTHON
    # Nobody there.
    spawn blocked python3 open.py O_RDONLY read
    wait_blocked blocked openat
    assert_equal "$(<"$(out blocked)")" ''
    run_tool 0 python3 open.py O_RDONLY nonblock read
    assert_output $'open\nb\'\''
    # fifotee as the writer ends the wait of the first.
    mkfifo input
    exec 9<>input 8>input
    spawn_ready tee sh -c 'exec "$@" 8>&-' sh fifotee --ready-fd 9 a <input
    exec 9>&-
    wait_until has "$(out blocked)" open
    run_tool 0 python3 open.py O_RDONLY nonblock read
    assert_output $'open\nEAGAIN'
    spawn another python3 open.py O_RDONLY read 8>&-
    wait_until has "$(out another)" open
    # A writer beside it finds readers.
    run_tool 0 python3 open.py O_WRONLY nonblock
    run_tool 0 python3 open.py O_WRONLY
    echo one >&8
    wait_until eval '[ -s "$(out tee)" ]'
    end_input
    wait_exit tee 0
    wait_exit blocked 0
    wait_exit another 0
    # Nobody there again: a writer waits for a reader, unless O_NONBLOCK.
    spawn writer python3 open.py O_WRONLY
    wait_blocked writer openat
    run_tool 1 python3 open.py O_WRONLY nonblock
    [[ $stderr == *'No such device or address'* ]]
    # What fifotee says of FIFOs without a reader is in --absent. Its own opening does not let others
    # take it for a reader:
    kill "${pid[writer]}"
    wait_exit writer
    rm input
    mkfifo input
    exec 9<>input 8>input
    spawn_ready tee sh -c 'exec "$@" 8>&-' sh fifotee --ready-fd 9 a <input
    exec 9>&-
    run_tool 1 python3 open.py O_WRONLY nonblock
    [[ $stderr == *'No such device or address'* ]]
    kill "${pid[tee]}"
    wait_exit tee
    end_input
}
