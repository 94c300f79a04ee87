#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# mqctl: to create, show, change and remove queues of both families.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash

load support/lib.bash

both=(/q key:0x71717171)

setup() {
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all')
}

# made QUEUE...: leaves their removal to clean_up.
made() { made_queues+=("$@"); }

# attribute NAME QUEUE: what show says.
attribute() { mqctl show -- "$2" | sed -n "s/^$1=//p"; }

# steady COMMAND...: its output without ctime, which the kernel renews when a POSIX queue is looked
# at.
steady() { "$@" | grep -v ^ctime=; }

# row ID: of /proc/sysvipc/msg: key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime
# rtime ctime
row() { awk -v id="$1" '$2 == id { $1 = $1; print }' /proc/sysvipc/msg; }

sysv_count() { tail -n +2 /proc/sysvipc/msg | wc -l; }

exists() { mqctl show -- "$1" >/dev/null 2>&1; }

# octal_mode QUEUE: from the kernel, whatever the permissions.
octal_mode() {
    case $1 in
    /*) stat -c %a "/dev/mqueue$1" ;;
    key:*) awk -v key=$(($(printf '(%d)' "${1#key:}"))) '$1 == key { print $3 }' /proc/sysvipc/msg ;;
    esac
}

# refused ARGUMENT...: mqctl calls them wrong usage and changes nothing.
refused() {
    echo "mqctl $*"
    run_tool 2 mqctl "$@"
    assert_diagnostic mqctl '; see mqctl --help$'
    assert_output ''
}

# shellcheck disable=SC1003,SC2016 # they are meant as they are
hostile_names() {
    names=($'/a\nb' $'/end\n' $'/\n' $'/\e[31m' $'/\xff\xfe' '/-x' '/ ' '/*' "/it's" "/''" '/"' '/\'
        '/$(false)' '/`false`' '/a;false' '/a&b|c' '/name=value' $'/tab\t' '/~' '/#' '/!!' '/é'
        "/$(printf 'x%.0s' {1..255})")
}

# ---- create ----

# bats test_tags=user
@test "create prints the name and makes a queue of mode 0600" {
    local queue
    for queue in "${both[@]}"; do
        run_tool 0 mqctl create "$queue"
        made "$queue"
        assert_output "$queue"
        assert_no_stderr
        assert_equal "$(attribute perms "$queue")" 0600
        assert_equal "$(attribute uid "$queue")" "$EUID"
        assert_equal "$(attribute msgs "$queue")" 0
    done
}

@test "create prints names that every tool accepts" {
    local file=$BATS_TEST_TMPDIR/file key
    : >"$file"
    run_tool 0 mqctl create mq:/q key:01234 key:-7 "ftok:$file" "ftok:$file:Q" mq:key:99
    made "${lines[@]}"
    assert_line --index 0 /q
    assert_line --index 1 key:0x0000029c
    assert_line --index 2 key:0xfffffff9
    key=$(perl -MIPC::SysV=ftok -e 'printf "key:0x%08x", ftok($ARGV[0], 1)' "$file")
    assert_line --index 3 "$key"
    key=$(perl -MIPC::SysV=ftok -e 'printf "key:0x%08x", ftok($ARGV[0], "Q")' "$file")
    assert_line --index 4 "$key"
    assert_line --index 5 key:0x00000063
    local name
    for name in "${lines[@]}"; do
        mqsend -- "$name" "$name"
        assert_equal "$(mqreceive -- "$name")" "$name"
    done
    assert_equal "$(attribute name "ftok:$file:Q")" "$key"
    assert_equal "$(attribute name key:-7)" key:0xfffffff9
    assert_equal "$(attribute key key:-7)" 0xfffffff9
}

@test "create private: queues of their own, printed as id:N" {
    run_tool 0 mqctl create private private
    made "${lines[@]}"
    assert_equal "${#lines[@]}" 2
    [[ ${lines[0]} =~ ^id:[0-9]+$ ]]
    [[ ${lines[1]} =~ ^id:[0-9]+$ ]]
    [ "${lines[0]}" != "${lines[1]}" ]
    assert_equal "$(attribute key "${lines[0]}")" 0x00000000
    assert_equal "$(attribute name "${lines[0]}")" "${lines[0]}"
    mqsend "${lines[0]}" hello
    [ "$(queued "${lines[0]}")" -eq 1 ]
    [ "$(queued "${lines[1]}")" -eq 0 ]
    local verb
    for verb in show rm; do
        run_tool 2 mqctl "$verb" private
        assert_diagnostic mqctl "'private' is for create"
    done
    run_tool 2 mqctl set -m 0600 private
    assert_diagnostic mqctl "'private' is for create"
}

@test "create leaves a queue that is there as it is; -x refuses it" {
    local queue before
    for queue in "${both[@]}"; do
        make_queue "$queue" -m 0640
        mqsend "$queue" hello
        before=$(steady mqctl show "$queue")
        run_tool 0 mqctl create -m 0666 "$queue"
        assert_output "$queue"
        run_tool 2 mqctl create -x -m 0666 "$queue"
        assert_output ''
        assert_diagnostic mqctl "$queue: cannot create: File exists"
        run_tool 2 mqctl create --exclusive "$queue"
        assert_equal "$(steady mqctl show "$queue")" "$before"
    done
    run_tool 0 mqctl create --maxmsg 3 /q
    run_tool 0 mqctl create --maxbytes 100 key:0x71717171
    assert_equal "$(attribute maxmsg /q)" "$(</proc/sys/fs/mqueue/msg_default)"
    assert_equal "$(attribute limit key:0x71717171)" "$(</proc/sys/kernel/msgmnb)"
}

@test "create of a queue that another user has made" {
    requires root
    local queue
    "${nobody[@]}" mqctl create -m 0622 "${both[@]}"
    made "${both[@]}"
    for queue in "${both[@]}"; do
        run_tool 0 mqctl create --owner-any "$queue"
        assert_output "$queue"
        assert_equal "$(attribute uid "$queue")" 65534
        run_tool 0 mqsend --create --owner-any "$queue" hello
        [ "$(queued "$queue")" -eq 1 ]
        run_tool 2 mqctl create -x "$queue"
    done
}

@test "create -x: of many at once, one makes it" {
    local i winners=0 queue
    for queue in "${both[@]}"; do
        made "$queue"
        for i in {1..8}; do
            spawn "creator$i" mqctl create -x "$queue"
        done
        for i in {1..8}; do
            wait_exit "creator$i"
            [ "$status" -ne 0 ] || winners=$((winners + 1))
        done
    done
    [ "$winners" -eq 2 ]
}

# bats test_tags=user
@test "a mode is exact whatever the umask" {
    requires posix-mount
    local mode mask queue
    for mask in 077 0 0777; do
        for mode in 0000 0200 0400 0600 0640 0666 0777 644; do
            for queue in "${both[@]}"; do
                (umask "$mask" && mqctl create -m "$mode" "$queue" >/dev/null)
                made "$queue"
                assert_equal "$(octal_mode "$queue")" "$(printf %o $((0$mode)))"
                mqctl rm "$queue"
            done
        done
        (umask "$mask" && mqctl create "${both[@]}" >/dev/null)
        for queue in "${both[@]}"; do
            assert_equal "$(octal_mode "$queue")" 600
            (umask "$mask" && mqctl set -m 0666 "$queue")
            assert_equal "$(octal_mode "$queue")" 666
        done
        mqctl rm "${both[@]}"
    done
}

@test "a symbolic mode is relative to 0600 in create" {
    requires posix-mount
    local pair queue
    for pair in u+x=700 g=u=660 a+r=644 +r=644 -w=400 u=r,g=w,o=x=421 go=u-w=644 u-r+x=300 ug=rw,o=r=664 \
        o+=600 a==0 u=rwx,go=rx=755 g+u,u-w=460; do
        for queue in "${both[@]}"; do
            echo "$pair $queue"
            (umask 077 && mqctl create -m "${pair%=*}" "$queue" >/dev/null)
            made "$queue"
            assert_equal "$(octal_mode "$queue")" "${pair##*=}"
            mqctl rm "$queue"
        done
    done
}

@test "a symbolic mode is relative to the current one in set" {
    requires posix-mount
    local triple from mode to queue
    make_queue /q
    make_queue "${both[1]}"
    for triple in 640:g+w:660 640:o=g:644 666:go-w:644 604:u+x,o-r:700 640:=:0 666:a-r+x:333 777:u=g,g=o,o=:770; do
        IFS=: read -r from mode to <<<"$triple"
        for queue in "${both[@]}"; do
            echo "$triple $queue"
            mqctl set -m "$from" "$queue"
            assert_equal "$(octal_mode "$queue")" "$from"
            mqctl set -m "$mode" "$queue"
            assert_equal "$(octal_mode "$queue")" "$to"
            # Who cannot open it any more cannot change it either.
            mqctl rm "$queue"
            make_queue "$queue"
        done
    done
}

@test "what is no mode is wrong usage" {
    local mode
    for mode in '' 8 0888 1777 01000 7777 0x1ff rw u u+z 'u+rw,' ',u+r' z+r; do
        refused create -m "$mode" /q
        run exists /q
        assert_failure
    done
    make_queue /q
    refused set -m 1777 /q
    refused set -m 'o+t' /q
    assert_equal "$(attribute perms /q)" 0600
}

# bats test_tags=user
@test "sizes: --maxmsg, --msgsize, --maxbytes" {
    mqctl create --maxmsg 3 --msgsize 1K /q >/dev/null
    made /q
    assert_equal "$(attribute maxmsg /q)" 3
    assert_equal "$(attribute msgsize /q)" 1024
    mqctl create --msgsize=1KB /r >/dev/null
    made /r
    assert_equal "$(attribute msgsize /r)" 1000
    assert_equal "$(attribute maxmsg /r)" "$(</proc/sys/fs/mqueue/msg_default)"
    mqctl create --maxmsg=1 /s >/dev/null
    made /s
    assert_equal "$(attribute msgsize /s)" "$(</proc/sys/fs/mqueue/msgsize_default)"

    local queue=key:0x71717171
    mqctl create --maxbytes 1K -m 0640 "$queue" >/dev/null
    made "$queue"
    assert_equal "$(attribute limit "$queue")" 1024
    assert_equal "$(attribute perms "$queue")" 0640
    assert_equal "$(attribute uid "$queue")" "$EUID"
    assert_equal "$(attribute gid "$queue")" "$(id -g)"
    mqctl set --maxbytes 100 "$queue"
    assert_equal "$(attribute limit "$queue")" 100
    assert_equal "$(attribute perms "$queue")" 0640
    mqctl set --maxbytes 16KiB "$queue"
    assert_equal "$(attribute limit "$queue")" 16384
}

@test "nobody gets into a new queue before --maxbytes is set" {
    requires strace
    local queue=key:0x71717171
    made "$queue"
    run_tool 0 strace -qq -e trace=msgget -o "$BATS_TEST_TMPDIR/trace" \
        mqctl create --maxbytes 100 -m 0666 "$queue"
    run grep IPC_CREAT "$BATS_TEST_TMPDIR/trace"
    assert_output --regexp '^msgget\(0x71717171, IPC_CREAT\|IPC_EXCL(\|0+)?\) = '
    assert_equal "$(attribute perms "$queue")" 0666
}

@test "sizes of the other family are refused, and nothing is made" {
    refused create --maxbytes 100 /q
    refused create --maxmsg 3 key:0x71717171
    refused create --msgsize 3 key:0x71717171
    refused create --maxmsg 3 private
    run exists /q
    assert_failure
    [ "$(sysv_count)" -eq 0 ]
    make_queue /q
    refused set --maxbytes 100 /q
    # Nor is half of it done.
    refused set -m 0666 --maxbytes 100 /q
    assert_equal "$(attribute perms /q)" 0600
}

@test "sizes that are none are wrong usage" {
    local size
    for size in '' x 12x -1 1.5K 99999999999999999999 9999999999G '1 K' 1k; do
        refused create "--msgsize=$size" /q
        refused create "--maxbytes=$size" key:0x71717171
    done
    for size in '' x 12x -1 0 1K 99999999999999999999; do
        refused create "--maxmsg=$size" /q
    done
    run exists /q
    assert_failure
}

@test "hostile names: created, shown, removed as they are" {
    local name names
    hostile_names
    for name in "${names[@]}"; do
        mqctl create -- "$name" >"$BATS_TEST_TMPDIR/printed"
        made "$name"
        assert_same "$BATS_TEST_TMPDIR/printed" <(printf '%s\n' "$name")
        [ -e "/dev/mqueue$name" ] || ! mountpoint -q /dev/mqueue
        mqctl rm -- "$name"
        run_tool 2 mqctl rm -- "$name"
        assert_diagnostic mqctl 'No such file'
    done
}

@test "hostile names are escaped on a terminal" {
    local verb
    on_terminal mqctl create $'/a\n\e[31m\xff' >"$BATS_TEST_TMPDIR/shown"
    made $'/a\n\e[31m\xff'
    assert_same "$BATS_TEST_TMPDIR/shown" <(printf '%s\n' '/a\x0a\x1b[31m\xff')
    on_terminal mqctl show $'/a\n\e[31m\xff' >"$BATS_TEST_TMPDIR/shown"
    grep -qF '\x0a\x1b[31m\xff' "$BATS_TEST_TMPDIR/shown"
    run ! grep -q $'\e' "$BATS_TEST_TMPDIR/shown"
    run_tool 2 mqctl create -x $'/a\n\e[31m\xff'
    assert_diagnostic mqctl '/a\\x0a\\x1b\[31m\\xff'
}

@test "names that are none" {
    local name
    for name in q '' / /a/b // /. /.. key: key:x key:12x key:0x key:09 key:0x100000000 key:-0x80000001 key:0 \
        id: id:-1 id:x id:99999999999 fd: fd:x fd:-1 "/$(printf 'x%.0s' {1..256})"; do
        run_tool 2 mqctl create "$name"
        assert_diagnostic mqctl
        assert_output ''
    done
    run_tool 2 mqctl create jobs
    assert_diagnostic mqctl "'/jobs'"
    run_tool 2 mqctl create sem:/q
    assert_diagnostic mqctl 'sem:/q is a semaphore, not a message queue'
    run_tool 2 mqctl create id:7
    assert_diagnostic mqctl id:7
    run_tool 2 mqctl create fd:7 7</dev/null
    assert_diagnostic mqctl fd:7
    run_tool 2 mqctl create ftok:/no/such/file
    assert_diagnostic mqctl '/no/such/file.*No such file'
    [ "$(sysv_count)" -eq 0 ]
}

# ---- Nothing is half made ----

@test "a queue whose name cannot be printed is not made" {
    local queue
    for queue in "${both[@]}" private; do
        # shellcheck disable=SC2016 # for the other shell
        run_tool 2 sh -c 'exec mqctl create "$1" >/dev/full' sh "$queue"
        assert_diagnostic mqctl 'No space left on device'
        # shellcheck disable=SC2016 # for the other shell
        run_tool 2 sh -c 'exec mqctl create -x "$1" >&-' sh "$queue"
        assert_diagnostic mqctl stdout
        run exists "$queue"
        assert_failure
        [ "$(sysv_count)" -eq 0 ]
    done
    run_tool 2 sh -c 'exec mqctl create --maxbytes 100 private >/dev/full'
    [ "$(sysv_count)" -eq 0 ]
    run_tool 2 sh -c 'exec mqctl create /q private /r >/dev/full'
    run exists /q
    assert_failure
    run exists /r
    assert_failure
    [ "$(sysv_count)" -eq 0 ]
}

@test "a queue whose name nobody reads is not made" {
    local pipe=$BATS_TEST_TMPDIR/pipe queue
    mkfifo "$pipe"
    for queue in "${both[@]}"; do
        # Its write end, when nobody has the read end any more.
        # shellcheck disable=SC2016 # for the other shell
        run_tool 2 bash -c 'exec 7<>"$2" 8>"$2" 7>&- && exec mqctl create "$1" >&8 8>&-' bash "$queue" "$pipe"
        assert_diagnostic mqctl 'stdout: cannot write: Broken pipe'
        run exists "$queue"
        assert_failure
    done
}

@test "a queue that was there before stays, though its name cannot be printed" {
    local queue
    for queue in "${both[@]}"; do
        make_queue "$queue"
        mqsend "$queue" hello
        # shellcheck disable=SC2016 # for the other shell
        run_tool 2 sh -c 'exec mqctl create "$1" >/dev/full' sh "$queue"
        assert_diagnostic mqctl 'No space left on device'
        # shellcheck disable=SC2016 # for the other shell
        run_tool 2 sh -c 'exec mqctl create "$1" >&-' sh "$queue"
        [ "$(queued "$queue")" -eq 1 ]
    done
}

# ---- show ----

@test "show of a POSIX queue agrees with the file system" {
    requires posix-mount
    mqctl create --maxmsg 5 --msgsize 100 -m 0640 /q >/dev/null
    made /q
    spawn_ready watcher mqnotify -f --ready-fd 9 /q
    mqsend /q hello world ''
    wait_until test -s "$(out watcher)"
    local expected
    expected="name=/q
kind=mq
$(stat -c $'owner=%U\nuid=%u\ngroup=%G\ngid=%g\nperms=0%a' /dev/mqueue/q)
msgs=3
maxmsg=5
msgsize=100
used=10
notify=${pid[watcher]}
$(stat -c $'mtime=%Y\nctime=%Z\ninode=%i' /dev/mqueue/q)"
    expected=${expected//=UNKNOWN/=$EUID}
    run_tool 0 mqctl show /q
    assert_output "$expected"
    # The kernel's own count.
    grep -Eq "^QSIZE:10 .*NOTIFY_PID:${pid[watcher]} *$" /dev/mqueue/q
    kill "${pid[watcher]}"
    wait_exit watcher 143
    assert_equal "$(attribute notify /q)" 0
}

@test "show of a System V queue agrees with /proc" {
    local queue=key:0x71717171 id
    make_queue "$queue" -m 0640
    id=$(attribute id "$queue")
    run_tool 0 mqctl show "$queue"
    assert_line send=0
    assert_line recv=0
    assert_line sender=0
    assert_line receiver=0

    local sender receiver
    spawn sender mqsend "$queue" hello world ''
    sender=${pid[sender]}
    wait_exit sender 0
    spawn receiver mqreceive "$queue"
    receiver=${pid[receiver]}
    wait_exit receiver 0
    local key msqid perms bytes count lspid lrpid uid gid cuid cgid stime rtime ctime
    # shellcheck disable=SC2034 # cgid is not shown
    read -r key msqid perms bytes count lspid lrpid uid gid cuid cgid stime rtime ctime <<<"$(row "$id")"
    assert_equal "$lspid $lrpid $count $bytes" "$sender $receiver 2 5"
    local owner group creator
    owner=$(id -nu "$uid" 2>/dev/null) || owner=$uid
    creator=$(id -nu "$cuid" 2>/dev/null) || creator=$cuid
    group=$(getent group "$gid" | cut -d : -f 1)
    run_tool 0 mqctl show "$queue"
    assert_output "name=$queue
kind=mq
key=$(printf 0x%08x "$key")
id=$id
owner=$owner
uid=$uid
group=${group:-$gid}
gid=$gid
creator=$creator
cuid=$cuid
perms=0$perms
msgs=2
used=5
limit=$(ipcs -q -i "$id" | sed -n 's/.*qbytes=\([0-9]*\).*/\1/p')
send=$stime
recv=$rtime
ctime=$ctime
sender=$sender
receiver=$receiver"
    # By its identifier it is the same queue under another name.
    local by_key=$output
    run_tool 0 mqctl show "id:$id"
    assert_output "${by_key/name=$queue/name=id:$id}"
}

