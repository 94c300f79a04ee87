#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What mqsend does with queues and with its input; records.bats has the formats.
# shellcheck disable=SC2154,SC2030,SC2031 # variables of lib.bash and of bats

load support/lib.bash

# Both families, each with room for two messages of one byte.
queues=(/mqsend key:0x6d71)

# make_small QUEUE: room for two messages of one byte, made_queues sees to its end.
make_small() {
    case $1 in
    /*) make_queue "$1" --maxmsg 2 --msgsize 2 ;;
    *) make_queue "$1" --maxbytes 2 ;;
    esac
}

make_full() {
    make_small "$1"
    mqsend -- "$1" a b
}

# Where a sender to a full queue sleeps.
wait_for_room() { wait_blocked "$1" ppoll poll msgsnd; }

# has_lines FILE COUNT REGEX: for wait_until.
has_lines() { [ -e "$1" ] && [ "$(grep -c "$3" "$1")" -ge "$2" ]; }

# is_queued QUEUE COUNT: for wait_until.
is_queued() { [ "$(queued "$1")" = "$2" ]; }

# file LINE...: a file of these lines; prints its name.
file() {
    printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/lines"
    echo "$BATS_TEST_TMPDIR/lines"
}

# feed NAME COMMAND...: spawn, with what is written to descriptor 7 as its stdin until end_feed.
feed() {
    rm -f "$BATS_TEST_TMPDIR/feed"
    mkfifo "$BATS_TEST_TMPDIR/feed"
    exec 7<>"$BATS_TEST_TMPDIR/feed"
    spawn "$@" <"$BATS_TEST_TMPDIR/feed" 7>&-
}
end_feed() { exec 7>&-; }

# ${left_by[@]} COMMAND...: runs it, then prints what it has left of stdin; its status.
# shellcheck disable=SC2016 # for the other shell
left_by=(bash -c '"$@"; status=$?; cat; exit $status' bash)
# ${left_to[@]} FILE COMMAND...: the same, into a file.
# shellcheck disable=SC2016 # for the other shell
left_to=(bash -c 'out=$1; shift; "$@"; status=$?; cat >"$out"; exit $status' bash)

# ${limited[@]} COMMAND...: limits hold for it, for root as well.
limited=(env)
[ "$EUID" -ne 0 ] || limited=(setpriv --bounding-set -sys_resource --inh-caps -sys_resource)

# ${unprivileged[@]} COMMAND...: permissions hold for it; see requires_permissions.
unprivileged=(env)
! is_root || unprivileged=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
requires_permissions() {
    is_root || [ "$EUID" -ne 0 ] || skip 'needs a user without privileges'
}

# ---- Operands and stdin ----

@test "each operand is a message" {
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        run_tool 0 mqsend "$queue" one '' $'two\nlines' ' three '
        assert_output ''
        assert_no_stderr
        [ "$(queued "$queue")" -eq 4 ]
        run_tool 0 mqreceive -a -F netstring "$queue"
        assert_output $'3:one,0:,9:two\nlines,7: three ,'
    done
}

@test "options may follow operands, and -- ends them" {
    make_queue /mqsend
    run_tool 0 mqsend /mqsend one -p 3
    run_tool 0 mqsend -- /mqsend -p -v
    run_tool 0 mqreceive -aP /mqsend
    assert_output $'3\tone\n0\t-p\n0\t-v'
}

@test "with operands stdin is left alone" {
    make_queue /mqsend
    run_tool 0 "${left_by[@]}" mqsend /mqsend operand <"$(file x y)"
    assert_output $'x\ny'
    run_tool 0 mqreceive -a /mqsend
    assert_output operand
}

@test "each line of stdin is a message, in order" {
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        run_tool 0 mqsend "$queue" <"$(file one '' ' two' three)"
        assert_output ''
        assert_no_stderr
        run_tool 0 mqreceive -a -F netstring "$queue"
        assert_output '3:one,0:,4: two,5:three,'
    done
}

@test "no input is no message" {
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        run_tool 0 mqsend "$queue" </dev/null
        run_tool 0 mqsend -0 "$queue" </dev/null
        run_tool 0 mqsend -J "$queue" </dev/null
        run_tool 0 mqsend -F netstring "$queue" </dev/null
        run_tool 0 mqsend --pack "$queue" </dev/null
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "many lines arrive in order" {
    local queue
    seq 30000 >"$BATS_TEST_TMPDIR/in"
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        spawn sender mqsend "$queue" <"$BATS_TEST_TMPDIR/in"
        mqreceive -c 30000 "$queue" >"$BATS_TEST_TMPDIR/out"
        wait_exit sender 0
        assert_same "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
    done
}

@test "a queue that is not there" {
    run_tool 2 mqsend /mqsend x
    assert_diagnostic mqsend '^mqsend: /mqsend: cannot open: No such file'
    run_tool 2 mqsend key:0x6d71 x
    assert_diagnostic mqsend '^mqsend: key:0x6d71: cannot open: No such file'
    run_tool 2 mqsend id:2147483647 x
    assert_diagnostic mqsend '^mqsend: id:2147483647: cannot open: No such file'
}

# ---- -p ----

@test "-p: POSIX priorities from 0 to 32767" {
    make_queue /mqsend
    run_tool 0 mqsend -p 0 /mqsend low
    run_tool 0 mqsend -p 32767 /mqsend high
    run_tool 0 mqsend --priority=5 /mqsend middle
    run_tool 0 mqsend /mqsend default
    local priority
    for priority in 32768 -1 4294967296; do
        run_tool 2 mqsend -p "$priority" /mqsend x
        assert_diagnostic mqsend "$priority.* (0 to|range)"
    done
    run_tool 0 mqreceive -aP /mqsend
    assert_output $'32767\thigh\n5\tmiddle\n0\tlow\n0\tdefault'
}

@test "-p: System V types from 1 up" {
    local max=9223372036854775807
    [ "$(getconf LONG_BIT)" -eq 64 ] || max=2147483647
    make_queue key:0x6d71
    run_tool 0 mqsend key:0x6d71 default
    run_tool 0 mqsend -p $max key:0x6d71 high
    run_tool 2 mqsend -p 0 key:0x6d71 x
    assert_diagnostic mqsend 'key:0x6d71: cannot send: .*record 1 .*0 sent'
    run_tool 2 mqsend -p -1 key:0x6d71 x
    assert_diagnostic mqsend
    run_tool 2 mqsend -p 9223372036854775808 key:0x6d71 x
    assert_diagnostic mqsend
    run_tool 0 mqreceive -aP key:0x6d71
    assert_output "1	default
$max	high"
}

@test "a record's priority that the queue does not take is named, what came before is sent" {
    local queue wrong
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        wrong=32768
        [ "$queue" = /mqsend ] || wrong=0
        run_tool 2 mqsend -P "$queue" < <(printf '1\tone\n%d\twrong\n2\ttwo\n' $wrong)
        assert_diagnostic mqsend "^mqsend: $queue: cannot send: .*record 2 .*priority $wrong.*1 sent, record 2 not"
        run_tool 0 mqreceive -a "$queue"
        assert_output one
    done
}

# ---- -n and -w ----

@test "-n: a full queue is status 1, with all that fitted sent" {
    local queue
    for queue in "${queues[@]}"; do
        make_small "$queue"
        run_tool 1 mqsend -n "$queue" < <(printf 'a\nb\nc\nd\n')
        assert_diagnostic mqsend "^mqsend: $queue: 2 sent, record 3 not\$"
        [ "$(queued "$queue")" -eq 2 ]
        run_tool 1 mqsend -n "$queue" x
        assert_diagnostic mqsend "^mqsend: $queue: 0 sent, record 1 not\$"
        run_tool 0 mqreceive -a "$queue"
        assert_output $'a\nb'
        run_tool 0 mqsend -n "$queue" x
        assert_no_stderr
    done
}

@test "-w: a queue that stays full is status 124, with all that fitted sent" {
    local queue duration
    for queue in "${queues[@]}"; do
        make_small "$queue"
        run_tool 124 mqsend -w 50ms "$queue" < <(printf 'a\nb\nc\nd\n')
        assert_diagnostic mqsend "^mqsend: $queue: 2 sent, record 3 not\$"
        [ "$(queued "$queue")" -eq 2 ]
        for duration in 0 0.01 .01 1ms 0s 0m 0h 0d; do
            run_tool 124 mqsend -w $duration "$queue" x
        done
        run_tool 0 mqreceive -a "$queue"
        assert_output $'a\nb'
        for duration in 0 1.5s 2m 1.5h 106751d; do
            run_tool 0 mqsend -w $duration "$queue" x
            mqreceive "$queue" >"$BATS_TEST_TMPDIR/out"
        done
    done
}

@test "-w: room that comes in time is used" {
    local queue
    for queue in "${queues[@]}"; do
        make_full "$queue"
        spawn sender mqsend -w 1h "$queue" c d
        wait_for_room sender
        run_tool 0 mqreceive -c 4 "$queue"
        assert_output $'a\nb\nc\nd'
        wait_exit sender 0
        assert_no_stderr
    done
}

@test "-w: signals do not start it anew" {
    local queue
    for queue in "${queues[@]}"; do
        make_full "$queue"
        spawn sender mqsend -w 0.5 "$queue" c
        wait_until signalled_to_its_end "${pid[sender]}"
        wait_exit sender 124
    done
}

# For wait_until: whether it has ended; if not, it gets signals that change nothing.
signalled_to_its_end() {
    ended "$1" && return
    kill -STOP "$1"
    kill -CONT "$1"
    # With its handler in place.
    ! is_blocked "$1" ppoll poll msgsnd || kill -USR1 "$1"
    return 1
}

@test "no memory for a record: those before it are sent, and it says so" {
    # Sanitizers need memory of their own.
    requires release
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        feed sender mqsend -J "$queue"
        echo '{"data":"one"}' >&7
        wait_until is_queued "$queue" 1
        starve sender
        # A line that is not too long, and yet more than it has room for.
        printf '{"ignored":"%060000d' 0 >&7
        wait_blocked sender read
        printf '%060000d' 0 >&7
        wait_exit sender 2
        end_feed
        assert_equal "${#stderr_lines[@]}" 2
        assert_equal "${stderr_lines[0]}" "mqsend: $queue: 1 sent, record 2 not"
        assert_equal "${stderr_lines[1]}" 'mqsend: out of memory'
    done
}

@test "-w: progress starts it anew" {
    requires strace
    trace=$BATS_TEST_TMPDIR/trace
    make_full /mqsend
    # Leaks cannot be looked for under strace.
    spawn sender env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -e trace=ppoll -e signal=none -o "$trace" \
        mqsend -w 100 /mqsend {c..z}
    wait_until waits_long
    # A signal: less time is left now.
    kill -USR1 "$(sed -n '1s/ .*//p' "$trace")"
    wait_until grep -q ' = ?' "$trace"
    wait_until begins_anew
    mqctl rm /mqsend
    wait_exit sender 2
}

