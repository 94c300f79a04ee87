#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# mqreceive: what it takes, how it waits and ends, what it writes when, and how it runs COMMAND.
# What becomes of messages that cannot be delivered is in putback.bats.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2030,SC2031 # each test has its own
# shellcheck disable=SC2016,SC2086 # scripts for other shells; lists of options

load support/lib.bash

posix=/receive
sysv=key:0x72637631
both=("$posix" "$sysv")

# A function cannot go behind timeout.
as_other=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)

# ---- Helpers ----

# new_queue QUEUE [OPTION]...: empty, whether it was there or not. Small: RLIMIT_MSGQUEUE is for all
# of a user's queues, whatever namespace they are in.
new_queue() {
    mqctl rm -f -- "$1"
    case "$*" in
    /*--msgsize*) make_queue "$@" ;;
    /*) make_queue "$@" --msgsize 1000 ;;
    *) make_queue "$@" ;;
    esac
}

# send QUEUE RECORD...: each with its priority and a tab before it, or without.
send() {
    local record
    for record in "${@:2}"; do
        case $record in
        *$'\t'*) printf '%s\n' "$record" | mqsend -P "$1" ;;
        *) mqsend "$1" "$record" ;;
        esac
    done
}

# waiting NAME QUEUE: until what was spawned waits for a message.
waiting() { wait_blocked "$1" ppoll msgrcv; }

# has_line FILE LINE: for wait_until.
has_line() { grep -Fxq -- "$2" "$1"; }

# exec_with_queue FLAGS QUEUE COMMAND...: becomes COMMAND, with descriptor 7 on the POSIX queue as
# mq_open(3) gives it. FLAGS is O_RDONLY, O_RDWR|O_NONBLOCK ...
exec_with_queue() {
    exec python3 -IS -c '
import ctypes, os, sys
library = ctypes.CDLL(None)
if not hasattr(library, "mq_open"):
    library = ctypes.CDLL("librt.so.1")
flags = 0
for name in sys.argv[1].split("|"):
    flags |= getattr(os, name)
fd = library.mq_open(sys.argv[2].encode(), flags)
assert fd >= 0
os.dup2(fd, 7)
os.execvp(sys.argv[3], sys.argv[3:])' "$@"
}
export -f exec_with_queue

# ---- How many ----

@test "one message by default" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two three
        run_tool 0 mqreceive "$queue"
        assert_output one
        assert_no_stderr
        [ "$(queued "$queue")" -eq 2 ]
    done
}

@test "it waits for a message" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        spawn receiver mqreceive "$queue"
        waiting receiver
        send "$queue" late
        wait_exit receiver 0
        assert_output late
    done
}

@test "-c N takes N messages, and waits for those that are not there yet" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two three
        run_tool 0 mqreceive -c 2 "$queue"
        assert_output $'one\ntwo'
        spawn receiver mqreceive -c 3 "$queue"
        waiting receiver
        send "$queue" four
        waiting receiver
        send "$queue" five six
        wait_exit receiver 0
        assert_output $'three\nfour\nfive'
        [ "$(queued "$queue")" -eq 1 ]
    done
}

@test "-c 0 takes nothing and does not wait" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        run_tool 0 mqreceive -c 0 "$queue"
        assert_output ''
        send "$queue" one
        run_tool 0 mqreceive -c 0 "$queue"
        assert_output ''
        run_tool 0 mqreceive -c 0 "$queue" -- false
        [ "$(queued "$queue")" -eq 1 ]
    done
}

@test "-a takes all that is queued; 1 and silence if there is nothing" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        run_tool 1 mqreceive -a "$queue"
        assert_output ''
        assert_no_stderr
        send "$queue" one two three
        run_tool 0 mqreceive -a "$queue"
        assert_output $'one\ntwo\nthree'
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "-a does not take what arrives after the start" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two three
        open_full_pipe
        # Stuck with its first message.
        spawn_into receiver "$fifo" mqreceive -u -a "$queue"
        wait_blocked receiver write
        send "$queue" four five
        read_pipe
        assert_output $'one\ntwo\nthree'
        wait_exit receiver 0
        run_tool 0 mqreceive -a "$queue"
        assert_output $'four\nfive'
    done
}

@test "-a with -t: all are counted where the kernel cannot copy messages" {
    requires strace
    for error in ENOSYS EINVAL; do
        new_queue "$sysv"
        send "$sysv" $'1\ta' $'2\tb' $'1\tc'
        run_tool 0 strace -qq -o /dev/null -e trace=msgrcv -e inject=msgrcv:error=$error:when=1 \
            mqreceive -a -t 1 "$sysv"
        assert_output $'a\nc'
        [ "$(queued "$sysv")" -eq 1 ]
    done
}

@test "-a with -t counts messages of that type alone" {
    requires peek
    new_queue "$sysv"
    send "$sysv" $'1\ta' $'2\tb' $'1\tc' $'3\td'
    run_tool 1 mqreceive -a -t 9 "$sysv"
    open_full_pipe
    spawn_into receiver "$fifo" mqreceive -u -a -t 1 "$sysv"
    wait_blocked receiver write
    send "$sysv" $'1\te' $'1\tf'
    read_pipe
    assert_output $'a\nc'
    wait_exit receiver 0
    open_full_pipe
    spawn_into receiver "$fifo" mqreceive -u -a --except 1 "$sysv"
    wait_blocked receiver write
    send "$sysv" $'2\tg'
    read_pipe
    assert_output $'b\nd'
    wait_exit receiver 0
    # By type, as msgrcv(2) gives them.
    open_full_pipe
    spawn_into receiver "$fifo" mqreceive -u -a -t -2 "$sysv"
    wait_blocked receiver write
    send "$sysv" $'2\th' $'3\ti'
    read_pipe
    assert_output $'e\nf\ng'
    wait_exit receiver 0
    run_tool 0 mqreceive -a "$sysv"
    assert_output $'h\ni'
}

@test "-a ends when other receivers have taken what was there" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two three
        open_full_pipe
        spawn_into receiver "$fifo" mqreceive -u -a "$queue"
        wait_blocked receiver write
        run_tool 0 mqreceive "$queue"
        assert_output two
        read_pipe
        assert_output $'one\nthree'
        wait_exit receiver 0
    done
}

@test "-f goes on until a signal" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one
        spawn receiver mqreceive -f "$queue"
        wait_until has_line "$(out receiver)" one
        waiting receiver
        send "$queue" two
        wait_until has_line "$(out receiver)" two
        kill -TERM "${pid[receiver]}"
        wait_exit receiver 143
        assert_output $'one\ntwo'
        assert_no_stderr
    done
}

@test "-c, -a and -f exclude each other" {
    new_queue "$posix"
    for options in '-a -f' '-a -c 1' '-f -c 1'; do
        run_tool 2 mqreceive $options "$posix"
        assert_diagnostic mqreceive '; see mqreceive --help$'
    done
}

@test "options come before QUEUE, and one QUEUE is all" {
    new_queue "$posix"
    for operand in -n "$sysv"; do
        run_tool 2 mqreceive "$posix" "$operand"
        assert_diagnostic mqreceive "unexpected operand '$operand'.*; see mqreceive --help$"
    done
}

# ---- Removal ----

@test "-f ends with 0 when the queue is removed" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        spawn receiver mqreceive -f "$queue"
        waiting receiver
        mqctl rm "$queue"
        wait_exit receiver 0
        assert_output ''
        assert_no_stderr
    done
}

@test "-f takes what remains in a POSIX queue that is removed" {
    new_queue "$posix"
    spawn receiver mqreceive -f "$posix"
    waiting receiver
    kill -STOP "${pid[receiver]}"
    wait_until is_stopped receiver
    send "$posix" one two three
    mqctl rm "$posix"
    kill -CONT "${pid[receiver]}"
    wait_exit receiver 0
    assert_output $'one\ntwo\nthree'
    assert_no_stderr
}

@test "-f notices the removal without inotify" {
    requires strace
    new_queue "$posix"
    trace=$BATS_TEST_TMPDIR/trace
    spawn receiver strace -qq -o "$trace" -e trace=inotify_init1 \
        -e inject=inotify_init1:error=EMFILE mqreceive -f "$posix"
    wait_until grep -q INJECTED "$trace"
    send "$posix" one
    wait_until has_line "$(out receiver)" one
    mqctl rm "$posix"
    wait_exit receiver 0
    assert_output one
    assert_no_stderr
}

@test "-f with COMMAND ends with 0 too" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one
        spawn receiver mqreceive -f "$queue" -- cat
        wait_until grep -q one "$(out receiver)"
        waiting receiver
        mqctl rm "$queue"
        wait_exit receiver 0
        assert_output one
    done
}

@test "-f ends with 0 when COMMAND removes the queue" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one
        run_tool 0 mqreceive -f "$queue" -- sh -c 'cat; mqctl rm "$1"' sh "$queue"
        assert_output one
        assert_no_stderr
    done
}

@test "without -f, removal while it waits is trouble" {
    for queue in "${both[@]}"; do
        for options in '' '-w 60' '-c 3'; do
            new_queue "$queue"
            spawn receiver mqreceive $options "$queue"
            waiting receiver
            mqctl rm "$queue"
            wait_exit receiver 2
            assert_diagnostic mqreceive "^mqreceive: $queue: "
            [ -z "$output" ]
        done
        new_queue "$queue"
        spawn receiver mqreceive "$queue" -- true
        waiting receiver
        mqctl rm "$queue"
        wait_exit receiver 125
        assert_diagnostic mqreceive
    done
}

@test "without -f, what was taken before the removal is written" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two
        spawn receiver mqreceive -c 3 "$queue"
        waiting receiver
        mqctl rm "$queue"
        wait_exit receiver 2
        [ "$output" = $'one\ntwo' ]
    done
}

# ---- Waiting ----

@test "-n does not wait: 1 and silence" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        run_tool 1 mqreceive -n "$queue"
        assert_output ''
        assert_no_stderr
        send "$queue" one two
        run_tool 0 mqreceive -n "$queue"
        assert_output one
        run_tool 1 mqreceive -n -c 5 "$queue"
        assert_output two
    done
}

@test "-w: 124 when no message came in time" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        for duration in 0 0.05 30ms; do
            run_tool 124 mqreceive -w "$duration" "$queue"
            assert_output ''
            assert_no_stderr
        done
        # Each message has its own time, and what came is written.
        send "$queue" one two
        run_tool 124 mqreceive -f -w 20ms "$queue"
        assert_output $'one\ntwo'
        send "$queue" three
        run_tool 0 mqreceive -w 0 "$queue"
        assert_output three
        spawn receiver mqreceive -w 1h "$queue"
        waiting receiver
        send "$queue" four
        wait_exit receiver 0
        assert_output four
    done
}

@test "-w: each message starts it anew" {
    requires strace
    trace=$BATS_TEST_TMPDIR/trace
    for queue in "${both[@]}"; do
        new_queue "$queue"
        rm -f "$trace"
        # The first delivery takes two seconds.
        spawn receiver strace -qq -e trace=write,ppoll,timer_settime -o "$trace" \
            -e inject=write:delay_exit=2000000:when=1 mqreceive -f -w 100 "$queue"
        wait_until test -e "$trace"
        wait_until grep -q 'tv_sec=9[0-9],' "$trace"
        send "$queue" one
        wait_until waits_after_delay "$trace"
        # Some of the new time may have passed: then another message shows it.
        wait_until eval 'waits_after_delay "$trace" | grep -q "tv_sec=9[89]," || { send "$queue" one; false; }'
        mqctl rm "$queue"
        wait_exit receiver 0
        assert_line --index 0 one
    done
}

# waits_after_delay TRACE: the long waits that began after the call that was delayed.
waits_after_delay() { [ -e "$1" ] && sed -n '/(DELAYED)/,$p' "$1" | grep 'tv_sec=9[0-9],'; }

@test "-n and -w exclude each other" {
    new_queue "$posix"
    run_tool 2 mqreceive -n -w 1 "$posix"
    assert_diagnostic mqreceive
}

# ---- Priorities and types ----

@test "a POSIX queue gives the highest priority first, the oldest among equals" {
    new_queue "$posix"
    send "$posix" $'1\tlow' $'32767\thighest' $'5\tolder' $'5\tnewer' $'0\tlowest'
    run_tool 0 mqreceive -aP "$posix"
    assert_output $'32767\thighest\n5\tolder\n5\tnewer\n1\tlow\n0\tlowest'
}

@test "-t N, -t -N and --except select as msgrcv(2) does" {
    new_queue "$sysv"
    send "$sysv" $'3\ta' $'2\tb' $'1\tc' $'2\td' $'9223372036854775807\te'
    run_tool 0 mqreceive -P -t 2 "$sysv"
    assert_output $'2\tb'
    run_tool 0 mqreceive -P -t -2 "$sysv"
    assert_output $'1\tc'
    run_tool 0 mqreceive -P -t -2 "$sysv"
    assert_output $'2\td'
    run_tool 1 mqreceive -n -t -2 "$sysv"
    run_tool 0 mqreceive -P --except 3 "$sysv"
    assert_output $'9223372036854775807\te'
    run_tool 1 mqreceive -n --except 3 "$sysv"
    run_tool 1 mqreceive -n -t 7 "$sysv"
    run_tool 0 mqreceive -P -t 0 "$sysv"
    assert_output $'3\ta'
    send "$sysv" $'9223372036854775807\tf' $'4\tg'
    run_tool 0 mqreceive -P -t -9223372036854775807 "$sysv"
    assert_output $'4\tg'
    run_tool 0 mqreceive -P -t 9223372036854775807 "$sysv"
    assert_output $'9223372036854775807\tf'
}

@test "a type is waited for while others lie there" {
    new_queue "$sysv"
    send "$sysv" $'1\ta'
    run_tool 124 mqreceive -w 10ms -t 2 "$sysv"
    spawn receiver mqreceive -t 2 "$sysv"
    waiting receiver
    send "$sysv" $'1\tb'
    waiting receiver
    send "$sysv" $'2\tc'
    wait_exit receiver 0
    assert_output c
    spawn receiver mqreceive --except 1 "$sysv" -- cat
    waiting receiver
    send "$sysv" $'3\td'
    wait_exit receiver 0
    assert_output d
    [ "$(queued "$sysv")" -eq 2 ]
}

@test "types are refused on POSIX queues, and where they make no sense" {
    new_queue "$posix"
    new_queue "$sysv"
    send "$posix" one
    send "$sysv" one
    for option in '-t 1' '-t -1' '--except 1'; do
        run_tool 2 mqreceive $option "$posix"
        assert_diagnostic mqreceive
    done
    for option in '--except 0' '--except -1' '-t x' '-t 9223372036854775808' '-t 1 --except 2'; do
        run_tool 2 mqreceive $option "$sysv"
        assert_diagnostic mqreceive
    done
    [ "$(queued "$posix")" -eq 1 ]
    [ "$(queued "$sysv")" -eq 1 ]
}

# ---- --peek ----

@test "--peek shows and takes nothing" {
    requires peek
    new_queue "$sysv"
    run_tool 1 mqreceive --peek "$sysv"
    assert_no_stderr
    run_tool 1 mqreceive --peek -a "$sysv"
    assert_output ''
    send "$sysv" $'3\ta' $'1\tb' $'2\tc'
    run_tool 0 mqreceive --peek -P "$sysv"
    assert_output $'3\ta'
    run_tool 0 mqreceive --peek -P -c 2 "$sysv"
    assert_output $'3\ta\n1\tb'
    run_tool 0 mqreceive --peek -aP "$sysv"
    assert_output $'3\ta\n1\tb\n2\tc'
    run_tool 0 mqreceive --peek -aJ "$sysv"
    assert_line '{"priority":2,"size":1,"data":"c"}'
    [ "$(queued "$sysv")" -eq 3 ]
    run_tool 0 mqreceive -aP "$sysv"
    assert_output $'3\ta\n1\tb\n2\tc'
}

@test "--peek to a full disk puts nothing back" {
    requires peek
    new_queue "$sysv"
    send "$sysv" one two
    run_tool 2 sh -c 'mqreceive --peek -a "$1" >/dev/full' sh "$sysv"
    assert_diagnostic mqreceive 'stdout: cannot write: No space left on device'
    run_tool 0 mqreceive -a "$sysv"
    assert_output $'one\ntwo'
}

@test "--peek selects types itself" {
    requires peek
    new_queue "$sysv"
    send "$sysv" $'1\ta' $'2\tb' $'1\tc' $'3\td'
    run_tool 0 mqreceive --peek -a -t 1 "$sysv"
    assert_output $'a\nc'
    run_tool 0 mqreceive --peek -t 3 "$sysv"
    assert_output d
    run_tool 0 mqreceive --peek -a --except 1 "$sysv"
    assert_output $'b\nd'
    run_tool 0 mqreceive --peek -t 0 "$sysv"
    assert_output a
    run_tool 1 mqreceive --peek -t 4 "$sysv"
    run_tool 1 mqreceive --peek -a -t 4 "$sysv"
    [ "$(queued "$sysv")" -eq 4 ]
}

@test "--peek is refused where it cannot be" {
    new_queue "$posix"
    new_queue "$sysv"
    send "$sysv" one
    for option in '-t -1' -f '-w 1'; do
        run_tool 2 mqreceive --peek $option "$sysv"
        assert_diagnostic mqreceive
    done
    run_tool 125 mqreceive --peek "$sysv" -- true
    assert_diagnostic mqreceive
    [ "$(queued "$sysv")" -eq 1 ]
    # Whether the POSIX queue is empty or not.
    for option in -n -a '-c 2' ''; do
        run_tool 2 mqreceive --peek $option "$posix"
        assert_diagnostic mqreceive
    done
    send "$posix" one
    run_tool 2 mqreceive --peek -a "$posix"
    assert_diagnostic mqreceive
    [ "$(queued "$posix")" -eq 1 ]
}

# ---- When output is written ----

@test "a reader sees each message while mqreceive goes on waiting" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        fifo=$BATS_TEST_TMPDIR/fifo
        rm -f "$fifo"
        mkfifo "$fifo"
        exec 7<>"$fifo"
        spawn_into receiver "$fifo" mqreceive -f "$queue"
        for message in one two three; do
            send "$queue" "$message"
            read -r -t "$PATIENCE" line <&7
            [ "$line" = "$message" ]
        done
        kill -INT "${pid[receiver]}"
        wait_exit receiver 130
        exec 7<&-
    done
}

@test "output is gathered into one write, with -u one for each message" {
    requires strace
    for queue in "${both[@]}"; do
        new_queue "$queue"
        for count in '1 -c 5' '5 -u -c 5' '1 -a' '5 -ua' '1 -aJ' '5 -uaJ'; do
            read -r writes options <<<"$count"
            send "$queue" one two three four five
            run_tool 0 strace -qq -e trace=write -o "$BATS_TEST_TMPDIR/trace" \
                mqreceive $options "$queue"
            [ "${#lines[@]}" -eq 5 ]
            echo "$queue $count"
            [ "$(grep -c '^write(1,' "$BATS_TEST_TMPDIR/trace")" -eq "$writes" ]
        done
    done
}

@test "-u takes a message only after the one before is written" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two three
        open_full_pipe
        spawn_into receiver "$fifo" mqreceive -u -c 3 "$queue"
        wait_blocked receiver write
        [ "$(queued "$queue")" -eq 2 ]
        read_pipe
        assert_output $'one\ntwo\nthree'
        wait_exit receiver 0
    done
}

@test "without -u at most 64 KiB are held" {
    requires limits
    set_limit fs.mqueue.msg_max 64
    new_queue "$posix" --maxmsg 40 --msgsize 4096
    for ((i = 0; i < 40; i++)); do printf '%04000d\n' "$i"; done | mqsend "$posix"
    open_full_pipe
    spawn_into receiver "$fifo" mqreceive -c 40 "$posix"
    wait_blocked receiver write
    [ "$(queued "$posix")" -ge 24 ]
    read_pipe
    [ "${#lines[@]}" -eq 40 ]
    wait_exit receiver 0
}

@test "--progress: how much was received, each second and at the end" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two
        spawn receiver mqreceive -c 3 --progress "$queue"
        wait_until grep -q '^mqreceive: 2 records, 6B, ' "$(err receiver)"
        send "$queue" three
        wait_exit receiver 0
        assert_output $'one\ntwo\nthree'
        [[ ${stderr_lines[-1]} =~ ^mqreceive:\ 3\ records,\ 11B,\ [0-9.]+\ s,\ [0-9]+\ records/s ]]
    done
}

@test "--progress on a terminal: each line overwrites the one before" {
    new_queue "$posix"
    on_terminal mqreceive --progress "$posix" >"$BATS_TEST_TMPDIR/shown" 3>&- &
    pid[terminal]=$!
    # Two of them at least, and no end of a line.
    wait_until grep -Eq $'^(\r\e\\[Kmqreceive: 0 records, [^\r]*/s){2,}$' "$BATS_TEST_TMPDIR/shown"
    send "$posix" one
    wait_until ended "${pid[terminal]}"
    grep -Eq $'\r\e\\[Kmqreceive: 1 records, [^\r]*/s$' "$BATS_TEST_TMPDIR/shown"
}

