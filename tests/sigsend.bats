#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sigsend: signals to processes and groups, with values; waiting for their end; what goes wrong.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # scripts for other shells

load support/lib.bash

receiver=$BATS_TEST_DIRNAME/support/signals.py
si_user=0 si_queue=-1

# spawn_ready NAME, a shell that runs SCRIPT: it says `ready` when it is, and ends with its stdin.
spawn_shell() {
    spawn "$1" bash -c "$2"
    wait_until grep -qs '^ready$' "$(out "$1")"
}

# refused REGEX ARGUMENT...: sigsend refuses these as wrong usage.
refused() {
    run_tool 2 sigsend "${@:2}"
    assert_diagnostic sigsend "$1.*; see sigsend --help$"
    assert_output ''
}

# ---- Sending ----

@test "TERM by default" {
    spawn victim sleep 1000
    run_tool 0 sigsend "${pid[victim]}"
    assert_output ''
    assert_no_stderr
    wait_exit victim 143
}

@test "signals by name, in any case, with SIG or without, by number, real-time ones by offset" {
    local name
    for name in USR1 SIGUSR1 usr1 sigusr1 10; do
        spawn_ready receiver "$receiver" receive 1 USR1
        run_tool 0 sigsend -s "$name" "${pid[receiver]}"
        wait_exit receiver 0
        [[ $output == "10 $si_user "* ]]
    done
    for name in RTMIN+3 SIGRTMIN+3 rtmin+3 RTMAX-27 37; do
        spawn_ready receiver "$receiver" receive 1 RTMIN+3
        run_tool 0 sigsend --signal="$name" "${pid[receiver]}"
        wait_exit receiver 0
        [[ $output == "37 $si_queue "* ]]
    done
}

@test "what is no signal or no PID is wrong usage, and nothing is sent" {
    spawn victim sleep 1000
    local name
    for name in '' SIG TERMS T RTMIN+31 RTMIN+ RTMIN-1 RTMIN+-1 RTMAX+1 RTMAX-31 65 -1 15x 1e1 \
        99999999999999999999 $'TERM\n'; do
        refused "--signal: '" -s "$name" "${pid[victim]}"
    done
    refused '--kill: ' -w 1 -k 0 "${pid[victim]}"
    for name in x '' 1x 0 99999999999; do
        refused 'PID ' "${pid[victim]}" "$name"
    done
    refused '--value: ' --value 2147483648 "${pid[victim]}"
    refused '--value: ' --value -2147483649 "${pid[victim]}"
    refused 'needs --timeout' -k KILL "${pid[victim]}"
    kill -0 "${pid[victim]}"
}

# bats test_tags=user
@test "-s 0 sends nothing, and tells whether one could be sent" {
    spawn_ready receiver "$receiver" receive 1 USR1
    run_tool 0 sigsend -s 0 "${pid[receiver]}"
    wait_blocked receiver
    run_tool 2 sigsend -s 0 32768999
    assert_diagnostic sigsend '32768999: cannot signal: No such process$'
}

# bats test_tags=user
@test "a value arrives, with us as the sender" {
    local value
    for value in 42 -1 0 2147483647 -2147483648; do
        spawn_ready receiver "$receiver" receive 1 USR2
        spawn sender sigsend -s USR2 --value "$value" "${pid[receiver]}"
        local sender=${pid[sender]}
        wait_exit sender 0
        wait_exit receiver 0
        assert_output "12 $si_queue $sender $EUID $value"
    done
}

@test "real-time signals queue, in order" {
    spawn_ready receiver "$receiver" receive 5 RTMIN+1
    kill -STOP "${pid[receiver]}"
    wait_until is_stopped receiver
    local value
    for value in 3 1 4 1 5; do
        run_tool 0 sigsend -s RTMIN+1 --value "$value" "${pid[receiver]}"
    done
    kill -CONT "${pid[receiver]}"
    wait_exit receiver 0
    [ "$(awk '{ print $5 }' <<<"$output" | tr '\n' ' ')" = '3 1 4 1 5 ' ]
}

