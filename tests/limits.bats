#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each limit that stands in the way is named, with its value and with what raises it.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash

# bats file_tags=user
load support/lib.bash

key=key:0x6c6c6c6c

# Root passes many limits where it has this capability, and is an ordinary user where it has not.
setup() {
    bound=()
    [ "$EUID" -ne 0 ] || bound=(setpriv --bounding-set -sys_resource --inh-caps -sys_resource)
}

# limited RESOURCE VALUE COMMAND...: to be run by run_tool, with a limit of ulimit (q, n, v, i).
limited() {
    # shellcheck disable=SC2016 # for the other shell
    limited=(bash -c 'exec 3>&- && ulimit "-$1" "$2" && exec "${@:3}"' bash "$1" "$2")
    limited+=("${@:3}")
}

# assert_limit NAME VALUE [TOOL]: the diagnostic says both, and how to raise it.
assert_limit() {
    assert_diagnostic "${3:-mqctl}" "[ (]${1//./\\.} = $2[^0-9]"
    case $1 in
    RLIMIT_*)
        local option=${1#RLIMIT_}
        assert_diagnostic "${3:-mqctl}" \
            "raise it(, as root,)? with: prlimit --pid [$][$] --${option,,}=[0-9]+"
        ;;
    *) assert_diagnostic "${3:-mqctl}" "raise it with: sysctl ${1//./\\.}=[0-9]" ;;
    esac
}

