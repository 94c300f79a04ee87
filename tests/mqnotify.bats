#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# mqnotify: to wait until a queue has something, and to say who sent it.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash

load support/lib.bash

setup() {
    make_small /a
    make_small /b
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all')
}

# All queues of a user, wherever, share RLIMIT_MSGQUEUE: take little of it.
make_small() { make_queue "$1" --maxmsg 10 --msgsize 64; }

# registered QUEUE: the process that is registered for it, 0 if none.
registered() { mqctl show -- "$1" | sed -n 's/^notify=//p'; }

is_registered() { [ "$(registered "$1")" = "$2" ]; }

# line_count FILE N: whether it has N lines by now.
line_count() { [ "$(wc -l <"$1")" -ge "$2" ]; }

# send QUEUE MESSAGE...: sets sender to the process that did.
send() {
    spawn sender mqsend "$@"
    sender=${pid[sender]}
    wait_exit sender 0
}

# wake_ups NAME: how often it has gone to sleep so far, but for being put aside for others.
wake_ups() { awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/${pid[$1]}/status"; }

# assert_rests NAME: it does not run while others look at the queue. As it goes to sleep it looks eight
# times whether the queue was removed, over an eighth of a second; then once a second at most.
assert_rests() {
    local before after begun=$SECONDS
    wait_blocked "$1" ppoll poll
    before=$(wake_ups "$1")
    for _ in {1..20}; do
        mqctl show /a >/dev/null
    done
    after=$(wake_ups "$1")
    [ $((after - before)) -le $((9 + SECONDS - begun)) ] || fail "woke up $((after - before)) times"
}

# ---- Lines ----

# bats test_tags=user
@test "a message is told with its sender's process and user" {
    spawn_ready watcher mqnotify --ready-fd 9 /a
    send /a hello
    wait_exit watcher 0
    assert_output "/a $sender $EUID"
    assert_no_stderr
    [ "$(queued /a)" -eq 1 ]
}

@test "the user is the sender's real one" {
    requires root
    ! is_sanitized || skip 'the leak sanitizer cannot look into such a process'
    mqctl set -m 0666 /a
    spawn_ready watcher mqnotify --ready-fd 9 /a
    spawn sender setpriv --ruid 4321 --euid 1234 --clear-groups mqsend /a hello
    sender=${pid[sender]}
    wait_exit sender 0
    wait_exit watcher 0
    assert_output "/a $sender 4321"
}

# bats test_tags=user
@test "a sender whose user is not mapped is the overflow user" {
    requires userns
    spawn_ready watcher unshare --user mqnotify --ready-fd 9 /a
    spawn sender mqsend /a hello
    sender=${pid[sender]}
    wait_exit sender 0
    wait_exit watcher 0
    assert_output "/a $sender $(</proc/sys/kernel/overflowuid)"
}

# bats test_tags=user
@test "a sender that is not visible has no process" {
    requires pids
    spawn_ready watcher "${other_pids[@]}" mqnotify --ready-fd 9 /a
    mqsend /a hello
    wait_exit watcher 0
    assert_output "/a - $EUID"
    mqreceive /a >/dev/null
    spawn_ready watcher "${other_pids[@]}" mqnotify -J --ready-fd 9 /a
    mqsend /a hello
    wait_exit watcher 0
    assert_output "{\"queue\":\"/a\",\"uid\":$EUID}"
    mqreceive /a >/dev/null
    spawn_ready watcher "${other_pids[@]}" mqnotify --ready-fd 9 /a -- sh -c "$show_environment"
    mqsend /a hello
    wait_exit watcher 0
    assert_output "/a [] [$EUID]"$'\nhello'
}

@test "a signal that is no notification is not taken for one" {
    spawn_ready watcher mqnotify --ready-fd 9 /a
    kill -s RTMIN+1 "${pid[watcher]}"
    wait_blocked watcher ppoll poll
    mqsend /a hello & local sender=$!
    wait "$sender"
    wait_exit watcher 0
    assert_output "/a $sender $EUID"
}

@test "something there at the start is told at once, without a sender" {
    mqsend /a hello
    run_tool 0 mqnotify /a
    assert_output '/a - -'
    run_tool 0 mqnotify -e /a
    assert_output '/a - -'
    [ "$(queued /a)" -eq 1 ]
    # The registration is gone again.
    [ "$(registered /a)" -eq 0 ]
}

@test "an empty message is something" {
    spawn_ready watcher mqnotify --ready-fd 9 /a
    send /a ''
    wait_exit watcher 0
    assert_output "/a $sender $EUID"
}

@test "of several queues the one that has something is told" {
    spawn_ready watcher mqnotify --ready-fd 9 /a /b
    send /b hello
    wait_exit watcher 0
    assert_output "/b $sender $EUID"

    run_tool 0 mqnotify /a /b
    assert_output '/b - -'
    run_tool 0 mqnotify -e /a /b
    assert_output '/b - -'
    # One line, though both have something.
    mqsend /a hello
    run_tool 0 mqnotify /a /b
    assert_equal "${#lines[@]}" 1
}

@test "with -f all queues that have something are told" {
    mqsend /a 1
    mqsend /b 1
    spawn watcher mqnotify -f /a /b
    wait_until line_count "$(out watcher)" 2
    run sort "$(out watcher)"
    assert_output $'/a - -\n/b - -'
    mqreceive -a /b >/dev/null
    send /b 2
    wait_until line_count "$(out watcher)" 3
    run tail -n 1 "$(out watcher)"
    assert_output "/b $sender $EUID"
}

@test "a queue is printed as every tool accepts it" {
    requires posix-mount
    mqsend /a hello
    run_tool 0 mqnotify mq:/a
    assert_output '/a - -'
    run_tool 0 bash -c 'exec mqnotify fd:7 7</dev/mqueue/a'
    assert_output 'fd:7 - -'
    spawn_ready watcher bash -c 'exec mqnotify --ready-fd 9 fd:7 7</dev/mqueue/b'
    send /b hello
    wait_exit watcher 0
    assert_output "fd:7 $sender $EUID"
}

# json FIELD...: of the objects on stdin, a line each, as python shows them.
json() {
    python3 -c '
import json, sys
for line in sys.stdin.buffer:
    print(sorted(json.loads(line.decode("utf-8")).items()))'
}

@test "-J: an object a line; what is not known is left out" {
    spawn watcher mqnotify -fJ /a
    wait_until is_registered /a "${pid[watcher]}"
    wait_blocked watcher ppoll poll
    send /a hello
    wait_until line_count "$(out watcher)" 1
    run json <"$(out watcher)"
    assert_output "[('pid', $sender), ('queue', '/a'), ('uid', $EUID)]"
    run_tool 0 mqnotify -J -e /a
    assert_output '{"queue":"/a"}'
}

@test "-J: a name that is not UTF-8 is in base64" {
    local name=$'/\xff"\n'
    make_small "$name"
    mqsend "$name" hello
    run_tool 0 mqnotify -J "$name"
    assert_output "{\"queue_base64\":\"$(printf %s "$name" | base64)\"}"
    name=$'/q"\\\n\e\u00e9'
    make_small "$name"
    mqsend "$name" hello
    spawn watcher mqnotify -J "$name"
    wait_exit watcher 0
    run json <"$(out watcher)"
    assert_output "[('queue', '/q\"\\\\\\n\\x1bé')]"
}

@test "hostile names: exact bytes in a pipe, escaped on a terminal" {
    local name
    for name in $'/a\nb' $'/\e[31m' $'/\xff' '/-x *' $'/\u009b1m'; do
        make_small "$name"
        mqsend "$name" hello
        printf '%s - -\n' "$name" >"$BATS_TEST_TMPDIR/expected"
        spawn watcher mqnotify "$name"
        wait_exit watcher 0
        assert_same "$(out watcher)" "$BATS_TEST_TMPDIR/expected"

        on_terminal mqnotify "$name" >"$BATS_TEST_TMPDIR/shown"
        printf '%b - -\n' "$(escaped "$name")" >"$BATS_TEST_TMPDIR/expected"
        assert_same "$BATS_TEST_TMPDIR/shown" "$BATS_TEST_TMPDIR/expected"
        mqctl rm "$name"
        run_tool 2 mqnotify "$name"
        assert_diagnostic mqnotify 'No such file'
    done
}

# escaped NAME: for printf %b.
escaped() {
    local name=$1
    name=${name//$'\n'/'\\x0a'}
    name=${name//$'\e'/'\\x1b'}
    name=${name//$'\u009b'/'\\xc2\\x9b'}
    name=${name//$'\xff'/'\\xff'}
    printf %s "$name"
}

# ---- When it is ready, when it ends ----

@test "--ready-fd: one newline, once registered" {
    spawn_ready watcher mqnotify --ready-fd 9 /a /b
    [ "$(registered /a)" -eq "${pid[watcher]}" ]
    [ "$(registered /b)" -eq "${pid[watcher]}" ]

    local told=$BATS_TEST_TMPDIR/told
    # Not as long as one registration fails.
    make_small /c
    run_tool 2 mqnotify --ready-fd 9 /c /a 9>"$told"
    [ ! -s "$told" ]
    mqsend /c hello
    run_tool 0 mqnotify --ready-fd 9 /c 9>"$told"
    assert_same "$told" <(echo)
    run_tool 0 mqnotify -e --ready-fd 9 /c 9>"$told"
    assert_same "$told" <(echo)
}

@test "--ready-fd: with -e it has looked when it says so" {
    spawn_ready watcher mqnotify -e --ready-fd 9 /a
    mqsend /a hello
    mqreceive /a >/dev/null
    # Taken at once may go unseen, but this one stays.
    mqsend /a hello
    wait_exit watcher 0
    assert_output '/a - -'
}

@test "--ready-fd: between the registration and the newline it looks" {
    requires strace
    local option trace=$BATS_TEST_TMPDIR/trace
    for option in --timeout=1h --poll; do
        spawn_ready watcher strace -qq -e trace=mq_notify,mq_getsetattr,write -o "$trace" \
            mqnotify "$option" --ready-fd 9 /a /b
        mqsend /b hello
        wait_exit watcher 0
        cat "$trace"
        run awk '/^mq_notify/ { looks = 0 } /^mq_getsetattr/ { ++looks } /^write\(9/ { print looks }' \
            "$trace"
        assert_output 2
        mqreceive /b >/dev/null
    done
}

@test "--ready-fd: a descriptor that cannot be written to is wrong usage" {
    local fd
    for fd in 77 -1 x 9x '' 99999999999; do
        run_tool 2 mqnotify "--ready-fd=$fd" /a
        assert_diagnostic mqnotify '; see mqnotify --help$'
    done
    run_tool 2 mqnotify --ready-fd 9 /a 9</dev/null
    assert_diagnostic mqnotify '; see mqnotify --help$'
    run_tool 2 mqnotify --ready-fd 9 /a 9>/dev/full
    assert_diagnostic mqnotify 'No space left'
    assert_output ''
}

@test "-w: 124 when the time is over, or what -E says" {
    run_tool 124 mqnotify -w 0.02 /a
    assert_output ''
    assert_no_stderr
    run_tool 124 mqnotify -w 0 /a
    run_tool 124 mqnotify -e -w 20ms /a
    run_tool 7 mqnotify -E 7 -w 20ms /a
    run_tool 0 mqnotify -E 0 -w 20ms /a
    run_tool 124 mqnotify -w 20ms /a -- echo run
    assert_output ''
    run_tool 7 mqnotify -E 7 -w 20ms /a -- echo run
    assert_output ''
    # Something came, and then nothing.
    mqsend /a hello
    run_tool 124 mqnotify -f -w 20ms /a
    assert_output '/a - -'
    run_tool 0 mqnotify -w 0 /a
    assert_output '/a - -'
}

@test "-w: each line starts it anew" {
    requires strace
    local trace=$BATS_TEST_TMPDIR/trace
    mqsend /a hello
    # To write the line takes two seconds.
    spawn watcher strace -qq -e trace=write,ppoll -o "$trace" \
        -e inject=write:delay_exit=2000000:when=1 mqnotify -f -w 100 /a
    wait_until waits_after_delay "$trace"
    # Some of the new time may have passed: then another line shows it.
    wait_until begins_anew "$trace"
    mqctl rm /a
    wait_exit watcher 0
    assert_line --index 0 '/a - -'
}

begins_anew() {
    ! waits_after_delay "$1" | grep -q 'tv_sec=9[89],' || return 0
    mqreceive -a /a >/dev/null
    mqsend /a hello
    return 1
}

# waits_after_delay TRACE: the long waits that began after the call that was delayed.
waits_after_delay() { [ -e "$1" ] && sed -n '/(DELAYED)/,$p' "$1" | grep 'tv_sec=9[0-9],'; }

@test "-w and -E: wrong usage" {
    local option
    for option in -w12x -w-1 -w '--timeout=' -E256 -E-1 -Ex; do
        run_tool 2 mqnotify "$option" /a
        assert_diagnostic mqnotify '; see mqnotify --help$'
    done
    run_tool 2 mqnotify
    assert_diagnostic mqnotify '; see mqnotify --help$'
    run_tool 125 mqnotify -J /a -- true
    assert_diagnostic mqnotify '; see mqnotify --help$'
}

@test "a signal ends it by that signal" {
    local name
    for name in TERM INT HUP; do
        spawn_ready watcher mqnotify -f --ready-fd 9 /a
        kill "-$name" "${pid[watcher]}"
        wait_exit watcher $((128 + $(kill -l "$name")))
        assert_output ''
        assert_no_stderr
        [ "$(registered /a)" -eq 0 ]
    done
}

@test "one queue under two names is refused" {
    requires posix-mount
    run_tool 2 mqnotify /a /a
    assert_diagnostic mqnotify twice
    run_tool 2 mqnotify -e /a /b mq:/a
    assert_diagnostic mqnotify twice
    run_tool 2 bash -c 'exec mqnotify /a fd:7 7</dev/mqueue/a'
    assert_diagnostic mqnotify twice
    [ "$(registered /a)" -eq 0 ]
}

@test "System V queues and other objects are refused" {
    make_queue key:0x0a0a0a0a
    run_tool 2 mqnotify key:0x0a0a0a0a
    assert_diagnostic mqnotify 'key:0x0a0a0a0a.*System V queues have no notification'
    run_tool 2 mqnotify -e /a key:0x0a0a0a0a
    assert_diagnostic mqnotify 'System V queues have no notification'
    run_tool 125 mqnotify key:0x0a0a0a0a -- true
    assert_diagnostic mqnotify 'System V queues have no notification'
    run_tool 2 mqnotify sem:/a
    assert_diagnostic mqnotify 'is a semaphore, not a message queue'
    run_tool 2 mqnotify a
    assert_diagnostic mqnotify "'/a'"
    run_tool 2 mqnotify fd:7 7</dev/null
    assert_diagnostic mqnotify 'fd:7.*not a message queue'
    run_tool 2 mqnotify fd:77
    assert_diagnostic mqnotify 'fd:77.*Bad file descriptor'
    run_tool 2 mqnotify /no-such-queue
    assert_diagnostic mqnotify '/no-such-queue.*No such file'
}

@test "who may not read the queue is refused" {
    if [ "$EUID" -eq 0 ]; then
        requires root
    else
        nobody=()
        mqctl set -m 0200 /a
    fi
    run_tool 2 "${nobody[@]}" mqnotify /a
    assert_diagnostic mqnotify '/a.*Permission denied'
    run_tool 2 "${nobody[@]}" mqnotify -e /a
    assert_diagnostic mqnotify '/a.*Permission denied'
    run_tool 125 "${nobody[@]}" mqnotify /a -- true
    assert_diagnostic mqnotify '/a.*Permission denied'
}

# bats test_tags=user
@test "a queue that can only be sent to through its descriptor is refused" {
    requires posix-mount
    run_tool 2 bash -c 'exec mqnotify fd:7 7>/dev/mqueue/a'
    assert_diagnostic mqnotify 'fd:7'
}

# ---- No wake-up is lost ----

# Starts mqnotify -f OPTION... /a with its lines on descriptor $told.
watch_through_fifo() {
    mkfifo "$(out watcher)"
    exec {told}<>"$(out watcher)"
    spawn_ready watcher mqnotify -f "$@" --ready-fd 9 /a
}

# rounds N: each message is sent into the empty queue and taken when a line told of it.
rounds() {
    local i line taken
    mkfifo "$BATS_TEST_TMPDIR/to-sender"
    exec {to_sender}<>"$BATS_TEST_TMPDIR/to-sender"
    spawn sender mqsend /a <"$BATS_TEST_TMPDIR/to-sender"
    for ((i = 1; i <= $1; ++i)); do
        echo "$i" >&"$to_sender"
        taken=
        # A line can be one too many: then the queue is empty.
        until [ "$taken" = "$i" ]; do
            read -r -t "$PATIENCE" line <&"$told" || fail "no line in round $i, took '$taken'"
            [[ $line == "/a "* ]]
            taken=$(mqreceive -a /a) || [ $? -eq 1 ]
        done
    done
}

@test "a thousand rounds of send, notification, drain" {
    local count=1000
    # Slow with sanitizers.
    ! is_sanitized || count=200
    watch_through_fifo
    rounds "$count"
    [ "$(queued /a)" -eq 0 ]
}

@test "rounds with -e" {
    watch_through_fifo -e
    rounds 100
}

@test "a sender that does not wait: a drain for each line takes everything" {
    local line got=0 total=500
    watch_through_fifo
    seq "$total" >"$BATS_TEST_TMPDIR/numbers"
    spawn sender mqsend /a <"$BATS_TEST_TMPDIR/numbers"
    : >"$BATS_TEST_TMPDIR/taken"
    while [ "$got" -lt "$total" ]; do
        read -r -t "$PATIENCE" line <&"$told" || fail "no line after $got messages"
        # Until it was seen empty: only what comes after that is notified.
        while mqreceive -a /a >>"$BATS_TEST_TMPDIR/taken"; do :; done
        got=$(wc -l <"$BATS_TEST_TMPDIR/taken")
    done
    assert_same "$BATS_TEST_TMPDIR/taken" "$BATS_TEST_TMPDIR/numbers"
    wait_exit sender 0
}

@test "a sender that does not wait: COMMAND takes everything" {
    local total=500
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- mqreceive -a /a
    seq "$total" >"$BATS_TEST_TMPDIR/numbers"
    spawn sender mqsend /a <"$BATS_TEST_TMPDIR/numbers"
    wait_exit sender 0
    wait_until line_count "$(out watcher)" "$total"
    assert_same "$(out watcher)" "$BATS_TEST_TMPDIR/numbers"
}

# bats test_tags=user
@test "where no more signals can be queued it fails, or still tells" {
    local limit
    for limit in 0 1 2 3 4; do
        spawn watcher bash -c "ulimit -i $limit && exec mqnotify /a"
        wait_until registered_or_ended "${pid[watcher]}"
        if ended "${pid[watcher]}"; then
            wait_exit watcher 2
            assert_diagnostic mqnotify
        else
            mqsend /a hello
            wait_exit watcher 0
            assert_output --regexp '^/a '
            mqreceive /a >/dev/null
        fi
    done
}
registered_or_ended() { ended "$1" || is_registered /a "$1"; }

# ---- Many watchers ----

@test "-e: every watcher sees the message" {
    local i
    for i in 1 2 3 4; do
        spawn_ready "watcher$i" mqnotify -e --ready-fd 9 /a
    done
    # Neither do they stand in each other's way nor in that of the one that is registered.
    spawn_ready registered mqnotify --ready-fd 9 /a
    send /a hello
    for i in 1 2 3 4; do
        wait_exit "watcher$i" 0
        assert_output '/a - -'
    done
    wait_exit registered 0
    assert_output "/a $sender $EUID"
}

@test "-e: a line for each change that is seen" {
    local i
    spawn_ready watcher mqnotify -ef --ready-fd 9 /a
    for i in 1 2 3; do
        mqsend /a "$i"
        wait_until line_count "$(out watcher)" "$i"
    done
    run sort -u "$(out watcher)"
    assert_output '/a - -'
}

@test "it does not run while the queue sits there with a message" {
    spawn_ready polling mqnotify -ef --ready-fd 9 /a
    spawn_ready registered mqnotify -f --ready-fd 9 /a
    mqsend /a hello
    wait_until line_count "$(out polling)" 1
    wait_until line_count "$(out registered)" 1
    assert_rests polling
    assert_rests registered
    assert_equal "$(wc -l <"$(out registered)")" 1
}

@test "it does not run after COMMAND took nothing" {
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- echo run
    mqsend /a hello
    wait_until line_count "$(err watcher)" 1
    assert_rests watcher
    assert_equal "$(cat "$(out watcher)")" run
}

# ---- Registrations ----

# bats test_tags=user
@test "a queue that is taken: who has it" {
    spawn_ready holder mqnotify --ready-fd 9 /a
    run_tool 2 mqnotify /a
    assert_diagnostic mqnotify "/a.*Device or resource busy.*process ${pid[holder]} mqnotify"
    run_tool 2 mqnotify -f /b /a
    assert_diagnostic mqnotify "/a.*Device or resource busy.*process ${pid[holder]} mqnotify"
    run_tool 125 mqnotify /a -- true
    assert_diagnostic mqnotify "/a.*Device or resource busy.*process ${pid[holder]} mqnotify"
    # The attempts left it alone.
    send /a hello
    wait_exit holder 0
    assert_output "/a $sender $EUID"
}

@test "a queue that is taken by a hostile name" {
    cp "$(command -v mqnotify)" "$BATS_TEST_TMPDIR/"$'x\n\e[1m'
    spawn_ready holder "$BATS_TEST_TMPDIR/"$'x\n\e[1m' --ready-fd 9 /a
    run_tool 2 mqnotify /a
    assert_diagnostic mqnotify "process ${pid[holder]} x\\\\x0a\\\\x1b\[1m"
}

@test "a queue that another user's process has taken" {
    requires root
    mqctl set -m 0666 /a
    spawn_ready holder "${nobody[@]}" mqnotify --ready-fd 9 /a
    run_tool 2 mqnotify /a
    assert_diagnostic mqnotify "process ${pid[holder]} mqnotify"
    run_tool 2 setpriv --reuid 1234 --clear-groups mqnotify /a
    assert_diagnostic mqnotify "process ${pid[holder]} mqnotify"
}

# bats test_tags=user
@test "a queue that is taken by a process that is not visible" {
    requires pids
    spawn_ready holder mqnotify --ready-fd 9 /a
    run_tool 2 "${other_pids[@]}" mqnotify /a
    assert_diagnostic mqnotify '/a.*resource busy.*taken by a process that is not visible from here'
}

@test "without -f it is registered for one message alone" {
    spawn_ready first mqnotify --ready-fd 9 /a -- sh -c 'mqctl show /a; mqreceive -a /a'
    mqsend /a hello
    wait_exit first 0
    assert_line notify=0
    spawn_ready second mqnotify --ready-fd 9 /a
    send /a hello
    wait_exit second 0
    assert_output "/a $sender $EUID"
    [ "$(registered /a)" -eq 0 ]
}

@test "with -f it is registered again before COMMAND runs" {
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- sh -c 'mqreceive -a /a; mqctl show /a'
    mqsend /a hello
    wait_until grep -q '^notify=' "$(out watcher)"
    grep -qx "notify=${pid[watcher]}" "$(out watcher)"
}

@test "with -f a queue that another took meanwhile: the line, then the reason" {
    spawn_ready watcher mqnotify -f --ready-fd 9 /a
    kill -STOP "${pid[watcher]}"
    wait_until is_stopped watcher
    send /a hello
    mqreceive /a >/dev/null
    spawn_ready other mqnotify --ready-fd 9 /a
    local first=$sender other=${pid[other]}
    kill -CONT "${pid[watcher]}"
    wait_exit watcher 2
    assert_output "/a $first $EUID"
    assert_diagnostic mqnotify "/a.*Device or resource busy.*process $other mqnotify"
}

@test "a registration survives stop and continue" {
    spawn_ready watcher mqnotify -f --ready-fd 9 /a
    spawn_ready polling mqnotify -ef --ready-fd 9 /a
    local name
    for name in watcher polling; do
        kill -STOP "${pid[$name]}"
        wait_until is_stopped "$name"
        kill -CONT "${pid[$name]}"
        wait_blocked "$name" ppoll poll
    done
    [ "$(registered /a)" -eq "${pid[watcher]}" ]
    send /a 1
    wait_until line_count "$(out watcher)" 1
    wait_until line_count "$(out polling)" 1
    assert_equal "$(cat "$(out watcher)")" "/a $sender $EUID"

    # A message that comes while it is stopped.
    mqreceive /a >/dev/null
    for name in watcher polling; do
        kill -STOP "${pid[$name]}"
        wait_until is_stopped "$name"
    done
    send /a 2
    kill -CONT "${pid[watcher]}" "${pid[polling]}"
    wait_until line_count "$(out watcher)" 2
    wait_until line_count "$(out polling)" 2
    run tail -n 1 "$(out watcher)"
    assert_output "/a $sender $EUID"
}

@test "stop and continue do not end a timeout early or late" {
    spawn watcher mqnotify -w 0.2 /a
    wait_until stopped_to_its_end "${pid[watcher]}"
    wait_exit watcher 124
    assert_no_stderr
}

# For wait_until: whether it has ended; if not, it is stopped and goes on.
stopped_to_its_end() {
    ended "$1" && return
    kill -STOP "$1"
    wait_until stopped_or_ended "$1"
    kill -CONT "$1"
    return 1
}
stopped_or_ended() { is_stopped "$1" || ended "$1"; }

# ---- Removal ----

@test "a queue removed while waiting is trouble" {
    local option
    for option in --poll --timeout=1h; do
        make_small /c
        spawn_ready watcher mqnotify "$option" --ready-fd 9 /c
        mqctl rm /c
        wait_exit watcher 2
        assert_diagnostic mqnotify '/c.*Identifier removed'
        assert_output ''
    done
    make_small /c
    spawn_ready watcher mqnotify --ready-fd 9 /a /c -- echo run
    mqctl rm /c
    wait_exit watcher 125
    assert_diagnostic mqnotify '/c.*Identifier removed'
    assert_output ''
}

@test "with -f it goes on until all queues are removed" {
    local option
    for option in --poll --timeout=1h; do
        make_small /c
        make_small /d
        spawn_ready watcher mqnotify -f "$option" --ready-fd 9 /c /d
        mqctl rm /c
        mqsend /d hello
        wait_until line_count "$(out watcher)" 1
        mqctl rm /d
        wait_exit watcher 0
        assert_output --regexp '^/d [^/]*$'
        assert_no_stderr
    done
}

@test "with -f and COMMAND the end is COMMAND's last status" {
    # shellcheck disable=SC2016 # for the other shell
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- \
        sh -c 'm=$(mqreceive -a /a); echo "$m"; [ "$m" != end ] || mqctl rm /a; exit 9'
    mqsend /a one
    wait_until line_count "$(out watcher)" 1
    mqsend /a end
    wait_exit watcher 9
    assert_output --partial $'one\n'
    assert_output --partial end
}

@test "a new queue under the name of a removed one is another" {
    make_small /c
    spawn_ready watcher mqnotify --ready-fd 9 /c
    spawn_ready following mqnotify -ef --ready-fd 9 /c
    kill -STOP "${pid[watcher]}" "${pid[following]}"
    wait_until is_stopped watcher
    wait_until is_stopped following
    mqctl rm /c
    make_small /c
    mqsend /c hello
    kill -CONT "${pid[watcher]}" "${pid[following]}"
    wait_exit watcher 2
    assert_diagnostic mqnotify '/c.*Identifier removed'
    assert_output ''
    wait_exit following 0
    assert_output ''
    run_tool 0 mqnotify /c
    assert_output '/c - -'
}

@test "the descriptor of a queue without a name works" {
    requires posix-mount
    exec {nameless}<>/dev/mqueue/a
    mqctl rm /a
    run_tool 124 mqnotify -w 20ms "fd:$nameless"
    spawn_ready watcher mqnotify --ready-fd 9 "fd:$nameless"
    send "fd:$nameless" hello
    wait_exit watcher 0
    assert_output "fd:$nameless $sender $EUID"
    exec {nameless}>&-
}

# ---- Stdout ----

@test "when the reader of its stdout is gone it ends while it waits" {
    local option
    mkfifo "$BATS_TEST_TMPDIR/ready"
    for option in -f -ef --timeout=1h; do
        # shellcheck disable=SC2016 # for the other shell
        run_tool 2 bash -c 'mqnotify "$1" --ready-fd 9 /a 9>"$2" | read -r _ <"$2"
            exit "${PIPESTATUS[0]}"' bash "$option" "$BATS_TEST_TMPDIR/ready"
        assert_diagnostic mqnotify 'stdout.*Broken pipe'
        [ "$(registered /a)" -eq 0 ]
    done
}

@test "a full or closed stdout is an error" {
    mqsend /a hello
    run_tool 2 sh -c 'exec mqnotify /a >/dev/full'
    assert_diagnostic mqnotify 'No space left'
    run_tool 2 sh -c 'exec mqnotify -ef /a >/dev/full'
    assert_diagnostic mqnotify 'No space left'
    run_tool 2 sh -c 'exec mqnotify -f /a >&-'
    assert_diagnostic mqnotify 'stdout'
}

# ---- COMMAND ----

# shellcheck disable=SC2016 # for the other shell
show_environment='echo "$MQ_QUEUE [${MQ_SENDER_PID-unset}] [${MQ_SENDER_UID-unset}]"; mqreceive -a /a'

@test "COMMAND is told the queue and the sender" {
    spawn_ready watcher mqnotify --ready-fd 9 /b /a -- sh -c "$show_environment"
    send /a hello
    wait_exit watcher 0
    assert_output "/a [$sender] [$EUID]"$'\nhello'
    assert_no_stderr

    mqsend /a hello
    MQ_SENDER_PID=7 MQ_SENDER_UID=7 run_tool 0 mqnotify /a -- sh -c "$show_environment"
    assert_output $'/a [] []\nhello'
}

@test "COMMAND runs once for one message" {
    spawn_ready watcher mqnotify --ready-fd 9 /a -- sh -c 'echo run; mqreceive -a /a'
    mqsend /a hello
    wait_exit watcher 0
    assert_output $'run\nhello'
}

@test "with -f COMMAND runs for each message" {
    local i
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- mqreceive -a /a
    for i in {1..50}; do
        mqsend /a "$i"
        wait_until line_count "$(out watcher)" "$i"
    done
    assert_same "$(out watcher)" <(seq 50)
}

@test "COMMAND runs again while it takes messages and more remain" {
    mqsend /a 1 2 3
    run_tool 0 mqnotify /a -- mqreceive /a
    assert_output $'1\n2\n3'
    assert_no_stderr
    [ "$(queued /a)" -eq 0 ]

    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- sh -c 'echo run; mqreceive /a'
    mqsend /a 1 2 3 4
    wait_until line_count "$(out watcher)" 8
    [ "$(queued /a)" -eq 0 ]
    run grep -v run "$(out watcher)"
    assert_output $'1\n2\n3\n4'
}

@test "COMMAND that takes nothing: said once; it runs again after the next change" {
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- echo run
    mqsend /a 1
    wait_until line_count "$(err watcher)" 1
    wait_blocked watcher ppoll poll
    assert_equal "$(cat "$(out watcher)")" run

    mqsend /a 2
    wait_until line_count "$(out watcher)" 2
    wait_blocked watcher ppoll poll
    mqsend /a 3
    wait_until line_count "$(out watcher)" 3
    wait_blocked watcher ppoll poll
    assert_equal "$(wc -l <"$(err watcher)")" 1
    grep -q '^mqnotify: /a: .*took no' "$(err watcher)"

    # Once it is drained, a message counts as ever.
    mqreceive -a /a >/dev/null
    local before
    before=$(wc -l <"$(out watcher)")
    mqsend /a 4
    wait_until line_count "$(out watcher)" $((before + 1))
}

@test "COMMAND that takes nothing, without -f: it ran for the one message" {
    mqsend /a 1
    run_tool 0 timeout "$PATIENCE" mqnotify /a -- echo run
    assert_output run
    [ "$(queued /a)" -eq 1 ]
}

@test "COMMAND's status is the status" {
    mqsend /a hello
    run_tool 0 mqnotify /a -- true
    run_tool 9 mqnotify /a -- sh -c 'exit 9'
    run_tool 124 mqnotify /a -- sh -c 'exit 124'
    # shellcheck disable=SC2016 # for the other shell
    run_tool 137 mqnotify /a -- sh -c 'kill -KILL $$'
    run_tool 126 mqnotify /a -- /dev/null
    assert_diagnostic mqnotify '/dev/null.*Permission denied'
    # Where no directory of PATH is closed to the user: that would be 126.
    PATH=$IPCTOOLS_BIN:/usr/bin:/bin
    run_tool 127 mqnotify /a -- no-such-command
    assert_diagnostic mqnotify 'no-such-command.*No such file'
    run_tool 126 mqnotify -f /a -- /dev/null
    assert_diagnostic mqnotify
    run_tool 127 mqnotify -f /a -- no-such-command
    assert_diagnostic mqnotify
    run_tool 125 mqnotify /no-such-queue -- true
    assert_diagnostic mqnotify 'No such file'
    run_tool 125 mqnotify /a --
    assert_diagnostic mqnotify 'COMMAND is missing'
}

@test "with -f COMMAND that fails does not end it" {
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- sh -c 'mqreceive -a /a; exit 9'
    mqsend /a 1
    wait_until line_count "$(out watcher)" 1
    mqsend /a 2
    wait_until line_count "$(out watcher)" 2
    mqctl rm /a
    wait_exit watcher 9
}

@test "options and -- behind the first queue belong to COMMAND" {
    mqsend /a hello
    run_tool 0 mqnotify /a -- echo -f -- -J
    assert_output -- '-f -- -J'
}

@test "a signal is passed on to COMMAND, waited for, and then ends mqnotify" {
    local name
    mqsend /a hello
    for name in TERM INT HUP QUIT; do
        # shellcheck disable=SC2016 # perl's variables
        spawn watcher mqnotify -f /a -- perl -e '
            $| = 1;
            $SIG{$ARGV[0]} = sub { print "got\n"; exit 9 };
            print "up\n";
            sleep 1 while 1' "$name"
        wait_until line_count "$(out watcher)" 1
        kill "-$name" "${pid[watcher]}"
        wait_exit watcher $((128 + $(kill -l "$name")))
        assert_output $'up\ngot'
        assert_no_stderr
    done
    [ "$(queued /a)" -eq 1 ]
}

@test "COMMAND has the signals that mqnotify was given" {
    local expected
    local -a given=(env --default-signal --ignore-signal=INT --block-signal=USR2)
    # All but 32 and 33, which are the C library's own.
    # shellcheck disable=SC2016 # perl's variables
    local -a look=(perl -ne 'printf("%s %x\n", $1, hex($2) & ~(3 << 31)) if /^(Sig(?:Blk|Ign)):\s(\w+)/'
        /proc/self/status)
    mqsend /a hello
    expected=$(env --default-signal "${look[@]}")
    run_tool 0 env --default-signal mqnotify /a -- "${look[@]}"
    assert_output "$expected"
    expected=$("${given[@]}" "${look[@]}")
    run_tool 0 "${given[@]}" mqnotify /a -- "${look[@]}"
    assert_output "$expected"
}

@test "a message that comes while COMMAND runs is not lost" {
    local gate=$BATS_TEST_TMPDIR/gate i
    mkfifo "$gate"
    # COMMAND drains, says so, and waits at the gate.
    # shellcheck disable=SC2016 # for the other shell
    spawn_ready watcher mqnotify -f --ready-fd 9 /a -- \
        sh -c 'mqreceive -a /a; read -r _ <"$1"' sh "$gate"
    mqsend /a 1
    for i in {2..20}; do
        wait_until line_count "$(out watcher)" $((i - 1))
        mqsend /a "$i"
        echo >"$gate"
    done
    wait_until line_count "$(out watcher)" 20
    assert_same "$(out watcher)" <(seq 20)
    # The last, and a run too many.
    exec {open_gate}<>"$gate"
    echo $'\n' >&"$open_gate"
    mqctl rm /a
    wait_exit watcher
    exec {open_gate}>&-
}
