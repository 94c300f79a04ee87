#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# fifocat: the records of many FIFOs to stdout, whatever their writers do.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # scripts for other shells

load support/lib.bash

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# cat_ready [OPTION]... FIFO...: starts fifocat as "cat", and waits until the FIFOs are open.
cat_ready() { spawn_ready cat fifocat --ready-fd 9 "$@"; }

got() { [ "$(<"$(out cat)")" = "$1" ]; }

refused() {
    echo "fifocat $*"
    run_tool 2 fifocat "$@"
    assert_diagnostic fifocat '; see fifocat --help$'
    assert_output ''
}

# ---- Records ----

@test "records of many FIFOs, each whole, whatever their length, in the order of each FIFO" {
    local i
    for i in 1 2 3 4; do
        mkfifo "f$i"
        python3 -c '
import sys
for i in range(4000):
    print(sys.argv[1] + ":" + "x" * (0, 70, 3000, 70000 if i % 40 == 3 else 9)[i % 4])' "$i" >"content$i"
        spawn "$i" cp "content$i" "f$i"
    done
    run_tool 0 sh -c 'fifocat --once f1 f2 f3 f4 >copy'
    for i in 1 2 3 4; do
        wait_exit "$i" 0
        assert_same <(grep -a "^$i:" copy) "content$i"
    done
    assert_equal "$(stat -c %s copy)" "$(cat content? | wc -c)"
}

@test "a record comes out when its end has come, not before, and others go first" {
    cat_ready a b
    exec 6>a 7>b
    printf 'be' >&6
    echo two >&7
    wait_until got two
    printf 'gun\nne' >&6
    wait_until got $'two\nbegun'
    echo xt >&6
    wait_until got $'two\nbegun\nnext'
    exec 6>&- 7>&-
    kill "${pid[cat]}"
    wait_exit cat 143
}

@test "the last record of a writer that leaves is ended, and not joined to that of the next" {
    cat_ready a
    printf one >a
    wait_until got one
    printf 'two\nthree' >a
    wait_until got $'one\ntwo\nthree' # or the next may be there before it is seen that this one left
    printf four >a
    wait_until eval '[ "$(tr "\n" . <"$(out cat)")" = one.two.three.four. ]'
    kill "${pid[cat]}"
    wait_exit cat
    # Without any writer in between it is one stream.
    cat_ready -0 a
    printf 'one\0two' >a
    wait_until eval '[ "$(tr "\0" . <"$(out cat)")" = one.two. ]'
    kill "${pid[cat]}"
    wait_exit cat
}

@test "a writer that comes and leaves while the FIFO is opened anew" {
    requires strace
    mkfifo a
    spawn_ready cat strace -qq -o /dev/null -P a -e trace=openat \
        -e inject=openat:delay_enter=300000:when=2+ fifocat --ready-fd 9 a
    printf one >a
    wait_until got one
    printf two >a
    wait_until got $'one\ntwo'
    printf three >a
    wait_until got $'one\ntwo\nthree'
    rm a
    wait_exit cat 0
}

@test "an end within a record is said" {
    mkfifo a b
    exec 7<>a
    printf 'one\npart' >&7
    run_tool 124 fifocat -w 50ms a
    assert_output one
    assert_diagnostic fifocat '^fifocat: a: ended within a record, of which bytes had come: 4$'
    printf part >&7
    spawn cat fifocat -c 1 a b
    wait_until is_empty a
    echo one >b
    wait_exit cat 0
    assert_output one
    assert_diagnostic fifocat '^fifocat: a: ended within a record, of which bytes had come: 4$'
    printf more >&7
    spawn cat fifocat a
    wait_until is_empty a
    kill "${pid[cat]}"
    wait_exit cat 143
    assert_diagnostic fifocat '^fifocat: a: ended within a record, of which bytes had come: 4$'
    exec 7>&-
}
# is_empty FIFO
is_empty() {
    python3 -c '
import os, select, sys
poll = select.poll()
poll.register(os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK), select.POLLIN)
sys.exit(any(events & select.POLLIN for _, events in poll.poll(0)))' "$1"
}

