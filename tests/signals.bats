#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals and time in every call that blocks: stop and continue, interrupt, what was inherited at
# the start, and the clock of -w.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2030,SC2031 # each test has its own
# shellcheck disable=SC2016 # for other shells

load support/lib.bash

posix=/signals
sysv=key:0x7369676e

# ---- Every call that blocks ----

# Each case is WHAT [QUEUE]: begin starts "tool" and waits until it is blocked in $calls; finish lets
# it complete, and checks that all is as if nothing had happened.
mqsend_cases=("read $posix" "room $posix" "room-w $posix" "read $sysv" "room $sysv" "room-w $sysv")
mqreceive_cases=("wait $posix" "wait-w $posix" "write $posix" "command $posix"
    "wait $sysv" "wait-w $sysv" "write $sysv" "command $sysv")
mqnotify_cases=("notify $posix" "notify-w $posix" "poll $posix" "poll-w $posix"
    "notify-write $posix" "notify-command $posix")
sigwatch_cases=(own own-w own-write own-command trace trace-w trace-command)
sigsend_cases=(end end-group)

# What waits until somebody opens and writes the FIFO $0.
late_command='read -r line <"$0"; echo "$line"'

# fill_queue QUEUE: with large messages, then with small ones, until no other has room.
fill_queue() {
    local message status_
    for message in "$(printf '%1000s' '')" x; do
        yes "$message" | mqsend -n "$1" 2>/dev/null || status_=$?
        [ "$status_" -eq 1 ]
    done
}