@test "-v tells of messages that hold their delimiter" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        printf 'a\nb' | mqsend -F whole "$queue"
        send "$queue" plain
        run_tool 0 mqreceive -v -c 2 "$queue"
        assert_output $'a\nb\nplain'
        assert_diagnostic mqreceive ': message 1 holds a newline itself$'
        send "$queue" plain
        printf 'a\0b' | mqsend -F whole "$queue"
        run_tool 0 sh -c 'mqreceive -v0 -c 2 "$1" | od -An -c' sh "$queue"
        assert_diagnostic mqreceive ': message 2 holds a NUL itself$'
        printf 'a\nb' | mqsend -F whole "$queue"
        run_tool 0 mqreceive -vJ "$queue"
        assert_no_stderr
    done
}

# ---- Inherited queues: fd:N ----

@test "fd:N receives from an inherited queue" {
    new_queue "$posix"
    for flags in O_RDONLY O_RDWR 'O_RDWR|O_NONBLOCK' 'O_RDONLY|O_NONBLOCK'; do
        send "$posix" $'1\tone' $'2\ttwo'
        run_tool 0 bash -c 'exec_with_queue "$@"' - "$flags" "$posix" mqreceive -aP fd:7
        assert_output $'2\ttwo\n1\tone'
        run_tool 1 bash -c 'exec_with_queue "$@"' - "$flags" "$posix" mqreceive -n fd:7
        run_tool 124 bash -c 'exec_with_queue "$@"' - "$flags" "$posix" mqreceive -w 10ms fd:7
        # A non-blocking one is waited for all the same.
        spawn receiver bash -c 'exec_with_queue "$@"' - "$flags" "$posix" mqreceive fd:7
        waiting receiver
        wait_blocked receiver ppoll
        send "$posix" three
        wait_exit receiver 0
        assert_output three
    done
}