@test "a record of more than 1 MiB goes on as it comes, while the others wait; memory stays bounded" {
    cat_ready a b
    exec 6>a 7>b
    head -c 3000000 /dev/zero | tr '\0' x >&6
    wait_until eval '[ "$(stat -c %s "$(out cat)")" -eq 3000000 ]'
    echo other >&7
    wait_blocked cat ppoll
    head -c 100000 /dev/zero | tr '\0' y >&6
    wait_until eval '[ "$(stat -c %s "$(out cat)")" -eq 3100000 ]'
    printf 'end\nnext\n' >&6
    wait_until eval '[ "$(tail -n 2 "$(out cat)" | sort | tr "\n" .)" = next.other. ]'
    assert_equal "$(head -n 1 "$(out cat)" | wc -c)" 3100004
    exec 6>&-
    # It ends where its writer leaves.
    exec 6>a
    head -c 2000000 /dev/zero | tr '\0' z >&6
    wait_until eval '[ "$(tail -n 1 "$(out cat)" | wc -c)" -eq 2000000 ]'
    exec 6>&-
    echo last >&7
    wait_until eval '[ "$(tail -n 1 "$(out cat)")" = last ]'
    exec 7>&-
    kill "${pid[cat]}"
    wait_exit cat
}

@test "-L: the FIFO and a tab before each record" {
    mkfifo a 'b c'
    spawn a sh -c 'printf "one\ntwo" >a'
    spawn b sh -c 'printf "\nthree\n" >"b c"'
    run_tool 0 fifocat -L --once a 'b c'
    wait_exit a 0
    wait_exit b 0
    run_tool 0 sh -c 'printf "one\n\ntwo" | fifocat -L --once fifo:fd:7 7<&0 </dev/null'
    assert_output $'fd:7\tone\nfd:7\t\nfd:7\ttwo'
    spawn a sh -c 'printf "one\ntwo\0" >a'
    run_tool 0 sh -c 'fifocat -0L --once a | tr "\0" .'
    assert_output $'a\tone\ntwo.'
    wait_exit a 0
    # A long one has it once.
    spawn a sh -c 'head -c 3000000 /dev/zero | tr "\0" x >a'
    run_tool 0 sh -c 'fifocat -L --once a >copy'
    assert_equal "$(stat -c %s copy)" 3000003
    assert_equal "$(head -c 3 copy)" $'a\tx'
    wait_exit a 0
}

@test "-c: so many records, and what follows is left" {
    mkfifo a b
    exec 7<>a
    seq 10 >&7
    run_tool 0 fifocat -c 3 a
    assert_output $'1\n2\n3'
    run_tool 0 fifocat -L -c 2 a
    assert_output $'a\t4\na\t5'
    run_tool 0 fifocat -c 0 a
    assert_output ''
    spawn cat fifocat -c 6 a b
    wait_until eval '[ "$(wc -l <"$(out cat)")" -eq 5 ]'
    echo eleven >b
    wait_exit cat 0
    assert_output $'6\n7\n8\n9\n10\neleven'
    # One that comes in pieces, over the size of a pipe.
    head -c 200000 /dev/zero | tr '\0' x >long
    spawn feed sh -c 'cat long >&7; printf "y\nrest\n" >&7'
    run_tool 0 sh -c 'fifocat -c 1 a >copy 7>&-'
    assert_same copy <(cat long; echo y)
    wait_exit feed 0
    run_tool 0 fifocat -c 1 a
    assert_output rest
    exec 7>&-
}