# new_queue QUEUE: empty, whether it was there or not. Small: RLIMIT_MSGQUEUE is for all of a user's
# queues, whatever namespace they are in.
new_queue() {
    mqctl rm -f "$1"
    case $1 in
    /*) make_queue "$1" --maxmsg 10 --msgsize 1000 ;;
    *) make_queue "$1" ;;
    esac
}

begin() {
    what=$1 queue=${2-}
    fifo=$BATS_TEST_TMPDIR/fifo
    echo "$what $queue"
    [ -z "$queue" ] || new_queue "$queue"
    rm -f "$fifo"
    mkfifo "$fifo"
    case $what in
    read)
        exec 8<>"$fifo"
        calls=(read)
        spawn tool sh -c 'exec "$@" 8>&-' sh mqsend "$queue" <"$fifo"
        ;;
    room)
        fill_queue "$queue"
        calls=(ppoll msgsnd)
        spawn tool mqsend "$queue" y
        ;;
    room-w)
        fill_queue "$queue"
        calls=(ppoll msgsnd)
        spawn tool mqsend -w 1h "$queue" y
        ;;
    wait)
        calls=(ppoll msgrcv)
        spawn tool mqreceive "$queue"
        ;;
    wait-w)
        calls=(ppoll msgrcv)
        spawn tool mqreceive -w 1h "$queue"
        ;;
    write)
        mqsend "$queue" one
        mqsend "$queue" two
        open_full_pipe
        calls=(write)
        spawn_into tool "$fifo" mqreceive -c 2 "$queue"
        ;;
    command)
        mqsend "$queue" one
        calls=(waitid wait4)
        spawn tool mqreceive "$queue" -- sh -c "$late_command" "$fifo"
        ;;
    notify)
        calls=(ppoll)
        spawn_ready tool mqnotify --ready-fd 9 "$queue"
        ;;
    notify-w)
        calls=(ppoll)
        spawn_ready tool mqnotify -w 1h --ready-fd 9 "$queue"
        ;;
    poll)
        calls=(ppoll)
        spawn_ready tool mqnotify -e --ready-fd 9 "$queue"
        ;;
    poll-w)
        calls=(ppoll)
        spawn_ready tool mqnotify -e -w 1h --ready-fd 9 "$queue"
        ;;
    notify-write)
        mqsend "$queue" one
        open_full_pipe
        calls=(write)
        spawn_into tool "$fifo" mqnotify "$queue"
        ;;
    notify-command)
        mqsend "$queue" one
        calls=(waitid wait4)
        spawn tool mqnotify "$queue" -- sh -c "$late_command" "$fifo"
        ;;
    own)
        calls=(ppoll)
        spawn_ready tool sigwatch -c 1 --ready-fd 9 USR2
        ;;
    own-w)
        calls=(ppoll)
        spawn_ready tool sigwatch -c 1 -w 1h --ready-fd 9 USR2
        ;;
    own-write)
        open_full_pipe
        calls=(ppoll)
        spawn_ready tool sh -c 'exec sigwatch -c 1 --ready-fd 9 USR2 >"$0" 7<&- 8>&-' "$fifo"
        kill -USR2 "${pid[tool]}"
        ;;
    own-command)
        calls=(ppoll)
        spawn_ready tool sigwatch -c 1 --ready-fd 9 -x "USR2=read -r line <$fifo; echo \$line"
        kill -USR2 "${pid[tool]}"
        wait_until test -s "$(out tool)"
        ;;
    trace | trace-w)
        calls=(waitid)
        spawn target sleep 1000
        local -a timeout=()
        [ "$what" = trace ] || timeout=(-w 1h)
        spawn_ready tool sigwatch "${timeout[@]}" --ready-fd 9 -p "${pid[target]}"
        ;;
    trace-command)
        calls=(waitid)
        spawn tool sh -c 'exec sigwatch -- "$@" 2>&1' sh sh -c "$late_command" "$fifo"
        ;;
    end)
        calls=(ppoll)
        spawn target sleep 1000
        spawn tool sigsend -s 0 -w 1h "${pid[target]}"
        ;;
    end-group)
        calls=(ppoll)
        spawn target setsid sleep 1000
        wait_until pgrep -g "${pid[target]}"
        spawn tool sigsend -g -s 0 -w 1h "${pid[target]}"
        ;;
    esac
    wait_blocked tool "${calls[@]}"
}

# Whatever the pipe of `read` was for.
close_input() { exec 8>&-; }

finish() {
    case $what in
    read)
        echo message >"$fifo"
        close_input
        wait_exit tool 0
        run_tool 0 mqreceive -a "$queue"
        assert_output message
        ;;
    room*)
        run_tool 0 mqreceive "$queue"
        wait_exit tool 0
        run_tool 0 mqreceive -a "$queue"
        [ "${lines[-1]}" = y ]
        ;;
    wait*)
        mqsend "$queue" message
        wait_exit tool 0
        assert_output message
        ;;
    write)
        read_pipe
        assert_output $'one\ntwo'
        wait_exit tool 0
        [ "$(queued "$queue")" -eq 0 ]
        ;;
    command | notify-command)
        echo go >"$fifo"
        wait_exit tool 0
        assert_output go
        ;;
    notify | notify-w)
        mqsend "$queue" message
        wait_exit tool 0
        assert_output --regexp "^$queue [0-9]+ $EUID\$"
        ;;
    poll*)
        mqsend "$queue" message
        wait_exit tool 0
        assert_output "$queue - -"
        ;;
    notify-write)
        read_pipe
        assert_output "$queue - -"
        wait_exit tool 0
        ;;
    own | own-w)
        kill -USR2 "${pid[tool]}"
        wait_exit tool 0
        assert_output --partial ' USR2 user '
        ;;
    own-write)
        read_pipe
        assert_output --partial ' USR2 user '
        wait_exit tool 0
        ;;
    own-command)
        echo go >"$fifo"
        wait_exit tool 0
        [ "${lines[1]}" = go ]
        ;;
    trace*)
        case $what in
        *-command) echo go >"$fifo" ;;
        *) kill "${pid[target]}" ;;
        esac
        wait_exit tool 0
        # What it is sent itself is not told.
        [ "${#lines[@]}" -eq 2 ]
        assert_line --index 1 --regexp ' - (exited|killed) '
        ;;
    end*)
        kill "${pid[target]}"
        wait_exit tool 0
        assert_output ''
        ;;
    esac
    end_target
}

# Of what watches or waits for another process.
end_target() {
    [ -n "${pid[target]-}" ] || return 0
    kill "${pid[target]}" 2>/dev/null || true
    wait_exit target 143
}

# Is nothing lost, sent or written, after a signal has ended the tool?
check_ended() {
    case $what in
    read)
        close_input
        [ "$(queued "$queue")" -eq 0 ]
        ;;
    room*)
        run_tool 0 mqreceive -a "$queue"
        refute_line y
        ;;
    wait*) assert_output '' ;;
    write)
        read_pipe
        assert_output ''
        [ "$(queued "$queue")" -eq 2 ]
        ;;
    command)
        assert_output ''
        [ "$(queued "$queue")" -eq 1 ]
        ;;
    notify-write | own-write)
        read_pipe
        assert_output ''
        ;;
    own-command) [ "${#lines[@]}" -eq 1 ] ;;
    trace-command) assert_output --regexp ' - killed .* status=(INT|TERM)$' ;;
    *) assert_output '' ;;
    esac
    end_target
}

stop_and_continue() {
    local times=3
    while ((times-- > 0)); do
        kill -STOP "${pid[tool]}"
        wait_until is_stopped tool
        kill -CONT "${pid[tool]}"
        wait_blocked tool "${calls[@]}" restart_syscall
    done
}

each_case() {
    local case_
    for case_ in "${cases[@]}"; do
        # shellcheck disable=SC2086
        begin $case_
        "$@"
    done
}

stop_then_finish() {
    stop_and_continue
    finish
    assert_no_stderr
}

end_by() {
    local number
    number=$(kill -l "$1")
    kill -"$1" "${pid[tool]}"
    wait_exit tool "$((128 + number))"
    # EINTR is no reason that anybody wants to read.
    if grep -q '^[ms].*Interrupted system call' "$(err tool)"; then
        fail "$stderr"
    fi
    check_ended
}

@test "mqsend: stop and continue change nothing" {
    cases=("${mqsend_cases[@]}")
    each_case stop_then_finish
}

@test "mqreceive: stop and continue change nothing" {
    cases=("${mqreceive_cases[@]}")
    each_case stop_then_finish
}

@test "mqnotify: stop and continue change nothing" {
    cases=("${mqnotify_cases[@]}")
    each_case stop_then_finish
}

@test "sigwatch: stop and continue change nothing" {
    requires ptrace
    cases=("${sigwatch_cases[@]}")
    each_case stop_then_finish
}

@test "sigsend: stop and continue change nothing" {
    cases=("${sigsend_cases[@]}")
    each_case stop_then_finish
}

@test "what happens while it is stopped is seen when it goes on" {
    for case_ in "wait $posix" "wait $sysv" "notify $posix" "poll $posix" "room $posix" \
        "room $sysv" "read $posix"; do
        # shellcheck disable=SC2086
        begin $case_
        kill -STOP "${pid[tool]}"
        wait_until is_stopped tool
        # Once, by the first message or room there is.
        (
            sleep 0.01
            kill -CONT "${pid[tool]}"
        ) 3>&- &
        finish
        wait "$!"
    done
}

@test "mqsend: INT and TERM end it by that signal" {
    cases=("${mqsend_cases[@]}")
    each_case end_by INT
    each_case end_by TERM
}

@test "mqreceive: INT and TERM end it by that signal" {
    cases=("${mqreceive_cases[@]}")
    each_case end_by INT
    each_case end_by TERM
}

@test "mqnotify: INT and TERM end it by that signal" {
    cases=("${mqnotify_cases[@]}")
    each_case end_by INT
    each_case end_by TERM
}

@test "sigwatch: INT and TERM end it by that signal" {
    requires ptrace
    cases=("${sigwatch_cases[@]}")
    each_case end_by INT
    each_case end_by TERM
}

@test "sigsend: INT and TERM end it by that signal" {
    cases=("${sigsend_cases[@]}")
    each_case end_by INT
    each_case end_by TERM
}

# has_child PID: its only one, in $child.
has_child() {
    read -r child <"/proc/$1/task/$1/children"
    [ -n "$child" ]
}

# bats test_tags=user
@test "as the first of its PID namespace, which no signal can kill, it ends all the same" {
    requires pids
    make_queue /first
    local child
    spawn first "${other_pids[@]}" mqreceive /first
    wait_until has_child "${pid[first]}"
    wait_blocked "$child" ppoll
    kill -TERM "$child"
    wait_exit first 143
}

@test "HUP, QUIT, ALRM and a real-time signal end it as well" {
    ulimit -c 0
    cases=("room $posix" "wait $sysv" "notify $posix")
    local signal
    for signal in HUP QUIT ALRM RTMIN+5; do
        local case_
        for case_ in "${cases[@]}"; do
            # shellcheck disable=SC2086
            begin $case_
            end_by "$signal"
        done
    done
}

@test "a signal's death is one: not an exit with its number" {
    for queue in "$posix" "$sysv"; do
        new_queue "$queue"
        fill_queue "$queue"
    done
    new_queue /empty
    make_queue key:0x656d7074
    run_tool 0 python3 -c '
import signal, subprocess, sys, time
for command in ["mqsend", sys.argv[1], "m"], ["mqsend", sys.argv[2], "m"], \
        ["mqsend", "/empty"], ["mqreceive", "/empty"], ["mqreceive", "key:0x656d7074"], \
        ["mqreceive", sys.argv[1], "--", "sleep", "1000"], ["mqnotify", "/empty"], \
        ["mqnotify", "-e", "/empty"], ["mqnotify", sys.argv[1], "--", "sleep", "1000"], \
        ["sigwatch"], ["sigwatch", "--", "sleep", "1000"], ["sigsend", "-s0", "-w1h", sys.argv[3]]:
    for number in signal.SIGINT, signal.SIGTERM:
        process = subprocess.Popen(["env", "--default-signal", *command], stdin=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        state = ""
        while state != "S":
            with open(f"/proc/{process.pid}/stat") as stat:
                state = stat.read().rpartition(") ")[2][0]
        process.send_signal(number)
        status = process.wait(20)
        process.stdin.close()
        assert status == -number, (command, number, status)' "$posix" "$sysv" $$
}

@test "a signal ends mqsend also while its stderr is stuck" {
    new_queue "$posix"
    for signal in INT TERM; do
        open_full_pipe
        spawn tool sh -c 'exec "$@" 2>"$0" 7<&- 8>&-' "$fifo" mqsend -v "$posix" message
        wait_blocked tool write
        kill -"$signal" "${pid[tool]}"
        wait_exit tool "$((128 + $(kill -l "$signal")))"
        exec 7<&- 8>&-
    done
}

@test "SIGUSR1 in any of them: a report, and it goes on" {
    local case_
    for case_ in "${mqsend_cases[@]}" "${mqreceive_cases[@]}"; do
        case $case_ in command*) continue ;; esac
        # shellcheck disable=SC2086
        begin $case_
        kill -USR1 "${pid[tool]}"
        wait_until test -s "$(err tool)"
        wait_blocked tool "${calls[@]}" restart_syscall
        finish
        [ "$(wc -l <"$(err tool)")" -eq 1 ]
    done
}

@test "the input that was read and not sent is left in a file, when a signal comes" {
    for queue in "$posix" "$sysv"; do
        for signal in INT TERM; do
            new_queue "$queue"
            printf '%s\n' one two three >"$BATS_TEST_TMPDIR/input"
            fill_queue "$queue"
            rest=$'one\ntwo\nthree'
            if [ "$queue" = "$posix" ]; then
                # Room for one.
                run_tool 0 mqreceive "$queue"
                rest=$'two\nthree'
            fi
            exec 6<"$BATS_TEST_TMPDIR/input"
            spawn tool mqsend "$queue" <&6
            wait_blocked tool ppoll msgsnd
            kill -"$signal" "${pid[tool]}"
            wait_exit tool "$((128 + $(kill -l "$signal")))"
            run_tool 0 cat <&6
            exec 6<&-
            assert_output "$rest"
            run_tool 0 mqreceive -a "$queue"
            refute_line two
            [ "$queue" = "$sysv" ] || assert_line one
        done
    done
}

# ---- Time ----

# Each command that ends with 124: the queues /empty and key:0x656d7074 are empty, /full and
# key:0x66756c6c are full.
timed=(
    'mqreceive -w 50ms /empty'
    'mqreceive -w 50ms key:0x656d7074'
    'mqreceive -w 50ms key:0x656d7074 -- true'
    'mqreceive -w 50ms -t 5 key:0x66756c6c'
    'mqsend -w 50ms /full message'
    'mqsend -w 50ms key:0x66756c6c message'
    'mqnotify -w 50ms /empty'
    'mqnotify -w 50ms -e /empty'
    'mqnotify -w 50ms -f /empty -- true'
    'sigwatch -w 50ms USR2'
    "sigsend -s 0 -w 50ms $$"
)
make_timed() {
    new_queue /empty
    make_queue key:0x656d7074
    new_queue /full
    make_queue key:0x66756c6c
    fill_queue /full
    fill_queue key:0x66756c6c
}

@test "-w ends all of them, whatever signals were blocked or ignored at the start" {
    make_timed
    for how in --default-signal --block-signal --ignore-signal \
        '--block-signal --ignore-signal' '--ignore-signal=ALRM,RTMIN,RTMIN+1,USR1,TERM'; do
        for command in "${timed[@]}"; do
            echo "$how $command"
            # shellcheck disable=SC2086
            run_tool 124 env $how $command
        done
    done
}

@test "-w counts through stop, continue and other signals" {
    make_timed
    for command in "${timed[@]}"; do
        echo "$command"
        harmless=(STOP CONT WINCH)
        [[ $command != mq[sr]* ]] || harmless+=(USR1)
        # shellcheck disable=SC2086
        spawn tool ${command/50ms/400ms}
        wait_blocked tool ppoll msgrcv msgsnd
        # One after the other until it has ended: none of them begins its time anew.
        while ! ended "${pid[tool]}"; do
            for signal in "${harmless[@]}"; do
                kill -"$signal" "${pid[tool]}" 2>/dev/null || true
            done
            sleep 0.01
            ((++rounds < 100 * PATIENCE))
        done
        wait_exit tool 124
    done
}

@test "-w goes by the monotonic clock" {
    requires strace
    make_timed
    local trace=$BATS_TEST_TMPDIR/trace
    for command in "${timed[@]}"; do
        echo "$command"
        # shellcheck disable=SC2086
        run_tool 124 strace -qq -o "$trace" $command
        # A POSIX queue's own timeout is an absolute time of the wall clock: it must not be waited for.
        run grep -E '^mq_timed(send|receive)\(' "$trace"
        [[ $command != mqreceive*/* && $command != mqsend*/* ]] || [ "${#lines[@]}" -gt 0 ]
        for line in "${lines[@]}"; do
            [[ $line == *'{tv_sec=0, tv_nsec=0})'* ]] || fail "$line"
        done
        run ! grep -E 'CLOCK_REALTIME|^(alarm|setitimer)\(' "$trace"
        if [[ $command == *key:* ]]; then
            grep -q 'timer_create(CLOCK_MONOTONIC' "$trace"
        fi
    done
}

# ---- What was inherited ----

@test "a signal that was ignored or blocked at the start does not end it" {
    for case_ in 'mqreceive /wait' 'mqreceive key:0x77616974' 'mqnotify /wait' 'mqnotify -e /wait'; do
        read -r tool arguments <<<"$case_"
        queue=${arguments##* }
        for how in --ignore-signal=INT,TERM,HUP,QUIT --block-signal=INT,TERM,HUP,QUIT; do
            echo "$how $case_"
            new_queue "$queue"
            # shellcheck disable=SC2086
            spawn tool env "$how" $tool $arguments
            wait_blocked tool ppoll msgrcv
            for signal in INT TERM HUP QUIT; do
                kill -"$signal" "${pid[tool]}"
            done
            wait_blocked tool ppoll msgrcv
            mqsend "$queue" message
            wait_exit tool 0
            [ "${#lines[@]}" -eq 1 ]
            assert_no_stderr
        done
    done
}

@test "mqnotify is notified, whatever was blocked or ignored at the start" {
    for how in --block-signal --ignore-signal '--block-signal --ignore-signal'; do
        echo "$how"
        new_queue "$posix"
        # shellcheck disable=SC2086
        spawn_ready tool env $how mqnotify --ready-fd 9 "$posix"
        mqsend "$posix" message
        wait_exit tool 0
        assert_output --regexp "^$posix [0-9]+ $EUID\$"
    done
}

@test "an ignored SIGCHLD does not hide how COMMAND ended" {
    new_queue "$posix"
    mqsend "$posix" message
    run_tool 0 env --ignore-signal=CHLD mqnotify "$posix" -- true
    assert_no_stderr
    run_tool 5 env --ignore-signal=CHLD mqnotify "$posix" -- sh -c 'exit 5'
    assert_no_stderr
}

@test "COMMAND of mqnotify gets the inherited mask and ignored signals unchanged" {
    new_queue "$posix"
    mqsend "$posix" message
    for how in --default-signal '--block-signal=USR1,ALRM,TERM,RTMIN,RTMIN+1,PIPE' \
        '--default-signal --ignore-signal=HUP,INT,PIPE,XFSZ,USR1,RTMIN,RTMIN+1' --block-signal; do
        # shellcheck disable=SC2086
        expected=$(env $how grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status)
        # shellcheck disable=SC2086
        run_tool 0 env $how mqnotify "$posix" -- grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status
        echo "$how"
        assert_output "$expected"
    done
}

# into_nothing COMMAND...: with a pipe without reader as stdout.
into_nothing='
    mkfifo "$0"
    exec 9<>"$0" 8>"$0" 9>&-
    exec "$@" >&8 8>&-'

@test "SIGPIPE, ignored or not: a reader that is gone is status 2 and a line" {
    for how in --default-signal=PIPE --ignore-signal=PIPE --block-signal=PIPE; do
        for command in "mqreceive $posix" "mqreceive $sysv" "mqreceive -f $posix" \
            "mqnotify $posix" "mqnotify -f $posix" "mqctl show $posix" "mqctl create $posix"; do
            echo "$how $command"
            new_queue "$posix"
            new_queue "$sysv"
            mqsend "$posix" message
            mqsend "$sysv" message
            rm -f "$BATS_TEST_TMPDIR/nothing"
            # shellcheck disable=SC2086
            run_tool 2 env "$how" sh -c "$into_nothing" "$BATS_TEST_TMPDIR/nothing" $command
            assert_diagnostic "${command%% *}" 'stdout: cannot write: Broken pipe'
            [ "$(queued "$posix")" -eq 1 ]
            [ "$(queued "$sysv")" -eq 1 ]
        done
    done
}
