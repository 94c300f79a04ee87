#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shmctl: to create, show, resize, change and remove shared memory of both families.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2002,SC2016 # a pipe is meant; scripts for other shells

load support/lib.bash

both=(/m key:0x71717171)

setup() {
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all')
}

# made OBJECT...: leaves their removal to clean_up.
made() { made_memory+=("$@"); }

# attribute NAME OBJECT: what show says.
attribute() { shmctl show -- "$2" | sed -n "s/^$1=//p"; }

# row ID: of /proc/sysvipc/shm: key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime
# ctime rss swap
row() { awk -v id="$1" '$2 == id { $1 = $1; print }' /proc/sysvipc/shm; }

sysv_count() { tail -n +2 /proc/sysvipc/shm | wc -l; }

exists() { shmctl show -- "$1" >/dev/null 2>&1; }

# octal_mode OBJECT: from the kernel, whatever the permissions.
octal_mode() {
    case $1 in
    /*) stat -c %a "/dev/shm$1" ;;
    key:*) awk -v key=$(($(printf '(%d)' "${1#key:}"))) '$1 == key { print $3 }' /proc/sysvipc/shm ;;
    esac
}

# refused ARGUMENT...: shmctl calls them wrong usage and changes nothing.
refused() {
    echo "shmctl $*"
    run_tool 2 shmctl "$@"
    assert_diagnostic shmctl '; see shmctl --help$'
    assert_output ''
}

# nothing_there: neither family has any object.
nothing_there() { [ -z "$(ls -A /dev/shm)" ] && [ "$(sysv_count)" -eq 0 ]; }

# attach NAME OBJECT: a process that keeps the segment attached until clean_up.
attach() {
    local id
    id=$(attribute id "$2")
    spawn "$1" perl -MIPC::SysV=shmat -e '
        my $at = shmat($ARGV[0], undef, 0) or die "$!\n";
        $| = 1;
        print "attached\n";
        sleep 1000' "$id"
    wait_until grep -q attached "$(out "$1")"
}

# ---- create ----

# bats test_tags=user
@test "create prints the name, and makes an object of this size, mode 0600, all zero" {
    local object
    for object in "${both[@]}"; do
        run_tool 0 shmctl create -s 5000 "$object"
        made "$object"
        assert_output "$object"
        assert_no_stderr
        assert_equal "$(attribute perms "$object")" 0600
        assert_equal "$(attribute uid "$object")" "$EUID"
        assert_equal "$(attribute size "$object")" 5000
    done
    assert_same /dev/shm/m <(head -c 5000 /dev/zero)
}

@test "create prints names that every tool accepts" {
    local file=$BATS_TEST_TMPDIR/file key name
    : >"$file"
    run_tool 0 shmctl create -s 1 shm:/m key:01234 key:-7 "ftok:$file" "ftok:$file:Q" shm:key:99
    made "${lines[@]}"
    assert_line --index 0 /m
    assert_line --index 1 key:0x0000029c
    assert_line --index 2 key:0xfffffff9
    key=$(perl -MIPC::SysV=ftok -e 'printf "key:0x%08x", ftok($ARGV[0], 1)' "$file")
    assert_line --index 3 "$key"
    key=$(perl -MIPC::SysV=ftok -e 'printf "key:0x%08x", ftok($ARGV[0], "Q")' "$file")
    assert_line --index 4 "$key"
    assert_line --index 5 key:0x00000063
    for name in "${lines[@]}"; do
        assert_equal "$(attribute name "$name")" "$name"
    done
    assert_equal "$(attribute name "ftok:$file:Q")" "$key"
    assert_equal "$(attribute key key:-7)" 0xfffffff9
}

@test "create private: segments of their own, printed as id:N" {
    local verb
    run_tool 0 shmctl create -s 1 private private
    made "${lines[@]}"
    assert_equal "${#lines[@]}" 2
    [[ ${lines[0]} =~ ^id:[0-9]+$ ]]
    [ "${lines[0]}" != "${lines[1]}" ]
    assert_equal "$(attribute key "${lines[1]}")" 0x00000000
    for verb in show rm 'set -m 0600'; do
        # shellcheck disable=SC2086 # words
        run_tool 2 shmctl $verb private
        assert_diagnostic shmctl "'private' is for create"
    done
}

@test "create leaves an object that is there as it is; -x refuses it" {
    local object before
    for object in "${both[@]}"; do
        make_memory "$object" 10 -m 0640
        before=$(shmctl show "$object")
        run_tool 0 shmctl create -m 0666 -s 20 "$object"
        assert_output "$object"
        run_tool 2 shmctl create -x -s 10 "$object"
        assert_output ''
        assert_diagnostic shmctl "$object: cannot create: File exists"
        run_tool 2 shmctl create --exclusive -s 10 "$object"
        assert_equal "$(shmctl show "$object")" "$before"
    done
    # No matter whether there is room for another.
    run_tool 0 shmctl create -s 1000G "${both[@]}"
}

@test "create of an object that another user has made, where fs.protected_regular forbids O_CREAT" {
    requires root
    local object
    "${nobody[@]}" shmctl create -m 0600 -s 1 "${both[@]}"
    made "${both[@]}"
    for object in "${both[@]}"; do
        run_tool 0 shmctl create --owner-any -s 1 "$object"
        assert_output "$object"
        assert_equal "$(attribute uid "$object")" 65534
        run_tool 2 shmctl create -x -s 1 "$object"
    done
}

@test "an existing object is not opened with O_CREAT" {
    requires strace
    make_memory /m 1
    run_tool 0 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=open,openat,openat2 \
        shmctl create -s 1 /m
    run ! grep O_CREAT "$BATS_TEST_TMPDIR/trace"
}

@test "create -x: of many at once, one makes it" {
    local i winners=0 object
    for object in "${both[@]}"; do
        made "$object"
        for i in {1..8}; do
            spawn "creator$i" shmctl create -x -s 64K "$object"
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
    local mode mask object
    for mask in 077 0 0777; do
        for mode in 0000 0200 0400 0640 0666 0777 644; do
            for object in "${both[@]}"; do
                (umask "$mask" && shmctl create -s 1 -m "$mode" "$object" >/dev/null)
                made "$object"
                assert_equal "$(octal_mode "$object")" "$(printf %o $((0$mode)))"
                shmctl rm "$object"
            done
        done
        (umask "$mask" && shmctl create -s 1 "${both[@]}" >/dev/null)
        for object in "${both[@]}"; do
            assert_equal "$(octal_mode "$object")" 600
            (umask "$mask" && shmctl set -m 0666 "$object")
            assert_equal "$(octal_mode "$object")" 666
        done
        shmctl rm "${both[@]}"
    done
}

@test "a symbolic mode is relative to 0600 in create, to the current one in set" {
    local pair triple from mode to object
    for pair in u+x=700 g=u=660 a+r=644 -w=400 u=r,g=w,o=x=421 go=u-w=644; do
        for object in "${both[@]}"; do
            echo "$pair $object"
            (umask 077 && shmctl create -s 1 -m "${pair%=*}" "$object" >/dev/null)
            made "$object"
            assert_equal "$(octal_mode "$object")" "${pair##*=}"
            shmctl rm "$object"
        done
    done
    make_memory /m 1
    make_memory "${both[1]}" 1
    for triple in 640:g+w:660 666:go-w:644 604:u+x,o-r:700 640:=:0 000:u+rw:600; do
        IFS=: read -r from mode to <<<"$triple"
        for object in "${both[@]}"; do
            echo "$triple $object"
            shmctl set -m "$from" "$object"
            shmctl set -m "$mode" "$object"
            assert_equal "$(octal_mode "$object")" "$to"
        done
    done
}

@test "what is no mode, and what is no size, is wrong usage" {
    local mode size
    make_memory /m 10
    for mode in '' 8 1777 rw u+z 'u+rw,'; do
        refused create -s 1 -m "$mode" /n
        refused set -m "$mode" /m
    done
    for size in '' x 12x -1 1.5K 99999999999999999999 9999999999G '1 K' 1k; do
        refused create "--size=$size" /n
        refused set "-s$size" /m
    done
    refused create /n
    refused set /m
    refused set --lock --unlock key:1
    assert_equal "$(attribute perms /m) $(attribute size /m)" '0600 10'
    run exists /n
    assert_failure
}

@test "sizes have units; a POSIX object may be empty, a segment has a byte" {
    run_tool 0 shmctl create -s 3K /m
    made /m /n
    assert_equal "$(attribute size /m)" 3072
    run_tool 0 shmctl create --size=2MB key:7
    made key:7
    assert_equal "$(attribute size key:7)" 2000000
    run_tool 0 shmctl create -s 0 /n
    assert_equal "$(attribute size /n)" 0
    run_tool 2 shmctl create -s 0 key:8
    assert_diagnostic shmctl 'key:8: cannot create: Invalid argument \(the least is 1 byte\)'
}

@test "create reserves the memory of a POSIX object" {
    make_memory /m 1M
    assert_equal "$(stat -c '%s %b' /dev/shm/m)" '1048576 2048'
    assert_equal "$(attribute allocated /m)" 1048576
    truncate -s 1M /dev/shm/n
    made /n
    assert_equal "$(attribute allocated /n)" 0
}

@test "a full /dev/shm: nothing is made, and the room is named" {
    requires root
    local verb
    run_tool 2 unshare --mount bash -ec '
        mount -t tmpfs -o size=64K none /dev/shm
        shmctl create -s 32K /m
        shmctl create -s 64K /n && exit
        ls /dev/shm
        shmctl set -s 65K /m && exit
        stat -c "%s %b" /dev/shm/m
        shmctl create -s 9223372036854775807 /n'
    assert_output $'/m\nm\n32768 64'
    assert_equal "${#stderr_lines[@]}" 3
    for verb in 0 1 2; do
        [[ ${stderr_lines[verb]} == *'No space left on device ('*' bytes, 32768 are free in /dev/shm; '* ]]
    done
    [[ ${stderr_lines[0]} == 'shmctl: /n: cannot reserve memory: '*'(65536 bytes,'* ]]
    [[ ${stderr_lines[1]} == 'shmctl: /m: cannot reserve memory: '*'(33792 bytes,'* ]]
}

# bats test_tags=user
@test "the limits of System V are named: shmmax, shmall, shmmni" {
    requires limits
    set_limit kernel.shmmax 4096
    run_tool 2 shmctl create -s 4097 key:7
    assert_diagnostic shmctl 'cannot create: Invalid argument \(4097 bytes, kernel.shmmax = 4096; raise it with: sysctl kernel.shmmax=4097\)'
    run_tool 0 shmctl create -s 4096 key:7
    made key:7
    set_limit kernel.shmall 2
    set_limit kernel.shmmax 409600
    run_tool 2 shmctl create -s 4097 key:8
    assert_diagnostic shmctl '2 pages besides the 1 of all others, kernel.shmall = 2; raise it with: sysctl kernel.shmall=3'
    set_limit kernel.shmmni 1
    run_tool 2 shmctl create -s 1 key:8
    assert_diagnostic shmctl 'kernel.shmmni = 1; raise it with: sysctl kernel.shmmni=3'
    assert_equal "$(sysv_count)" 1
}

@test "more memory than there can be is refused, without overflow" {
    local size
    for size in 9223372036854775807 9223372036854771712 8000000000G; do
        run_tool 2 shmctl create -s "$size" /m
        assert_diagnostic shmctl "/m: cannot reserve memory: "
        run_tool 2 shmctl create -s "$size" key:7
        assert_diagnostic shmctl 'key:7: cannot create: '
    done
    nothing_there
}

@test "where there is no /dev/shm, or no inode left, it is said" {
    requires mount
    run_tool 2 unshare --mount sh -c 'mount -t tmpfs none /dev && exec shmctl create -s 1 /m'
    assert_diagnostic shmctl '/m: cannot create: No such file or directory \(there is no /dev/shm\)$'
    run_tool 2 unshare --mount sh -c 'mount -t tmpfs -o nr_inodes=1 none /dev/shm && exec shmctl create -s 1 /m'
    assert_diagnostic shmctl '/m: cannot create: No space left on device \(all 1 inodes of /dev/shm are in use; allow more with: mount -o remount,nr_inodes=2 /dev/shm\)$'
}

@test "where an object cannot get its name, it is said" {
    requires strace
    # As for a user without /proc before Linux 6.10.
    run_tool 2 strace -qq -o /dev/null -e trace=linkat -e inject=linkat:error=ENOENT \
        shmctl create -s 1 /m
    assert_diagnostic shmctl '/m: cannot create: No such file or directory \(without /proc it cannot get its name\)$'
    nothing_there
}

@test "RLIMIT_FSIZE is named" {
    run_tool 2 bash -c 'ulimit -f 1; exec shmctl create -s 64K /m'
    assert_diagnostic shmctl 'File too large \(65536 bytes, RLIMIT_FSIZE = 1024; raise it'
    nothing_there
}

# ---- Nothing is half made ----

@test "an object whose name cannot be printed is not made; one that was there stays" {
    local object
    for object in "${both[@]}" private; do
        run_tool 2 sh -c 'exec shmctl create -s 1 "$1" >/dev/full' sh "$object"
        assert_diagnostic shmctl 'No space left on device'
        run_tool 2 sh -c 'exec shmctl create -s 1 -x "$1" >&-' sh "$object"
        assert_diagnostic shmctl stdout
        nothing_there
    done
    for object in "${both[@]}"; do
        make_memory "$object" 1
        run_tool 2 sh -c 'exec shmctl create -s 1 "$1" >/dev/full' sh "$object"
        exists "$object"
    done
}

@test "an object is not seen before it is complete" {
    requires strace
    made /m
    run_tool 0 strace -qq -e trace=linkat,fallocate,fchmod,open,openat \
        -o "$BATS_TEST_TMPDIR/trace" shmctl create -s 1M -m 0640 /m
    run grep -E '^(fallocate|fchmod|linkat)|O_CREAT|O_TMPFILE' "$BATS_TEST_TMPDIR/trace"
    assert_line --index 0 --partial 'O_RDWR|O_CLOEXEC|O_TMPFILE, 000)'
    assert_line --index 1 --regexp '^fchmod.* 0640\)'
    assert_line --index 2 --regexp '^fallocate.* 0, 0, 1048576\)'
    assert_line --index 3 --regexp '^linkat'
}

@test "create without /proc, as the administrator or since Linux 6.10" {
    requires root
    ! is_sanitized || skip 'the sanitizers need /proc'
    run_tool 0 unshare --mount sh -c 'umount -l /proc && shmctl create -s 1 /m'
    made /m
    exists /m
}

@test "what may not be looked at is not taken for one that is there" {
    requires root
    local verb
    run_tool - unshare --mount bash -c '
        mount -t tmpfs -o mode=0700 none /dev/shm
        for verb in "create -s 1" "create -x -s 1" show "set -m 0600" rm "rm -f"; do
            "$@" shmctl $verb /m; echo $?
        done' bash "${nobody[@]}"
    assert_output "$(printf '2\n%.0s' {1..6})"
    for verb in {0..5}; do
        [[ ${stderr_lines[verb]} == 'shmctl: /m: cannot look at the object: Permission denied' ]]
    done
}

# ---- What is no shared memory ----

@test "a symlink, FIFO, directory, socket or device in /dev/shm is refused, and not opened" {
    local what verb
    make_memory /target 10
    ln -s target /dev/shm/symlink
    mkfifo /dev/shm/fifo
    mkdir /dev/shm/directory
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/dev/shm/socket")'
    for what in 'symlink a symbolic link' 'fifo a FIFO' 'directory a directory' 'socket a socket'; do
        for verb in 'create -s 1' 'create -x -s 1' show 'set -m 0666' 'set -s 1' rm 'rm -f'; do
            # shellcheck disable=SC2086 # words
            run_tool 2 shmctl $verb "/${what%% *}"
            assert_diagnostic shmctl "/${what%% *}: this is ${what#* }, not shared memory"
        done
    done
    assert_equal "$(attribute size /target) $(attribute perms /target)" '10 0600'
    if mknod /dev/shm/device c 1 3 2>/dev/null; then
        run_tool 2 shmctl show /device
        assert_diagnostic shmctl '/device: this is a device, not shared memory'
    fi
    rm -r /dev/shm/{symlink,fifo,directory,socket}
    rm -f /dev/shm/device
}

@test "what turns into a FIFO between look and open does not block" {
    requires strace
    make_memory /m 10
    mkfifo /dev/shm/fifo
    # It is stopped after the look.
    local trace=$BATS_TEST_TMPDIR/trace
    spawn show strace -o "$trace" -P /dev/shm/m -e trace=lstat,newfstatat \
        -e inject=lstat,newfstatat:signal=STOP:when=1 shmctl show /m
    wait_until grep -qs 'stopped by SIGSTOP' "$trace"
    mv /dev/shm/fifo /dev/shm/m
    kill -CONT "$(pgrep -x -P "${pid[show]}" shmctl)"
    wait_exit show 2
    assert_diagnostic shmctl '/m: this is a FIFO, not shared memory'
    rm /dev/shm/m
}

@test "names that are none, and names of other kinds" {
    local name
    for name in m '' / /a/b /.. key: key:0 key:0x100000000 id:x fd:x "/$(printf 'x%.0s' {1..256})"; do
        run_tool 2 shmctl create -s 1 "$name"
        assert_diagnostic shmctl
        run_tool 2 shmctl rm -f "$name"
        assert_diagnostic shmctl
    done
    run_tool 2 shmctl create -s 1 m
    assert_diagnostic shmctl "'/m'"
    run_tool 2 shmctl show mq:/m
    assert_diagnostic shmctl 'mq:/m is a message queue, not shared memory'
    run_tool 2 shmctl show sem:/m
    assert_diagnostic shmctl 'sem:/m is a semaphore, not shared memory'
    run_tool 2 shmctl create -s 1 id:7
    assert_diagnostic shmctl id:7
    run_tool 2 shmctl create -s 1 fd:7 7</dev/null
    assert_diagnostic shmctl fd:7
    nothing_there
}

@test "hostile names: created, shown, removed as they are, and escaped on a terminal" {
    local name
    for name in $'/a\nb' $'/\e[31m' $'/\xff\xfe' /-x '/ ' '/*' "/it's" '/$(false)' '/é' "/$(printf 'x%.0s' {1..255})"; do
        shmctl create -s 1 -- "$name" >"$BATS_TEST_TMPDIR/printed"
        made "$name"
        assert_same "$BATS_TEST_TMPDIR/printed" <(printf '%s\n' "$name")
        [ -e "/dev/shm$name" ]
        assert_equal "$(eval "$(shmctl show -- "$name")" && echo "$name")" "$name"
        shmctl rm -- "$name"
        run_tool 2 shmctl rm -- "$name"
        assert_diagnostic shmctl 'No such file'
    done
    on_terminal shmctl create -s 1 $'/a\n\e[31m\xff' >"$BATS_TEST_TMPDIR/shown"
    made $'/a\n\e[31m\xff'
    assert_same "$BATS_TEST_TMPDIR/shown" <(printf '%s\n' '/a\x0a\x1b[31m\xff')
    on_terminal shmctl show $'/a\n\e[31m\xff' >"$BATS_TEST_TMPDIR/shown"
    grep -qF '\x0a\x1b[31m\xff' "$BATS_TEST_TMPDIR/shown"
    run ! grep -q $'\e' "$BATS_TEST_TMPDIR/shown"
}

# ---- show ----

@test "show of a POSIX object agrees with stat" {
    make_memory /m 5000 -m 0640
    truncate -s 100000 /dev/shm/m
    local expected
    expected="name=/m
kind=shm
$(stat -c $'owner=%U\nuid=%u\ngroup=%G\ngid=%g\nperms=0%a\nsize=%s' /dev/shm/m)
allocated=$(($(stat -c '%b * %B' /dev/shm/m)))
$(stat -c $'blksize=%o\nlinks=%h\natime=%X\nmtime=%Y\nctime=%Z' /dev/shm/m)
device=$(stat -c %Hd:%Ld /dev/shm/m)
inode=$(stat -c %i /dev/shm/m)"
    expected=${expected//=UNKNOWN/=$EUID}
    run_tool 0 shmctl show /m
    assert_output "$expected"
    assert_equal "$(attribute allocated /m)" 8192
}

@test "show of a System V segment agrees with /proc" {
    local object=key:0x71717171 id
    make_memory "$object" 5000 -m 0640
    id=$(attribute id "$object")
    run_tool 0 shmctl show "$object"
    assert_line attach=0
    assert_line lastpid=0
    assert_line state=unused
    attach holder "$object"
    local key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rest
    # shellcheck disable=SC2034 # the rest is not shown
    read -r key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rest <<<"$(row "$id")"
    assert_equal "$lpid $nattch $size" "${pid[holder]} 1 5000"
    local owner group creator
    owner=$(id -nu "$uid" 2>/dev/null) || owner=$uid
    creator=$(id -nu "$cuid" 2>/dev/null) || creator=$cuid
    group=$(getent group "$gid" | cut -d : -f 1)
    run_tool 0 shmctl show "$object"
    assert_output "name=$object
kind=shm
key=$(printf 0x%08x "$key")
id=$id
owner=$owner
uid=$uid
group=${group:-$gid}
gid=$gid
creator=$creator
cuid=$cuid
cgid=$cgid
perms=0$perms
size=$size
nattch=$nattch
state=attached
attach=$atime
detach=$dtime
ctime=$ctime
cpid=$cpid
lastpid=$lpid"
}

@test "show -J: one object a line, numbers as numbers" {
    make_memory /m 10
    make_memory key:7 10
    run_tool 0 shmctl show -J /m key:7
    assert_equal "${#lines[@]}" 2
    python3 -c '
import json, sys
posix, sysv = map(json.loads, sys.argv[1:])
assert posix["name"] == "/m" and posix["size"] == 10 and posix["perms"] == "0600"
assert sysv["key"] == "0x00000007" and sysv["nattch"] == 0 and sysv["state"] == "unused"
' "${lines[@]}"
}

@test "show and set of objects that may not be opened" {
    # The owner may look at them and change them, as chmod(1) lets him with files.
    make_memory /m 10 -m 0
    run_tool 0 shmctl show /m
    assert_line perms=0000
    shmctl set -m 0600 /m
    assert_equal "$(octal_mode /m)" 600
    # Others may look.
    requires root
    make_memory key:7 10
    run_tool 0 "${nobody[@]}" shmctl show /m
    assert_line perms=0600
    run_tool 0 "${nobody[@]}" shmctl show key:7
    assert_line size=10
    run_tool 2 "${nobody[@]}" shmctl set -m 0666 /m
    assert_diagnostic shmctl '/m: cannot change the mode: Operation not permitted'
    run_tool 2 "${nobody[@]}" shmctl set -s 20 /m
    assert_diagnostic shmctl '/m: cannot open: Permission denied'
    run_tool 2 "${nobody[@]}" shmctl set -m 0666 key:7
    assert_diagnostic shmctl 'key:7: cannot change: Operation not permitted'
    run_tool 2 "${nobody[@]}" shmctl rm /m
    assert_diagnostic shmctl '/m: cannot remove: '
    run_tool 2 "${nobody[@]}" shmctl rm key:7
    assert_diagnostic shmctl 'key:7: cannot remove: Operation not permitted'
    assert_equal "$(attribute size /m) $(attribute perms /m)" '10 0600'
}

# bats test_tags=user
@test "show of an object whose owner is not mapped" {
    requires userns
    local object overflow
    overflow=$(</proc/sys/kernel/overflowuid)
    for object in /m key:7; do
        make_memory "$object" 1
        run_tool 0 unshare --user shmctl show "$object"
        assert_line "uid=$overflow"
    done
}

# bats test_tags=user
@test "a descriptor: of an object, of a memfd, of something else" {
    make_memory /m 10
    run_tool 0 bash -c 'exec shmctl show fd:7 7</dev/shm/m'
    assert_line name=fd:7
    assert_line size=10
    assert_line links=1
    run_tool 0 bash -c 'exec shmctl set -s 20 -m 0640 fd:7 7<>/dev/shm/m'
    assert_equal "$(stat -c '%s %a' /dev/shm/m)" '20 640'
    run_tool 2 bash -c 'exec shmctl set -s 30 fd:7 7</dev/shm/m'
    assert_diagnostic shmctl 'fd:7: this descriptor cannot be written to'
    run_tool 0 python3 -c '
import os
fd = os.memfd_create("x")
os.ftruncate(fd, 12345)
os.dup2(fd, 7)
os.execvp("shmctl", ["shmctl", "show", "fd:7"])'
    assert_line size=12345
    assert_line links=0
    run_tool 2 shmctl show fd:7 7</dev/null
    assert_diagnostic shmctl 'fd:7: this is a device, not shared memory'
    run_tool 2 shmctl show fd:77
    assert_diagnostic shmctl 'fd:77.*Bad file descriptor'
    run_tool 2 bash -c 'exec shmctl rm fd:7 7</dev/shm/m'
    assert_diagnostic shmctl 'fd:7: a descriptor has no name to remove'
    exists /m
}

@test "show of what is not there, or cannot be printed" {
    local object
    for object in /m key:0x71717171 id:2147483647; do
        run_tool 2 shmctl show "$object"
        assert_diagnostic shmctl "$object: cannot open: No such file"
    done
    make_memory /m 1
    run_tool 2 sh -c 'exec shmctl show /m >/dev/full'
    assert_diagnostic shmctl 'No space left'
    run_tool 2 sh -c 'exec shmctl show -J /m >&-'
    assert_diagnostic shmctl stdout
}

# ---- set ----

@test "set -s: larger is reserved and zero, smaller loses the rest" {
    make_memory /m 4
    printf abcd >/dev/shm/m
    run_tool 0 shmctl set -s 1M /m
    assert_no_stderr
    assert_equal "$(attribute size /m) $(attribute allocated /m)" '1048576 1048576'
    assert_equal "$(head -c 6 /dev/shm/m | od -An -tx1)" ' 61 62 63 64 00 00'
    run_tool 0 shmctl set -s 2 /m
    assert_equal "$(cat /dev/shm/m)" ab
    run_tool 0 shmctl set -s 2 /m
    run_tool 0 shmctl set -s 0 /m
    assert_equal "$(attribute size /m) $(attribute allocated /m)" '0 0'
}

@test "set of the other family's properties is refused, and nothing changed" {
    make_memory /m 10
    make_memory key:7 10
    refused set -s 20 key:7
    refused set -m 0666 -s 20 key:7
    refused set --lock /m
    refused set -s 20 -m 0666 --unlock /m
    assert_equal "$(attribute size /m) $(attribute perms /m)" '10 0600'
    assert_equal "$(attribute size key:7) $(attribute perms key:7)" '10 0600'
}

# bats test_tags=user
@test "set --lock and --unlock" {
    make_memory key:7 10
    attach holder key:7
    run_tool 0 shmctl set --lock key:7
    assert_equal "$(attribute state key:7)" attached,locked
    run_tool 0 shmctl set --unlock -m 0640 key:7
    assert_equal "$(attribute state key:7) $(attribute perms key:7)" 'attached 0640'
}

# bats test_tags=user
@test "set --lock: the limit is named" {
    make_memory key:7 64K
    [ "$EUID" -ne 0 ] || as=(setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock)
    run_tool 2 "${as[@]}" bash -c 'ulimit -l 4; exec shmctl set --lock key:7'
    assert_diagnostic shmctl 'key:7: cannot lock: .*RLIMIT_MEMLOCK = 4096; raise it'
    assert_equal "$(attribute state key:7)" unused
}

@test "set --owner: by name and number, with and without a group" {
    requires root
    local object
    for object in "${both[@]}"; do
        make_memory "$object" 1 -m 0640
        shmctl set --owner daemon "$object"
        assert_equal "$(attribute owner "$object") $(attribute gid "$object")" "daemon 0"
        shmctl set --owner 4321:1234 "$object"
        assert_equal "$(attribute uid "$object") $(attribute gid "$object")" '4321 1234'
        assert_equal "$(attribute perms "$object")" 0640
        shmctl set --owner root -m g+w "$object"
        assert_equal "$(attribute uid "$object") $(attribute perms "$object")" '0 0660'
    done
    refused set --owner no-such-user /m
    assert_equal "$(attribute creator "$object")" root
}

# ---- rm ----

@test "rm removes; of nothing is trouble, with -f it is not" {
    local object
    for object in "${both[@]}" id:2147483647; do
        [[ $object = id:* ]] || make_memory "$object" 1
        [[ $object = id:* ]] || run_tool 0 shmctl rm "$object"
        assert_equal "${output-}${stderr-}" ''
        run_tool 2 shmctl rm "$object"
        assert_diagnostic shmctl "$object: cannot remove: No such file"
        run_tool 0 shmctl rm -f "$object"
        assert_no_stderr
        output='' stderr=''
    done
    nothing_there
}

@test "rm says when a segment lives on because it is attached" {
    local id
    make_memory key:7 10
    id=$(attribute id key:7)
    attach one key:7
    attach two key:7
    run_tool 0 shmctl rm key:7
    assert_diagnostic shmctl '^shmctl: key:7: removed, and lives on until it is detached \(2 attaches\)$'
    assert_output ''
    run exists key:7
    assert_failure
    assert_equal "$(attribute state "id:$id") $(attribute key "id:$id")" 'attached,marked 0x00000000'
    kill "${pid[one]}"
    wait_exit one
    run_tool 0 shmctl rm "id:$id"
    assert_diagnostic shmctl "id:$id: removed, and lives on until it is detached \(1 attach\)$"
    kill "${pid[two]}"
    wait_exit two
    wait_until nothing_there
}

@test "one operand that fails does not stop the others" {
    run_tool 2 shmctl create -s 1 /m m key:7
    made /m key:7
    assert_output $'/m\nkey:0x00000007'
    assert_diagnostic shmctl "'m'"
    run_tool 2 shmctl show /m /none key:7
    assert_line name=/m
    assert_line name=key:0x00000007
    run_tool 2 shmctl set -m 0640 /m /none key:7
    assert_equal "$(octal_mode /m) $(attribute perms key:7)" '640 0640'
    run_tool 2 shmctl rm /m /none key:7
    nothing_there
}

# ---- Objects of others ----

@test "objects made by ipcmk, perl, python and a shell" {
    local id name
    id=id:$(ipcmk -M 4096 | sed 's/.*: *//')
    made "$id"
    assert_equal "$(attribute size "$id")" 4096
    shmctl rm "$id"
    id=id:$(perl -MIPC::SysV=IPC_PRIVATE,IPC_CREAT -e 'print shmget(IPC_PRIVATE, 10, 0600 | IPC_CREAT)')
    made "$id"
    assert_equal "$(attribute size "$id")" 10
    shmctl rm "$id"
    name=$(python3 -c '
from multiprocessing import shared_memory, resource_tracker
memory = shared_memory.SharedMemory(create=True, size=5000)
resource_tracker.unregister(memory._name, "shared_memory")
print(memory._name)')
    made "$name"
    assert_equal "$(attribute size "$name")" 5000
    shmctl rm "$name"
    : >/dev/shm/shell
    shmctl rm /shell
    nothing_there
}