# Does what the diagnostic advises.
follow_advice() {
    [[ $stderr =~ 'raise it with: sysctl '([a-z_.]+)=([0-9]+) ]] || fail "no advice in: $stderr"
    set_limit "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

absent() { ! mqctl show -- "$1" >/dev/null 2>&1; }

sysv_count() { tail -n +2 /proc/sysvipc/msg | wc -l; }

# ---- POSIX queues ----

@test "fs.mqueue.msg_max" {
    requires limits
    set_limit fs.mqueue.msg_max 7
    run_tool 2 "${bound[@]}" mqctl create --maxmsg 8 /l
    assert_limit fs.mqueue.msg_max 7
    assert_diagnostic mqctl '/l: cannot create: Invalid argument .*maxmsg is 8'
    assert_output ''
    absent /l
    run_tool 2 "${bound[@]}" mqsend --create --maxmsg 8 /l hello
    assert_limit fs.mqueue.msg_max 7 mqsend
    absent /l
    follow_advice
    made_queues+=(/l)
    run_tool 0 "${bound[@]}" mqctl create --maxmsg 8 /l
}

@test "fs.mqueue.msgsize_max" {
    requires limits
    set_limit fs.mqueue.msgsize_max 1000
    run_tool 2 "${bound[@]}" mqctl create --msgsize 1001 --maxmsg 1 /l
    assert_limit fs.mqueue.msgsize_max 1000
    assert_diagnostic mqctl '/l: cannot create: Invalid argument .*msgsize is 1001'
    assert_output ''
    absent /l
    run_tool 2 "${bound[@]}" mqsend --create --msgsize 1001 --maxmsg 1 /l hello
    assert_limit fs.mqueue.msgsize_max 1000 mqsend
    absent /l
    follow_advice
    made_queues+=(/l)
    run_tool 0 "${bound[@]}" mqctl create --msgsize 1001 --maxmsg 1 /l
}

@test "fs.mqueue.msg_max and msgsize_max: one after the other" {
    requires limits
    run_tool 2 "${bound[@]}" mqctl create --maxmsg 11 --msgsize 8193 /l
    assert_limit fs.mqueue.msg_max 10
    follow_advice
    run_tool 2 "${bound[@]}" mqctl create --maxmsg 11 --msgsize 8193 /l
    assert_limit fs.mqueue.msgsize_max 8192
    follow_advice
    made_queues+=(/l)
    run_tool 0 "${bound[@]}" mqctl create --maxmsg 11 --msgsize 8193 /l
}

@test "a queue of the default size can be made below low limits" {
    requires limits
    set_limit fs.mqueue.msg_max 3
    set_limit fs.mqueue.msgsize_max 200
    made_queues+=(/l /m)
    run_tool 0 "${bound[@]}" mqctl create /l
    run_tool 0 "${bound[@]}" mqctl create --maxmsg 2 /m
    run_tool 0 mqctl show /l
    assert_line maxmsg=3
    assert_line msgsize=200
}

@test "what no queue can have: no advice that does not help" {
    local size
    for size in --maxmsg=65537 --maxmsg=2147483647 --maxmsg=2147483648 --maxmsg=9223372036854775807 \
        --msgsize=16777217 --msgsize=4G --msgsize=8589934591G --msgsize=0; do
        run_tool 2 "${bound[@]}" mqctl create "$size" /l
        assert_output ''
        absent /l
        if [[ $stderr == *'raise it with: sysctl '* ]]; then
            requires limits
            follow_advice
        fi
    done
}

@test "a limit that cannot be higher: no advice to raise it" {
    requires limits
    set_limit fs.mqueue.msg_max 65536
    run_tool 2 "${bound[@]}" mqctl create --maxmsg=65537 --msgsize=1 /l
    assert_diagnostic mqctl 'fs\.mqueue\.msg_max = 65536, which is the most there can be\)$'
    absent /l
}

@test "fs.mqueue.queues_max" {
    requires limits
    made_queues+=(/l /m)
    local limit
    for limit in 1 0; do
        set_limit fs.mqueue.queues_max "$limit"
        [ "$limit" -eq 0 ] || "${bound[@]}" mqctl create --maxmsg 1 --msgsize 1 /l
        run_tool 2 "${bound[@]}" mqctl create --maxmsg 1 --msgsize 1 /m
        assert_limit fs.mqueue.queues_max "$limit"
        assert_diagnostic mqctl '/m: cannot create: No space left on device'
        assert_output ''
        absent /m
        run_tool 2 "${bound[@]}" mqsend --create /m hello
        assert_limit fs.mqueue.queues_max "$limit" mqsend
        follow_advice
        run_tool 0 "${bound[@]}" mqctl create --maxmsg 1 --msgsize 1 /m
        mqctl rm -f /l /m
    done
}

@test "RLIMIT_MSGQUEUE" {
    limited q 5000 mqctl create /l
    run_tool 2 "${limited[@]}"
    assert_limit RLIMIT_MSGQUEUE 5000
    assert_diagnostic mqctl '/l: cannot create: Too many open files'
    assert_output ''
    absent /l
    limited q 5000 mqsend --create /l hello
    run_tool 2 "${limited[@]}"
    assert_limit RLIMIT_MSGQUEUE 5000 mqsend
    absent /l
}

@test "RLIMIT_MSGQUEUE: what is advised helps" {
    # Root can be a user of this test's own: all that a user has anywhere is counted.
    local -a as=()
    ! is_root || as=(setpriv --reuid "$((2000000 + $$))" --clear-groups)
    made_queues+=(/l)
    # shellcheck disable=SC2016 # for the other shell
    run_tool 0 "${bound[@]}" "${as[@]}" sh -c 'exec 3>&-
        prlimit --pid $$ --msgqueue=5000:
        said=$(mqctl create /l 2>&1) && exit 3
        said=${said#*raise it with: }
        eval "${said%)}" && exec mqctl create /l'
    assert_output /l
}

@test "RLIMIT_MSGQUEUE: the limit of all queues of the user" {
    requires root
    # A user of this test's own: all that a user has anywhere is counted.
    local user=$((1000000 + $$))
    local -a create=(setpriv --reuid "$user" --clear-groups mqctl create --maxmsg 1 --msgsize 8192)
    made_queues+=(/l1 /l2 /l3 /l4)
    limited q 30000 "${create[@]}" /l1 /l2 /l3 /l4
    run_tool 2 "${limited[@]}"
    assert_output $'/l1\n/l2\n/l3'
    assert_limit RLIMIT_MSGQUEUE 30000
    absent /l4
    mqctl rm /l2
    limited q 30000 "${create[@]}" /l4
    run_tool 0 "${limited[@]}"
}

# least TOOL: the descriptors without which it cannot even be loaded. The sanitizers need a pipe of
# their own to look at memory, or take an object for none.
least() {
    if is_sanitized; then
        echo 10
    elif [ "$1" = mqctl ]; then
        echo 4
    else
        echo 3
    fi
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    local tool number queue least
    make_queue /l
    for tool in 'mqctl create' 'mqctl show' 'mqctl set -m 0600' mqsend mqreceive mqnotify 'mqnotify -e' \
        'mqnotify -w 1h' 'mqreceive -w 1h'; do
        local -a command
        read -ra command <<<"$tool"
        least=$(least "${command[0]}")
        for ((number = least; number <= 12; ++number)); do
            queue=/l
            [ "$tool" != 'mqctl create' ] || queue=/m
            mqsend /l hello
            limited n "$number" "${command[@]}" "$queue"
            echo "$number: $tool"
            run_tool - "${limited[@]}" </dev/null
            if [ "$status" -ne 0 ]; then
                assert_limit RLIMIT_NOFILE "$number" "${command[0]}"
                assert_output ''
                [ "$status" -eq 2 ]
                absent /m
            fi
            mqctl rm -f /m
            mqreceive -a /l >/dev/null || true
        done
        # With the most, it was done.
        [ "$status" -eq 0 ]
    done
}

@test "RLIMIT_SIGPENDING" {
    local tool
    make_queue /l
    for tool in mqsend mqreceive mqnotify; do
        limited i 0 "$tool" /l
        mqsend /l hello
        run_tool - "${limited[@]}" </dev/null
        [ "$status" -eq 0 ] || assert_limit RLIMIT_SIGPENDING 0 "$tool"
        mqreceive -a /l >/dev/null || true
    done
}

@test "a message longer than a POSIX queue takes" {
    local long
    make_queue /l --msgsize 5 --maxmsg 3
    run_tool 2 mqsend /l 12345 123456 1
    assert_diagnostic mqsend '/l: cannot send: Message too long .*record 2 is 6 bytes, the queue takes 5'
    assert_diagnostic mqsend '1 sent, record 2 not'
    run_tool 0 mqreceive -a /l
    assert_output 12345
    long=$(printf 'x%.0s' {1..100})
    run_tool 2 mqsend /l <<<"$long"
    assert_diagnostic mqsend 'the queue takes 5'
}

# ---- System V queues ----

@test "kernel.msgmnb" {
    requires limits
    set_limit kernel.msgmnb 1000
    local before
    before=$(sysv_count)
    run_tool 2 "${bound[@]}" mqctl create --maxbytes 1001 "$key"
    assert_limit kernel.msgmnb 1000
    assert_diagnostic mqctl "$key: cannot create: Operation not permitted .*maxbytes is 1001"
    assert_output ''
    absent "$key"
    run_tool 2 "${bound[@]}" mqctl create --maxbytes 1001 private
    assert_limit kernel.msgmnb 1000
    [ "$(sysv_count)" -eq "$before" ]
    follow_advice
    made_queues+=("$key")
    run_tool 0 "${bound[@]}" mqctl create --maxbytes 1001 "$key"
}

@test "kernel.msgmnb: set" {
    requires limits
    set_limit kernel.msgmnb 1000
    made_queues+=("$key")
    "${bound[@]}" mqctl create "$key"
    run_tool 2 "${bound[@]}" mqctl set --maxbytes 1001 "$key"
    assert_limit kernel.msgmnb 1000
    assert_diagnostic mqctl "$key: cannot change: Operation not permitted"
    mqctl show "$key" | grep -qx limit=1000
    # Nothing of it was done.
    run_tool 2 "${bound[@]}" mqctl set --maxbytes 1001 -m 0666 "$key"
    mqctl show "$key" | grep -qx perms=0600
    follow_advice
    run_tool 0 "${bound[@]}" mqctl set --maxbytes 1001 "$key"
    mqctl show "$key" | grep -qx limit=1001
}

@test "kernel.msgmni" {
    requires limits
    made_queues+=("$key" key:0x6d6d6d6d)
    local limit
    for limit in 1 0; do
        set_limit kernel.msgmni "$limit"
        [ "$limit" -eq 0 ] || mqctl create "$key"
        run_tool 2 "${bound[@]}" mqctl create key:0x6d6d6d6d
        assert_limit kernel.msgmni "$limit"
        assert_diagnostic mqctl 'key:0x6d6d6d6d: cannot create: No space left on device'
        assert_output ''
        absent key:0x6d6d6d6d
        run_tool 2 "${bound[@]}" mqctl create private
        assert_limit kernel.msgmni "$limit"
        run_tool 2 "${bound[@]}" mqsend --create key:0x6d6d6d6d hello
        assert_limit kernel.msgmni "$limit" mqsend
        follow_advice
        run_tool 0 "${bound[@]}" mqctl create key:0x6d6d6d6d
        mqctl rm -f "$key" key:0x6d6d6d6d
    done
}

@test "kernel.msgmni: no advice above what the kernel takes" {
    requires limits
    local limit=20000
    set_limit kernel.msgmni "$limit"
    # Queues by the thousand, and afterwards gone.
    # shellcheck disable=SC2016 # perl's variables
    run_tool 2 perl -MIPC::SysV=IPC_PRIVATE,IPC_RMID -e '
        my @ids;
        while (defined(my $id = msgget(IPC_PRIVATE, 0600))) { push @ids, $id }
        my $status = system(@ARGV);
        msgctl($_, IPC_RMID, 0) for @ids;
        exit $status >> 8' "${bound[@]}" mqctl create "$key"
    assert_limit kernel.msgmni "$limit"
    follow_advice
    [ "$(</proc/sys/kernel/msgmni)" -gt "$limit" ]
}

@test "maxbytes above what the kernel keeps is refused" {
    make_queue "$key"
    for size in 2147483648 4G 4294967396; do
        run_tool 2 "${bound[@]}" mqctl create --maxbytes "$size" key:0x6d6d6d6d
        assert_diagnostic mqctl "'$size' is too large; the most is 2147483647"
        absent key:0x6d6d6d6d
        run_tool 2 mqctl set --maxbytes "$size" "$key"
        assert_diagnostic mqctl "'$size' is too large"
    done
    run_tool 0 mqctl show "$key"
    assert_line "limit=$(</proc/sys/kernel/msgmnb)"
}

@test "kernel.msgmax" {
    requires limits
    make_queue "$key"
    set_limit kernel.msgmax 5
    run_tool 2 mqsend "$key" 12345 123456 1
    assert_limit kernel.msgmax 5 mqsend
    assert_diagnostic mqsend "$key: cannot send: Message too long .*record 2 is 6 bytes"
    assert_diagnostic mqsend '1 sent, record 2 not'
    run_tool 2 mqsend "$key" <<<123456
    assert_limit kernel.msgmax 5 mqsend
    follow_advice
    run_tool 0 mqsend "$key" 123456
    run_tool 0 mqreceive -a "$key"
    assert_output $'12345\n123456'
}

has_one() { [ "$(queued "$1")" -eq 1 ]; }
@test "kernel.msgmax lowered while mqsend runs" {
    requires limits
    local fifo=$BATS_TEST_TMPDIR/feed
    make_queue "$key"
    mkfifo "$fifo"
    exec 7<>"$fifo"
    spawn sender mqsend "$key" <"$fifo" 7>&-
    echo 123456 >&7
    wait_until has_one "$key"
    set_limit kernel.msgmax 5
    echo 123456 >&7
    wait_exit sender 2
    exec 7>&-
    assert_limit kernel.msgmax 5 mqsend
    assert_diagnostic mqsend "$key: cannot send: .*6 bytes.* 1 sent, record 2 not$"
}

@test "kernel.msgmax lowered below what is queued" {
    requires limits
    make_queue "$key"
    mqsend "$key" 12345678901234567890 1
    set_limit kernel.msgmax 5
    run_tool 0 mqreceive -a "$key"
    assert_output $'12345678901234567890\n1'
}

@test "maxbytes of a System V queue" {
    make_queue "$key" --maxbytes 5
    run_tool 2 mqsend "$key" 12345 123456
    assert_diagnostic mqsend "$key: cannot send: Message too long .*record 2 is 6 bytes, .*maxbytes = 5[^0-9]"
    assert_diagnostic mqsend 'raise it with: mqctl set --maxbytes'
    assert_diagnostic mqsend '1 sent, record 2 not'
    mqreceive -a "$key" >/dev/null
    mqctl set --maxbytes=6 "$key"
    run_tool 0 mqsend "$key" 123456
}

# ---- Memory ----

# feed COMMAND...: runs it with 64 MiB without a newline as stdin; the status is its own. Prints the
# most memory in KiB that it had resident, as far as was seen between two blocks of input.
feed() {
    python3 - "$@" <<'PYTHON' 3>&-
import subprocess, sys
tool = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
peak = 0
try:
    for _ in range(1024):
        tool.stdin.write(b"y" * 65536)
        for line in open(f"/proc/{tool.pid}/status"):
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]))
    tool.stdin.close()