@test "several processes: one that fails does not stop the others" {
    spawn one sleep 1000
    spawn two sleep 1000
    run_tool 2 sigsend -w 1h "${pid[one]}" 32768999 "${pid[two]}"
    assert_diagnostic sigsend '32768999: cannot signal: No such process$'
    wait_exit one 143
    wait_exit two 143
}

# ---- Waiting ----

@test "-w: 0 when it ends in time" {
    spawn_shell victim 'trap "echo asked; read -r _ <go; exit 0" TERM
        mkfifo go; echo ready; while :; do read -r _ <go || :; done'
    spawn sender sigsend -w 1h "${pid[victim]}"
    wait_until grep -q asked "$(out victim)"
    wait_blocked sender ppoll
    echo >go
    wait_exit sender 0
    wait_exit victim 0
}

setup() { cd "$BATS_TEST_TMPDIR" || return; }

stubborn='trap "" TERM; echo ready; read -r _ <&8'

@test "-w: 124 when it does not, and it is left alone" {
    mkfifo end
    exec 8<>end
    spawn_shell victim "$stubborn"
    run_tool 124 sigsend -w 50ms "${pid[victim]}"
    assert_no_stderr
    kill -0 "${pid[victim]}"
    echo >&8
    wait_exit victim 0
}

@test "-w -k: 124 when it had to be killed, 0 when asking was enough" {
    mkfifo end
    exec 8<>end
    spawn_shell victim "$stubborn"
    run_tool 124 sigsend -w 1 -k KILL "${pid[victim]}"
    assert_no_stderr
    wait_exit victim 137
    spawn victim sleep 1000
    run_tool 0 sigsend -w 1h -k KILL "${pid[victim]}"
    wait_exit victim 143
}

@test "-w -k: what does not end even then is named" {
    mkfifo end
    exec 8<>end
    spawn_shell victim "$stubborn"
    run_tool 124 sigsend -w 50ms -k CONT "${pid[victim]}"
    assert_diagnostic sigsend "${pid[victim]}: still there after CONT\$"
}

# bats test_tags=user
@test "-w waits for the end of others, also without a signal" {
    spawn one sleep 1000
    spawn two sleep 1000
    spawn waiter sigsend -s 0 -w 1h "${pid[one]}" "${pid[two]}"
    wait_blocked waiter ppoll
    kill "${pid[one]}"
    wait_exit one 143
    wait_blocked waiter ppoll
    kill "${pid[two]}"
    wait_exit waiter 0
}

@test "-w: a trouble with one counts more than the time" {
    mkfifo end
    exec 8<>end
    spawn_shell victim "$stubborn"
    run_tool 2 sigsend -w 10ms "${pid[victim]}" 32768999
    assert_diagnostic sigsend 32768999
}

@test "-w: whatever was blocked or ignored at the start" {
    mkfifo end
    exec 8<>end
    spawn_shell victim "$stubborn"
    local how
    for how in --block-signal --ignore-signal; do
        run_tool 124 env "$how" sigsend -w 30ms "${pid[victim]}"
        spawn waiter env "$how"=INT,TERM sigsend -s 0 -w 1h "${pid[victim]}"
        wait_blocked waiter ppoll
        kill -TERM "${pid[waiter]}"
        wait_blocked waiter ppoll
        kill -KILL "${pid[waiter]}"
        wait_exit waiter 137
    done
}

# ---- Groups ----

# Three processes of a group that end by TERM; its number is ${pid[NAME]}.
group='(trap - TERM; exec sleep 1000) & sleep 1000 & echo ready; wait'
spawn_group() {
    spawn "$1" setsid bash -c "$2"
    wait_until grep -qs ready "$(out "$1")"
}
members() { pgrep -g "$1" | wc -l; }
is_group_of() { [ "$(members "$1")" -eq "$2" ]; }

@test "-g: all of a group, and no others" {
    spawn other sleep 1000
    spawn_group victims "$group"
    local number=${pid[victims]}
    wait_until is_group_of "$number" 3
    run_tool 0 sigsend -g "$number"
    wait_exit victims 143
    wait_until is_group_of "$number" 0
    kill -0 "${pid[other]}"
}