@test "fd:N leaves the flags of the inherited queue alone" {
    new_queue "$posix"
    for flags in O_RDWR 'O_RDWR|O_NONBLOCK'; do
        run_tool 0 bash -c 'exec_with_queue "$@"' - "$flags" "$posix" sh -c '
            sed -n "s/^flags:\t*//p" /proc/self/fdinfo/7
            mqreceive -n fd:7
            mqreceive -w 10ms fd:7
            sed -n "s/^flags:\t*//p" /proc/self/fdinfo/7'
        [ "${#lines[@]}" -eq 2 ]
        [ "$((lines[0] & 04000))" -eq "$((lines[1] & 04000))" ]
    done
}

@test "fd:N without a name still receives" {
    new_queue "$posix"
    send "$posix" one two
    run_tool 0 bash -c 'exec_with_queue "$@"' - O_RDWR "$posix" sh -c '
        mqctl rm "$1"
        mqreceive -a fd:7
        mqreceive -w 10ms fd:7
        echo $?' sh "$posix"
    assert_output $'one\ntwo\n124'
}

@test "fd:N that cannot be received from is refused" {
    new_queue "$posix"
    send "$posix" one
    run_tool 2 bash -c 'exec_with_queue "$@"' - O_WRONLY "$posix" mqreceive fd:7
    assert_diagnostic mqreceive '^mqreceive: fd:7: '
    run_tool 2 sh -c 'mqreceive fd:7 7</dev/null'
    assert_diagnostic mqreceive '^mqreceive: fd:7: .*not a message queue'
    run_tool 2 sh -c 'mqreceive fd:7 7<&-'
    assert_diagnostic mqreceive '^mqreceive: fd:7: .*Bad file descriptor'
    run_tool 125 sh -c 'mqreceive fd:7 7</dev/null -- true'
    assert_diagnostic mqreceive
    [ "$(queued "$posix")" -eq 1 ]
}