@test "show is fit for eval: the name comes back as it was" {
    local name names
    hostile_names
    for name in "${names[@]}"; do
        make_queue "$name"
        # shellcheck disable=SC2016 # for the other shell
        sh -c 'eval "$(mqctl show -- "$1")" && printf "%s\n" "$name" "$msgs of $maxmsg"' \
            sh "$name" >"$BATS_TEST_TMPDIR/got"
        assert_same "$BATS_TEST_TMPDIR/got" <(printf '%s\n' "$name" '0 of 10')
        mqctl rm -- "$name"
    done
}

@test "show on a terminal is fit for eval as well if nothing had to be escaped" {
    make_queue "/it's"
    run on_terminal mqctl show "/it's"
    eval "$output"
    # shellcheck disable=SC2154 # name comes from eval
    assert_equal "$name" "/it's"
}

@test "show -J: an object a line with the same values, numbers as numbers" {
    make_queue /q
    make_queue key:0x71717171
    mqsend /q hello
    mqsend key:0x71717171 hello
    mqctl show -J "${both[@]}" >"$BATS_TEST_TMPDIR/json"
    mqctl show "${both[@]}" >"$BATS_TEST_TMPDIR/shell"
    python3 - "$BATS_TEST_TMPDIR/json" "$BATS_TEST_TMPDIR/shell" <<'PYTHON'
import json, shlex, sys
objects = [json.loads(line) for line in open(sys.argv[1])]
blocks = open(sys.argv[2]).read().rstrip("\n").split("\n\n")
assert len(objects) == len(blocks) == 2
text = {"name", "kind", "owner", "group", "creator", "key", "perms"}
for one, block in zip(objects, blocks):
    rows = [line.split("=", 1) for line in block.split("\n")]
    assert list(one) == [name for name, _ in rows], (one, rows)
    for name, value in rows:
        assert type(one[name]) is (str if name in text else int), (name, one[name])
        if name == "ctime" and "inode" in one:
            continue # the kernel renews it when a POSIX queue is looked at
        assert [str(one[name])] == shlex.split(value), (name, one[name], value)
PYTHON
}