@test "-g -w waits for all of them; -k insists with those that are left" {
    mkfifo end
    exec 8<>end
    spawn_group victims "bash -c '$stubborn' & wait"
    run_tool 124 sigsend -g -w 1 -k KILL "${pid[victims]}"
    assert_no_stderr
    wait_exit victims 143
}

@test "-g: a group whose leader has ended" {
    spawn_shell starter 'setsid bash -c "sleep 1000 & echo \$\$ >leader; echo \$! >member" & wait
        echo ready; read -r _ <&8 || :' 8<&0
    local leader member
    leader=$(cat leader) member=$(cat member)
    run_tool 2 sigsend "$leader"
    assert_diagnostic sigsend 'No such process'
    run_tool 2 sigsend -g --value 1 "$leader"
    assert_diagnostic sigsend "$leader: cannot send TERM: .*its leader, which is gone"
    run_tool 0 sigsend -g -w 1h "$leader"
    wait_until ended "$member"
}

@test "-g: before Linux 6.9" {
    requires strace setsid
    spawn_group victims "$group"
    local as_then=(strace -qq -o trace -e 'trace=pidfd_send_signal,kill'
        -e inject=pidfd_send_signal:error=EINVAL)
    run_tool 2 "${as_then[@]}" sigsend -g --value 3 "${pid[victims]}"
    assert_diagnostic sigsend 'a value for a process group needs Linux 6.9'
    run ! grep '^kill' trace
    run_tool 0 "${as_then[@]}" sigsend -g -s 0 "${pid[victims]}"
    run_tool 0 "${as_then[@]}" sigsend -g "${pid[victims]}"
    wait_exit victims 143
    wait_until is_group_of "$(sed -n 's/^kill(-\([0-9]*\), SIGTERM.*/\1/p' trace)" 0
}

@test "-g: a value for all of a group" {
    requires setsid
    spawn_ready victim setsid "$receiver" receive 1 RTMIN+2
    run_tool - sigsend -g -s RTMIN+2 --value 7 "${pid[victim]}"
    if [[ $stderr == *'needs Linux 6.9'* ]]; then
        skip 'needs Linux 6.9'
    fi
    [ "$status" -eq 0 ]
    wait_exit victim 0
    [[ $output == "36 $si_queue "*" 7" ]]
}

@test "-g: no such group" {
    spawn process sleep 1000
    run_tool 2 sigsend -g "${pid[process]}" 32768999
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[0]} == "sigsend: ${pid[process]}: cannot send TERM: No such process"* ]]
    kill -0 "${pid[process]}"
}

# ---- What goes wrong: each has its line ----

@test "a zombie is told from what lives, and its parent is named" {
    spawn parent perl -e 'my $child = fork // die; exit 3 unless $child;
        $| = 1; print "$child\n"; exec "sleep", "1000"'
    wait_until test -s "$(out parent)"
    local zombie
    zombie=$(cat "$(out parent)")
    wait_until grep -q '^sleep$' "/proc/${pid[parent]}/comm"
    wait_until grep -q '^State:.Z' "/proc/$zombie/status"
    local option
    for option in -sTERM -s0 '-sRTMIN --value=1' '-sTERM -w1'; do
        # shellcheck disable=SC2086 # words
        run_tool 2 sigsend $option "$zombie"
        assert_diagnostic sigsend \
            "$zombie: cannot .*: it has ended, and is a zombie until ${pid[parent]} \(sleep\) collects it"
    done
}

@test "a process that ends between look and signal: no other gets it" {
    requires strace
    spawn victim sleep 1000
    # At the call before the signal, the process goes.
    spawn sender strace -qq -o trace -e inject=poll:delay_enter=1000000:when=1 \
        sigsend -s USR1 "${pid[victim]}"
    wait_until grep -q pidfd_open trace
    kill -KILL "${pid[victim]}"
    wait_exit victim 137
    wait_exit sender 2
    assert_diagnostic sigsend "cannot send USR1: No such process \(it has just ended\)"
    run ! grep pidfd_send_signal trace
}

@test "a thread is not a process" {
    spawn threads python3 -c '
import threading, time
thread = threading.Thread(target=time.sleep, args=(1000,), daemon=True)
thread.start()
print(thread.native_id, flush=True)
time.sleep(1000)'
    wait_until test -s "$(out threads)"
    local thread
    thread=$(cat "$(out threads)")
    run_tool 2 sigsend "$thread"
    assert_diagnostic sigsend "$thread: is a thread of process ${pid[threads]}"
    kill -0 "${pid[threads]}"
}