# ---- COMMAND ----

@test "COMMAND gets each message on its stdin, in order" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two three
        run_tool 0 mqreceive -c 2 "$queue" -- sh -c 'cat; echo .'
        assert_output $'one.\ntwo.'
        run_tool 0 mqreceive -a "$queue" -- wc -c
        assert_output 5
        printf 'a\0\n\xFFb' | mqsend -F whole "$queue"
        run_tool 0 mqreceive "$queue" -- od -An -tx1
        assert_output ' 61 00 0a ff 62'
        mqsend "$queue" ''
        run_tool 0 mqreceive "$queue" -- wc -c
        assert_output 0
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "its stdin is a sealed memfd" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" message
        run_tool 0 mqreceive "$queue" -- python3 -c '
import fcntl, mmap, os, stat
assert os.readlink("/proc/self/fd/0").startswith("/memfd:")
assert os.lseek(0, 0, os.SEEK_CUR) == 0
assert os.fstat(0).st_size == 7
F_GET_SEALS, SEAL, SHRINK, GROW, WRITE = 1034, 1, 2, 4, 8
seals = fcntl.fcntl(0, F_GET_SEALS)
assert seals & 15 == SEAL | SHRINK | GROW | WRITE, seals
for change in lambda: os.pwrite(0, b"x", 0), lambda: os.ftruncate(0, 3), lambda: os.ftruncate(0, 9):
    try:
        change()
    except PermissionError:
        continue
    raise SystemExit("it can be changed")