@test "show -J: hostile names" {
    local name names
    hostile_names
    for name in "${names[@]}"; do
        make_queue "$name"
        mqctl show -J -- "$name" >"$BATS_TEST_TMPDIR/json"
        python3 - "$BATS_TEST_TMPDIR/json" "$name" <<'PYTHON'
import base64, json, os, sys
lines = open(sys.argv[1], "rb").read().split(b"\n")
assert len(lines) == 2 and lines[1] == b""
queue = json.loads(lines[0].decode("utf-8"))
name = os.fsencode(sys.argv[2])
try:
    expected = {"name": name.decode("utf-8")}
except UnicodeDecodeError:
    expected = {"name_base64": base64.b64encode(name).decode()}
assert {key: queue[key] for key in queue if key.startswith("name")} == expected
PYTHON
        mqctl rm -- "$name"
    done
}

@test "show of several queues: an empty line between them" {
    make_queue /q
    make_queue key:0x71717171
    local expected operands
    expected=$(steady mqctl show /q && echo && steady mqctl show key:0x71717171)
    # What cannot be shown leaves no trace on stdout.
    for operands in '/q' '/none /q' '/q /none'; do
        # shellcheck disable=SC2086 # two words
        run --separate-stderr steady mqctl show $operands key:0x71717171
        assert_output "$expected"
    done
}