except BrokenPipeError:
    pass
status = tool.wait()
print(peak)
sys.exit(status)
PYTHON
}

@test "memory stays bounded with a record beyond all limits" {
    requires release
    local option queue
    make_queue /l
    make_queue "$key"
    for queue in /l "$key"; do
        for option in --format={line,nul,json,whole} --pack; do
            run --separate-stderr -2 feed mqsend "$option" "$queue"
            echo "$option: $output $stderr"
            assert_diagnostic mqsend 'record 1'
            # Where a length is told, it is the true one, or a bound of it.
            [[ $stderr != *' is '[0-9]* || $stderr == *' is 67108864 bytes'* ]]
            [ "$output" -gt 0 ]
            [ "$output" -lt 4096 ]
            [ "$(queued "$queue")" -eq 0 ]
        done
    done
}

@test "a netstring of absurd length is refused before it is read" {
    local length
    make_queue /l
    for length in 8193 99999999999 9223372036854775807 18446744073709551616 99999999999999999999999; do
        limited v 100000 mqsend -F netstring /l
        is_sanitized && limited=(mqsend -F netstring /l)
        run_tool 2 "${limited[@]}" < <(printf '%s:' "$length")
        assert_diagnostic mqsend 'record 1'
    done
    [ "$(queued /l)" -eq 0 ]
}

@test "a tool without memory says so" {
    requires release
    make_queue /l
    local memory
    for memory in 1000 2000 3000 4000 6000 8000; do
        limited v "$memory" mqsend /l hello
        # Below some limit the program cannot even be loaded.
        run_tool - "${limited[@]}"
        [ "$status" -eq 0 ] || [ "$status" -eq 139 ] || [ "$status" -eq 137 ] ||
            [ "$status" -eq 126 ] || assert_diagnostic mqsend memory
    done
    [ "$status" -eq 0 ]
}