@test "-w: the time for each record, begun anew by what comes" {
    mkfifo a
    run_tool 124 fifocat -w 50ms a
    assert_output ''
    exec 7<>a
    echo one >&7
    run_tool 124 fifocat -w 50ms a
    assert_output one
    assert_no_stderr
    spawn cat fifocat -w 1h a
    wait_blocked cat ppoll
    echo one >&7
    wait_until got one
    kill -STOP "${pid[cat]}"
    wait_until is_stopped cat
    kill -CONT "${pid[cat]}"
    echo two >&7
    wait_until got $'one\ntwo'
    kill "${pid[cat]}"
    wait_exit cat 143
    exec 7>&-
}

# ---- Writers ----

@test "it stays when writers leave, and does not spin" {
    cat_ready a b
    local i
    for i in 1 2 3 4 5; do
        echo "$i" >a
        echo "$i" >b
    done
    : >a
    wait_until eval '[ "$(sort -n "$(out cat)" | tr "\n" " ")" = "1 1 2 2 3 3 4 4 5 5 " ]'
    wait_idle cat
    exec 7>a
    wait_idle cat
    exec 7>&-
    wait_idle cat
    kill "${pid[cat]}"
    wait_exit cat
}

@test "idle: no time of a processor" {
    cat_ready a
    echo one >a
    wait_until got one
    wait_idle cat
    local before
    before=$(uses "${pid[cat]}")
    sleep 2.5 # this must pass, and nothing happen in it
    assert_equal "$(uses "${pid[cat]}")" "$before"
    kill "${pid[cat]}"
    wait_exit cat
}

@test "--once ends when each FIFO has had writers and lost them" {
    cat_ready --once a b
    echo one >a
    wait_until got one
    wait_idle cat
    echo two >b
    wait_exit cat 0
    assert_output $'one\ntwo'
    [ ! -e a ]
}

@test "64 writers at once" {
    local i fifos=()
    for i in {1..64}; do
        fifos+=("f$i")
        mkfifo "f$i"
        spawn "$i" sh -c 'seq -f "$0 %g" 1000 >"f$0"' "$i"
    done
    run_tool 0 sh -c 'fifocat --once "$@" >copy' sh "${fifos[@]}"
    assert_equal "$(wc -l <copy)" 64000
    for i in {1..64}; do
        wait_exit "$i" 0
        assert_same <(grep "^$i " copy) <(seq -f "$i %g" 1000)
    done
}

@test "many writers of one FIFO: records up to PIPE_BUF are whole" {
    cat_ready a
    local i
    for i in 1 2 3 4 5; do
        spawn "$i" python3 -c '
import os, sys
fd = os.open("a", os.O_WRONLY)
for i in range(80):
    os.write(fd, (sys.argv[1] * 4095 + "\n").encode())' "$i"
    done
    for i in 1 2 3 4 5; do wait_exit "$i" 0; done
    wait_until eval '[ "$(wc -l <"$(out cat)")" -eq 400 ]'
    run ! grep -Evx '1{4095}|2{4095}|3{4095}|4{4095}|5{4095}' "$(out cat)"
    kill "${pid[cat]}"
    wait_exit cat
}

@test "a FIFO that is removed: done when its last writer has left" {
    cat_ready a b
    exec 7>a
    rm a b
    echo one >&7
    wait_until got one
    wait_idle cat
    run ! ended "${pid[cat]}"
    exec 7>&-
    wait_exit cat 0
    cat_ready a
    wait_idle cat
    rm a
    wait_exit cat 0
    [ ! -e a ]
}

# ---- The FIFOs ----

# bats test_tags=user
@test "those that are missing are made with the exact mode, and removed on every end; others stay" {
    umask 077
    mkfifo there
    local signal
    ulimit -c 0
    for signal in HUP INT QUIT ALRM TERM USR2 RTMIN+5; do
        cat_ready -m 0664 made there
        assert_equal "$(stat -c %a made)" 664
        kill -"$signal" "${pid[cat]}"
        wait_exit cat "$((128 + $(kill -l "$signal")))"
        [ ! -e made ]
        [ -p there ]
    done
    run_tool 124 fifocat -w 0 made
    [ ! -e made ]
    run_tool 124 fifocat -k -w 0 made
    assert_equal "$(stat -c %a made)" 600
}

