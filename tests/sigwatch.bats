#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sigwatch: the signals that it is sent itself, in any order and number, and what runs for them.
# Those of others are in sigtrace.bats.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # scripts for other shells

load support/lib.bash

helper=$BATS_TEST_DIRNAME/support/signals.py
time_='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}'

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# watch ARGUMENT...: starts sigwatch as `watch`, and waits until it misses no signal.
watch() { spawn_ready watch sigwatch --ready-fd 9 "$@"; }

# send SIGNAL...: to it, from this shell.
send() {
    local signal
    for signal; do
        kill -"$signal" "${pid[watch]}"
    done
}

# told N: whether so many lines are out.
told() { [ "$(wc -l <"$(out watch)")" -ge "$1" ]; }

# fields FIRST[-LAST]: of all lines, apart by blanks.
fields() { cut -d ' ' -f "$1" <<<"$output" | tr '\n' ';'; }

refused() {
    run_tool 2 sigwatch "${@:2}"
    assert_diagnostic sigwatch "$1.*; see sigwatch --help$"
    assert_output ''
}

# ---- A line ----

# bats test_tags=user
@test "a line: time, signal, code, sender with user and command, value" {
    watch -c 1 USR1
    send USR1
    wait_exit watch 0
    assert_output --regexp "^$time_ USR1 user $BASHPID $EUID bash -\$"
    # The time is now, and local.
    local told=${output%%.*}
    (($(date +%s) - $(date -d "$told" +%s) <= PATIENCE))
}

@test "a value, of a sender that has gone since" {
    watch -c 2 RTMIN+2
    send STOP
    wait_until is_stopped watch
    local sender value
    for value in 7 -1; do
        spawn sender sigsend -s RTMIN+2 --value "$value" "${pid[watch]}"
        sender=${pid[sender]}
        wait_exit sender 0
    done
    send CONT
    wait_exit watch 0
    assert_line --index 0 --regexp "^$time_ RTMIN\+2 queue [0-9]+ $EUID - 7\$"
    assert_line --index 1 --regexp "^$time_ RTMIN\+2 queue $sender $EUID - -1\$"
}

@test "codes: tkill, in, kernel" {
    watch -c 2 USR1 IO RTMIN+4
    "$helper" thread "${pid[watch]}" "${pid[watch]}" USR1
    wait_until told 1
    "$helper" poll "${pid[watch]}"
    wait_exit watch 0
    assert_line --index 0 --regexp "^$time_ USR1 tkill [0-9]+ $EUID (python3|-) -\$"
    assert_line --index 1 --regexp "^$time_ IO in - - - - band=65 fd=[0-9]+\$"
    watch -c 1 RTMIN+4
    "$helper" poll "${pid[watch]}" RTMIN+4
    wait_exit watch 0
    assert_line --index 0 --regexp "^$time_ RTMIN\+4 in - - - - band=65 fd=[0-9]+\$"
    run_tool 0 python3 -c '
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, 0.001)
os.execvp("sigwatch", ["sigwatch", "-c", "1", "ALRM"])'
    assert_output --regexp "^$time_ ALRM kernel - - - -\$"
}

@test "codes: in and hup, of a socket" {
    watch -c 2 RTMIN+4
    "$helper" stream "${pid[watch]}" RTMIN+4
    wait_exit watch 0
    assert_line --index 0 --regexp "^$time_ RTMIN\+4 in - - - - band=[0-9]+ fd=[0-9]+\$"
    assert_line --index 1 --regexp "^$time_ RTMIN\+4 hup - - - - band=[0-9]+ fd=[0-9]+\$"
}