@test "a process of another user" {
    requires root
    local other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    spawn victim sleep 1000
    local option
    for option in TERM 0; do
        run_tool 2 "${other[@]}" sigsend -s "$option" "${pid[victim]}"
        assert_diagnostic sigsend \
            "${pid[victim]}: cannot .*: Operation not permitted \(it belongs to user 0, and we are 65534\)"
    done
    # Itself it may.
    spawn theirs "${other[@]}" sleep 1000
    wait_until grep -q '^Uid:.65534' "/proc/${pid[theirs]}/status"
    run_tool 0 "${other[@]}" sigsend -w 1h "${pid[theirs]}"
}

# bats test_tags=user
@test "a full queue: an error that names RLIMIT_SIGPENDING, and how to raise it" {
    spawn_ready receiver prlimit --sigpending=0 "$receiver" receive 1 RTMIN
    run_tool 2 sigsend -s RTMIN --value 5 "${pid[receiver]}"
    assert_diagnostic sigsend "${pid[receiver]}: cannot send RTMIN: .*RLIMIT_SIGPENDING = 0; "
    assert_diagnostic sigsend "prlimit --pid ${pid[receiver]} --sigpending="
    run_tool 2 sigsend -s RTMIN "${pid[receiver]}"
    assert_diagnostic sigsend RLIMIT_SIGPENDING
    # Others are not affected.
    run_tool 0 sigsend -s USR1 "${pid[receiver]}"
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    requires release
    local descriptors
    for descriptors in 3 4 5 6; do
        spawn victim sleep 1000
        run_tool - prlimit --nofile="$descriptors" sigsend -w 1h "${pid[victim]}"
        if [ "$status" -eq 0 ]; then
            wait_exit victim 143
        else
            assert_diagnostic sigsend "RLIMIT_NOFILE = $descriptors"
            kill -KILL "${pid[victim]}"
            wait_exit victim 137
        fi
    done
    [ "$status" -ne 0 ] || [ "$descriptors" -eq 6 ]
}

@test "everything but groups works without /proc" {
    requires mount
    ignore_leaks
    spawn victim sleep 1000
    run_tool 0 unshare --mount sh -c 'umount -l /proc && exec "$@"' sh \
        sigsend -w 1h "${pid[victim]}"
    wait_exit victim 143
    spawn_group victims 'echo ready; exec sleep 1000'
    run_tool 2 unshare --mount sh -c 'umount -l /proc && exec "$@"' sh \
        sigsend -s 0 -g -w 1h "${pid[victims]}"
    assert_diagnostic sigsend '/proc does not show them'
}

# ---- The list ----

@test "-l: every signal with number, name, default action and meaning" {
    run_tool 0 sigsend -l
    [ "${#lines[@]}" -eq 62 ]
    assert_line --regexp '^ 1 HUP +terminate +[a-z]'
    assert_line --regexp '^17 CHLD +ignore '
    assert_line --regexp '^34 RTMIN +terminate '
    assert_line --regexp '^64 RTMIN\+30 +terminate '
    run ! grep -E '.{81}' <<<"$output"
    # The names are the shell's.
    local number name
    while read -r number name _; do
        [[ $(kill -l "$number") == "$name" || $name == RTM* || $name == IO ]] || fail "$number $name"
    done < <(sigsend -l)
}

@test "-l SIGNAL: these alone; names that are printed are accepted" {
    run_tool 0 sigsend -l TERM 10 rtmin+2
    [ "${lines[0]%% term*}" = '15 TERM     ' ]
    [[ ${lines[1]} == '10 USR1 '* ]]
    [[ ${lines[2]} == '36 RTMIN+2 '* ]]
    local number name
    while read -r number name _; do
        [[ $(sigsend -l "$name") == *"$number $name "* ]]
    done < <(sigsend -l)
    refused "'nonsense' is not a signal" -l nonsense
    refused 'goes with no other option' -l -s TERM
}