@test "show of a queue that may not be read" {
    if [ "$EUID" -eq 0 ]; then
        requires root
    else
        nobody=()
    fi
    # Who may send can see a POSIX queue, except what takes reading.
    make_queue /q -m 0222
    run_tool 0 "${nobody[@]}" mqctl show /q
    assert_line msgs=0
    assert_line perms=0222
    refute_line --regexp '^(used|notify)='
    # System V shows to everybody.
    make_queue key:0x71717171 -m 0
    local id
    id=$(awk -v key=$((0x71717171)) '$1 == key { print $2 }' /proc/sysvipc/msg)
    run_tool 0 "${nobody[@]}" mqctl show key:0x71717171
    assert_line perms=0000
    assert_line "id=$id"
    assert_line "uid=$EUID"
    run_tool 0 "${nobody[@]}" mqctl show "id:$id"
    assert_line key=0x71717171
}

@test "show of another user's queue that may not be opened" {
    requires root
    make_queue /q
    run_tool 2 "${nobody[@]}" mqctl show /q
    assert_diagnostic mqctl '/q: cannot open: Permission denied'
    run_tool 2 "${nobody[@]}" mqctl set -m 0666 /q
    assert_diagnostic mqctl '/q: .*Permission denied'
}

# bats test_tags=user
@test "show of a queue whose owner is not mapped" {
    requires userns
    local queue overflow
    overflow=$(</proc/sys/kernel/overflowuid)
    for queue in /q key:7; do
        make_queue "$queue"
        run_tool 0 unshare --user mqctl show "$queue"
        assert_line "uid=$overflow"
        assert_line "owner=$(id -nu "$overflow" 2>/dev/null || echo "$overflow")"
    done
}

