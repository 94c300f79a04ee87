#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sigwatch -p and sigwatch -- COMMAND: the signals of others, which get them as if nobody looked.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # scripts for other shells

load support/lib.bash

helper=$BATS_TEST_DIRNAME/support/signals.py
time_='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}'

setup_file() {
    cc -O1 -pthread -o "$BATS_FILE_TMPDIR/signal_target" "$BATS_TEST_DIRNAME/support/signal_target.c"
    take_census
}

setup() {
    requires ptrace
    cd "$BATS_TEST_TMPDIR" || return
}

# start_target THREADS: a process that prints what it gets, as `target`.
start_target() {
    spawn target "$BATS_FILE_TMPDIR/signal_target" "$1"
    wait_until grep -q ready "$(out target)"
}

# watch PID ARGUMENT...: watches it as `watch`.
watch() { spawn_ready watch sigwatch --ready-fd 9 -p "$@"; }

lines_of() { wc -l <"$(out "$1")"; }
told() { [ "$(lines_of watch)" -ge "$1" ]; }
# The target has got so many.
got() { [ "$(lines_of target)" -gt "$1" ]; }

# state PID: its letter in /proc.
state() {
    local fields
    read -r fields <"/proc/$1/stat"
    fields=${fields##*) }
    echo "${fields%% *}"
}
has_state() { [[ $(state "$1") == [$2] ]]; }
is_untraced() { grep -q '^TracerPid:.0$' "/proc/$1/status"; }

# bats test_tags=user
@test "each signal that is delivered is told, and the target gets it unchanged" {
    start_target 1
    local target=${pid[target]}
    watch "$target"
    kill -USR1 "$target"
    wait_until told 1
    sigsend -s RTMIN+3 --value -7 "$target"
    wait_until told 2
    "$helper" thread "$target" "$target" USR2
    wait_until told 3
    kill -WINCH "$target"
    wait_until told 4
    kill -TERM "$target"
    wait_exit watch 0
    [ "${#lines[@]}" -eq 6 ]
    assert_line --index 0 --regexp "^$time_ USR1 user $BASHPID $EUID bash - to=$target\$"
    assert_line --index 1 --regexp "^$time_ RTMIN\+3 queue [0-9]+ $EUID (sigsend|-) -7 to=$target\$"
    assert_line --index 2 --regexp "^$time_ USR2 tkill [0-9]+ $EUID (python3|-) - to=$target\$"
    assert_line --index 3 --regexp "^$time_ WINCH user $BASHPID $EUID bash - to=$target\$"
    assert_line --index 4 --regexp "^$time_ TERM user $BASHPID $EUID bash - to=$target\$"
    assert_line --index 5 --regexp "^$time_ - killed $target $EUID signal_target - status=TERM\$"
    local -a told=("${lines[@]}")
    wait_exit target 143
    # The same senders.
    [ "${#lines[@]}" -eq 4 ]
    assert_line --index 1 "10 0 $BASHPID $EUID 0"
    assert_line --index 2 --regexp "^37 -1 $(cut -d ' ' -f 4 <<<"${told[1]}") $EUID -7\$"
    assert_line --index 3 --regexp "^12 -6 $(cut -d ' ' -f 4 <<<"${told[2]}") $EUID 0\$"
}

@test "codes: timer, mesgq, the changes of a child, and a mistake that the processor has found" {
    run_tool 0 sigwatch USR1 -- "$helper" timer 42
    [[ $stderr =~ ' USR1 timer - - - 42 timer='[0-9]+' overrun=0 to=' ]]
    make_queue /sigtrace
    spawn target "$helper" message /sigtrace 5
    wait_until grep -q registered "$(out target)"
    watch "${pid[target]}"
    mqsend /sigtrace x
    wait_exit watch 0
    assert_line --index 0 --regexp "^$time_ USR1 mesgq [0-9]+ $EUID (mqsend|-) 5 to=${pid[target]}\$"
    run_tool 0 sigwatch CHLD -- python3 -c '
import os, signal
child = os.fork()
if child == 0:
    while True:
        signal.pause()
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
signal.signal(signal.SIGCHLD, lambda *_: None)
for number in signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL:
    os.kill(child, number)
    os.read(reader, 1)'
    [ "$(sed -n 's/.* CHLD \([a-z]*\) [0-9]* [0-9]* .* \(status=[A-Z]*\) to=[0-9]*$/\1 \2/p' <<<"$stderr")" = \
        $'stopped status=STOP\ncontinued status=CONT\nkilled status=KILL' ]
    ulimit -c 0
    run_tool 139 sigwatch -J -- python3 -c 'import ctypes; ctypes.string_at(16)'
    [[ $stderr == *'"signal":"SEGV","number":11,"code":"maperr","address":16,"to":'* ]]
    [[ $stderr == *'"code":"killed","pid":'*'"status":11}'* ]]
}

@test "SIGNAL: those alone, and the end" {
    start_target 1
    watch "${pid[target]}" USR2 RTMIN
    kill -USR1 "${pid[target]}"
    wait_until got 1
    kill -USR2 "${pid[target]}"
    wait_until told 1
    kill -KILL "${pid[target]}"
    wait_exit watch 0
    [ "$(cut -d ' ' -f 2,3 <<<"$output" | tr '\n' ';')" = 'USR2 user;- killed;' ]
    [[ ${lines[1]} == *status=KILL ]]
}

@test "-c and -w: it ends, and the target goes on" {
    start_target 1
    watch "${pid[target]}" -c 2
    kill -USR1 "${pid[target]}"
    wait_until told 1
    kill -USR2 "${pid[target]}"
    wait_exit watch 0
    [ "${#lines[@]}" -eq 2 ]
    run_tool 124 sigwatch -p "${pid[target]}" -w 50ms
    assert_output ''
    kill -USR1 "${pid[target]}"
    wait_until got 3
}

@test "threads: those that are there, and those that come; which of them gets a signal" {
    start_target 4
    local target=${pid[target]} thread
    watch "$target"
    local threads=("/proc/$target/task/"*)
    [ "${#threads[@]}" -eq 4 ]
    local count=0
    for thread in "${threads[@]##*/}"; do
        "$helper" thread "$target" "$thread" USR1
        wait_until told $((++count))
    done
    kill -TERM "$target"
    wait_exit watch 0
    [ "$(sed -n 's/.* USR1 .* to=//p' <<<"$output" | sort)" = "$(printf '%s\n' "${threads[@]##*/}" | sort)" ]
    # The end of a thread is none of a process.
    [ "$(grep -c ' - killed ' <<<"$output")" -eq 1 ]
    # One that makes and ends threads all the time.
    mkfifo end
    spawn target python3 -c '
import signal, sys, threading
signal.signal(signal.SIGUSR1, lambda *_: print("got", flush=True))
end = []
threading.Thread(target=lambda: (open("end").read(), end.append(1))).start()
print("ready", flush=True)
while not end:
    thread = threading.Thread(target=len, args=("",))
    thread.start()
    thread.join()'
    wait_until grep -q ready "$(out target)"
    watch "${pid[target]}"
    local i
    for i in 1 2 3 4 5; do
        kill -USR1 "${pid[target]}"
        wait_until told "$i"
        wait_until got "$i"
    done
    echo >end
    wait_exit watch 0
    [[ ${lines[-1]} == *' - exited '*' status=0' ]]
    wait_exit target 0
}

@test "many signals to many threads: none lost or doubled, for the target nor for us" {
    start_target 4
    watch "${pid[target]}" RTMIN+1
    "$helper" queue "${pid[target]}" RTMIN+1 1 3000
    wait_until got 3000
    kill -TERM "${pid[target]}"
    wait_exit watch 0
    sed -n 's/.* RTMIN+1 queue [^ ]* [^ ]* [^ ]* \([0-9]*\) to=.*/\1/p' <<<"$output" | sort -n | cmp - <(seq 3000)
    wait_exit target 143
    tail -n +2 <<<"$output" | cut -d ' ' -f 5 | sort -n | cmp - <(seq 3000)
}

@test "a program that is stopped and continued, whose watchers are killed: each signal arrives once" {
    run_tool 0 "$BATS_TEST_DIRNAME/soak/signals" --seconds 1.5 --threads 4
    assert_line --regexp '^told were [0-9]+ of [0-9]+ signals, each once$'
}

@test "stop and continue: as if nobody looked" {
    start_target 2
    local target=${pid[target]}
    watch "$target"
    local i
    for i in 1 2 3; do
        kill -STOP "$target"
        wait_until has_state "$target" tT
        # It gets nothing now.
        kill -USR1 "$target"
        wait_blocked watch waitid
        [ "$(lines_of target)" -eq "$i" ]
        kill -CONT "$target"
        wait_until got "$i"
        wait_until has_state "$target" SRD
    done
    kill -TERM "$target"
    wait_exit watch 0
    [ "$(grep -c ' STOP user ' <<<"$output")" -eq 3 ]
    [ "$(grep -c ' CONT user ' <<<"$output")" -eq 3 ]
    [ "$(grep -c ' USR1 user ' <<<"$output")" -eq 3 ]
    # The parent is told of the stop. TSTP stops nobody whose process group is orphaned, as ours may
    # be: a child in a group of its own is not.
    run_tool 0 python3 -c '
import os, signal, subprocess
target = subprocess.Popen(["sleep", "1000"], preexec_fn=os.setpgrp)
reader, writer = os.pipe()
watch = subprocess.Popen(["sigwatch", "--ready-fd", str(writer), "-p", str(target.pid)], pass_fds=[writer])
os.read(reader, 1)
for signal_, is_ in (signal.SIGTSTP, os.WIFSTOPPED), (signal.SIGCONT, os.WIFCONTINUED), \
        (signal.SIGTERM, os.WIFSIGNALED):
    target.send_signal(signal_)
    status = os.waitpid(target.pid, os.WUNTRACED | os.WCONTINUED)[1]
    assert is_(status), (signal_, status)
assert watch.wait(20) == 0'
}

@test "however it ends, the target goes on untouched" {
    start_target 3
    local target=${pid[target]} signal count=0
    for signal in TERM INT HUP KILL; do
        watch "$target"
        kill -"$signal" "${pid[watch]}"
        wait_exit watch "$((128 + $(kill -l "$signal")))"
        wait_until is_untraced "$target"
        kill -USR1 "$target"
        wait_until got $((++count))
    done
    # Stopped, it stays so.
    for signal in TERM KILL; do
        watch "$target"
        kill -STOP "$target"
        wait_until has_state "$target" t
        wait_blocked watch waitid
        kill -"$signal" "${pid[watch]}"
        wait_exit watch
        wait_until is_untraced "$target"
        wait_until has_state "$target" T
        kill -CONT "$target"
        wait_until has_state "$target" SR
        kill -USR1 "$target"
        wait_until got $((++count))
    done
}

# bats test_tags=user
@test "killed with a signal in hand, the target gets it" {
    requires strace
    local call
    # Before the signal is looked at, and before it is passed on: the calls after SEIZE.
    for call in 2 3; do
        start_target 1
        spawn_ready watch strace -qq -o trace -e inject=ptrace:signal=KILL:when="$call" \
            sigwatch --ready-fd 9 -p "${pid[target]}"
        kill -USR1 "${pid[target]}"
        wait_exit watch 137
        wait_until got 1
        wait_until is_untraced "${pid[target]}"
        kill -KILL "${pid[target]}"
        wait_exit target 137
    done
}

# bats test_tags=user
@test "--children: those that are there, those that come, and the end of each" {
    mkfifo go
    exec 8<>go
    spawn target sh -c 'sleep 1000 & echo $!; read -r _ <&8; sh -c "kill -USR1 \$\$" 8<&-; sleep 1000 & echo $!; wait'
    wait_until test -s "$(out target)"
    local first second
    first=$(cat "$(out target)")
    watch "${pid[target]}" --children
    kill -WINCH "$first"
    wait_until told 1
    echo >&8
    wait_until eval '[ "$(lines_of target)" -eq 2 ]'
    second=$(tail -n 1 "$(out target)")
    kill "$first" "$second"
    wait_exit watch 0
    grep -q " WINCH user .* to=$first$" <<<"$output"
    grep -Eq " USR1 (user|tkill) " <<<"$output"
    grep -q " - killed .* status=USR1$" <<<"$output"
    grep -q " - killed $first .* status=TERM$" <<<"$output"
    grep -q " - killed $second .* status=TERM$" <<<"$output"
    grep -q " - exited ${pid[target]} " <<<"$output"
    # Without it, children are let go.
    spawn target sh -c 'read -r _ <&8; sleep 1000 & echo $!; wait'
    watch "${pid[target]}"
    echo >&8
    wait_until test -s "$(out target)"
    first=$(cat "$(out target)")
    wait_until is_untraced "$first"
    kill "$first"
    wait_exit watch 0
    run ! grep "to=$first\$" <<<"$output"
}

@test "children that it was started with, that run, have stopped or ended, are not looked at" {
    start_target 1
    spawn_ready watch sh -c 'sleep 1000 & echo $! >others; sleep 1000 & echo $! >>others
        kill -STOP $!; true & exec sigwatch --ready-fd 9 --children -p "$0"' "${pid[target]}"
    kill "${pid[target]}"
    wait_exit watch 0
    [ "$(cut -d ' ' -f 2,3 <<<"$output")" = $'TERM user\n- killed' ]
    run_tool 3 sh -c 'sleep 1000 >&- 2>&- & echo $! >>others; exec sigwatch -- sh -c "exit 3"'
    [ "${#stderr_lines[@]}" -eq 1 ]
    xargs kill -KILL <others
}

# ---- COMMAND ----

# bats test_tags=user
@test "COMMAND: its signals on stderr, its output and status its own" {
    run_tool 3 sigwatch -- sh -c 'trap "echo got" USR1; kill -USR1 $$; exit 3'
    assert_output got
    [[ ${stderr_lines[0]} =~ ^$time_' USR1 user '([0-9]+)' '$EUID' sh - to='([0-9]+)$ ]]
    [[ ${stderr_lines[1]} =~ ^$time_' - exited '${BASH_REMATCH[1]}' '$EUID' sh - status=3'$ ]]
    run_tool 138 sigwatch USR1 -- sh -c 'kill -USR1 $$'
    [ "${#stderr_lines[@]}" -eq 2 ]
    run_tool 0 sigwatch -- true
    # Its first signal may come before it begins.
    run_tool 143 sigwatch -- sh -c 'kill $$; exit 1'
    run_tool 0 sigwatch USR1 USR2 -- sh -c 'echo "$*"' sh -- a -p 'b  c'
    assert_output -- '-- a -p b  c'
}

@test "COMMAND has the mask, the ignored signals and the stdin of the start" {
    local how
    for how in --default-signal '--block-signal=USR2' '--default-signal --ignore-signal=HUP,PIPE,RTMIN'; do
        # shellcheck disable=SC2086 # words
        env $how grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status >expected
        # shellcheck disable=SC2086 # words
        run_tool 0 env $how sigwatch -- grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status
        assert_output "$(cat expected)"
    done
    run_tool 0 sigwatch -- cat <<<'from stdin'
    assert_output 'from stdin'
}

@test "COMMAND gets the signals that are to end sigwatch, and is waited for" {
    spawn watch sigwatch -- sh -c 'trap "echo asked; exit 5" TERM; echo ready; while :; do sleep 0.01; done'
    wait_until grep -q ready "$(out watch)"
    kill -TERM "${pid[watch]}"
    wait_exit watch 143
    assert_output $'ready\nasked'
    grep -q ' TERM user ' <<<"$stderr"
    grep -q ' - exited .* status=5$' <<<"$stderr"
}

@test "killed, it leaves COMMAND running" {
    spawn watch sigwatch -- sh -c 'echo $$; exec sleep 1000'
    wait_until test -s "$(out watch)"
    local command
    command=$(cat "$(out watch)")
    wait_until grep -q sleep "/proc/$command/comm"
    kill -KILL "${pid[watch]}"
    wait_exit watch 137
    wait_until is_untraced "$command"
    kill -0 "$command"
    kill "$command"
}

# ---- What may not be ----

# bats test_tags=user
@test "no such process, a thread, a zombie, one that is traced already" {
    run_tool 2 sigwatch -p 32768999
    assert_diagnostic sigwatch '32768999: cannot watch: No such process$'
    start_target 2
    local threads=("/proc/${pid[target]}/task/"*)
    run_tool 2 sigwatch -p "${threads[1]##*/}"
    assert_diagnostic sigwatch "${threads[1]##*/}: is a thread of process ${pid[target]}\$"
    watch "${pid[target]}"
    run_tool 2 sigwatch -p "${pid[target]}"
    assert_diagnostic sigwatch \
        "${pid[target]}: cannot watch: Operation not permitted \(it is traced already, by ${pid[watch]} \(sigwatch\)\)"
    spawn parent perl -e 'my $child = fork // die; exit 3 unless $child;
        $| = 1; print "$child\n"; exec "sleep", "1000"'
    wait_until test -s "$(out parent)"
    local zombie
    zombie=$(cat "$(out parent)")
    wait_until has_state "$zombie" Z
    run_tool 2 sigwatch -p "$zombie"
    assert_diagnostic sigwatch "$zombie: cannot watch: .*it has ended"
}

@test "a process whose first thread has ended: that is said" {
    spawn target python3 -c '
import ctypes, threading, time
threading.Thread(target=lambda: (time.sleep(0.01), print("ready", flush=True), time.sleep(1000))).start()
ctypes.CDLL(None).pthread_exit(None)'
    wait_until has_state "${pid[target]}" Z
    wait_until grep -q ready "$(out target)"
    run_tool 2 sigwatch -p "${pid[target]}"
    assert_diagnostic sigwatch "${pid[target]}: cannot watch: .*its first thread has ended"
    # It can be signalled.
    run_tool 0 sigsend "${pid[target]}"
    unset 'pid[target]' # which wait_exit would take for one that has ended already
}

@test "a process of another user" {
    requires root
    spawn target sleep 1000
    run_tool 2 setpriv --reuid 65534 --regid 65534 --clear-groups sigwatch -p "${pid[target]}"
    assert_diagnostic sigwatch "${pid[target]}: cannot watch: .*it belongs to user 0, and we are 65534"
}

@test "what kernel.yama.ptrace_scope forbids is explained" {
    requires root mount
    local other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    # One that may do more is refused by the kernel as yama would refuse it.
    spawn target "${other[@]}" --inh-caps +net_raw --ambient-caps +net_raw sleep 1000
    wait_until grep -q '^Uid:.65534' "/proc/${pid[target]}/status"
    wait_until grep -q '^sleep$' "/proc/${pid[target]}/comm"
    local scope explanation
    while read -r scope explanation; do
        run_tool 2 unshare --mount sh -c 'mount -t tmpfs none /proc/sys/kernel && mkdir /proc/sys/kernel/yama &&
            echo "$0" >/proc/sys/kernel/yama/ptrace_scope && exec "$@"' "$scope" \
            "${other[@]}" sigwatch -p "${pid[target]}"
        assert_diagnostic sigwatch "kernel.yama.ptrace_scope = $scope: .*$explanation"
    done <<'SCOPES'
1 only what it has started.*sigwatch -- COMMAND.*sysctl kernel.yama.ptrace_scope=0
2 CAP_SYS_PTRACE
3 until the system restarts
SCOPES
}