print(os.read(0, 100).decode())'
        assert_output message
    done
}

@test "its stdin is a memfd on kernels that know fewer seals" {
    requires strace
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" message
        run_tool 0 strace -qq -o /dev/null -e trace=memfd_create \
            -e inject=memfd_create:error=EINVAL:when=1 mqreceive "$queue" -- cat
        assert_output message
    done
}

@test "COMMAND need not read" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        head -c 1000 /dev/zero | mqsend -F whole "$queue"
        run_tool 0 mqreceive "$queue" -- true
        assert_no_stderr
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "COMMAND need not read a message larger than a pipe" {
    requires limits
    set_limit fs.mqueue.msgsize_max 200000
    new_queue "$posix" --maxmsg 1 --msgsize 200000
    head -c 200000 /dev/zero | mqsend -F whole "$posix"
    run_tool 0 mqreceive "$posix" -- true
    head -c 200000 /dev/zero | mqsend -F whole "$posix"
    run_tool 0 mqreceive "$posix" -- wc -c
    assert_output 200000
}

@test "COMMAND has MQ_QUEUE, MQ_PRIORITY and MQ_SIZE" {
    new_queue "$posix"
    new_queue "$sysv"
    send "$posix" $'7\tmessage' $'3\t'
    send "$sysv" $'7\tmessage' $'3\t'
    for queue in "${both[@]}"; do
        run_tool 0 env MQ_SIZE=old mqreceive -a "$queue" -- \
            sh -c 'echo "$MQ_QUEUE $MQ_PRIORITY $MQ_SIZE"'
        assert_output "$queue 7 7"$'\n'"$queue 3 0"
    done
}

@test "COMMAND's failure ends mqreceive with its status, the message is back" {
    for queue in "${both[@]}"; do
        for case in '5 exit 5' '1 exit 1' '124 exit 124' '137 kill -KILL $$' '143 kill -TERM $$' \
            '134 ulimit -c 0; kill -ABRT $$'; do
            new_queue "$queue"
            send "$queue" $'8\tone' $'8\ttwo'
            run_tool "${case%% *}" mqreceive -f "$queue" -- sh -c "${case#* }"
            assert_no_stderr
            [ "$(queued "$queue")" -eq 2 ]
            run_tool 0 mqreceive -aP "$queue"
            assert_line $'8\tone'
            assert_line $'8\ttwo'
        done
        new_queue "$queue"
        send "$queue" one two three
        run_tool 9 mqreceive -a "$queue" -- sh -c 'read -r m || true; echo "$m"; [ "$m" != two ] || exit 9'
        assert_output $'one\ntwo'
        [ "$(queued "$queue")" -eq 2 ]
    done
}

# bats test_tags=user
@test "COMMAND that cannot be run or found: 126, 127, and the message is back" {
    for pair in '/receive /dead' 'key:0x72637631 key:0x72637632'; do
        read -r queue dead <<<"$pair"
        new_queue "$queue"
        new_queue "$dead"
        send "$queue" $'8\tone'
        for options in '' '--retries 3' "--dead-letter $dead"; do
            run_tool 127 mqreceive $options "$queue" -- /no/such/command
            assert_diagnostic mqreceive '/no/such/command'
            # A directory in PATH that may not be searched would make it 126, as for execvp(3).
            run_tool 127 env PATH="$IPCTOOLS_BIN:/usr/bin:/bin" mqreceive $options "$queue" -- \
                no-such-command-in-path
            assert_diagnostic mqreceive 'no-such-command-in-path'
            run_tool 126 mqreceive $options "$queue" -- /dev/null
            assert_diagnostic mqreceive '/dev/null'
            run_tool 126 mqreceive $options "$queue" -- /
            assert_diagnostic mqreceive
        done
        [ "$(queued "$dead")" -eq 0 ]
        run_tool 0 mqreceive -aP "$queue"
        assert_output $'8\tone'
    done
}