# bats test_tags=user
@test "show of a descriptor, however it was opened" {
    requires posix-mount
    make_queue /q -m 0640
    mqsend /q hello
    run_tool 0 bash -c 'exec mqctl show fd:7 7</dev/mqueue/q'
    assert_line name=fd:7
    assert_line perms=0640
    assert_line msgs=1
    assert_line used=5
    run_tool 0 bash -c 'exec mqctl show fd:7 7>/dev/mqueue/q'
    assert_line msgs=1
    run_tool 0 bash -c 'exec mqctl show fd:7 7<>/dev/mqueue/q'
    assert_line msgs=1
    run_tool 0 bash -c 'exec mqctl set -m 0600 fd:7 7>/dev/mqueue/q'
    assert_equal "$(attribute perms /q)" 0600
    # Named twice it is shown twice, as any queue.
    run_tool 0 bash -c 'exec mqctl show fd:7 fd:7 7</dev/mqueue/q'
    assert_equal "$(grep -c '^name=fd:7$' <<<"$output")" 2
    run_tool 2 mqctl show fd:7 7</dev/null
    assert_diagnostic mqctl 'fd:7.*not a message queue'
    run_tool 2 mqctl show fd:77
    assert_diagnostic mqctl 'fd:77.*Bad file descriptor'
    run_tool 2 bash -c 'exec mqctl rm fd:7 7</dev/mqueue/q'
    assert_diagnostic mqctl 'fd:7'
    exists /q
}

