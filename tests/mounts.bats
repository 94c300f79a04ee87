#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The tools need neither /dev/mqueue nor /proc, and believe neither.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash

# bats file_tags=user
load support/lib.bash

# A mount namespace of our own; a user makes it in a user namespace, where what is mounted can only
# be covered.
setup() {
    nested=(unshare --mount)
    can_mount || nested=(unshare --user --map-root-user --mount)
    "${nested[@]}" true 2>/dev/null || skip 'needs a mount namespace'
    write_work
}

# Whom a nested namespace shows as the user.
nested_uid() {
    if can_mount; then
        echo "$EUID"
    else
        echo 0
    fi
}

# What a user does, on the queue $1: a line for each thing, so that one look shows what went wrong.
# Without /proc there are no process substitutions and no pids but $!.
write_work() {
    work=$BATS_TEST_TMPDIR/work
    mkfifo "$BATS_TEST_TMPDIR/ready"
    cat >"$work" <<'WORK'
set -eu
queue=$1 ready=$2
is_posix=no
case $queue in /*) is_posix=yes ;; esac

size=()
case $queue in /*) size=(--msgsize 64) ;; esac
created=$(mqctl create -x -m 0640 "${size[@]}" "$queue")
echo "created $created"
seq 5 | mqsend "$queue"
echo "queued $(mqctl show "$queue" | sed -n 's/^msgs=//p'), bytes $(mqctl show "$queue" | sed -n 's/^used=//p')"
mqctl show "$queue" | grep '^perms='
echo "received" $(mqreceive -a "$queue")
mqctl set -m 0600 "$queue"
mqctl show "$queue" | grep '^perms='
status=0
mqreceive -n "$queue" || status=$?
echo "nothing there: $status"
status=0
mqreceive -w 10ms "$queue" || status=$?
echo "nothing came: $status"

if [ $is_posix = yes ]; then
    mqnotify --ready-fd 9 "$queue" >"$ready.out" 9>"$ready" &
    watcher=$!
    read -r _ <"$ready"
    [ "$(mqctl show "$queue" | sed -n 's/^notify=//p')" = $watcher ] && echo 'show names the watcher'
    status=0
    error=$(mqnotify "$queue" 2>&1) || status=$?
    case $error in
    *"Device or resource busy"*"process $watcher"*) echo "busy: $status" ;;
    *) echo "busy: $status $error" ;;
    esac
    mqsend "$queue" hello
    wait $watcher
    read -r name pid uid <"$ready.out"
    echo "notified of $name by $([ "$pid" -gt 0 ] && echo a process) of $uid"
    mqreceive "$queue"
    mqnotify -e --ready-fd 9 "$queue" >"$ready.out" 9>"$ready" &
    watcher=$!
    read -r _ <"$ready"
    mqsend "$queue" hello
    wait $watcher
    echo "polled $(cat "$ready.out")"
    mqreceive "$queue"
    mqnotify --ready-fd 9 -f "$queue" 9>"$ready" &
    watcher=$!
    read -r _ <"$ready"
fi

# The receiver says with its first message that it is there.
mkfifo "$ready.messages"
mqreceive -f "$queue" >"$ready.messages" &
receiver=$!
exec 8<"$ready.messages"
mqsend "$queue" first
read -r message <&8
echo "followed $message"
mqctl rm "$queue"
status=0
wait $receiver || status=$?
echo "removed: $status"
rm "$ready.messages"
if [ $is_posix = yes ]; then
    status=0
    wait $watcher || status=$?
    echo "watcher: $status"
fi

status=0
mqctl show "$queue" 2>"$ready.out" || status=$?
echo "gone: $status $(grep -o 'No such file.*' "$ready.out")"
WORK
}

# works_within SETUP QUEUE [WATCHER'S LAST LINE]...: in a nested namespace, after the shell commands
# SETUP, everything works.
works_within() {
    made_queues+=("$2")
    # shellcheck disable=SC2016 # for the other shell
    run_tool 0 "${nested[@]}" bash -c "$1"' && exec bash "$@"' bash "$work" "$2" "$BATS_TEST_TMPDIR/ready"
    local expected="created $2
queued 5, bytes 5
perms=0640
received 1 2 3 4 5
perms=0600
nothing there: 1
nothing came: 124"
    case $2 in
    /*)
        expected+="
show names the watcher
busy: 2
notified of $2 by a process of $(nested_uid)
hello
polled $2 - -
hello"
        ;;
    esac
    expected+="
followed first
removed: 0"
    [[ $2 != /* ]] || expected+="
watcher: 0"
    expected+="
gone: 2 No such file or directory"
    # The watcher of the end may or may not tell of the message that the receiver took.
    output=$(grep -v "^$2 " <<<"$output") || true
    assert_output "$expected"
    assert_no_stderr
}

unmount='{ umount /dev/mqueue || mount -t tmpfs ipctools /dev/mqueue; } 2>/dev/null'
hide_proc='mount -t tmpfs ipctools /proc'

# Sanitizers do not start without it.
can_miss_proc() { ! is_sanitized || skip 'the sanitizers need /proc'; }

@test "everything works with /dev/mqueue" {
    works_within : /mounts
    works_within : key:0x6d6e7473
}

@test "everything works without /dev/mqueue" {
    works_within "$unmount" /mounts
    works_within "$unmount" key:0x6d6e7473
}

@test "everything works without /proc" {
    can_miss_proc
    works_within "$hide_proc" /mounts
    works_within "$hide_proc" key:0x6d6e7473
}

@test "everything works with neither" {
    can_miss_proc
    works_within "$unmount && $hide_proc" /mounts
    works_within "$unmount && $hide_proc" key:0x6d6e7473
}

# Mounts the mqueue file system of another IPC namespace, which lives as long as its shell: there,
# /mounts and /theirs are other queues, each with one message.
# shellcheck disable=SC2016 # for the other shell
foreign='
mkfifo "$TMPDIR/theirs.$$"
unshare --ipc sh -c "mount -t mqueue ipctools /dev/mqueue &&
    mqctl create --msgsize 64 /mounts /theirs >/dev/null && mqsend /mounts theirs && mqsend /theirs theirs &&
    echo >\"\$1\" && exec sleep 1000" sh "$TMPDIR/theirs.$$" 3>&- &
trap "kill $!; rm \"$TMPDIR/theirs.$$\"" EXIT
read -r _ <"$TMPDIR/theirs.$$"'

# with_foreign COMMANDS: of a shell, with that mounted.
with_foreign() {
    run_tool 0 "${nested[@]}" bash -c "set -e
$foreign
$1"
}

@test "everything works with another namespace's /dev/mqueue" {
    local queue
    for queue in /mounts key:0x6d6e7473; do
        # shellcheck disable=SC2016 # for the other shell
        works_within "$foreign"'
            [ -e /dev/mqueue/mounts ] && bash "$@"; exit' "$queue"
    done
}

@test "a name that only another namespace's /dev/mqueue shows is not there" {
    # shellcheck disable=SC2016 # for the other shell
    with_foreign '
        ls /dev/mqueue
        for command in "mqctl show" "mqctl rm" "mqctl set -m 0666" mqnotify mqreceive "mqsend -n"; do
            status=0
            $command /theirs </dev/null 2>&1 || echo "$?"
        done
        # And theirs is as it was.
        cat /dev/mqueue/theirs; stat -c %a /dev/mqueue/theirs'
    assert_line --index 0 mounts
    assert_line --index 1 theirs
    assert_equal "$(grep -c ': No such file or directory$' <<<"$output")" 6
    assert_equal "$(grep -cx 2 <<<"$output")" 6
    assert_line --regexp '^QSIZE:6 '
    assert_line 600
}

@test "of two queues with one name ours is meant" {
    # shellcheck disable=SC2016 # for the other shell
    with_foreign '
        mqctl create --msgsize 64 /mounts
        mqsend /mounts ours 2
        mqctl show /mounts | grep -E "^(msgs|used)="
        mqctl rm /mounts
        cat /dev/mqueue/mounts'
    assert_line --index 0 /mounts
    assert_line --index 1 msgs=2
    assert_line --index 2 used=5
    assert_line --index 3 --regexp '^QSIZE:6 '
}

@test "limits are explained without /proc, as far as they can be" {
    can_miss_proc
    # shellcheck disable=SC2016 # for the other shell
    run_tool 2 "${nested[@]}" bash -c "$hide_proc"' && exec mqctl create --maxmsg 99999 /mounts'
    assert_diagnostic mqctl '/mounts: cannot create: Invalid argument'
    assert_output ''
    # shellcheck disable=SC2016 # for the other shell
    run_tool 2 "${nested[@]}" bash -c "$hide_proc"' && ulimit -q 100 && exec mqctl create /mounts'
    assert_diagnostic mqctl 'RLIMIT_MSGQUEUE = 100'
    run_tool 2 mqctl show /mounts
}

@test "COMMAND runs without /proc" {
    can_miss_proc
    make_queue /mounts
    mqsend /mounts 1 2
    # shellcheck disable=SC2016 # for the other shell
    run_tool 0 "${nested[@]}" bash -c "$hide_proc"' && mqreceive /mounts -- grep . &&
        exec mqnotify /mounts -- mqreceive -a /mounts'
    assert_output $'1\n2'
}

# stat(2) on it says nothing of /dev/mqueue itself: a directory with a file of the name of a queue.
@test "files below a /dev/mqueue that is none are left alone" {
    # shellcheck disable=SC2016 # for the other shell
    run_tool 0 "${nested[@]}" bash -c 'mount -t tmpfs ipctools /dev/mqueue && : >/dev/mqueue/mounts && {
        mqctl show /mounts; mqctl rm /mounts; mqctl create /mounts && mqctl rm /mounts
        ls /dev/mqueue; } 2>&1'
    assert_line --index 0 'mqctl: /mounts: cannot open: No such file or directory'
    assert_line --index 1 'mqctl: /mounts: cannot remove: No such file or directory'
    assert_line --index 2 /mounts
    assert_line --index 3 mounts
}