# Whether the call has begun and not returned: the long wait, that follows some short looks.
waits_long() { [ -e "$trace" ] && [[ $(tail -n 1 "$trace") =~ ppoll.*tv_sec=[1-9].*NULL[^=]*$ ]]; }

# Whether more time was left in a long wait than in the one before; if not, there is room for one more.
begins_anew() {
    waits_long || return
    sed -n 's/^[0-9]* *ppoll([^)]*tv_sec=\([1-9][0-9]*\), tv_nsec=\([0-9]*\).*/\1 \2/p' "$trace" |
        awk '{ left = $1 + $2 / 1e9; found += NR > 1 && left > before; before = left } END { exit !found }' ||
        { mqreceive -n /mqsend >/dev/null && false; }
}

# ---- --create ----

@test "--create: the mode is exact whatever the umask, and 0600 by default" {
    local queue mask
    for queue in "${queues[@]}"; do
        for mask in 077 0; do
            run_tool 0 bash -c "umask $mask && mqsend --create '$queue' x"
            made_queues+=("$queue")
            [ "$(mqctl show "$queue" | grep ^perms=)" = perms=0600 ]
            mqctl rm "$queue"
            run_tool 0 bash -c "umask $mask && mqsend --create -m 0666 '$queue' x"
            [ "$(mqctl show "$queue" | grep ^perms=)" = perms=0666 ]
            mqctl rm "$queue"
            run_tool 0 bash -c "umask $mask && mqsend --create --mode=g+r,o=w '$queue' x"
            [ "$(mqctl show "$queue" | grep ^perms=)" = perms=0642 ]
            mqctl rm "$queue"
        done
    done
}