@test "show of what is not there" {
    run_tool 2 mqctl show /q
    assert_diagnostic mqctl '/q: cannot open: No such file'
    run_tool 2 mqctl show key:0x71717171
    assert_diagnostic mqctl 'key:0x71717171: cannot open: No such file'
    run_tool 2 mqctl show id:2147483647
    assert_diagnostic mqctl 'id:2147483647: cannot open: No such file'
}

@test "show does not say it has shown what it could not print" {
    make_queue /q
    run_tool 2 sh -c 'exec mqctl show /q >/dev/full'
    assert_diagnostic mqctl 'No space left'
    run_tool 2 sh -c 'exec mqctl show -J /q >&-'
    assert_diagnostic mqctl stdout
}

# ---- set ----

@test "set --owner: by name and number, with and without a group" {
    requires root
    local queue
    for queue in "${both[@]}"; do
        make_queue "$queue" -m 0640
        mqctl set --owner daemon "$queue"
        assert_equal "$(attribute owner "$queue") $(attribute gid "$queue")" "daemon 0"
        mqctl set --owner nobody:daemon "$queue"
        assert_equal "$(attribute uid "$queue") $(attribute group "$queue")" "65534 daemon"
        mqctl set --owner 4321:1234 "$queue"
        run_tool 0 mqctl show "$queue"
        assert_line owner=4321
        assert_line uid=4321
        assert_line group=1234
        assert_line gid=1234
        mqctl set --owner=0 "$queue"
        assert_equal "$(attribute owner "$queue") $(attribute gid "$queue")" "root 1234"
        # Nothing else changed.
        assert_equal "$(attribute perms "$queue")" 0640
        mqctl set --owner 4321 -m g+w "$queue"
        assert_equal "$(attribute uid "$queue") $(attribute perms "$queue")" "4321 0660"
    done
    assert_equal "$(attribute creator "$queue")" root
    assert_equal "$(attribute limit "$queue")" "$(</proc/sys/kernel/msgmnb)"
}

# bats test_tags=user
@test "set --owner: oneself" {
    local queue
    for queue in "${both[@]}"; do
        make_queue "$queue"
        run_tool 0 mqctl set --owner "$(id -u):$(id -g)" "$queue"
        assert_equal "$(attribute uid "$queue") $(attribute gid "$queue")" "$(id -u) $(id -g)"
    done
}

@test "set --owner: unknown ones are wrong usage" {
    local owner
    make_queue /q
    for owner in '' no-such-user root:no-such-group no-such-user:root : :root 4294967295 -1 12x 99999999999 \
        $'no\nuser' 0: 0:4294967295; do
        refused set --owner "$owner" /q
    done
    refused set --owner no-such-user -m 0666 /q
    assert_equal "$(attribute perms /q)" 0600
}