@test "what exists and is no FIFO is refused, and nothing is left" {
    mkdir directory
    : >file
    mkfifo there
    ln -s there link
    local name what
    while read -r name what; do
        run_tool 2 fifocat made "$name"
        assert_diagnostic fifocat "^fifocat: $name: this is $what, not a FIFO\$"
        [ ! -e made ]
    done <<'NAMES'
file a regular file
directory a directory
link a symbolic link
/dev/null a device
NAMES
    run_tool 2 fifocat sem:/s
    assert_diagnostic fifocat 'sem:/s is a semaphore, not a FIFO'
    run_tool 2 fifocat there made fifo:./made
    assert_diagnostic fifocat '^fifocat: ./made: this FIFO was given before$'
    [ ! -e made ]
    run_tool 2 sh -c 'fifocat there <>there >there'
    assert_diagnostic fifocat 'there: this is standard output'
}

@test "<(COMMAND), and bytes of all kinds in a name" {
    run_tool 0 bash -c 'fifocat --once <(seq 3) <(seq 4 6) | sort' 3>&-
    assert_output "$(seq 6)"
    # Nobody else can come: without --once it ends as well.
    run_tool 0 sh -c 'printf "one\ntwo" | fifocat fd:0'
    assert_output $'one\ntwo'
    run_tool 0 bash -c 'fifocat <(echo one)' 3>&-
    assert_output one
    local name
    for name in ./-a $'new\nline' $'\xff\e[31m'; do
        spawn_ready cat fifocat --ready-fd 9 --once -L "$name"
        echo text >"$name"
        wait_exit cat 0
        assert_output "$name"$'\ttext'
        [ ! -e "$name" ]
    done
}

@test "one that may not be read: refused; one that may not be written is enough" {
    requires root
    chmod 755 . ..
    mkfifo -m 0644 a
    spawn_ready cat setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
        fifocat --ready-fd 9 a
    echo one >a
    wait_until got one
    echo two >a
    wait_until got $'one\ntwo'
    wait_idle cat
    kill "${pid[cat]}"
    wait_exit cat
    chmod 0622 a
    run_tool 2 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all fifocat a
    assert_diagnostic fifocat '^fifocat: a: cannot open: Permission denied$'
}

@test "options that are none" {
    local options
    for options in '-c x' '-c -1' '-w x' '-m 888' '--ready-fd=99' '--once=yes'; do
        # shellcheck disable=SC2086
        refused $options a
    done
    refused
    [ ! -e a ]
}

# ---- stdout, signals, limits ----

@test "a stdout that is full, closed, or has lost its reader" {
    mkfifo a
    exec 7<>a
    echo one >&7
    run_tool 2 sh -c 'fifocat a >/dev/full'
    assert_diagnostic fifocat '^fifocat: stdout: cannot write: No space left on device$'
    echo one >&7
    run_tool 2 sh -c 'fifocat a >&-'
    assert_diagnostic fifocat '^fifocat: stdout: cannot write: Bad file descriptor$'
    # While it waits.
    run_tool 2 bash -c 'set -o pipefail; fifocat a | true'
    assert_diagnostic fifocat '^fifocat: stdout: cannot write: Broken pipe$'
    exec 7>&-
}

@test "a terminal gets control bytes escaped; --literal leaves them" {
    mkfifo a
    exec 7<>a
    printf 'x\e[31m\xff\n' >&7
    on_terminal fifocat -c 1 a >shown
    assert_same shown <(printf 'x\\x1b[31m\\xff\n')
    mkfifo $'n\newline'
    spawn feed sh -c 'printf "x\033\n" >"$0"' $'n\newline'
    on_terminal fifocat -L -c 1 $'n\newline' >shown
    assert_same shown <(printf 'n\\x0aewline\tx\\x1b\n')
    wait_exit feed 0
    printf 'x\e[31m\xff\n' >&7
    on_terminal fifocat --literal -c 1 a >shown
    assert_same shown <(printf 'x\e[31m\xff\n')
    exec 7>&-
}