@test "codes that are negative, each with what it carries" {
    watch -c 6 RTMIN+4
    "$helper" info "${pid[watch]}" RTMIN+4 77 -1 -2 -3 -4 -5 -60
    wait_exit watch 0
    [ "$(sed -E "s/^$time_ RTMIN\+4 //; s/(python3|-) 77/COMMAND 77/; s/[0-9]+ $EUID/PID UID/; s/=[0-9]+/=N/g" <<<"$output")" = \
        'queue PID UID COMMAND 77
timer - - COMMAND 77 timer=N overrun=N
mesgq PID UID COMMAND 77
asyncio PID UID COMMAND 77
sigio - - - - band=N fd=N
-60 PID UID COMMAND 77' ]
}

@test "codes: what became of a child" {
    mkfifo go
    # It becomes sigwatch, so that its child is that of sigwatch.
    spawn_ready watch sh -c '(read -r _ <go; exec sh -c "echo \$\$; $0") & exec sigwatch -c 2 --ready-fd 9 CHLD' \
        'kill -STOP $$; exit 3'
    echo >go
    wait_until told 2
    local child
    child=$(head -n 1 "$(out watch)")
    kill -CONT "$child"
    wait_exit watch 0
    [ "${#lines[@]}" -eq 3 ]
    assert_line --index 1 --regexp "^$time_ CHLD stopped $child $EUID sh - status=STOP\$"
    # The continuation may have merged with the end.
    assert_line --index 2 --regexp "^$time_ CHLD (continued|exited) $child $EUID (sh|-) - status=(CONT|3)\$"
}

@test "-J: objects with the keys of what there is" {
    watch -J -c 3 USR1 RTMIN IO
    send USR1
    wait_until told 1
    sigsend -s RTMIN --value 5 "${pid[watch]}"
    wait_until told 2
    "$helper" poll "${pid[watch]}"
    wait_exit watch 0
    run_tool 0 python3 -c '
import json, sys, time
lines = [json.loads(line) for line in open(sys.argv[1])]
user, queue, io = lines
assert abs(user["time"] - time.time()) < 60, user
assert list(user) == ["time", "signal", "number", "code", "pid", "uid", "command"], user
assert (user["signal"], user["number"], user["code"], user["command"]) == ("USR1", 10, "user", "bash")
assert queue["signal"] == "RTMIN" and queue["code"] == "queue" and queue["value"] == 5, queue
assert list(io) == ["time", "signal", "number", "code", "band", "fd"] and io["code"] == "in", io' "$(out watch)"
}

@test "hostile names of senders: one word, escaped; exact in json" {
    local sender='$0 = "a b\n\e[m\xff"; kill "USR1", $ARGV[0]; sleep 1000'
    watch -c 1 USR1
    spawn sender perl -e "$sender" "${pid[watch]}"
    wait_exit watch 0
    [ "$(fields 6-7)" = 'a\x20b\x0a\x1b[m\xff -;' ]
    kill "${pid[sender]}"
    wait_exit sender 143
    watch -J -c 1 USR1
    spawn sender perl -e "$sender" "${pid[watch]}"
    wait_exit watch 0
    [[ $output == *"\"command_base64\":\"$(printf 'a b\n\e[m\xff' | base64)\""* ]]
}

# bats test_tags=user
@test "a sender that is not visible from here has no number" {
    requires pids
    spawn_ready inside "${other_pids[@]}" sigwatch -c 1 --ready-fd 9 USR1
    local first
    read -r first <"/proc/${pid[inside]}/task/${pid[inside]}/children" || [ -n "$first" ]
    kill -USR1 "$first"
    wait_exit inside 0
    assert_output --regexp "^$time_ USR1 user - [0-9]+ - -\$"
}

# ---- Many ----

@test "10,000 queued signals with values: none lost, in order" {
    watch -c 10000 RTMIN+1
    "$helper" queue "${pid[watch]}" RTMIN+1 1 5000
    send STOP
    wait_until is_stopped watch
    local limit=5000
    (($(ulimit -i) > 6000)) 2>/dev/null || limit=$(($(ulimit -i) / 2))
    "$helper" queue "${pid[watch]}" RTMIN+1 5001 "$((5000 + limit))"
    send CONT
    [ "$limit" -eq 5000 ] || "$helper" queue "${pid[watch]}" RTMIN+1 "$((5001 + limit))" 10000
    wait_exit watch 0
    cut -d ' ' -f 7 "$(out watch)" | cmp - <(seq 10000)
}

@test "standard signals merge, with the first sender; lower numbers come first" {
    watch USR1 USR2 RTMIN RTMIN+1
    send STOP
    wait_until is_stopped watch
    sigsend -s RTMIN+1 --value 1 "${pid[watch]}"
    sigsend -s RTMIN --value 2 "${pid[watch]}"
    send USR2 USR1 USR1 USR2 USR1
    send CONT
    wait_until told 4
    send TERM
    wait_exit watch 143
    [ "$(fields 2,7)" = 'USR1 -;USR2 -;RTMIN 2;RTMIN+1 1;' ]
}

@test "with its output stuck, what comes waits in the kernel and is told later" {
    open_full_pipe
    spawn_ready watch sh -c 'exec sigwatch -c 2000 --ready-fd 9 RTMIN >"$0" 7<&- 8>&-' "$fifo"
    "$helper" queue "${pid[watch]}" RTMIN 1 2000
    wait_blocked watch ppoll
    read_pipe
    cut -d ' ' -f 7 <<<"$output" | cmp - <(seq 2000)
    wait_exit watch 0
}

@test "what was queued before the signal that ends it is told" {
    watch
    send STOP
    wait_until is_stopped watch
    "$helper" queue "${pid[watch]}" RTMIN 1 300
    send TERM CONT
    wait_exit watch 143
    grep -q ' TERM user ' <<<"$output"
    sed -n 's/.* RTMIN .* //p' <<<"$output" | cmp - <(seq 300)
}

# ---- Which, and how it ends ----

@test "without SIGNAL: all but what stops and what the processor finds; TERM and its like end it" {
    watch
    send USR1 WINCH CHLD URG CONT PIPE ALRM XCPU PWR ABRT
    sigsend -s RTMIN "${pid[watch]}"
    sigsend -s RTMAX "${pid[watch]}"
    wait_until told 12
    send TERM
    wait_exit watch 143
    run sort <(cut -d ' ' -f 2 <<<"$output")
    assert_output "$(printf '%s\n' ABRT ALRM CHLD CONT PIPE PWR RTMIN RTMIN+30 TERM URG USR1 WINCH XCPU)"
    local signal
    ulimit -c 0
    for signal in HUP INT QUIT; do
        watch
        send "$signal"
        wait_exit watch "$((128 + $(kill -l "$signal")))"
        [ "$(fields 2)" = "$signal;" ]
    done
    # The sanitizers have their own way with these.
    for signal in SEGV FPE; do
        ! is_sanitized || break
        watch
        send "$signal"
        wait_exit watch "$((128 + $(kill -l "$signal")))"
        assert_output ''
    done
    # The kernel stops nobody by TSTP, TTIN and TTOU whose process group is orphaned, as here it may
    # be: it is enough that they are neither blocked, nor ignored, nor caught.
    watch
    local mask
    for mask in SigBlk SigIgn SigCgt; do
        echo "$mask"
        mask=$(sed -n "s/^$mask:[^0-9a-f]*//p" "/proc/${pid[watch]}/status")
        [ $((0x$mask >> 19 & 7)) -eq 0 ]
    done
    send TERM
    wait_exit watch 143
}

@test "with SIGNAL: these alone, and none of them ends it" {
    watch TERM INT HUP QUIT USR2
    send TERM INT HUP QUIT
    wait_until told 4
    send USR2
    wait_until told 5
    send USR1
    wait_exit watch 138
    [ "${#lines[@]}" -eq 5 ]
    watch USR1
    send INT
    wait_exit watch 130
    assert_output ''
    watch TERM
    send KILL
    wait_exit watch 137
}

@test "-c and -w: as many as wanted, or none for so long" {
    run_tool 124 sigwatch -w 30ms
    assert_output ''
    run_tool 0 sigwatch -c 0
    watch -c 2 -w 1h USR1
    send USR1
    wait_until told 1
    send USR1
    wait_exit watch 0
    # One is there at the start.
    run_tool 124 env --block-signal=USR1 sh -c 'kill -USR1 $$; exec sigwatch -c 2 -w 50ms USR1'
    [ "${#lines[@]}" -eq 1 ]
    # What comes with the last one is not told.
    watch -c 1 USR1 USR2
    send STOP
    wait_until is_stopped watch
    send USR1 USR2 CONT
    wait_exit watch 0
    [ "$(fields 2)" = 'USR1;' ]
}

@test "each signal begins the time of -w anew" {
    requires strace
    local watcher
    spawn_ready watch strace -qq -o trace -e trace=ppoll -e signal=none sigwatch -w 100 --ready-fd 9 USR1
    watcher=$(pgrep -x -P "${pid[watch]}" sigwatch)
    wait_until begins_anew
    kill "$watcher"
    wait_exit watch 143
}

# begins_anew: sends a signal; whether more time was left in a wait than in the one before it.
begins_anew() {
    kill -USR1 "$watcher"
    sed -n 's/^ppoll(.*{tv_sec=\([0-9]*\), tv_nsec=\([0-9]*\)}, NULL.*/\1 \2/p' trace |
        awk '{ left = $1 + $2 / 1e9; found += NR > 1 && left > before; before = left } END { exit !found }'
}

@test "whatever was blocked or ignored at the start, it is told, and does not end" {
    local how
    for how in --block-signal --ignore-signal '--block-signal --ignore-signal'; do
        # shellcheck disable=SC2086 # words
        spawn_ready watch env $how sigwatch --ready-fd 9
        send USR1 TERM INT HUP QUIT CHLD PIPE
        sigsend -s RTMIN --value 1 "${pid[watch]}"
        wait_until told 8
        send KILL
        wait_exit watch 137
    done
    run_tool 124 env --block-signal --ignore-signal sigwatch -w 30ms USR1
}

@test "wrong usage" {
    refused "'USR3' is not a signal" USR3
    refused "'' is not a signal" ''
    refused 'out of range' 65
    refused 'out of range' 0
    refused 'KILL cannot be waited for' USR1 KILL
    refused 'STOP cannot be waited for' STOP
    refused "signal 32 is the C library's own" 32
    refused "'USR1' is not SIGNAL=COMMAND" -x USR1
    refused "'nonsense' is not a signal" -x nonsense=true
    refused 'KILL cannot be waited for' -x KILL=true
    refused 'PID|number' -p x
    refused '0.*out of range' -p 0
    refused 'exclude each other' -p 1 -x USR1=true
    refused -- '--children goes with' --children USR1
    run_tool 125 sigwatch -c 1 -- true
    assert_diagnostic sigwatch 'does not go with a COMMAND'
    run_tool 125 sigwatch USR1 --
    assert_diagnostic sigwatch 'COMMAND is missing'
}

# ---- Its output ----

@test "a reader that leaves ends it; a stdout that fails is an error" {
    mkfifo lines
    exec 7<>lines
    spawn_ready watch sh -c 'exec sigwatch --ready-fd 9 USR1 >lines 7<&-'
    exec 7<&-
    wait_exit watch 2
    assert_diagnostic sigwatch 'stdout: cannot write: Broken pipe'
    spawn_ready watch sh -c 'exec sigwatch --ready-fd 9 USR1 >/dev/full'
    send USR1
    wait_exit watch 2
    assert_diagnostic sigwatch 'stdout: cannot write: No space'
    spawn_ready watch sh -c 'exec sigwatch --ready-fd 9 USR1 >&-'
    send USR1
    wait_exit watch 2
    assert_diagnostic sigwatch 'stdout: cannot write: Bad file descriptor'
}

@test "TERM ends it also while its output is stuck" {
    local signals
    # By itself, it is what cannot be told.
    open_full_pipe
    spawn_ready watch sh -c 'exec sigwatch --ready-fd 9 >"$0" 7<&- 8>&-' "$fifo"
    send TERM
    wait_exit watch 143
    exec 7<&- 8>&-
    for signals in '' USR1; do
        open_full_pipe
        # shellcheck disable=SC2086 # words
        spawn_ready watch sh -c 'exec sigwatch --ready-fd 9 "$@" >"$0" 7<&- 8>&-' "$fifo" $signals
        send USR1
        wait_blocked watch ppoll
        send TERM
        wait_exit watch 143
        exec 7<&- 8>&-
    done
}

# ---- -x ----

@test "-x: a command of the shell for each, with name, sender and value" {
    watch -c 2 -x 'USR1=echo "1 $SIG_NAME $SIG_PID $SIG_UID <$SIG_VALUE>" >>ran' \
        -x 'RTMIN+1=echo "2 $SIG_NAME $SIG_UID <$SIG_VALUE>" >>ran; exit 5'
    send USR1
    wait_until told 1
    sigsend -s RTMIN+1 --value -3 "${pid[watch]}"
    wait_exit watch 0
    assert_no_stderr
    [ "$(fields 2)" = 'USR1;RTMIN+1;' ]
    [ "$(cat ran)" = "1 USR1 $BASHPID $EUID <>
2 RTMIN+1 $EUID <-3>" ]
}

@test "-x: one at a time, in order, while others wait and are told" {
    mkfifo go
    exec 8<>go
    watch -c 60 -x 'RTMIN=mkdir lock && read -r _ <&8 && echo $SIG_VALUE >>ran; rmdir lock' -x 'USR1=echo USR1 >>ran'
    "$helper" queue "${pid[watch]}" RTMIN 1 30
    wait_until told 30
    send USR1
    wait_until told 31
    "$helper" queue "${pid[watch]}" RTMIN 31 59
    wait_until told 60
    [ ! -e ran ]
    yes '' | head -n 59 >&8
    wait_exit watch 0
    assert_no_stderr
    cmp ran <(seq 30; echo USR1; seq 31 59)
    exec 8>&-
}

@test "-x: more than can wait here wait in the kernel" {
    (($(ulimit -i) > 5000)) 2>/dev/null || [ "$(ulimit -i)" = unlimited ] || skip 'RLIMIT_SIGPENDING is too low'
    mkfifo go
    exec 8<>go
    watch -c 4501 -x 'USR1=read -r _ <&8' -x 'RTMIN=[ $SIG_VALUE -ne 4500 ] || echo last' USR2
    send USR1
    wait_until told 1
    "$helper" queue "${pid[watch]}" RTMIN 1 4500
    wait_until told 4097
    send TERM
    wait_exit watch 143
    [ "${#lines[@]}" -le 4200 ]
}

@test "-x: the ends of its commands are not told, those of other children are" {
    mkfifo go
    spawn_ready watch sh -c '(read -r _ <go; exit 3) & exec sigwatch -c 2 --ready-fd 9 -x USR1=true -w 1h CHLD'
    send USR1
    wait_until told 1
    wait_until eval '! pgrep -P "${pid[watch]}" -x true'
    echo >go
    wait_exit watch 0
    [ "$(fields 2-3)" = 'USR1 user;CHLD exited;' ]
    [[ ${lines[1]} == *status=3 ]]
}

@test "-x: commands have no signal blocked or ignored, and the descriptors of the start" {
    local how
    spawn_ready plain sh -c 'echo >&9; exec >expected.fds 9>&-; ls /proc/self/fd; :'
    wait_exit plain 0
    env --default-signal grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status >expected
    # The C library's own two, which no program can set, may be.
    grep -Eq '^SigIgn:.0*(18)?0000000$' expected
    for how in --default-signal --block-signal --ignore-signal '--block-signal --ignore-signal'; do
        # shellcheck disable=SC2086 # words
        spawn_ready watch env $how sigwatch --ready-fd 9 -c 1 \
            -x 'USR1=exec >got; grep -E "^Sig(Blk|Ign|Cgt):" /proc/self/status; exec >fds; ls /proc/self/fd; :'
        send USR1
        wait_exit watch 0
        diff expected got
        assert_same expected.fds fds
    done
}

@test "-x: a signal that ends it goes on to the command that runs; those that wait do not run" {
    watch -x 'USR1=trap "echo ended >>ran; exit" TERM; echo began >>ran; while :; do sleep 0.01; done' \
        -x 'USR2=echo never >>ran'
    send USR1
    wait_until grep -q began ran
    send USR2
    wait_until told 2
    send TERM
    wait_exit watch 143
    [ "$(cat ran)" = $'began\nended' ]
}

# bats test_tags=user
@test "-x: what cannot be run is said, and it goes on" {
    requires userns
    watch -c 2 -x 'USR1=no-such-command-anywhere'
    send USR1
    wait_until told 1
    send USR1
    wait_exit watch 0
    [[ $stderr == *no-such-command-anywhere*no-such-command-anywhere* ]]
}

# ---- Limits ----

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    requires release
    local descriptors done=no
    for descriptors in 3 4 5 6 7; do
        run_tool - prlimit --nofile="$descriptors" sigwatch -w 1ms USR1
        if [ "$status" -eq 124 ]; then
            done=yes
        else
            assert_diagnostic sigwatch "RLIMIT_NOFILE = $descriptors"
        fi
    done
    [ "$done" = yes ]
}

@test "without /proc it does not know names, and works" {
    requires mount
    ignore_leaks
    spawn_ready watch unshare --mount sh -c 'umount -l /proc && exec sigwatch -c 1 --ready-fd 9 USR1'
    send USR1
    wait_exit watch 0
    assert_output --regexp "^$time_ USR1 user $BASHPID $EUID - -\$"
}