@test "set of another's queue is refused" {
    requires root
    local queue
    for queue in "${both[@]}"; do
        make_queue "$queue" -m 0666
        run_tool 2 "${nobody[@]}" mqctl set -m 0777 "$queue"
        assert_diagnostic mqctl "$queue: cannot change.*Operation not permitted"
        run_tool 2 "${nobody[@]}" mqctl set --owner 65534 "$queue"
        assert_diagnostic mqctl "$queue: cannot change.*Operation not permitted"
        assert_equal "$(attribute perms "$queue") $(attribute uid "$queue")" '0666 0'
    done
    # No word of a limit that was not met.
    run_tool 2 "${nobody[@]}" mqctl set --maxbytes 100 "$queue"
    assert_diagnostic mqctl 'Operation not permitted$'
    run_tool 2 "${nobody[@]}" mqctl set --maxbytes 1G "$queue"
    assert_diagnostic mqctl 'Operation not permitted$'
}

# bats test_tags=user
@test "set --owner: a POSIX queue cannot be given away without being root" {
    requires user
    make_queue /q
    run_tool 2 mqctl set --owner 1 /q
    assert_diagnostic mqctl '/q: cannot change the owner'
    assert_equal "$(attribute uid /q)" "$EUID"
}

@test "a new mode is that of the next open" {
    requires root
    local queue
    for queue in "${both[@]}"; do
        make_queue "$queue"
        run_tool 2 "${nobody[@]}" mqsend "$queue" hello
        assert_diagnostic mqsend 'Permission denied'
        mqctl set -m o+w "$queue"
        run_tool 0 "${nobody[@]}" mqsend "$queue" hello
        mqctl set -m o= --owner nobody "$queue"
        run_tool 0 "${nobody[@]}" mqreceive "$queue"
        assert_output hello
    done
}

# ---- rm ----

@test "rm removes the queue and what is in it" {
    local queue
    for queue in "${both[@]}"; do
        make_queue "$queue"
        mqsend "$queue" hello
        run_tool 0 mqctl rm "$queue"
        assert_output ''
        assert_no_stderr
        run exists "$queue"
        assert_failure
    done
    [ "$(sysv_count)" -eq 0 ]
    local id
    id=$(mqctl create private)
    run_tool 0 mqctl rm "$id"
    run_tool 2 mqctl rm "$id"
    assert_diagnostic mqctl "$id: cannot remove: No such file"
}

@test "rm of nothing is trouble, with -f it is not" {
    local queue
    for queue in "${both[@]}" id:2147483647; do
        run_tool 2 mqctl rm "$queue"
        assert_diagnostic mqctl "$queue: cannot remove: No such file"
        run_tool 0 mqctl rm -f "$queue"
        assert_no_stderr
        assert_output ''
        run_tool 0 mqctl rm --force "$queue"
        assert_no_stderr
    done
    # Other trouble stays.
    run_tool 2 mqctl rm -f q
    assert_diagnostic mqctl
    run_tool 2 mqctl rm -f fd:0
    assert_diagnostic mqctl
}

@test "rm of another's queue is refused, with -f too" {
    requires root
    local queue
    for queue in "${both[@]}"; do
        make_queue "$queue" -m 0666
        run_tool 2 "${nobody[@]}" mqctl rm "$queue"
        assert_diagnostic mqctl "$queue: cannot remove: (Permission denied|Operation not permitted)"
        run_tool 2 "${nobody[@]}" mqctl rm -f "$queue"
        assert_diagnostic mqctl "$queue: cannot remove: (Permission denied|Operation not permitted)"
        exists "$queue"
    done
}

# ---- All operands ----

@test "all operands are gone through, and the status is 2 if one failed" {
    run_tool 2 mqctl create -x /q bad key:0x71717171
    made /q key:0x71717171
    assert_output $'/q\nkey:0x71717171'
    assert_diagnostic mqctl bad
    run_tool 2 mqctl create -x /q /r
    made /r
    assert_output /r
    assert_diagnostic mqctl '/q: .*File exists'

    run_tool 2 mqctl set -m 0640 /none /q key:0x71717171
    assert_diagnostic mqctl '/none: .*No such file'
    assert_equal "$(attribute perms /q) $(attribute perms key:0x71717171)" '0640 0640'
    # What goes with one family alone fails for the other alone.
    run_tool 2 mqctl set --maxbytes 100 /q key:0x71717171
    assert_equal "$(attribute limit key:0x71717171)" 100

    run_tool 2 mqctl show -J /q /none /r
    assert_equal "${#lines[@]}" 2
    assert_diagnostic mqctl '/none: .*No such file'

    run_tool 2 mqctl rm /none /q key:0x71717171 bad /r
    assert_equal "${#stderr_lines[@]}" 2
    run_tool 2 mqctl rm /q /r key:0x71717171
    assert_equal "${#stderr_lines[@]}" 3
}

# ---- Usage ----

@test "a verb comes first, and it is a known one" {
    refused
    refused frobnicate /q
    refused Create /q
    refused creat /q
    refused '' /q
    refused $'cre\nate' /q
    refused -x create /q
    refused -m 0600 create /q
    refused -- create /q
    refused /q
}

@test "each verb needs a queue" {
    local verb
    for verb in create show rm; do
        refused "$verb"
        refused "$verb" --
    done
    refused set -m 0600
    make_queue /q
    refused set /q
}