# bats test_tags=user
@test "COMMAND for which there can be no process: 125, and the message is back" {
    # For root there is no such limit.
    few=(prlimit --nproc=1)
    ! is_root || few=(setpriv --reuid 54321 --regid 54321 --clear-groups --inh-caps=-all "${few[@]}")
    ignore_leaks
    for queue in "${both[@]}"; do
        new_queue "$queue"
        mqctl set -m 0666 "$queue"
        send "$queue" $'8\tone'
        for options in '' -f '--retries 3'; do
            run_tool 125 "${few[@]}" mqreceive $options "$queue" -- true
            assert_diagnostic mqreceive 'true: cannot start: .*RLIMIT_NPROC = 1; raise it'
        done
        run_tool 0 mqreceive -aP "$queue"
        assert_output $'8\tone'
    done
}

# bats test_tags=user
@test "COMMAND for which there can be no process: what is unlimited is not to be raised" {
    # The sanitizers ask for limits as well.
    requires strace release
    local unlimited=ffffffffffffffffffffffffffffffff
    new_queue "$posix"
    send "$posix" one
    run_tool 125 strace -qq -o /dev/null -e trace=clone,prlimit64 \
        -e inject=clone:error=EAGAIN:when=1 \
        -e inject=prlimit64:poke_exit=@arg4=$unlimited:when=2+ mqreceive "$posix" -- true
    assert_diagnostic mqreceive 'true: cannot start: .* \(RLIMIT_NPROC is unlimited\)$'
    [ "$(queued "$posix")" -eq 1 ]
}

@test "with COMMAND, its own trouble is 125" {
    new_queue "$posix"
    run_tool 125 mqreceive /no-such-queue -- true
    assert_diagnostic mqreceive 'No such file or directory'
    run_tool 125 mqreceive key:0x7fffabcd -- true
    assert_diagnostic mqreceive 'No such file or directory'
    for option in -J -0 -P -u '-F nul' --literal --peek; do
        run_tool 125 mqreceive $option "$posix" -- true
        assert_diagnostic mqreceive
    done
    for option in '--retries 1' '--dead-letter /other' '-E 5'; do
        run_tool 2 mqreceive $option -n "$posix"
        assert_diagnostic mqreceive
    done
}

@test "-n, -a and -w with COMMAND: 1 and 124, or what -E says" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        run_tool 1 mqreceive -n "$queue" -- true
        run_tool 1 mqreceive -a "$queue" -- true
        run_tool 124 mqreceive -w 10ms "$queue" -- true
        for option in -n -a '-w 10ms' '-f -n' '-f -w 10ms'; do
            run_tool 77 mqreceive -E 77 $option "$queue" -- true
            assert_no_stderr
        done
        # COMMAND's own status stays what it is.
        send "$queue" one
        run_tool 1 mqreceive -E 77 -n "$queue" -- false
        run_tool 124 mqreceive -E 77 -n "$queue" -- sh -c 'exit 124'
        run_tool 0 mqreceive -E 77 -a "$queue" -- true
    done
    for code in 256 -1 x ''; do
        run_tool 125 mqreceive -E "$code" -n "$posix" -- true
        assert_diagnostic mqreceive
    done
}

@test "--retries N runs COMMAND again for the same message" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" $'4\tone'
        run_tool 3 mqreceive --retries 2 "$queue" -- sh -c 'echo "$(cat) $MQ_PRIORITY"; exit 3'
        assert_output $'one 4\none 4\none 4'
        [ "$(queued "$queue")" -eq 1 ]
        # Until it succeeds.
        tries=$BATS_TEST_TMPDIR/tries
        rm -f "$tries"
        send "$queue" $'4\ttwo'
        run_tool 0 mqreceive --retries 5 -a "$queue" -- \
            sh -c 'echo "$(cat)" >>"$0"; [ "$(wc -l <"$0")" -ge 3 ]' "$tries"
        run_tool - cat "$tries"
        assert_output $'one\none\none\ntwo'
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "--dead-letter takes what COMMAND fails on, with its priority, and goes on" {
    for pair in '/receive /dead' 'key:0x72637631 key:0x72637632'; do
        read -r queue dead <<<"$pair"
        new_queue "$queue"
        new_queue "$dead"
        send "$queue" $'5\tbad' $'5\tgood' $'9\tworse'
        run_tool 0 mqreceive -a --retries 1 --dead-letter "$dead" "$queue" -- \
            sh -c 'read -r m || true; echo "$m"; [ "$m" = good ]'
        assert_no_stderr
        [ "${#lines[@]}" -eq 5 ]
        run_tool 0 mqreceive -aP "$dead"
        assert_line $'5\tbad'
        assert_line $'9\tworse'
        [ "${#lines[@]}" -eq 2 ]
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "the dead-letter queue is checked at the start" {
    new_queue "$posix" --msgsize 1000
    new_queue "$sysv"
    new_queue /smaller --msgsize 999
    new_queue /same --msgsize 1000
    send "$posix" one
    send "$sysv" one
    id=id:$(mqctl show "$sysv" | sed -n 's/^id=//p')
    for dead in "$sysv" "$posix" /smaller /missing nonsense private "$id"; do
        run_tool 125 mqreceive --dead-letter "$dead" "$posix" -- touch "$BATS_TEST_TMPDIR/ran"
        assert_diagnostic mqreceive "$dead"
    done
    for dead in "$sysv" "$posix" key:0x7fffabcd "$id"; do
        run_tool 125 mqreceive --dead-letter "$dead" "$sysv" -- touch "$BATS_TEST_TMPDIR/ran"
        assert_diagnostic mqreceive "$dead"
    done
    [ ! -e "$BATS_TEST_TMPDIR/ran" ]
    [ "$(queued "$posix")" -eq 1 ]
    [ "$(queued "$sysv")" -eq 1 ]
    run_tool 0 mqreceive --dead-letter /same "$posix" -- false
    [ "$(queued /same)" -eq 1 ]
}

@test "a script without an interpreter line is one of sh" {
    new_queue "$posix"
    send "$posix" one
    echo 'echo "$1 $(cat) $MQ_PRIORITY"' >"$BATS_TEST_TMPDIR/script"
    chmod +x "$BATS_TEST_TMPDIR/script"
    run_tool 0 mqreceive "$posix" -- "$BATS_TEST_TMPDIR/script" argument
    assert_output 'argument one 0'
}

@test "COMMAND is searched for in PATH, and gets its arguments as they are" {
    new_queue "$posix"
    send "$posix" one two
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\necho found\n' >"$BATS_TEST_TMPDIR/bin/only-here"
    chmod +x "$BATS_TEST_TMPDIR/bin/only-here"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run_tool 0 mqreceive "$posix" -- only-here
    assert_output found
    run_tool 0 mqreceive "$posix" -- printf '<%s>' 'a b' '' -n -- '*'
    assert_output '<a b><><-n><--><*>'
}

@test "COMMAND gets the inherited mask and ignored signals unchanged" {
    # What sanitizers take for themselves.
    faults=SEGV,BUS,FPE,ILL,ABRT,TRAP
    for queue in "${both[@]}"; do
        new_queue "$queue"
        for how in '--default-signal' '--block-signal=USR1,ALRM,TERM,RTMIN,RTMIN+1,PIPE' \
            '--default-signal --ignore-signal=HUP,INT,PIPE,XFSZ,USR1,RTMIN,RTMIN+1' \
            "--ignore-signal --default-signal=CHLD,$faults" '--block-signal'; do
            expected=$(env $how grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status)
            send "$queue" one
            run_tool 0 env $how mqreceive "$queue" -- grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status
            echo "$how"
            assert_output "$expected"
        done
    done
}

@test "an ignored SIGCHLD does not hide how COMMAND ended" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one two
        run_tool 0 env --ignore-signal=CHLD mqreceive "$queue" -- cat
        assert_output one
        assert_no_stderr
        run_tool 5 env --ignore-signal=CHLD mqreceive "$queue" -- sh -c 'exit 5'
        assert_no_stderr
        run_tool 0 mqreceive -a "$queue"
        assert_output two
    done
}