# bats test_tags=user
@test "--create: a queue that may not be opened again is used by who made it" {
    requires_permissions
    run_tool 0 "${unprivileged[@]}" mqsend --create -m 0400 /mqsend x
    made_queues+=(/mqsend)
    [ "$(queued /mqsend)" -eq 1 ]
    run_tool 2 "${unprivileged[@]}" mqsend --create -m 0400 /mqsend x
    assert_diagnostic mqsend '/mqsend: cannot open: Permission denied'
}

@test "--create: --maxmsg and --msgsize" {
    made_queues+=(/mqsend)
    run_tool 0 mqsend --create --maxmsg 3 --msgsize 1K /mqsend x
    run_tool 0 mqctl show /mqsend
    assert_line maxmsg=3
    assert_line msgsize=1024
    assert_line msgs=1
}

@test "--create: without records the queue is made all the same" {
    local queue
    for queue in "${queues[@]}"; do
        made_queues+=("$queue")
        run_tool 0 mqsend --create "$queue" </dev/null
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "--create: a queue that is there is used as it is" {
    local queue
    local -a before
    for queue in "${queues[@]}"; do
        make_queue "$queue" -m 0640
        mapfile -t before < <(mqctl show "$queue" | grep -E '^(perms|inode|id|maxmsg|msgsize|limit)=')
        run_tool 0 mqsend --create -m 0666 "$queue" x
        run_tool 0 mqctl show "$queue"
        local line
        for line in "${before[@]}"; do
            assert_line "$line"
        done
        assert_line msgs=1
    done
    run_tool 0 mqsend --create --maxmsg 1 --msgsize 1 /mqsend longer
    assert_no_stderr
}

@test "--create: of many at once, all send" {
    requires strace
    local i queue
    for queue in "${queues[@]}"; do
        made_queues+=("$queue")
        for i in {1..8}; do
            # Time for all to see that it is not there.
            spawn "sender$i" strace -qq -o /dev/null -e trace=mq_open,msgget \
                -e inject=mq_open,msgget:delay_exit=500000:when=1 mqsend --create "$queue" "$i"
        done
        for i in {1..8}; do
            wait_exit "sender$i" 0
            assert_no_stderr
        done
        run sort <(mqreceive -a "$queue")
        assert_output "$(seq 8)"
    done
}

@test "--create --owner-any: another user's queue in a directory with the sticky bit is used" {
    requires root
    as_user mqctl create -m 0666 /mqsend >"$BATS_TEST_TMPDIR/out"
    made_queues+=(/mqsend)
    run_tool 0 mqsend --create --owner-any /mqsend x
}

# bats test_tags=user
@test "--create: limits are named" {
    run_tool 2 "${limited[@]}" mqsend --create --maxmsg 70000 --msgsize 8 /mqsend x
    assert_diagnostic mqsend \
        "^mqsend: /mqsend: cannot create: .*fs.mqueue.msg_max = $(</proc/sys/fs/mqueue/msg_max);.* 65536"
    run_tool 2 "${limited[@]}" mqsend --create --msgsize 17M /mqsend x
    assert_diagnostic mqsend \
        "^mqsend: /mqsend: cannot create: .*fs.mqueue.msgsize_max = $(</proc/sys/fs/mqueue/msgsize_max);.* 16777216"
    run_tool 2 "${limited[@]}" prlimit --msgqueue=1000 mqsend --create /mqsend x
    assert_diagnostic mqsend '^mqsend: /mqsend: cannot create: .*RLIMIT_MSGQUEUE = 1000.*--msgqueue='
    run_tool 2 mqctl show /mqsend
}

@test "--create: what the family has not is refused, and no queue made" {
    run_tool 2 mqsend --create --maxmsg 3 key:0x6d71 x
    assert_diagnostic mqsend 'maxmsg'
    run_tool 2 mqsend --create --msgsize 3 key:0x6d71 x
    assert_diagnostic mqsend 'msgsize'
    run_tool 2 mqsend --create id:2147483647 x
    assert_diagnostic mqsend 'id:2147483647'
    run_tool 2 mqsend --create private x
    assert_diagnostic mqsend 'private'
    run_tool 2 mqctl show key:0x6d71
}

# ---- Records that the queue does not take ----

# text LENGTH: so many bytes.
text() { head -c "$1" /dev/zero | tr '\0' x; }

@test "a record that is too long: number, length, limit, count; nothing after it is sent" {
    make_queue /mqsend --msgsize 100
    run_tool 2 mqsend /mqsend < <(echo one; text 100; echo; text 101; echo; echo after)
    assert_diagnostic mqsend '^mqsend: /mqsend: cannot send: Message too long \(record 3 is 101 bytes, the queue takes 100\); 2 sent, record 3 not$'
    [ "$(queued /mqsend)" -eq 2 ]
    run_tool 2 mqsend /mqsend one "$(text 101)" after
    assert_diagnostic mqsend 'record 2 is 101 bytes, the queue takes 100.*1 sent, record 2 not$'
    [ "$(queued /mqsend)" -eq 3 ]
}

@test "a record that is too long for System V: the limit has a name" {
    local max
    max=$(</proc/sys/kernel/msgmax)
    make_queue key:0x6d71
    run_tool 2 mqsend key:0x6d71 < <(text "$max"; echo; text $((max + 1)); echo; echo after)
    assert_diagnostic mqsend "^mqsend: key:0x6d71: cannot send: Message too long \\(record 2 is $((max + 1)) bytes, the queue takes $max, kernel.msgmax.*1 sent, record 2 not\$"
    [ "$(queued key:0x6d71)" -eq 1 ]
    mqctl rm key:0x6d71
    make_queue key:0x6d71 --maxbytes 10
    run_tool 2 mqsend key:0x6d71 < <(text 10; echo; text 11; echo)
    assert_diagnostic mqsend 'record 2 is 11 bytes, the queue takes 10.*maxbytes.*1 sent, record 2 not$'
}

@test "a record that is far too long, in every format" {
    make_queue /mqsend --msgsize 100
    run_tool 2 mqsend /mqsend < <(text 1000000; echo; echo after)
    assert_diagnostic mqsend 'record 1 is 1000000 bytes, the queue takes 100\); 0 sent'
    run_tool 2 mqsend -0 /mqsend < <(text 1000000)
    assert_diagnostic mqsend 'record 1 is 1000000 bytes, the queue takes 100\); 0 sent'
    run_tool 2 mqsend -F whole /mqsend < <(text 1000000)
    assert_diagnostic mqsend 'record 1 is 1000000 bytes, the queue takes 100\); 0 sent'
    run_tool 2 mqsend -F netstring /mqsend < <(printf '3:one,1000000:'; text 1000000; printf ,)
    assert_diagnostic mqsend 'record 2 is 1000000 bytes, the queue takes 100\); 1 sent'
    run_tool 2 mqsend -J /mqsend < <(printf '{"data":"'; text 200; printf '"}\n')
    assert_diagnostic mqsend 'record 1 is 200 bytes, the queue takes 100\); 0 sent'
    run_tool 2 mqsend --pack /mqsend < <(echo one; echo two; text 1000000; echo; echo after)
    assert_diagnostic mqsend 'record 3 is 1000000 bytes, the queue takes 100\); 2 sent, record 3 not'
    run_tool 0 mqreceive -a /mqsend
    assert_output $'one\none\ntwo'
}

@test "the length that is told is the message's, without its priority" {
    make_queue /mqsend --msgsize 100
    local length
    for length in 101 110 130 1000 200000; do
        run_tool 2 mqsend -P /mqsend < <(printf '12\t'; text $length; echo)
        assert_diagnostic mqsend "record 1 is $length bytes, the queue takes 100"
        run_tool 2 mqsend -P -F netstring /mqsend < <(printf '%d:12\t' $((length + 3)); text $length; printf ,)
        assert_diagnostic mqsend "record 1 is $length bytes, the queue takes 100"
    done
}

# ---- When a record goes out ----

@test "a record goes out as soon as it is complete, though the writer keeps the pipe" {
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        feed sender mqsend "$queue"
        printf 'one\ntw' >&7
        wait_until is_queued "$queue" 1
        wait_blocked sender read
        is_queued "$queue" 1
        printf 'o\n' >&7
        wait_until is_queued "$queue" 2
        printf 'rest' >&7
        end_feed
        wait_exit sender 0
        run_tool 0 mqreceive -a "$queue"
        assert_output $'one\ntwo\nrest'
    done
}

@test "a record of any format goes out as soon as it is complete" {
    make_queue /mqsend
    feed sender mqsend -0 /mqsend
    printf 'one\0' >&7
    wait_until is_queued /mqsend 1
    end_feed
    wait_exit sender 0
    feed sender mqsend -F netstring /mqsend
    printf '3:two,' >&7
    wait_until is_queued /mqsend 2
    end_feed
    wait_exit sender 0
    feed sender mqsend -J /mqsend
    printf '{"data":"three"}\n' >&7
    wait_until is_queued /mqsend 3
    end_feed
    wait_exit sender 0
    feed sender mqsend -P /mqsend
    printf '0\tfour\n' >&7
    wait_until is_queued /mqsend 4
    end_feed
    wait_exit sender 0
    feed sender mqsend --pack /mqsend
    printf 'five\n' >&7
    wait_until is_queued /mqsend 5
    end_feed
    wait_exit sender 0
    run_tool 0 mqreceive -a /mqsend
    assert_output $'one\ntwo\nthree\nfour\nfive'
}

@test "whole waits for the end of input" {
    make_queue /mqsend
    feed sender mqsend -F whole /mqsend
    printf 'one\n' >&7
    wait_blocked sender read
    is_queued /mqsend 0
    printf 'two\n' >&7
    end_feed
    wait_exit sender 0
    run_tool 0 mqreceive -F netstring /mqsend
    assert_output $'8:one\ntwo\n,'
}

# ---- What was not sent is still in the input ----

@test "a seekable stdin stays at the first record not sent: status 1 and 124, silently" {
    local queue
    for queue in "${queues[@]}"; do
        make_small "$queue"
        run_tool 1 "${left_by[@]}" mqsend -n "$queue" <"$(file a b c d)"
        assert_output $'c\nd'
        assert_no_stderr
        run_tool 124 "${left_by[@]}" mqsend -w 10ms "$queue" <"$(file c d)"
        assert_output $'c\nd'
        assert_no_stderr
        run_tool 0 mqreceive -a "$queue"
        assert_output $'a\nb'
    done
}

@test "a seekable stdin stays at the first record not sent: status 2" {
    make_queue /mqsend --msgsize 4
    run_tool 2 "${left_by[@]}" mqsend /mqsend <"$(file a b 'too long' d)"
    assert_output $'too long\nd'
    assert_diagnostic mqsend '2 sent, record 3 not$'
    run_tool 2 "${left_by[@]}" mqsend -P /mqsend <"$(file $'1\ta' b c)"
    assert_output $'b\nc'
    run_tool 2 "${left_by[@]}" mqsend -J /mqsend <"$(file '{"data":"a"}' '{}' c)"
    assert_output $'{}\nc'
    printf '1:a,1:b;' >"$BATS_TEST_TMPDIR/in"
    run_tool 2 "${left_by[@]}" mqsend -F netstring /mqsend <"$BATS_TEST_TMPDIR/in"
    assert_output '1:b;'
    run_tool 2 "${left_by[@]}" mqsend -F whole /mqsend <"$(file 12345)"
    assert_output 12345
}

@test "a seekable stdin stays at the first record not sent: a line beyond all that is read at once" {
    make_queue /mqsend --msgsize 4
    { echo a; text 200000; echo; echo b; } >"$BATS_TEST_TMPDIR/in"
    tail -n +2 "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/rest"
    run_tool 2 "${left_to[@]}" "$BATS_TEST_TMPDIR/out" mqsend /mqsend <"$BATS_TEST_TMPDIR/in"
    assert_same "$BATS_TEST_TMPDIR/rest" "$BATS_TEST_TMPDIR/out"
    text 200000 >"$BATS_TEST_TMPDIR/in"
    run_tool 2 "${left_to[@]}" "$BATS_TEST_TMPDIR/out" mqsend -F whole /mqsend <"$BATS_TEST_TMPDIR/in"
    assert_same "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
}

@test "a seekable stdin stays at the first record not sent: from where it was, far into the file" {
    make_queue /mqsend
    seq 50000 >"$BATS_TEST_TMPDIR/in"
    exec 6<"$BATS_TEST_TMPDIR/in"
    # Skips the first line without reading on.
    local line
    read -r line <&6
    spawn sender mqsend /mqsend <&6 6>&-
    run_tool 0 mqreceive -c 40000 /mqsend
    assert_line --index 0 2
    wait_for_room sender
    kill -TERM "${pid[sender]}"
    wait_exit sender 143
    assert_no_stderr
    run_tool 0 mqreceive -a /mqsend
    local last=${lines[-1]}
    read -r line <&6
    [ "$line" -eq $((last + 1)) ]
    exec 6<&-
}

@test "a seekable stdin stays at the first record not sent: SIGTERM, both families" {
    local queue
    for queue in "${queues[@]}"; do
        make_small "$queue"
        exec 6<"$(file a b c d)"
        spawn sender mqsend "$queue" <&6 6>&-
        wait_for_room sender
        kill -TERM "${pid[sender]}"
        wait_exit sender 143
        assert_no_stderr
        [ "$(cat <&6)" = $'c\nd' ]
        exec 6<&-
        run_tool 0 mqreceive -a "$queue"
        assert_output $'a\nb'
    done
}

# policy NAME: under which that process is scheduled, as chrt(1) calls it.
policy() { chrt --pid "${pid[$1]}" | sed -n 's/.*policy: SCHED_//p'; }

@test "--pack: whoever writes the input goes first, unless a policy is given" {
    make_queue /mqsend
    local expected command
    while read -r expected command; do
        # shellcheck disable=SC2086 # words
        feed sender $command /mqsend
        wait_blocked sender read
        assert_equal "$(policy sender)" "$expected"
        end_feed
        wait_exit sender 0
    done <<'END'
BATCH mqsend --pack
OTHER mqsend
IDLE chrt --idle 0 mqsend --pack
END
}

@test "a seekable stdin stays at the first record not sent: --pack" {
    make_queue /mqsend --maxmsg 1 --msgsize 4
    run_tool 1 "${left_by[@]}" mqsend --pack -n /mqsend <"$(file a b c d e)"
    assert_output $'c\nd\ne'
    run_tool 0 mqreceive -a /mqsend
    assert_output $'a\nb'
}

@test "a loop over a file with -n sends every line once" {
    make_queue /mqsend --maxmsg 3
    seq 20 >"$BATS_TEST_TMPDIR/in"
    run_tool 0 bash -c 'while mqsend -n /mqsend; [ $? -eq 1 ]; do mqreceive -a /mqsend; done
        mqreceive -a /mqsend; :' <"$BATS_TEST_TMPDIR/in"
    assert_output "$(seq 20)"
    assert_no_stderr
}

@test "an input that cannot be repositioned: what was sent is said" {
    local queue
    for queue in "${queues[@]}"; do
        make_small "$queue"
        feed sender mqsend "$queue"
        printf 'a\nb\nc\n' >&7
        wait_for_room sender
        kill -TERM "${pid[sender]}"
        wait_exit sender 143
        end_feed
        assert_diagnostic mqsend "^mqsend: $queue: 2 sent, record 3 not\$"
        run_tool 0 mqreceive -a "$queue"
        assert_output $'a\nb'
    done
}

# ---- Odd inputs ----

@test "a non-blocking stdin is waited for" {
    make_queue /mqsend
    mkfifo "$BATS_TEST_TMPDIR/in"
    exec 7<>"$BATS_TEST_TMPDIR/in"
    spawn sender python3 -c 'import os, sys
os.set_blocking(0, False)
os.execvp(sys.argv[1], sys.argv[1:])' mqsend /mqsend <"$BATS_TEST_TMPDIR/in" 7>&-
    wait_blocked sender poll ppoll
    printf 'one\ntw' >&7
    wait_until is_queued /mqsend 1
    wait_blocked sender poll ppoll
    printf 'o\n' >&7
    exec 7>&-
    wait_exit sender 0
    run_tool 0 mqreceive -a /mqsend
    assert_output $'one\ntwo'
}

@test "SIGTERM while waiting for a non-blocking stdin" {
    make_queue /mqsend
    mkfifo "$BATS_TEST_TMPDIR/in"
    exec 7<>"$BATS_TEST_TMPDIR/in"
    spawn sender python3 -c 'import os, sys
os.set_blocking(0, False)
os.execvp(sys.argv[1], sys.argv[1:])' mqsend /mqsend <"$BATS_TEST_TMPDIR/in" 7>&-
    wait_blocked sender poll ppoll
    kill -TERM "${pid[sender]}"
    wait_exit sender 143
    exec 7>&-
}

@test "a directory or nothing as stdin is an error, and so is an unreadable one" {
    make_queue /mqsend
    run_tool 2 mqsend /mqsend </
    assert_diagnostic mqsend 'stdin: cannot read: Is a directory.*0 sent, record 1 not'
    run_tool 2 bash -c 'exec "$@" <&-' bash mqsend /mqsend
    assert_diagnostic mqsend 'stdin: cannot read: Bad file descriptor.*0 sent, record 1 not'
    run_tool 2 mqsend /mqsend 0>"$BATS_TEST_TMPDIR/out"
    assert_diagnostic mqsend 'stdin: cannot read: Bad file descriptor.*0 sent, record 1 not'
    is_queued /mqsend 0
    # With operands nobody needs it.
    run_tool 0 bash -c 'exec "$@" <&-' bash mqsend /mqsend x
    is_queued /mqsend 1
}

@test "closed stdout and stderr are no trouble" {
    make_queue /mqsend
    run_tool 0 bash -c 'exec "$@" >&- 2>&-' bash mqsend /mqsend x
    run_tool 0 bash -c 'exec "$@" >&- 2>&- <&-' bash mqsend -v /mqsend y
    run_tool 0 mqreceive -a /mqsend
    assert_output $'x\ny'
}

# ---- The queue goes away, or refuses ----

@test "the queue removed while mqsend waits for room" {
    local queue
    for queue in "${queues[@]}"; do
        make_full "$queue"
        spawn sender mqsend "$queue" < <(printf 'c\nd\n')
        wait_for_room sender
        mqctl rm "$queue"
        wait_exit sender 2
        assert_diagnostic mqsend "^mqsend: $queue: cannot send: .*removed.*0 sent, record 1 not\$"
    done
}

@test "the queue removed while mqsend waits for room: a file stays at its record" {
    local queue
    for queue in "${queues[@]}"; do
        make_small "$queue"
        exec 6<"$(file a b c d)"
        spawn sender mqsend "$queue" <&6 6>&-
        wait_for_room sender
        mqctl rm "$queue"
        wait_exit sender 2
        assert_diagnostic mqsend '2 sent, record 3 not$'
        [ "$(cat <&6)" = $'c\nd' ]
        exec 6<&-
    done
}

@test "the queue removed while mqsend waits for input" {
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        feed sender mqsend "$queue"
        printf 'one\n' >&7
        wait_until is_queued "$queue" 1
        wait_blocked sender read
        mqctl rm "$queue"
        # The next queue of that name is another one.
        make_queue "$queue"
        printf 'two\n' >&7
        wait_exit sender 2
        end_feed
        assert_diagnostic mqsend "^mqsend: $queue: cannot send: .*removed.*1 sent, record 2 not\$"
        is_queued "$queue" 0
    done
}

@test "the queue removed after the last record: what was received was sent" {
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        feed sender mqsend "$queue"
        printf 'one\ntwo\n' >&7
        wait_until is_queued "$queue" 2
        run_tool 0 mqreceive -c 2 "$queue"
        mqctl rm "$queue"
        end_feed
        wait_exit sender 0
        assert_no_stderr
    done
    # A POSIX queue that nobody can open any more kept the last one.
    make_queue /mqsend
    feed sender mqsend /mqsend
    printf 'one\ntwo\n' >&7
    wait_until is_queued /mqsend 2
    mqreceive /mqsend
    mqctl rm /mqsend
    end_feed
    wait_exit sender 2
    assert_diagnostic mqsend '^mqsend: /mqsend: the queue was removed; messages still in it: 1$'
}

# bats test_tags=user
@test "all the same without /dev/mqueue" {
    requires mount
    # shellcheck disable=SC2016 # for the other shell
    local -a without=(unshare --mount sh -c 'umount /dev/mqueue && exec "$@"' sh)
    made_queues+=(/mqsend)
    run_tool 0 "${without[@]}" mqsend --create --maxmsg 2 -m 0640 /mqsend a
    run_tool 0 mqctl show /mqsend
    assert_line perms=0640
    run_tool 1 "${without[@]}" mqsend -n /mqsend b c
    assert_diagnostic mqsend '1 sent, record 2 not$'
    run_tool 124 "${without[@]}" mqsend -w 10ms /mqsend c
    spawn sender "${without[@]}" mqsend /mqsend c
    wait_for_room sender
    mqctl rm /mqsend
    wait_exit sender 2
    assert_diagnostic mqsend '^mqsend: /mqsend: cannot send: .*removed.*0 sent, record 1 not$'
}

# bats test_tags=user
@test "permission refused" {
    requires_permissions
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue" -m 0444
        run_tool 2 "${unprivileged[@]}" mqsend "$queue" x
        assert_diagnostic mqsend "^mqsend: $queue: cannot (open|send): Permission denied"
        is_queued "$queue" 0
    done
}

@test "a queue that may only be written to" {
    requires_permissions
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue" -m 0222
        run_tool 0 "${unprivileged[@]}" mqsend "$queue" x y
        mqctl set -m 0600 "$queue"
        is_queued "$queue" 2
    done
}

# ---- What it says ----

@test "-v: the count at the end" {
    local queue
    for queue in "${queues[@]}"; do
        make_queue "$queue"
        run_tool 0 mqsend -v "$queue" < <(printf 'a\nb\nc\n')
        assert_diagnostic mqsend "^mqsend: $queue: 3 records sent\$"
        run_tool 0 mqsend -v "$queue" a b
        assert_diagnostic mqsend "^mqsend: $queue: 2 records sent\$"
        run_tool 0 mqsend -v "$queue" </dev/null
        assert_diagnostic mqsend "^mqsend: $queue: 0 records sent\$"
        run_tool 0 mqsend --pack -v "$queue" < <(seq 10)
        assert_diagnostic mqsend "^mqsend: $queue: 10 records sent\$"
    done
}

@test "--progress: records, rate and time at the end" {
    make_queue /mqsend
    run_tool 0 mqsend --progress /mqsend < <(seq 7)
    assert_output ''
    [[ $stderr =~ ^mqsend:\ 7\ records,.*\ s,\ [0-9]+\ records/s ]]
}

@test "--progress: a line each second, wherever it waits" {
    local queue
    for queue in "${queues[@]}"; do
        make_small "$queue"
        feed sender mqsend --progress "$queue"
        wait_until has_lines "$(err sender)" 1 '^mqsend: 0 records, 0B, '
        printf 'a\nb\nc\n' >&7
        wait_until has_lines "$(err sender)" 1 '^mqsend: 2 records, 2B, '
        end_feed
        run_tool 0 mqreceive -c 3 "$queue"
        wait_exit sender 0
        [[ ${stderr_lines[-1]} == 'mqsend: 3 records, 3B, '* ]]
    done
}

@test "SIGUSR1: one line, and it goes on" {
    local queue
    for queue in "${queues[@]}"; do
        make_small "$queue"
        feed sender mqsend "$queue"
        wait_blocked sender read
        kill -USR1 "${pid[sender]}"
        wait_until has_lines "$(err sender)" 1 '^mqsend: 0 records,'
        printf 'a\nb\nc\n' >&7
        wait_for_room sender
        kill -USR1 "${pid[sender]}"
        wait_until has_lines "$(err sender)" 1 '^mqsend: 2 records,'
        end_feed
        run_tool 0 mqreceive -c 3 "$queue"
        assert_output $'a\nb\nc'
        wait_exit sender 0
        [ "${#stderr_lines[@]}" -eq 2 ]
    done
}

# ---- Signals ----

# spawn_watched NAME COMMAND...: spawn, and $watched is the pid of COMMAND; the output is the number
# of the signal that ended it.
spawn_watched() {
    rm -f "$BATS_TEST_TMPDIR/$1.pid"
    # shellcheck disable=SC2016 # for perl
    spawn "$1" perl -e '
        defined(my $child = fork) or die;
        $child or exec @ARGV[1 .. $#ARGV] or die;
        open my $file, ">", $ARGV[0] or die;
        print $file $child;
        close $file;
        waitpid $child, 0;
        print $? & 127, "\n"' "$BATS_TEST_TMPDIR/$1.pid" "${@:2}"
    wait_until test -s "$BATS_TEST_TMPDIR/$1.pid"
    watched=$(<"$BATS_TEST_TMPDIR/$1.pid")
}

@test "SIGTERM, SIGINT, SIGHUP and SIGQUIT end it by that signal, wherever it waits" {
    local queue name number
    mkfifo "$BATS_TEST_TMPDIR/in"
    exec 7<>"$BATS_TEST_TMPDIR/in"
    for queue in "${queues[@]}"; do
        make_full "$queue"
        while read -r name number; do
            spawn_watched sender mqsend "$queue" c
            wait_blocked "$watched" ppoll poll msgsnd
            kill -"$name" "$watched"
            wait_exit sender 0
            assert_output "$number"
            spawn_watched sender mqsend "$queue" <"$BATS_TEST_TMPDIR/in"
            wait_blocked "$watched" read
            kill -"$name" "$watched"
            wait_exit sender 0
            assert_output "$number"
        done <<'SIGNALS'
TERM 15
INT 2
HUP 1
QUIT 3
SIGNALS
        is_queued "$queue" 2
    done
    exec 7>&-
}

@test "SIGTERM and SIGINT with -w" {
    local queue name
    for queue in "${queues[@]}"; do
        make_full "$queue"
        for name in TERM INT; do
            spawn sender mqsend -w 1h "$queue" c
            wait_for_room sender
            kill -"$name" "${pid[sender]}"
            wait_exit sender $((128 + $(kill -l $name)))
        done
    done
}

@test "stop and continue change nothing" {
    local queue option
    for queue in "${queues[@]}"; do
        for option in '' '-w 1h'; do
            make_full "$queue"
            # shellcheck disable=SC2086
            feed sender mqsend $option "$queue"
            wait_blocked sender read
            kill -STOP "${pid[sender]}"
            wait_until is_stopped sender
            kill -CONT "${pid[sender]}"
            wait_blocked sender read
            printf 'c\nd\n' >&7
            wait_for_room sender
            kill -STOP "${pid[sender]}"
            wait_until is_stopped sender
            kill -CONT "${pid[sender]}"
            wait_for_room sender
            # Room that comes while it is stopped.
            kill -STOP "${pid[sender]}"
            wait_until is_stopped sender
            run_tool 0 mqreceive -c 2 "$queue"
            kill -CONT "${pid[sender]}"
            end_feed
            wait_exit sender 0
            assert_no_stderr
            run_tool 0 mqreceive -a "$queue"
            assert_output $'c\nd'
            mqctl rm "$queue"
        done
    done
}

@test "a signal that was ignored stays ignored" {
    local queue
    for queue in "${queues[@]}"; do
        make_full "$queue"
        spawn sender env --ignore-signal=INT --ignore-signal=TERM mqsend "$queue" c
        wait_for_room sender
        kill -INT "${pid[sender]}"
        kill -TERM "${pid[sender]}"
        run_tool 0 mqreceive -c 3 "$queue"
        assert_output $'a\nb\nc'
        wait_exit sender 0
    done
}

# ---- Wrong usage ----

# misused ARGUMENT...: refused as wrong usage, and nothing is sent.
misused() {
    echo "mqsend $*"
    run_tool 2 mqsend "$@"
    assert_diagnostic mqsend '; see mqsend --help$'
    assert_output ''
}

@test "misuse: options that exclude each other" {
    make_queue /mqsend
    misused -p 1 -P /mqsend
    misused -n -w 1 /mqsend
    misused -0 -J /mqsend
    misused -F line -0 /mqsend
    misused -J -F json /mqsend
    misused -P -J /mqsend
    misused -P -F whole /mqsend
    misused --pack -P /mqsend
    misused --pack -J /mqsend
    misused --pack -F netstring /mqsend
    misused --pack -F whole /mqsend
    misused --pack /mqsend x
    misused -P /mqsend x
    misused -0 /mqsend x
    misused -J /mqsend x
    misused -m 0600 /mqsend x
    misused --maxmsg 1 /mqsend x
    misused --msgsize 1 /mqsend x
    is_queued /mqsend 0
}

@test "misuse: numbers, durations, sizes, modes and formats" {
    make_queue /mqsend
    local value
    for value in 12x '' x ' 1' '1 ' 0x1 1.0 1e3 +1 - -- 99999999999999999999; do
        misused -p "$value" /mqsend x
        misused --create --maxmsg "$value" /mqsend x
    done
    misused --create --maxmsg 0 /mqsend x
    for value in 1x '' s . -1 '1 s' 1S 1sec 1e3 0x1 inf 1,5 1.5.5 +1 99999999999999999999 106752d \
        106751.991167300646d; do
        misused -w "$value" /mqsend x
    done
    for value in '' x 8k 8kb 8T -1 1.5K '8 K' 0x10 +1 99999999999999999999 9223372036854775807K 8589934592G; do
        misused --create --msgsize "$value" /mqsend x
    done
    for value in '' 888 8 1777 01777 -1 u+z z+r 'u=rw,' ',u=r' rw 0600x 77777777777; do
        misused --create -m "$value" /mqsend x
    done
    for value in '' lines LINE 0 nul,line $'line\n'; do
        misused -F "$value" /mqsend
    done
    is_queued /mqsend 0
}

@test "sizes: powers of 1024 and of 1000" {
    local size bytes
    while read -r size bytes; do
        made_queues=(/mqsend)
        run_tool 0 mqsend --create --maxmsg 1 --msgsize "$size" /mqsend x
        [ "$(mqctl show /mqsend | grep ^msgsize=)" = "msgsize=$bytes" ]
        mqctl rm /mqsend
    done <<'SIZES'
8 8
1K 1024
1KiB 1024
1KB 1000
8K 8192
SIZES
}