@test "an option that does not go with the verb is refused, and nothing done" {
    local option
    for option in -f --owner=0 -J; do
        refused create "$option" /q
    done
    run exists /q
    assert_failure
    make_queue /q
    for option in -x -f -m0666 --owner=0 --maxbytes=100 --maxmsg=3 --msgsize=3; do
        refused show "$option" /q
    done
    for option in -x -f -J --maxmsg=3 --msgsize=3; do
        refused set -m 0666 "$option" /q
    done
    for option in -x -J -m0666 --owner=0 --maxbytes=100 --maxmsg=3 --msgsize=3; do
        refused rm "$option" /q
    done
    assert_equal "$(attribute perms /q)" 0600
}

@test "long options can be shortened as long as they are unambiguous" {
    run_tool 0 mqctl create --maxm 3 --ms=100 --mod 0640 --e /q
    made /q
    assert_equal "$(attribute maxmsg /q) $(attribute msgsize /q) $(attribute perms /q)" '3 100 0640'
    run_tool 0 mqctl create --maxb 100 key:0x71717171
    made key:0x71717171
    assert_equal "$(attribute limit key:0x71717171)" 100
    run_tool 0 mqctl set --mo 0600 /q
    run_tool 0 mqctl show --j /q
    run_tool 0 mqctl rm --fo /q
    refused create --m 0600 /q
    refused create --max 3 /q
    assert_diagnostic mqctl ambiguous
}

@test "options may stand behind operands, but not with POSIXLY_CORRECT" {
    run_tool 0 mqctl create /q -m 0640 /r
    made /q /r
    assert_equal "$(attribute perms /q) $(attribute perms /r)" '0640 0640'
    run_tool 2 mqctl create /s -- -m 0640
    made /s
    assert_output /s
    mqctl rm /q /r /s

    run_tool 2 env POSIXLY_CORRECT=1 mqctl create /q -m 0640 /r
    assert_output $'/q\n/r'
    assert_equal "${#stderr_lines[@]}" 2
    assert_equal "$(attribute perms /q) $(attribute perms /r)" '0600 0600'
    run_tool 0 env POSIXLY_CORRECT=1 mqctl rm -f /q
    run_tool 0 env POSIXLY_CORRECT=1 mqctl create -m 0640 /q
    assert_equal "$(attribute perms /q)" 0640
}

# ---- Queues that others made ----

@test "queues made by ipcmk" {
    local id
    id=$(ipcmk -Q -p 0640 | grep -o '[0-9]*$')
    made "id:$id"
    run_tool 0 mqctl show "id:$id"
    assert_line "id=$id"
    assert_line perms=0640
    local key
    key=$(sed -n 's/^key=//p' <<<"$output")
    mqsend "key:$key" hello
    run_tool 0 mqreceive "id:$id"
    assert_output hello
    run_tool 0 mqctl set -m 0600 --maxbytes 100 "id:$id"
    run ipcs -q -i "$id"
    assert_output --partial qbytes=100
    assert_output --partial mode=0600
    run_tool 0 mqctl rm "key:$key"
    run_tool 2 mqctl show "id:$id"
}

@test "queues made by perl" {
    made key:0x71717171
    perl -MIPC::SysV=IPC_CREAT -e '
        my $id = msgget(0x71717171, IPC_CREAT | 0600) // die;
        msgsnd($id, pack("l! a*", 42, "from perl"), 0) or die'
    run_tool 0 mqctl show key:0x71717171
    assert_line msgs=1
    assert_line used=9
    run_tool 0 mqreceive -P key:0x71717171
    assert_output $'42\tfrom perl'
    mqsend -p 7 key:0x71717171 'to perl'
    run perl -e '
        my $id = msgget(0x71717171, 0) // die;
        msgrcv($id, my $message, 100, 0, 0) or die;
        print join(" ", unpack("l! a*", $message))'
    assert_output '7 to perl'
}

@test "queues made by python" {
    made /python
    python3 - <<'PYTHON'
import ctypes, os
rt = ctypes.CDLL("librt.so.1", use_errno=True)
queue = rt.mq_open(b"/python", os.O_CREAT | os.O_RDWR, 0o640, None)
assert queue >= 0
assert rt.mq_send(queue, b"from python", 11, 5) == 0
PYTHON
    run_tool 0 mqctl show /python
    assert_line msgs=1
    assert_line used=11
    run_tool 0 mqreceive -P /python
    assert_output $'5\tfrom python'
    mqsend -p 7 /python 'to python'
    run python3 - <<'PYTHON'
import ctypes, os
rt = ctypes.CDLL("librt.so.1", use_errno=True)
queue = rt.mq_open(b"/python", os.O_RDONLY)
message, priority = ctypes.create_string_buffer(8192), ctypes.c_uint()
size = rt.mq_receive(queue, message, 8192, ctypes.byref(priority))
print(priority.value, message.raw[:size].decode())
PYTHON
    assert_output '7 to python'
}