@test "SIGPIPE ends COMMAND as ever" {
    new_queue "$posix"
    send "$posix" one
    run_tool 141 env --default-signal=PIPE mqreceive "$posix" -- sh -c 'kill -PIPE $$; echo survived'
    assert_output ''
    [ "$(queued "$posix")" -eq 1 ]
}

@test "COMMAND gets no descriptor of mqreceive's, and all others" {
    new_queue "$posix"
    new_queue /dead
    send "$posix" one two
    expected=$(sh -c 'exec 8</dev/null; ls /proc/self/fd')
    run_tool 0 sh -c 'exec 8</dev/null; mqreceive -c 2 --dead-letter /dead "$1" -- ls /proc/self/fd' \
        sh "$posix"
    assert_output "$expected"$'\n'"$expected"
    send "$posix" three
    run_tool 0 bash -c 'exec_with_queue "$@"' - O_RDWR "$posix" mqreceive fd:7 -- sh -c '
        [ ! -e /proc/self/fd/7 ] && cat'
    assert_output three
}

# ---- Signals while COMMAND runs ----

# Says that it runs, waits for a signal, says which, and ends with the status of its argument.
patient='
    $| = 1;
    $SIG{$_} = sub { print "$_[0]\n"; exit $ARGV[0] } for qw(HUP INT QUIT TERM);
    print "running\n";
    sleep 1 while 1'

# spawn_patient STATUS ARGUMENT OF mqreceive...: as "receiver", and waits until it runs.
spawn_patient() {
    spawn receiver mqreceive "${@:2}" -- perl -e "$patient" "$1"
    wait_until has_line "$(out receiver)" running
    wait_blocked receiver waitid
}

@test "a signal is passed on to COMMAND, and then ends mqreceive" {
    for queue in "${both[@]}"; do
        for signal in HUP INT QUIT TERM; do
            new_queue "$queue"
            send "$queue" one two
            ulimit -c 0
            spawn_patient 0 -f "$queue"
            kill -"$signal" "${pid[receiver]}"
            wait_exit receiver "$((128 + $(kill -l "$signal")))"
            # COMMAND took its message, the other was not touched.
            assert_output "running"$'\n'"$signal"
            assert_no_stderr
            run_tool 0 mqreceive -a "$queue"
            assert_output two
        done
    done
}

@test "any signal that would end mqreceive is passed on to COMMAND" {
    for signal in ALRM USR2 RTMIN+5 RTMAX; do
        new_queue "$posix"
        send "$posix" $'6\tone'
        # Without it, COMMAND would not end.
        spawn receiver mqreceive "$posix" -- sleep 1000
        wait_blocked receiver waitid
        kill -"$signal" "${pid[receiver]}"
        wait_exit receiver "$((128 + $(kill -l "$signal")))"
        run_tool 0 mqreceive -aP "$posix"
        assert_output $'6\tone'
    done
}

@test "Ctrl-C on the terminal reaches COMMAND once" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" one
        run_tool 0 python3 -c '
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("env", ["env", "--default-signal", "mqreceive", sys.argv[1], "--",
                      "perl", "-e", sys.argv[2]])
shown = b""
def read_until(word):
    global shown
    while word not in shown:
        shown += os.read(terminal, 4096)
read_until(b"running")
# COMMAND has its signal before mqreceive looks: another one would be seen.
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
os.write(terminal, b"\x03")
read_until(b"INT")
os.kill(pid, signal.SIGTERM)
os.kill(pid, signal.SIGCONT)
read_until(b"TERM")
print(shown.count(b"INT"), -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$queue" '
            $| = 1;
            $SIG{INT} = sub { print "INT\n" };
            $SIG{TERM} = sub { print "TERM\n"; exit };
            print "running\n";
            sleep 1 while 1'
        assert_output "1 2"
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "a signal while COMMAND runs: its failure puts the message back" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        send "$queue" $'6\tone'
        spawn_patient 4 "$queue"
        kill -TERM "${pid[receiver]}"
        wait_exit receiver 143
        assert_no_stderr
        run_tool 0 mqreceive -aP "$queue"
        assert_output $'6\tone'
        # COMMAND dies by it.
        send "$queue" $'6\tone'
        spawn receiver mqreceive "$queue" -- sleep 1000
        wait_blocked receiver waitid
        kill -INT "${pid[receiver]}"
        wait_exit receiver 130
        run_tool 0 mqreceive -aP "$queue"
        assert_output $'6\tone'
    done
}