@test "a signal that was ignored or blocked at the start does not end it" {
    local how
    for how in --ignore-signal=INT,TERM --block-signal=INT,TERM; do
        spawn_ready cat env "$how" fifocat --ready-fd 9 --once a
        kill "${pid[cat]}"
        kill -INT "${pid[cat]}"
        echo one >a
        wait_exit cat 0
        assert_output one
    done
}

@test "--progress and SIGUSR1 tell how many bytes came" {
    cat_ready --once a
    exec 7>a
    seq 100000 >&7
    wait_until eval '[ "$(tail -n 1 "$(out cat)")" = 100000 ]'
    kill -USR1 "${pid[cat]}"
    wait_until grep -Eqx 'fifocat: 575.0KiB, [0-9.]+ s, [0-9.]+[KMG]iB/s' "$(err cat)"
    exec 7>&-
    wait_exit cat 0
}

@test "memory stays under 4 MiB, whatever comes through" {
    requires release
    mkfifo a
    local what
    for what in '\n' x; do
        spawn feed sh -c 'head -c 20M /dev/zero | tr "\0" "$0" >a' "$what"
        run_tool 0 python3 -c '
import os
def peak(command):
    pid = os.posix_spawnp(command[0], command, dict(os.environ), file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    return usage.ru_maxrss
least = peak(["fifocat", "--version"]) # does nothing, started in the same way
print(peak(["fifocat", "--once", "a"]) - least)'
        [ "$output" -lt 4096 ]
        wait_exit feed 0
    done
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    requires release
    local number done_=no
    mkfifo there
    for ((number = 3; number < 12; number++)); do
        run_tool - bash -c 'ulimit -n "$1" && fifocat -c 1 -w 10ms there made' bash "$number"
        echo "$number: $status $stderr"
        [ ! -e made ]
        case $status in
        124) done_=yes ;;
        2) [[ $stderr == *'RLIMIT_NOFILE = '* ]] ;;
        *) false ;;
        esac
    done
    [ "$done_" = yes ]
}

@test "everything works without /proc but descriptors" {
    requires mount
    ! is_sanitized || skip 'the sanitizers need /proc'
    mkfifo a
    spawn a sh -c 'seq 5 >a'
    run_tool 0 unshare --mount sh -c 'mount -t tmpfs none /proc && fifocat --once a'
    assert_output "$(seq 5)"
    wait_exit a 0
}

# ---- The table of open(2) ----

@test "opening: a writer waits for a reader, unless O_NONBLOCK, which fails; with fifocat there, neither" {
    mkfifo a
    cat >open.py <<'PYTHON'
import os, sys
fd = os.open("a", os.O_WRONLY | (os.O_NONBLOCK if "nonblock" in sys.argv else 0))
print("open", flush=True)
os.write(fd, b"x\n")
PYTHON
    spawn blocked python3 open.py
    wait_blocked blocked openat
    run_tool 1 python3 open.py nonblock
    [[ $stderr == *'No such device or address'* ]]
    cat_ready a
    wait_exit blocked 0
    wait_until got x
    run_tool 0 python3 open.py nonblock
    wait_until got $'x\nx'
    run_tool 0 python3 open.py
    wait_until got $'x\nx\nx'
    # A reader beside it waits for a writer all the same: fifocat holds none.
    spawn reader python3 -c 'import os; os.open("a", os.O_RDONLY)'
    wait_blocked reader openat
    kill "${pid[cat]}" "${pid[reader]}"
    wait_exit cat 143
    wait_exit reader 143
    # Writing when the last reader has gone.
    cat_ready -c 1 a
    exec 7>a
    echo one >&7
    wait_exit cat 0
    run_tool 1 bash -c 'trap "" PIPE; echo two >&7'
    [[ $stderr == *'Broken pipe'* ]]
    exec 7>&-
}
