#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Nothing taken is lost: whatever becomes of stdout, of COMMAND or of mqreceive, each message is
# afterwards at exactly one place: written, queued with its priority, or on stderr as json.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2030,SC2031 # each test has its own
# shellcheck disable=SC2016 # for other shells

load support/lib.bash

posix=/putback
sysv=key:0x70757462
both=("$posix" "$sysv")
dead_letters=(/dead key:0x70757463)

ledger() {
    PATIENCE=$PATIENCE timeout -k 1 $((5 * PATIENCE)) python3 -BEsS "$BATS_TEST_DIRNAME/support/ledger.py" "$@" 3>&-
}

# new_queue QUEUE [COUNT [SIZE]]: an empty queue, then filled with messages of different priorities;
# what they are is in the file $sent. A POSIX one holds 10 messages of 1500 bytes: RLIMIT_MSGQUEUE is
# for all of a user's queues, whatever namespace they are in.
new_queue() {
    sent=$BATS_TEST_TMPDIR/sent
    mqctl rm -f -- "$1"
    case $1 in
    /*) make_queue "$1" --maxmsg 10 --msgsize 1500 ;;
    *) make_queue "$1" ;;
    esac
    ledger fill_queue "$1" "${2:-10}" "${3:-1000}" >"$sent"
}

# accounted QUEUE...: every message of $sent is either in $written, in one of the queues, which it
# empties, or in $said; by default of what was spawned as "receiver".
accounted() {
    ledger account_files "$sent" "${written:-$(out receiver)}" "${said:-$(err receiver)}" "$@"
}

# receive STATUS COMMAND...: runs it as "receiver".
receive() {
    spawn receiver "${@:2}"
    wait_exit receiver "$1"
}

# exec_with_queue QUEUE COMMAND...: becomes COMMAND, with descriptor 7 on the POSIX queue, for
# reading alone.
exec_with_queue() {
    exec python3 -IS -c '
import ctypes, os, sys
library = ctypes.CDLL(None)
if not hasattr(library, "mq_open"):
    library = ctypes.CDLL("librt.so.1")
fd = library.mq_open(sys.argv[1].encode(), os.O_RDONLY)
assert fd >= 0
os.dup2(fd, 7)
os.execvp(sys.argv[2], sys.argv[2:])' "$@"
}
export -f exec_with_queue

# A COMMAND that writes the record of its message to stdout and takes it, but fails on the message
# whose text begins with $1, having written nothing, with status 7.
picky='
    message=$(cat)
    case $message in "$1"*) exit 7 ;; esac
    printf "%s\t%s\n" "$MQ_PRIORITY" "$message"'

# ---- The ledger itself ----

@test "the ledger notices what is lost, doubled, changed or cut" {
    written=$BATS_TEST_TMPDIR/written said=$BATS_TEST_TMPDIR/said
    for queue in "${both[@]}"; do
        new_queue "$queue" 3 20
        : >"$written"
        : >"$said"
        accounted "$queue"
        run ! accounted "$queue"
        cp "$sent" "$written"
        accounted "$queue"
        head -n 1 "$sent" >>"$written"
        run ! accounted "$queue"
        sed 's/^./9/' "$sent" >"$written"
        run ! accounted "$queue"
        head -n 2 "$sent" >"$written"
        run ! accounted "$queue"
        tail -n 1 "$sent" | mqsend -P "$queue"
        accounted "$queue"
        head -n 2 "$sent" >"$written"
        tail -n 1 "$sent" | head -c 5 >>"$written"
        tail -n 1 "$sent" | mqsend -P "$queue"
        run ! accounted "$queue"
    done
}

# ---- stdout ----

@test "a full device: all goes back" {
    for queue in "${both[@]}"; do
        for options in -aP -uaP -fP '-P -c 3'; do
            new_queue "$queue"
            # shellcheck disable=SC2086
            receive 2 sh -c 'exec "$@" >/dev/full' sh mqreceive $options "$queue"
            assert_diagnostic mqreceive 'stdout: cannot write: No space left on device'
            [ "$(queued "$queue")" -eq 10 ]
            accounted "$queue"
        done
    done
}

@test "a closed stdout: nothing is lost" {
    for queue in "${both[@]}"; do
        for options in -aP -uaP -fP; do
            new_queue "$queue"
            # shellcheck disable=SC2086
            receive 2 sh -c 'exec "$@" >&-' sh mqreceive $options "$queue"
            assert_diagnostic mqreceive 'stdout: cannot write: Bad file descriptor'
            accounted "$queue"
        done
    done
}

# fill_disk BYTES: leaves that much room on the tiny disk.
fill_disk() {
    local free
    free=$(df --output=avail -B1 "$IPCTOOLS_TINY" | tail -n 1)
    head -c "$((free - $1))" /dev/zero >"$IPCTOOLS_TINY/filler"
}

@test "a full disk: what fits is written, the rest goes back" {
    for queue in "${both[@]}"; do
        for options in -aP -uaP -fP -P; do
            rm -f "$IPCTOOLS_TINY"/*
            fill_disk "$(getconf PAGESIZE)"
            new_queue "$queue" 10 1000
            written=$IPCTOOLS_TINY/written
            case $options in
            -P)
                # The very first has no room.
                head -c "$(getconf PAGESIZE)" /dev/zero >"$IPCTOOLS_TINY/more" || true
                ;;
            esac
            # shellcheck disable=SC2086
            receive 2 sh -c 'exec "$@" >"$0"' "$written" mqreceive $options "$queue"
            assert_diagnostic mqreceive 'stdout: cannot write: No space left on device'
            if [ "$options" != -P ]; then
                [ -s "$written" ]
                [[ $stderr == *'cut after'* ]]
            fi
            accounted "$queue"
        done
    done
}

@test "the limit of a file's size: the same, and SIGXFSZ does not kill" {
    for queue in "${both[@]}"; do
        for options in -aP -uaP -fP; do
            new_queue "$queue" 10 1000
            written=$BATS_TEST_TMPDIR/written
            rm -f "$written"
            # shellcheck disable=SC2086
            receive 2 bash -c 'ulimit -f 4; exec "$@" >"$0"' "$written" mqreceive $options "$queue"
            assert_diagnostic mqreceive 'stdout: cannot write: File too large'
            [[ $stderr == *'cut after'* ]]
            [ "$(stat -c %s "$written")" -eq 4096 ]
            accounted "$queue"
        done
    done
}

@test "an error that passes: nothing is written after it was put back" {
    # Sanitizers write as well.
    requires strace release
    for queue in "${both[@]}"; do
        for options in -aP -uaP -fP '-P -n -c 11'; do
            new_queue "$queue"
            # shellcheck disable=SC2086
            receive 2 strace -qq -o /dev/null -e trace=write -e inject=write:error=EIO:when=1 \
                mqreceive $options "$queue"
            assert_diagnostic mqreceive 'stdout: cannot write: Input/output error'
            assert_output ''
            accounted "$queue"
        done
    done
}

# spawn_stopped_receiver QUEUE: it has nothing yet, and wants json, which needs six bytes for each
# byte of the file `message`.
spawn_stopped_receiver() {
    printf '%08000d' 0 | tr 0 '\1' >"$BATS_TEST_TMPDIR/message"
    mqctl rm -f "$1"
    make_queue "$1"
    spawn receiver mqreceive -f -J "$1"
    wait_blocked receiver ppoll msgrcv
    kill -STOP "${pid[receiver]}"
    # Until then a message could be handed to it directly, and its place would be taken.
    wait_until grep -q '^State:.T' "/proc/${pid[receiver]}/status"
}

@test "no memory for a record: its message goes back" {
    # Sanitizers need memory of their own.
    requires release
    local queue count
    for queue in "${both[@]}"; do
        spawn_stopped_receiver "$queue"
        count=0
        while mqsend -n -F whole -p "$((count + 1))" "$queue" <"$BATS_TEST_TMPDIR/message"; do
            count=$((count + 1))
        done
        starve receiver
        kill -CONT "${pid[receiver]}"
        wait_exit receiver 2
        assert_output ''
        assert_diagnostic mqreceive 'out of memory'
        run_tool 0 mqreceive -aP "$queue"
        assert_equal "${#lines[@]}" "$count"
        for ((i = 1; i <= count; ++i)); do
            assert_line "$i"$'\t'"$(<"$BATS_TEST_TMPDIR/message")"
        done
    done
}

@test "no memory for a record and no way back: on stderr, status 3" {
    requires release
    local queue
    for queue in "${both[@]}"; do
        spawn_stopped_receiver "$queue"
        mqsend -F whole "$queue" <"$BATS_TEST_TMPDIR/message"
        case $queue in
        /*) mqctl rm "$queue" ;;
        *) mqctl set --maxbytes 10 "$queue" ;;
        esac
        starve receiver
        kill -CONT "${pid[receiver]}"
        wait_exit receiver 3
        assert_output ''
        assert_equal "$stderr" "mqreceive: out of memory
out of memory; a message as it is:
$(<"$BATS_TEST_TMPDIR/message")"
    done
}

@test "a reader that leaves: what the pipe did not take goes back" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        ledger reader_leaves "$queue" -a
        ledger reader_leaves "$queue" -f
        ledger reader_leaves "$queue" -u -c 10
    done
}

@test "a slow reader on a non-blocking pipe gets all" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        ledger slow_reader "$queue" -a
        ledger slow_reader "$queue" -u -c 10
    done
}

@test "once the reader has left, nothing is taken for it" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        fifo=$BATS_TEST_TMPDIR/fifo
        rm -f "$fifo"
        mkfifo "$fifo"
        spawn receiver sh -c 'exec "$@" >"$0"' "$fifo" mqreceive -f "$queue"
        spawn head head -n 1 "$fifo"
        mqsend "$queue" one
        wait_exit head 0
        assert_output one
        # It need not wait for a message to notice.
        wait_exit receiver 2
        assert_diagnostic mqreceive 'stdout: cannot write: Broken pipe'
        mqsend -p 3 "$queue" two
        run_tool 0 mqreceive -aP "$queue"
        assert_output $'3\ttwo'
        # And one that starts without a reader takes nothing at all.
        mqsend "$queue" three
        spawn receiver sh -c 'exec 9<>"$0" 8>"$0" 9>&-; exec "$@" >&8 8>&-' "$fifo" \
            mqreceive -a "$queue"
        wait_exit receiver 2
        assert_diagnostic mqreceive 'stdout: cannot write: Broken pipe'
        [ "$(queued "$queue")" -eq 1 ]
    done
}

# ---- Signals ----

@test "SIGTERM at any moment loses and doubles nothing" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        ledger signal_while_writing "$queue" SIGTERM
    done
}

@test "SIGINT at any moment loses and doubles nothing" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        ledger signal_while_writing "$queue" SIGINT -u
    done
}

@test "a signal at any moment while COMMAND runs loses and doubles nothing" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        ledger signal_with_command "$queue" SIGTERM
        ledger signal_with_command "$queue" SIGINT
    done
}

# ---- No room to go back ----

@test "a queue that is full again: the messages are on stderr, status 3" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        make_queue /spare --maxmsg 10 --msgsize 1500
        ledger refilled "$queue" close 0 /spare
        mqctl rm /spare
    done
}

@test "a queue with room for some: these go back, the others are on stderr" {
    make_queue /spare --maxmsg 10 --msgsize 1500
    new_queue "$posix" 0
    ledger refilled "$posix" close 3 /spare
}

@test "a signal and no room: the messages are on stderr" {
    make_queue /spare --maxmsg 10 --msgsize 1500
    new_queue "$posix" 0
    ledger refilled "$posix" signal 2 /spare
}

@test "room that comes within a second is waited for" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 0
        ledger room_in_time "$queue"
    done
}

@test "a queue that is removed meanwhile: the messages are on stderr" {
    for queue in "${both[@]}"; do
        for how in close signal; do
            new_queue "$queue" 0
            ledger removed "$queue" "$how"
        done
    done
}

@test "a descriptor for reading alone: the messages are on stderr" {
    for options in -aP -uaP -fP; do
        new_queue "$posix" 5
        receive 3 bash -c 'exec_with_queue "$@" >/dev/full' - "$posix" mqreceive "$options" fd:7
        [ "$(grep -c '^mqreceive: ' "$(err receiver)")" -eq 1 ]
        [[ $stderr == *'No space left on device'* ]]
        [[ $stderr == *'{'* ]]
        accounted "$posix"
    done
    new_queue "$posix" 5
    receive 125 bash -c 'exec_with_queue "$@"' - "$posix" mqreceive fd:7 -- false
    [ "$(queued "$posix")" -eq 4 ]
    accounted "$posix"
}

@test "a queue that this user may only read: the messages are on stderr" {
    requires root
    for queue in "${both[@]}"; do
        new_queue "$queue" 5
        mqctl set -m 0444 "$queue"
        receive 3 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
            sh -c 'exec "$@" >/dev/full' sh mqreceive -aP "$queue"
        [[ $stderr == *'{'* ]]
        accounted "$queue"
        new_queue "$queue" 5
        mqctl set -m 0444 "$queue"
        receive 125 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
            mqreceive "$queue" -- false
        [[ $stderr == *'{'* ]]
        accounted "$queue"
    done
}

@test "what is on stderr is exact for any bytes" {
    new_queue "$posix" 0
    for message in '\0' '\377\376' '"\\\n\t\1' 'h\303\251' ''; do
        # shellcheck disable=SC2059
        printf "$message" | mqsend -p 5 -F whole "$posix"
        receive 3 bash -c 'exec_with_queue "$@" >/dev/full' - "$posix" mqreceive fd:7
        grep '^{' "$(err receiver)" | mqsend -J "$posix"
        run_tool 0 sh -c 'mqreceive -F whole "$1" | od -An -c' sh "$posix"
        # shellcheck disable=SC2059
        assert_output "$(printf "$message" | od -An -c)"
    done
}

# ---- COMMAND ----

@test "COMMAND fails: its message goes back" {
    for queue in "${both[@]}"; do
        for options in -f '-a --retries 2'; do
            new_queue "$queue" 5
            # shellcheck disable=SC2086
            receive 7 mqreceive $options "$queue" -- sh -c "$picky" sh message-4-
            assert_no_stderr
            [ "$(queued "$queue")" -ge 1 ]
            accounted "$queue"
        done
        new_queue "$queue" 5
        receive 1 mqreceive -a "$queue" -- false
        [ "$(queued "$queue")" -eq 5 ]
        accounted "$queue"
    done
}

@test "COMMAND fails: its message goes to the dead-letter queue" {
    for i in 0 1; do
        for options in '' '--retries 2'; do
            queue=${both[i]} dead=${dead_letters[i]}
            new_queue "$dead" 0
            new_queue "$queue" 5
            # shellcheck disable=SC2086
            receive 0 mqreceive -a $options --dead-letter "$dead" "$queue" -- \
                sh -c "$picky" sh message-4-
            assert_no_stderr
            [ "$(queued "$queue")" -eq 0 ]
            [ "$(queued "$dead")" -eq 1 ]
            accounted "$queue" "$dead"
        done
    done
}

@test "a dead-letter queue that is full: the message goes back" {
    for i in 0 1; do
        queue=${both[i]} dead=${dead_letters[i]}
        new_queue "$dead" 0
        yes "$(printf '%1000s' '')" | mqsend -n "$dead" 2>&- || true
        yes x | mqsend -n "$dead" 2>&- || true
        new_queue "$queue"
        receive 7 mqreceive -f --dead-letter "$dead" "$queue" -- sh -c "$picky" sh message-4-
        assert_diagnostic mqreceive "$dead"
        [ "$(queued "$queue")" -ge 1 ]
        accounted "$queue"
    done
}

@test "a dead-letter queue that is removed meanwhile does not swallow the message" {
    for i in 0 1; do
        queue=${both[i]} dead=${dead_letters[i]}
        new_queue "$dead" 0
        new_queue "$queue"
        receive 7 mqreceive -a --dead-letter "$dead" "$queue" -- \
            sh -c 'mqctl rm -f "$2"; '"$picky" sh message-4- "$dead"
        accounted "$queue"
    done
}

@test "COMMAND fails and the queue is full again: the message is on stderr, status 125" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        receive 125 mqreceive "$queue" -- \
            sh -c 'yes refill | head -n 5000 | mqsend -n "$1" 2>&-; exit 7' sh "$queue"
        [ "$(grep -c '^{' "$(err receiver)")" -eq 1 ]
        [ "$(grep -c '^mqreceive: ' "$(err receiver)")" -eq 1 ]
        run ! grep -q '^{.*refill' "$(err receiver)"
        mqreceive -aP "$queue" | grep -v refill >"$(out receiver)"
        accounted "$queue"
    done
}

@test "COMMAND fails and the queue is full again: room is waited for no longer than a second" {
    requires strace
    for queue in "${both[@]}"; do
        new_queue "$queue"
        receive 125 strace -qq -e trace=ppoll,timer_settime -e signal=none \
            -o "$BATS_TEST_TMPDIR/trace" mqreceive "$queue" -- \
            sh -c 'yes refill | head -n 5000 | mqsend -n "$1" 2>&-; exit 7' sh "$queue"
        grep -q 'tv_sec=0, tv_nsec=[1-9]' "$BATS_TEST_TMPDIR/trace"
        run ! grep -E 'tv_sec=([2-9]|1[0-9]|1, tv_nsec=[1-9])' "$BATS_TEST_TMPDIR/trace"
    done
}

@test "COMMAND fails after a signal and the queue is full again: the signal still ends mqreceive" {
    for queue in "${both[@]}"; do
        new_queue "$queue"
        receive 143 mqreceive "$queue" -- \
            sh -c 'yes refill | head -n 5000 | mqsend -n "$1" 2>&-; kill -TERM $PPID; exit 7' \
            sh "$queue"
        [ "$(grep -c '^{' "$(err receiver)")" -eq 1 ]
        mqreceive -aP "$queue" | grep -v refill >"$(out receiver)"
        accounted "$queue"
    done
}

@test "COMMAND fails and has removed the queue: the message is on stderr" {
    for queue in "${both[@]}"; do
        new_queue "$queue" 1
        receive 125 mqreceive "$queue" -- sh -c 'mqctl rm "$1"; exit 7' sh "$queue"
        [ "$(grep -c '^{' "$(err receiver)")" -eq 1 ]
        accounted
    done
}

@test "COMMAND has removed the queue and cannot be started again: stderr has the message and says why" {
    requires strace
    for queue in "${both[@]}"; do
        new_queue "$queue" 1
        receive 125 strace -qq -o /dev/null -e trace=clone -e inject=clone:error=EAGAIN:when=2 \
            mqreceive --retries 1 "$queue" -- sh -c 'mqctl rm "$1"; exit 7' sh "$queue"
        [[ $stderr == *'could not be put back'* ]]
        [[ $stderr == *'sh: cannot start: Resource temporarily unavailable'* ]]
        [ "$(grep -c '^{' "$(err receiver)")" -eq 1 ]
        accounted
    done
}