@test "after a signal no retry is started, the dead-letter queue has its turn" {
    for pair in '/receive /dead' 'key:0x72637631 key:0x72637632'; do
        read -r queue dead <<<"$pair"
        new_queue "$queue"
        new_queue "$dead"
        send "$queue" $'6\tone' $'6\ttwo'
        spawn_patient 4 -f --retries 5 "$queue"
        kill -TERM "${pid[receiver]}"
        wait_exit receiver 143
        assert_output $'running\nTERM'
        [ "$(queued "$queue")" -eq 2 ]
        spawn_patient 4 -f --retries 5 --dead-letter "$dead" "$queue"
        kill -TERM "${pid[receiver]}"
        wait_exit receiver 143
        assert_output $'running\nTERM'
        [ "$(queued "$queue")" -eq 1 ]
        run_tool 0 mqreceive -aP "$dead"
        [[ $output == $'6\t'* ]]
    done
}

@test "a signal that is ignored at the start does not end it while COMMAND runs" {
    new_queue "$posix"
    send "$posix" one
    spawn receiver env --ignore-signal=INT mqreceive "$posix" -- perl -e "$patient" 0
    wait_until has_line "$(out receiver)" running
    wait_blocked receiver waitid
    kill -INT "${pid[receiver]}"
    kill -TERM "${pid[receiver]}"
    wait_exit receiver 143
    assert_output $'running\nTERM'
}

# ---- Queues that others made ----

@test "a queue made by perl's IPC::SysV" {
    run_tool 0 perl -MIPC::SysV=IPC_CREAT,ftok -e '
        my $id = msgget(0x72637631, IPC_CREAT | 0600) // die $!;
        msgsnd($id, pack("l! a*", $_, "type $_"), 0) || die $! for 3, 1, 2;
        print $id'
    id=$output
    made_queues+=("$sysv")
    run_tool 0 mqreceive -aP -t -2 "$sysv"
    assert_output $'1\ttype 1\n2\ttype 2'
    run_tool 0 mqreceive "id:$id"
    assert_output 'type 3'
    # And back: what we send, perl reads.
    send "$sysv" $'77\tfrom the shell'
    run_tool 0 perl -e '
        msgrcv(msgget(0x72637631, 0), my $buffer, 100, 0, 0) || die $!;
        print join " ", unpack "l! a*", $buffer'
    assert_output '77 from the shell'
}

@test "a queue found by ftok" {
    touch "$BATS_TEST_TMPDIR/file"
    run_tool 0 perl -MIPC::SysV=IPC_CREAT,ftok -e '
        my $id = msgget(ftok($ARGV[0], 65), IPC_CREAT | 0600) // die $!;
        msgsnd($id, pack("l! a*", 1, "hello"), 0) || die $!' "$BATS_TEST_TMPDIR/file"
    made_queues+=("ftok:$BATS_TEST_TMPDIR/file:A")
    run_tool 0 mqreceive "ftok:$BATS_TEST_TMPDIR/file:A"
    assert_output hello
}

@test "a queue made by python through mq_open" {
    run_tool 0 python3 -c '
import ctypes, os
library = ctypes.CDLL(None)
if not hasattr(library, "mq_open"):
    library = ctypes.CDLL("librt.so.1")
class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in "flags maxmsg msgsize curmsgs".split()] \
             + [("reserved", ctypes.c_long * 4)]
attributes = Attributes(0, 5, 100, 0)
fd = library.mq_open(b"/python", os.O_CREAT | os.O_RDWR, 0o600, ctypes.byref(attributes))
assert fd >= 0
for priority, message in (1, b"one"), (5, b"five"):
    assert library.mq_send(fd, message, ctypes.c_size_t(len(message)), priority) == 0'
    made_queues+=(/python)
    run_tool 0 mqreceive -aP /python
    assert_output $'5\tfive\n1\tone'
}

@test "a message longer than kernel.msgmax is now" {
    requires limits
    set_limit kernel.msgmax 8192
    new_queue "$sysv"
    head -c 5000 /dev/zero | tr '\0' x | mqsend -F whole "$sysv"
    mqsend "$sysv" short
    set_limit kernel.msgmax 100
    run_tool 0 sh -c 'mqreceive -F whole "$1" | wc -c' sh "$sysv"
    assert_output 5000
    run_tool 0 mqreceive "$sysv"
    assert_output short
}

# ---- Permissions ----

@test "-v says when nothing can be put back" {
    requires root
    for queue in "${both[@]}"; do
        new_queue "$queue" -m 0644
        send "$queue" one two three
        echo "$queue"
        run_tool 0 "${as_other[@]}" mqreceive -v "$queue"
        assert_output one
        assert_diagnostic mqreceive "^mqreceive: $queue: .*put back"
        run_tool 0 "${as_other[@]}" mqreceive "$queue"
        assert_no_stderr
        # Who may write is told nothing.
        run_tool 0 mqreceive -v "$queue"
        assert_no_stderr
    done
    # By its identifier as well.
    id=id:$(mqctl show "$sysv" | sed -n 's/^id=//p')
    mqsend "$sysv" four
    run_tool 0 "${as_other[@]}" mqreceive -v "$id"
    assert_diagnostic mqreceive "^mqreceive: $id: .*put back"
}

@test "a queue that may not be read is refused" {
    requires root
    for queue in "${both[@]}"; do
        new_queue "$queue" -m 0622
        send "$queue" one
        run_tool 2 "${as_other[@]}" mqreceive -n "$queue"
        assert_diagnostic mqreceive "^mqreceive: $queue: .*Permission denied"
        [ "$(queued "$queue")" -eq 1 ]
    done
}

@test "COMMAND without an interpreter line is the one that PATH finds" {
    local bin=$BATS_TEST_TMPDIR/bin
    mkdir "$bin"
    echo 'cat && echo " by the right one"' >"$bin/script"
    echo 'echo wrong' >"$BATS_TEST_TMPDIR/script"
    chmod +x "$bin/script" "$BATS_TEST_TMPDIR/script"
    make_queue key:0x73637231
    mqsend key:0x73637231 taken
    cd "$BATS_TEST_TMPDIR"
    PATH=$bin:$PATH run_tool 0 mqreceive key:0x73637231 -- script
    assert_output 'taken by the right one'
}
