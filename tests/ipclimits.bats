#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ipcstat --limits and ipcstat --openmetrics: figures of the kernel's limits, and for collectors.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell

load support/lib.bash

# limit COLUMN RESOURCE [USER]: that cell, from $output of `ipcstat --limits -e`.
limit() {
    local cells
    cells=$(grep "^RESOURCE=\"$2\" USER=\"${3-.*}\" USED=" <<<"$output") || fail "no row of $*"
    cells=${cells#*" $1=\""}
    echo "${cells%%\"*}"
}
used() { limit USED "$@"; }
list_limits() { run_tool 0 ipcstat --limits -e "$@"; }

# A user of whom nobody else has queues or signals: the kernel counts those for the whole machine.
new_uid() {
    uid=$((70000 + RANDOM))
    as_uid=(setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all)
}

# metric NAME LABEL...: the value of that series in $output.
metric() {
    local rows=$output label
    for label in "${@:2}"; do
        rows=$(grep -F -- "$label" <<<"$rows")
    done
    sed -n "s/^$1[{ ].* //p; s/^$1 //p" <<<"$rows"
}

# parse PYTHON: this, with the families of $output as `f` by either format's parser, and its samples
# as `s`.
parse() {
    local python format
    for python in python3 /usr/bin/python3 ''; do
        [ -n "$python" ] || skip 'needs python3-prometheus-client'
        ! "$python" -c 'import prometheus_client.openmetrics' 2>/dev/null || break
    done
    for format in openmetrics.parser parser; do
        "$python" -c "
import sys
from prometheus_client.$format import text_string_to_metric_families as families
f = list(families(sys.stdin.read()))
s = [sample for family in f for sample in family.samples]
$1" <<<"$output"
    done
}

@test "System V: limits, and what is used of them, are what lsipc shows" {
    requires lsipc
    make_queue key:0x5101
    make_queue key:0x5102
    mqsend key:0x5102 twelve-bytes
    make_semaphore key:0x5103 --nsems 5
    make_memory key:0x5104 12K # lsipc forgets the rest of a page
    list_limits
    assert_no_stderr
    local resource value used name compared=0
    while read -r resource value used; do
        case $resource in
        MSG* | SHM[!M]* | SHMM[!I]* | SHMMNI) name=kernel.${resource,,} ;;
        *) name=$resource ;;
        esac
        # They are no limits that can be set.
        case $resource in SHMMIN | SEMVMX) continue ;; esac
        [ ${#value} -lt 19 ] || value= # no limit
        [ "$(limit LIMIT "$name")" = "$value" ] || fail "limit of $name: lsipc has $value"
        [ "$used" = - ] || [ "$(used "$name")" = "$used" ] || fail "use of $name: lsipc has $used"
        compared=$((compared + 1))
    done < <(lsipc -b -r --noheadings -o RESOURCE,LIMIT,USED)
    [ "$compared" -eq 10 ]
}

@test "System V: what is used is what ipcs shows" {
    requires ipcs
    make_queue key:0x5101
    make_semaphore key:0x5102 --nsems 5
    make_memory key:0x5103 12345
    local row figures
    figures=$(LC_ALL=C ipcs -u)
    list_limits
    for row in kernel.msgmni:'allocated queues' SEMMNI:'used arrays' SEMMNS:'allocated semaphores' \
        kernel.shmmni:'segments allocated' kernel.shmall:'pages allocated'; do
        assert_regex "$figures" "${row#*:} (= )?$(used "${row%:*}")("$'\n'"|$)"
    done
}

@test "System V: each object counts, and the largest is seen" {
    list_limits
    local before=$output
    make_queue key:0x5101
    make_queue key:0x5102
    make_queue key:0x5103
    mqsend key:0x5102 twelve-bytes
    make_semaphore key:0x5104 --nsems 5
    make_semaphore key:0x5105 --nsems 2
    make_memory key:0x5106 1M
    make_memory key:0x5107 8K
    list_limits
    local row rise
    for row in 'kernel.msgmni 3' 'SEMMNI 2' 'SEMMNS 7' 'kernel.shmmni 2' \
        "kernel.shmall $(((1048576 + 8192) / $(getconf PAGESIZE)))"; do
        rise=$(($(used "${row% *}") - $(output=$before && used "${row% *}")))
        [ "$rise" -eq "${row#* }" ] || fail "${row% *} rose by $rise"
    done
    [ "$(used SEMMSL)" = 5 ]
    [ "$(used kernel.msgmnb)" = 12 ]
    [ "$(used kernel.shmmax)" = 1048576 ]
    [ "$(used SEMOPM)" = '' ]
}

@test "System V: those of the IPC namespace we are in" {
    requires root
    make_queue key:0x5101
    set_limit kernel.msgmni 77
    list_limits
    [ "$(used kernel.msgmni)/$(limit LIMIT kernel.msgmni)" = 1/77 ]
    run_tool - unshare --ipc ipcstat --limits -e
    [ "$(used kernel.msgmni)" = 0 ]
    [ "$(limit LIMIT kernel.msgmni)" != 77 ]
}

@test "System V: those of another namespace with -N" {
    requires root
    make_queue key:0x5101
    # shellcheck disable=SC2016
    spawn_ready other unshare --ipc sh -c '
        echo 66 >/proc/sys/kernel/msgmni; mqctl create key:0x5101 key:0x5102; echo >&9; exec sleep 1000'
    list_limits -N "${pid[other]}"
    [ "$(used kernel.msgmni)/$(limit LIMIT kernel.msgmni)" = 2/66 ]
    # Ours, beside the objects of all.
    run_tool 0 ipcstat --openmetrics --all-namespaces
    [ "$(metric ipc_limit_used 'limit="kernel.msgmni"')" = 1 ]
}

# bats test_tags=user
@test "POSIX: queues count, the deepest and the widest are seen" {
    list_limits
    [ "$(used fs.mqueue.queues_max)" = 0 ]
    make_queue /deep --maxmsg 7 --msgsize 16
    make_queue /wide --maxmsg 2 --msgsize 4000
    list_limits
    [ "$(used fs.mqueue.queues_max)" = 2 ]
    [ "$(used fs.mqueue.msg_max)" = 7 ]
    [ "$(used fs.mqueue.msgsize_max)" = 4000 ]
    local name
    for name in queues_max msg_max msgsize_max msg_default msgsize_default; do
        [ "$(limit LIMIT "fs.mqueue.$name")" = "$(</proc/sys/fs/mqueue/$name)" ]
    done
}

@test "POSIX: shared memory fills /dev/shm" {
    list_limits
    local bytes inodes
    bytes=$(used /dev/shm:size) inodes=$(used /dev/shm:nr_inodes)
    make_memory /filling 192K
    list_limits
    [ $(($(used /dev/shm:size) - bytes)) -eq $((192 * 1024)) ]
    [ $(($(used /dev/shm:nr_inodes) - inodes)) -eq 1 ]
    [ "$(limit LIMIT /dev/shm:size)" -eq "$(df -B1 --output=size /dev/shm | tail -n 1)" ]
}

@test "RLIMIT_MSGQUEUE: what is used is what the kernel charges, to the byte" {
    requires root posix-mount
    local uid as_uid one
    new_uid
    made_queues+=(/charged-1 /charged-2 /charged-3)
    "${as_uid[@]}" mqctl create --maxmsg 3 --msgsize 100 /charged-1 >/dev/null
    run_tool 0 "${as_uid[@]}" ipcstat --limits -e
    one=$(used RLIMIT_MSGQUEUE $uid)
    run_tool 2 "${as_uid[@]}" prlimit --msgqueue=$((2 * one - 1)) mqctl create --maxmsg 3 --msgsize 100 /charged-2
    run_tool 0 "${as_uid[@]}" prlimit --msgqueue=$((2 * one)) mqctl create --maxmsg 3 --msgsize 100 /charged-2
    # An odd shape, to tell what depends on messages from what depends on their size.
    "${as_uid[@]}" mqctl create --maxmsg 1 --msgsize 1 /charged-3 >/dev/null
    run_tool 0 "${as_uid[@]}" prlimit --msgqueue=54321 ipcstat --limits -e
    [ $(($(used RLIMIT_MSGQUEUE $uid) - 2 * one)) -eq $((1 + 2 * 6 * $(getconf LONG_BIT) / 8)) ]
    [ "$(limit LIMIT RLIMIT_MSGQUEUE $uid)" = 54321 ]
}

@test "RLIMIT_MSGQUEUE: root sees each user's, with the limit of its processes" {
    requires root posix-mount
    local uid as_uid
    new_uid
    made_queues+=(/theirs)
    "${as_uid[@]}" mqctl create --maxmsg 3 --msgsize 100 /theirs >/dev/null
    list_limits
    [ "$(used RLIMIT_MSGQUEUE $uid)" -gt 0 ]
    [ "$(limit LIMIT RLIMIT_MSGQUEUE $uid)" = '' ]
    spawn sleeper "${as_uid[@]}" prlimit --msgqueue=23456 sleep 1000
    wait_blocked sleeper clock_nanosleep
    list_limits
    [ "$(limit LIMIT RLIMIT_MSGQUEUE $uid)" = 23456 ]
}

@test "RLIMIT_MSGQUEUE: not known where we may not read one of the queues" {
    requires root posix-mount
    local uid as_uid
    new_uid
    make_queue /secret
    run_tool 0 "${as_uid[@]}" ipcstat --limits -e
    assert_no_stderr
    [ "$(used RLIMIT_MSGQUEUE root)" = '' ]
    [ "$(used RLIMIT_MSGQUEUE $uid)" = 0 ]
    [ "$(used fs.mqueue.queues_max)" = 1 ]
}

@test "RLIMIT_SIGPENDING: signals queued for a user" {
    requires root
    local uid as_uid number
    new_uid
    spawn target "${as_uid[@]}" \
        prlimit --sigpending=77 env --block-signal=40 sleep 1000
    wait_blocked target clock_nanosleep
    for number in 1 2 3 4 5; do
        sigsend -s 40 --value $number "${pid[target]}"
    done
    list_limits
    [ "$(used RLIMIT_SIGPENDING $uid)/$(limit LIMIT RLIMIT_SIGPENDING $uid)" = 5/77 ]
    [ "$(limit PERCENT RLIMIT_SIGPENDING $uid)" = 6.49 ]
}

# bats test_tags=user
@test "one's own limits are always there" {
    run_tool 0 prlimit --msgqueue=12345 --sigpending=234 ipcstat --limits -e
    [ "$(limit LIMIT RLIMIT_MSGQUEUE "$(id -un)")" = 12345 ]
    [ "$(limit LIMIT RLIMIT_SIGPENDING "$(id -un)")" = 234 ]
}

@test "the limits of pipes, sockets and files" {
    list_limits
    local name value
    for name in fs.pipe-max-size net.unix.max_dgram_qlen fs.file-max; do
        [ "$(limit LIMIT $name)" = "$(<"/proc/sys/${name//.//}")" ]
    done
    [ "$(used fs.file-max)" -gt 0 ]
    for name in soft hard; do
        value=$(<"/proc/sys/fs/pipe-user-pages-$name")
        [ "$value" -gt 0 ] || value=
        [ "$(limit LIMIT fs.pipe-user-pages-$name)" = "$value" ]
    done
}

# bats test_tags=user
@test "a table for people, with sizes that they can read" {
    requires limits
    set_limit kernel.msgmnb 65536
    run_tool 0 ipcstat --limits
    assert_line --index 0 --regexp '^RESOURCE +USER +USED +LIMIT +USE% DESCRIPTION$'
    assert_line --regexp '^kernel\.msgmnb +0 +64K +0\.00% bytes in a System V queue'
    assert_line --regexp "^RLIMIT_MSGQUEUE +$(id -un) "
    run_tool 0 ipcstat --limits -b --noheadings
    assert_line --index 0 --regexp '^kernel\.msgmni '
    assert_line --regexp '^kernel\.msgmnb +0 +65536 +0\.00% '
}

@test "json: numbers are numbers, and a percent is what it says" {
    make_queue /deep --maxmsg 3
    run_tool 0 ipcstat --limits -J
    python3 -c '
import json, sys
rows = json.load(sys.stdin)["ipc"]
assert len(rows) >= 22, len(rows)
for row in rows:
    used, limit, percent = row["used"], row["limit"], row["percent"]
    assert isinstance(row["resource"], str) and isinstance(row["unit"], str), row
    for number in used, limit:
        assert number is None or isinstance(number, int), row
    assert (row["user"] is not None) == row["resource"].startswith("RLIMIT_"), row
    if used is None or not limit:
        assert percent is None, row
    else:
        assert abs(percent - 100 * used / limit) < 0.006, row
deep = [row for row in rows if row["resource"] == "fs.mqueue.msg_max"]
assert deep[0]["percent"] == round(300 / deep[0]["limit"], 2), deep' <<<"$output"
}

@test "a filter does not change what is used of a limit" {
    make_queue /deep --maxmsg 3
    run_tool - ipcstat --openmetrics -k sem
    [ "$(metric ipc_limit_used 'limit="fs.mqueue.msg_max"')" = 3 ]
    refute_line --regexp '^ipc_queue_messages'
}

@test "what does not go together is misuse" {
    local line
    while read -r line; do
        # shellcheck disable=SC2086 # words
        run_tool 2 ipcstat $line
        assert_diagnostic ipcstat
    done <<'END'
--limits -k mq
--limits -a
--limits -u root
--limits -p 1
--limits -s unused
--limits /jobs
--limits -o NAME
--limits --all-namespaces
--graph -J
--graph -o NAME
--graph --watch 1
--openmetrics -r
--openmetrics --watch 1
END
}

@test "what limits nothing has no figure" {
    json() { python3 -c 'import json, sys; d = {r["resource"]: r for r in json.load(sys.stdin)["ipc"]}; print(eval(sys.argv[1]))' "$1" <<<"$output"; }
    run_tool 0 ipcstat --limits -J
    assert_equal "$(json 'd["kernel.shmmax"]["limit"], d["kernel.shmmax"]["percent"]')" '(None, None)'
    run_tool 0 ipcstat --limits
    assert_line --regexp '^kernel.shmmax .* unlimited '
    run_tool 0 ipcstat --openmetrics
    assert_line --regexp '^ipc_limit\{.*kernel.shmmax.*\} \+Inf$'
    run_tool 0 ipcstat --limits -e
    # A shell can eval each line.
    bash -eu -c "$output"
}

# bats test_tags=user
@test "what cannot be read is said, and the status is 2" {
    requires mount
    # shellcheck disable=SC2016
    run_tool 2 unshare --mount sh -c 'mount -t tmpfs none /proc/sys && exec "$@"' sh ipcstat --limits -e
    assert_equal "$(grep -c '^ipcstat: fs\.mqueue\.msg_max: cannot read the limit: No such file' <<<"$stderr")" 1
    refute_line --partial fs.mqueue.msg_max
    [ "$(limit UNIT kernel.msgmni)" = objects ]
}

@test "OpenMetrics: each object's figures" {
    make_queue /metric-q --maxmsg 5 --msgsize 100
    mqsend /metric-q one two
    make_queue key:0x5101
    mqsend key:0x5101 twelve-bytes
    make_semaphore /metric-s --value 3
    make_semaphore key:0x5102 --nsems 4
    make_memory /metric-m 8K
    make_memory key:0x5103 4K
    run_tool 0 ipcstat --openmetrics
    assert_no_stderr
    [ "${lines[-1]}" = '# EOF' ]
    [ "$(metric ipc_queue_messages 'name="/metric-q",family="posix"')" = 2 ]
    [ "$(metric ipc_queue_bytes 'name="/metric-q"')" = 6 ]
    [ "$(metric ipc_queue_limit_messages 'name="/metric-q"')" = 5 ]
    [ "$(metric ipc_queue_messages 'name="key:0x00005101",family="system_v",id="')" = 1 ]
    [ "$(metric ipc_queue_bytes 'name="key:0x00005101"')" = 12 ]
    [ "$(metric ipc_semaphore_value 'name="/metric-s"')" = 3 ]
    [ "$(metric ipc_semaphore_waiters 'name="/metric-s"')" = 0 ]
    [ "$(metric ipc_semaphore_members 'name="key:0x00005102"')" = 4 ]
    [ "$(metric ipc_shared_memory_bytes 'name="/metric-m"')" = 8192 ]
    [ "$(metric ipc_shared_memory_bytes 'name="key:0x00005103"')" = 4096 ]
    [ "$(metric ipc_shared_memory_attaches 'name="key:0x00005103"')" = 0 ]
    [ "$(metric ipc_limit_used 'limit="fs.mqueue.queues_max"')" = 1 ]
    [ "$(metric ipc_limit 'limit="kernel.msgmni"')" = "$(</proc/sys/kernel/msgmni)" ]
    metric ipc_unexamined_processes | grep -Ex '[0-9]+'
    # Each is counted in one state.
    [ $(($(metric ipc_objects 'kind="mq",family="posix"' | paste -sd +))) -eq 1 ]
    [ $(($(metric ipc_objects 'kind="sem",family="system_v"' | paste -sd +))) -eq 1 ]
}

@test "OpenMetrics: names of any bytes, no two of them the same" {
    local name
    for name in $'/a"b\\c\nd\x1b' $'/\xff' '/\xff' $'/\xc2\x9b' '/ä' '/{x="y"} 1 # EOF'; do
        make_queue "$name" --maxmsg 1 --msgsize 1
    done
    run_tool 0 ipcstat --openmetrics
    [ "$(metric ipc_queue_messages | wc -l)" -eq 6 ]
    [ -z "$(LC_ALL=C tr -d '\n -~\303\244' <<<"$output")" ]
    assert_line 'ipc_queue_messages{name="/\\xff",family="posix"} 0'
    assert_line 'ipc_queue_messages{name="/\\x5cxff",family="posix"} 0'
    parse '
names = {x.labels["name"] for x in s if x.name == "ipc_queue_messages"}
assert names == {"/a\"b\\c\\x0ad\\x1b", "/\\xff", "/\\x5cxff", "/\\xc2\\x9b", "/ä", "/{x=\"y\"} 1 # EOF"}, names'
}

@test "OpenMetrics: both formats' parsers take all of it" {
    make_queue /metric-q
    make_queue key:0x5101
    make_semaphore /metric-s
    make_memory key:0x5103 4K
    run_tool 0 ipcstat --openmetrics -a
    parse '
assert all(family.type == "gauge" and family.documentation for family in f)
series = [(x.name, tuple(sorted(x.labels.items()))) for x in s]
assert len(series) == len(set(series)) > 60, len(series)
hard = [x.value for x in s if x.name == "ipc_limit" and x.labels["limit"] == "fs.pipe-user-pages-hard"]
pages = int(open("/proc/sys/fs/pipe-user-pages-hard").read())
assert hard == [pages or float("inf")], hard'
}

@test "OpenMetrics: promtool has nothing to say" {
    requires promtool
    make_queue /metric-q
    make_semaphore key:0x5101 --nsems 2
    make_memory /metric-m 4K
    run_tool 0 ipcstat --openmetrics
    run -0 promtool check metrics <<<"$output"
    assert_output ''
}

@test "OpenMetrics: the namespace tells those of other namespaces from ours" {
    requires root
    make_queue key:0x5101
    spawn_ready other unshare --ipc sh -c 'mqctl create key:0x5101; echo >&9; exec sleep 1000'
    run_tool - ipcstat --openmetrics --all-namespaces
    [ "$(grep -c '^ipc_queue_messages{name="key:0x00005101",family="system_v",id="[0-9]*"} 0$' <<<"$output")" -eq 1 ]
    [ "$(grep -c "^ipc_queue_messages{name=\"key:0x00005101\".*,ns=\"$(stat -Lc %i "/proc/${pid[other]}/ns/ipc")\"} 0\$" <<<"$output")" -eq 1 ]
}

@test "OpenMetrics: our own namespace stays ours when it cannot be looked at any more" {
    requires strace
    make_queue key:0x5101
    run_tool 0 strace -f -qq -o /dev/null -P /proc/self/ns/ipc -e trace=newfstatat \
        -e inject=newfstatat:error=EACCES:when=2+ ipcstat --openmetrics -k mq
    assert_line --partial 'ipc_queue_messages{name="key:0x00005101"'
    refute_line --partial 'ns="'
}
