#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# semctl: to create, show, use and remove semaphores of both families, and run a command under one.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # scripts for other shells

load support/lib.bash

both=(/s key:0x73737373)
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all')

# made SEM...: leaves their removal to clean_up.
made() { made_semaphores+=("$@"); }

# attribute NAME SEM: what show says.
attribute() { semctl show -- "$2" | sed -n "s/^$1=//p"; }

# value_is SEM VALUE: for wait_until, where a guard gives back.
value_is() { [ "$(semctl value "$1")" = "$2" ]; }

# value SEM: given back or not, it must be so now.
assert_value() { assert_equal "$(semctl value "${@:3}" -- "$1")" "$2"; }

# row ID: of /proc/sysvipc/sem: key semid perms nsems uid gid cuid cgid otime ctime
row() { awk -v id="$1" '$2 == id { $1 = $1; print }' /proc/sysvipc/sem; }

sysv_count() { tail -n +2 /proc/sysvipc/sem | wc -l; }

# refused ARGUMENT...: semctl calls them wrong usage.
refused() {
    echo "semctl $*"
    run_tool 2 semctl "$@"
    assert_diagnostic semctl '; see semctl --help$'
    assert_output ''
}

# waiting SEM N: so many processes sleep in it.
waiting() { [ "$(attribute waiters "$1")" = "$2" ]; }

# ---- create ----

# bats test_tags=user
@test "create prints the name and makes a semaphore of mode 0600 and value 0" {
    local sem
    for sem in "${both[@]}"; do
        run_tool 0 semctl create "$sem"
        made "$sem"
        assert_output "$sem"
        assert_no_stderr
        assert_equal "$(attribute perms "$sem")" 0600
        assert_equal "$(attribute uid "$sem")" "$EUID"
        assert_value "$sem" 0
    done
    [ "$(ls -A /dev/shm)" = sem.s ]
}

@test "create prints names that every verb accepts" {
    local file=$BATS_TEST_TMPDIR/file name
    : >"$file"
    run_tool 0 semctl create --value 1 sem:/s key:01234 key:-7 "ftok:$file" sem:key:99 private
    made "${lines[@]}"
    assert_equal "${#lines[@]}" 6
    assert_line --index 0 /s
    assert_line --index 1 key:0x0000029c
    assert_line --index 2 key:0xfffffff9
    [[ ${lines[5]} == id:* ]]
    for name in "${lines[@]}"; do
        run_tool 0 semctl post "$name"
        run_tool 0 semctl wait -c 2 "sem:$name"
        run_tool 0 semctl run -n "$name" -- true || [ "$status" -eq 1 ]
        assert_value "$name" 0
        run_tool 0 semctl rm "$name"
        run_tool 2 semctl show "$name"
        assert_diagnostic semctl 'No such file'
    done
}

@test "create: values and members" {
    made /s key:1
    run_tool 0 semctl create --value 2147483647 /s
    assert_value /s 2147483647
    run_tool 0 semctl create --value 32767 --nsems 3 key:1
    assert_equal "$(attribute nsems key:1)" 3
    assert_equal "$(attribute value key:1)" "'32767 32767 32767'"
    assert_value key:1 32767 -i 2
}

@test "create: a value or a number of members that cannot be" {
    run_tool 2 semctl create --value 2147483648 /s
    assert_diagnostic semctl '^semctl: /s: cannot create: .*2147483648, SEM_VALUE_MAX = 2147483647'
    run_tool 2 semctl create --value 32768 key:1
    assert_diagnostic semctl 'SEMVMX = 32767'
    run_tool 2 semctl create --nsems 1000000 key:1
    assert_diagnostic semctl 'nsems is 1000000, SEMMSL = [0-9]+ of kernel.sem; raise it with: sysctl kernel.sem=.1000000 [0-9]+ [0-9]+ [0-9]+.\)$'
    refused create --nsems 2 /s
    refused create --nsems 0 key:1
    refused create --value -1 /s
    refused create --value 1x /s
    refused create id:7
    [ -z "$(ls -A /dev/shm)" ]
    [ "$(sysv_count)" -eq 0 ]
}

@test "create leaves a semaphore that is there as it is; -x refuses it" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem" --value 5 -m 0640
        run_tool 0 semctl create --value 1 "$sem"
        assert_output "$sem"
        run_tool 2 semctl create -x "$sem"
        assert_diagnostic semctl "^semctl: $sem: cannot create: File exists"
        assert_output ''
        assert_value "$sem" 5
        assert_equal "$(attribute perms "$sem")" 0640
    done
}

@test "create -x: of many at once, one makes it" {
    local sem i
    for sem in "${both[@]}"; do
        for i in {1..20}; do
            spawn "$i" semctl create -x --value 1 "$sem"
        done
        made "$sem"
        local won=0
        for i in {1..20}; do
            wait_exit "$i"
            [ "$status" -ne 0 ] || won=$((won + 1))
        done
        assert_equal "$won" 1
        assert_value "$sem" 1
    done
    # Nothing beside it.
    [ "$(ls -A /dev/shm)" = sem.s ]
}

# bats test_tags=user
@test "create: the mode is exact whatever the umask" {
    local mask mode sem
    for mask in 000 022 077 777; do
        for mode in 0600 0666 0777 0000 0240; do
            for sem in "${both[@]}"; do
                run_tool 0 sh -c 'umask "$1"; exec semctl create -m "$2" "$3"' sh "$mask" "$mode" "$sem"
                case $sem in
                /*) assert_equal "$(stat -c %04a "/dev/shm/sem$(tr / . <<<"$sem")")" "$mode" ;;
                *) assert_equal "$(awk 'NR > 1 { printf "%04d", $3 }' /proc/sysvipc/sem)" "$mode" ;;
                esac
                semctl rm "$sem"
            done
        done
    done
    run_tool 0 semctl create -m g+rw,u+x /s
    made /s
    assert_equal "$(attribute perms /s)" 0760
}

@test "create of a semaphore that another user has made" {
    requires root
    local sem
    for sem in "${both[@]}"; do
        run_tool 0 "${nobody[@]}" semctl create --value 3 "$sem"
        made "$sem"
        run_tool 0 semctl create --owner-any "$sem"
        assert_output "$sem"
        run_tool 0 semctl post "$sem"
        assert_value "$sem" 4
        assert_equal "$(attribute uid "$sem")" 65534
    done
}

@test "a semaphore whose name cannot be printed is not made; one that was there stays" {
    run_tool 2 sh -c 'semctl create --value 1 /s key:1 private >/dev/full'
    [ -z "$(ls -A /dev/shm)" ]
    [ "$(sysv_count)" -eq 0 ]
    make_semaphore /s
    make_semaphore key:1
    run_tool 2 sh -c 'semctl create /s key:1 >/dev/full'
    [ -e /dev/shm/sem.s ]
    [ "$(sysv_count)" -eq 1 ]
}

@test "create on a full /dev/shm: said, and nothing is left" {
    requires mount
    run_tool 2 unshare --mount sh -c 'mount -t tmpfs -o size=4k,nr_inodes=9 none /dev/shm &&
        head -c 4096 /dev/zero >/dev/shm/full && semctl create /s; status=$?; ls /dev/shm; exit $status'
    assert_output full
    assert_diagnostic semctl '/s: cannot create: No space left on device \(32 bytes, 0 are free in /dev/shm; enlarge it with: mount -o remount,size=SIZE /dev/shm\)$'
}

@test "create where there is no /dev/shm, no inode left, or no file may be as large" {
    requires mount
    run_tool 2 unshare --mount sh -c 'mount -t tmpfs none /dev && exec semctl create /s'
    assert_diagnostic semctl '/s: cannot create: No such file or directory \(there is no /dev/shm\)$'
    run_tool 2 unshare --mount sh -c 'mount -t tmpfs -o nr_inodes=1 none /dev/shm && exec semctl create /s'
    assert_diagnostic semctl '/s: cannot create: No space left on device \(all 1 inodes of /dev/shm are in use; allow more with: mount -o remount,nr_inodes=2 /dev/shm\)$'
    # Which the line on stderr is not to meet.
    run_tool 2 bash -c 'set -o pipefail; (ulimit -f 0; semctl create /s) 2>&1 | cat'
    assert_output --regexp '^semctl: /s: cannot create: File too large \(32 bytes, RLIMIT_FSIZE = 0; raise it'
    [ -z "$(ls -A /dev/shm)" ]
}

@test "create of a semaphore that is there, where none can be made" {
    requires root
    run_tool 2 unshare --mount bash -c '
        mount -t tmpfs -o mode=0755,size=4k,nr_inodes=9 none /dev/shm
        semctl create -m 0666 /s
        head -c 4096 /dev/zero >/dev/shm/full 2>/dev/null
        semctl create /s                       # full
        "$@" semctl create /s                  # not for us to write to
        mount -o remount,ro /dev/shm
        semctl create /s
        semctl create -x /s' bash "${nobody[@]}"
    assert_output "$(printf '/s\n%.0s' {1..4})"
    assert_diagnostic semctl '/s: cannot create: File exists'
}

@test "create shows a set to nobody before it has its values" {
    requires strace
    # Each call of its making is followed by a look at the mode and the time of the last operation.
    made key:1
    local calls=$BATS_TEST_TMPDIR/calls
    run_tool 0 strace -qq -o "$calls" -e trace=/sem semctl create -m 0666 --value 7 key:1
    run sed -E 's/^(\w+)\(.*(SETALL|IPC_SET|IPC_CREAT\|IPC_EXCL\|0[0-9]*).*/\1 \2/; s/^(sem\w+op)\(.*/semop/' "$calls"
    assert_output --regexp $'^semget IPC_CREAT\\|IPC_EXCL\\|0200\nsemctl SETALL\nsemop\nsemctl IPC_SET$'
}

@test "a set that is being created is waited for" {
    made key:1
    # As create does it, but slowly.
    spawn maker perl -MIPC::SysV=:all -e '
        my $id = semget(1, 1, IPC_CREAT | 0200);
        select(undef, undef, undef, 0.3);
        semctl($id, 0, SETVAL, 5);
        semop($id, pack("s*", 0, -1, 0, 0, 1, 0)) or die'
    wait_until has_rows 1
    run_tool 0 semctl post key:1
    wait_exit maker 0
    # Reading is not allowed.
    run_tool 1 semctl wait -n -c 7 key:1
    run_tool 0 semctl wait -n -c 6 key:1
}

has_rows() { [ "$(sysv_count)" -eq "$1" ]; }

@test "a set whose creator does not go on is used as it is" {
    made key:1
    perl -MIPC::SysV=:all -e 'semget(1, 1, IPC_CREAT | 0200) // die'
    run_tool 0 semctl post key:1
    run_tool 0 semctl post key:1
    run_tool 0 semctl wait -n -c 2 key:1
}

# ---- post, wait, value, set ----

@test "post and wait: one, or as many as -c says" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem"
        run_tool 0 semctl post "$sem"
        assert_output ''
        assert_no_stderr
        assert_value "$sem" 1
        run_tool 0 semctl post -c 9 "$sem"
        assert_value "$sem" 10
        run_tool 0 semctl wait "$sem"
        assert_output ''
        assert_no_stderr
        run_tool 0 semctl wait -c 7 "$sem"
        assert_value "$sem" 2
        run_tool 1 semctl wait -nc 3 "$sem"
        assert_output ''
        assert_no_stderr
        assert_value "$sem" 2
    done
}

@test "-n: status 1; -w: status 124; nothing is taken" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem"
        run_tool 1 semctl wait -n "$sem"
        run_tool 124 semctl wait -w 0.02 "$sem"
        run_tool 124 semctl wait -w 0 "$sem"
        assert_no_stderr
        semctl post "$sem"
        run_tool 0 semctl wait -w 0 "$sem"
        semctl post "$sem"
        run_tool 124 semctl wait -c 2 -w 0.02 "$sem"
        assert_value "$sem" 1
        run_tool 0 semctl wait -n "$sem"
        assert_value "$sem" 0
    done
}

@test "a wait sleeps, and a post wakes it" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem"
        spawn one semctl wait "$sem"
        wait_blocked one futex semtimedop semop
        wait_until waiting "$sem" 1
        spawn two semctl wait -w 1h "$sem"
        wait_until waiting "$sem" 2
        semctl post -c 2 "$sem"
        wait_exit one 0
        wait_exit two 0
        assert_value "$sem" 0
        assert_equal "$(attribute waiters "$sem")" 0
    done
}

@test "wait -c takes all or nothing: a signal or the end of time gives back" {
    make_semaphore /s --value 2
    spawn one semctl wait -c 5 /s
    wait_blocked one futex
    assert_value /s 0
    kill -TERM "${pid[one]}"
    wait_exit one 143
    assert_value /s 2
    make_semaphore key:1 --value 2
    spawn one semctl wait -c 5 key:1
    wait_blocked one semtimedop semop
    assert_value key:1 2
    kill -TERM "${pid[one]}"
    wait_exit one 143
    assert_value key:1 2
}

@test "a wait that a signal ends takes nothing, also in the last moment" {
    local sem i sum=0
    for sem in "${both[@]}"; do
        sum=0
        make_semaphore "$sem"
        for i in {1..30}; do
            spawn "$i" semctl wait "$sem"
            semctl post "$sem"
            # It may be gone, and the shell know it.
            kill -TERM "${pid[$i]}" 2>/dev/null || :
            status=0
            wait "${pid[$i]}" || status=$?
            case $status in
            0) ;;
            143) sum=$((sum + 1)) ;;
            *) fail "status $status" ;;
            esac
        done
        assert_value "$sem" "$sum"
    done
}

@test "the highest values: said, and left as they are" {
    make_semaphore /s --value 2147483646
    run_tool 2 semctl post -c 2 /s
    assert_diagnostic semctl '/s: cannot post: .*value 2147483646, SEM_VALUE_MAX = 2147483647'
    assert_value /s 2147483646
    run_tool 0 semctl post /s
    run_tool 2 semctl post /s
    assert_value /s 2147483647
    make_semaphore key:1 --value 32766
    run_tool 2 semctl post -c 2 key:1
    assert_diagnostic semctl 'key:1: cannot post: .*32767, SEMVMX'
    run_tool 2 semctl post -c 40000 key:1
    assert_diagnostic semctl 'SEMVMX'
    run_tool 2 semctl wait -nc 40000 key:1
    assert_diagnostic semctl 'SEMVMX'
    run_tool 2 semctl set key:1 32768
    assert_diagnostic semctl 'SEMVMX = 32767'
    run_tool 2 semctl set /s 2147483648
    assert_diagnostic semctl 'SEM_VALUE_MAX = 2147483647'
    assert_value key:1 32766
}

@test "set: at once, and waiters are woken" {
    make_semaphore /s
    make_semaphore key:1 --nsems 2
    run_tool 0 semctl set /s 5
    assert_no_stderr
    assert_value /s 5
    run_tool 0 semctl set -q /s 0
    assert_value /s 0
    local i
    for i in 1 2 3; do
        spawn "waiter$i" semctl wait /s
    done
    wait_until waiting /s 3
    run_tool 0 semctl set /s 4
    for i in 1 2 3; do
        wait_exit "waiter$i" 0
    done
    assert_value /s 1
    wait_until waiting /s 0
    run_tool 0 semctl set -i 1 key:1 7
    assert_no_stderr
    assert_equal "$(attribute value key:1)" "'0 7'"
    refused set /s
    refused set /s x
    refused set /s 1 2
    refused set -- /s -1
}

@test "members: -i, and those that are not there" {
    make_semaphore key:1 --nsems 3 --value 1
    run_tool 0 semctl post -i 2 -c 4 key:1
    run_tool 0 semctl wait -i 0 key:1
    assert_equal "$(attribute value key:1)" "'0 1 5'"
    assert_value key:1 5 -i 2
    run_tool 2 semctl post -i 3 key:1
    assert_diagnostic semctl '^semctl: key:1: there is no member 3; the set has 3, from 0 to 2$'
    run_tool 2 semctl value -i 99999999999 key:1
    run_tool 2 semctl show -i 3 key:1
    run_tool 125 semctl run -i 3 key:1 -- true
    make_semaphore /s --value 1
    refused value -i 0 /s
    refused show -i 0 /s
    refused wait -i 0 /s
}

# ---- op ----

@test "op: all at once or nothing" {
    make_semaphore key:1 --nsems 3 --value 2
    run_tool 0 semctl op key:1 0-2 1+3 2-1
    assert_equal "$(attribute value key:1)" "'0 5 1'"
    run_tool 1 semctl op -n key:1 1-5 2-2
    run_tool 124 semctl op -w 0.02 key:1 1-5 2-2
    assert_equal "$(attribute value key:1)" "'0 5 1'"
    run_tool 0 semctl op -n key:1 0=0 0+1
    run_tool 1 semctl op -n key:1 0=0 0+1
    # In their order: what the first frees, the second takes.
    run_tool 0 semctl op -n key:1 2+1 2-2
    assert_equal "$(attribute value key:1)" "'1 5 0'"
    assert_no_stderr
}

@test "op waits for zero, and for several" {
    make_semaphore key:1 --nsems 2 --value 1
    spawn one semctl op key:1 0=0
    wait_blocked one semtimedop semop
    assert_equal "$(attribute zwaiters key:1)" "'1 0'"
    spawn two semctl op key:1 0-2 1-2
    wait_until two_waits
    semctl post key:1
    semctl post -i 1 key:1
    wait_exit two 0
    wait_exit one 0
    assert_equal "$(attribute value key:1)" "'0 0'"
}
two_waits() { [ "$(attribute waiters key:1)" = "'1 0'" ]; }

@test "op: operations that are none" {
    make_semaphore key:1 --nsems 2
    make_semaphore /s
    local word
    for word in '' 0 + 0+ +1 0=1 0= 0=00 0+0 0-0 0+x 0+1x 0++1 0+-1 x+1 -1+1 0+32768 65536+1 ' 0+1' 0*1; do
        refused op -- key:1 "$word"
    done
    refused op key:1
    refused op /s 0+1
    run_tool 2 semctl op key:1 2+1
    assert_diagnostic semctl 'no member 2'
    run_tool 2 semctl op key:1 0+32767 0+1
    assert_diagnostic semctl 'SEMVMX'
    # shellcheck disable=SC2046 # words
    run_tool 2 semctl op key:1 $(yes 0+1 | head -n 2000)
    assert_diagnostic semctl 'Argument list too long \(2000 operations, SEMOPM = [0-9]+ of kernel.sem; raise it with: '
    assert_equal "$(attribute value key:1)" "'0 0'"
}

# ---- run ----

# bats test_tags=user
@test "run: COMMAND has it, and it is back afterwards" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem" --value 5
        run_tool 0 semctl run "$sem" -- semctl value "$sem"
        assert_output 4
        assert_no_stderr
        wait_until value_is "$sem" 5
        run_tool 7 semctl run -c 3 "$sem" -- sh -c 'semctl value "$1"; exit 7' sh "$sem"
        assert_output 2
        wait_until value_is "$sem" 5
        # By a signal, and COMMAND is the process that was started.
        spawn one semctl run -c 5 "$sem" -- sh -c 'echo $$; kill -KILL $$'
        local started=${pid[one]}
        wait_exit one 137
        assert_output "$started"
        wait_until value_is "$sem" 5
        # Its children that live on have nothing.
        run_tool 0 semctl run "$sem" -- sh -c 'sleep 1000 >/dev/null 2>&1 & echo $!'
        wait_until value_is "$sem" 5
        kill "$output"
    done
}

@test "run: -n, -w, -E" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem" --value 2
        run_tool 1 semctl run -nc 3 "$sem" -- echo no
        assert_output ''
        run_tool 124 semctl run -w 0.02 -c 3 "$sem" -- echo no
        run_tool 9 semctl run -E 9 -w 0.02 -c 3 "$sem" -- echo no
        run_tool 0 semctl run -E 0 -nc 3 "$sem" -- echo no
        assert_output ''
        assert_no_stderr
        assert_value "$sem" 2
        run_tool 1 semctl run -E 9 -nc 2 "$sem" -- false
        wait_until value_is "$sem" 2
    done
    make_semaphore key:1 --nsems 2 --value 1
    run_tool 0 semctl run -i 1 key:1 -- semctl show key:1
    assert_line "value='1 0'"
}

@test "run: COMMAND waits for its turn" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem"
        spawn one semctl run "$sem" -- echo "my turn"
        wait_until waiting "$sem" 1
        [ ! -s "$(out one)" ]
        semctl post "$sem"
        wait_exit one 0
        assert_output 'my turn'
        wait_until value_is "$sem" 1
    done
}

@test "run: killed while it waits, it takes nothing, and its guard goes at once" {
    local sem signal
    for sem in "${both[@]}"; do
        make_semaphore "$sem"
        for signal in KILL TERM INT; do
            spawn one semctl run "$sem" -- echo no
            wait_until waiting "$sem" 1
            kill -"$signal" "${pid[one]}"
            wait_exit one "$((128 + $(kill -l "$signal")))"
            assert_output ''
            wait_until waiting "$sem" 0
        done
        semctl post "$sem"
        run_tool 0 semctl run -n "$sem" -- true
        wait_until value_is "$sem" 1
    done
}

# guards: the processes that are semctl; those that run a COMMAND are that.
guards() {
    local process name
    for process in /proc/[0-9]*; do
        read -r name 2>/dev/null <"$process/comm" || continue
        [ "$name" != semctl ] || echo "${process#/proc/}"
    done
}

@test "run: the guard holds no descriptor, no directory and no terminal of COMMAND's" {
    make_semaphore /s --value 1
    local fifo=$BATS_TEST_TMPDIR/fifo guard descriptor directory=$BATS_TEST_TMPDIR/directory
    mkfifo "$fifo"
    mkdir "$directory"
    mkfifo "$fifo.out"
    spawn reader cat "$fifo.out"
    spawn one sh -c 'cd "$1" && exec semctl run /s -- sh -c "exec >&-; read -r line <\"\$0\"" "$2" \
        7>"$3" >"$2.out"' sh "$directory" "$fifo" "$BATS_TEST_TMPDIR/file"
    # COMMAND closes its stdout, and a reader sees the end, though the guard lives.
    wait_exit reader 0
    wait_until value_is /s 0
    guard=$(guards)
    wait_blocked "$guard" poll ppoll
    [ "$(readlink "/proc/$guard/cwd")" = / ]
    for descriptor in "/proc/$guard/fd"/*; do
        case $(readlink "$descriptor") in
        anon_inode:\[pidfd\] | pidfd:* | /dev/shm/sem.s) ;;
        *) fail "it holds $(readlink "$descriptor")" ;;
        esac
    done
    # pid (comm) state ppid pgrp session tty
    read -ra stat <"/proc/$guard/stat"
    assert_equal "${stat[6]}" 0
    [ "${stat[5]}" != "$guard" ]
    # Signals do not end it.
    kill -HUP "$guard"
    kill -INT "$guard"
    kill -TERM "$guard"
    echo >"$fifo"
    wait_exit one 0
    wait_until value_is /s 1
    wait_until ended "$guard"
}

@test "run: COMMAND gets the inherited mask and ignored signals unchanged" {
    local sem how expected
    # Else the address sanitizer takes SIGBUS for itself.
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_sigbus=0
    for sem in "${both[@]}"; do
        make_semaphore "$sem" --value 1
        for how in --default-signal '--block-signal=USR1,ALRM,TERM,RTMIN,RTMIN+1,PIPE,IO' \
            '--default-signal --ignore-signal=HUP,INT,PIPE,XFSZ,USR1,IO,BUS,CHLD,RTMIN,RTMIN+1' --block-signal; do
            echo "$how"
            # shellcheck disable=SC2086
            expected=$(env $how grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status)
            # shellcheck disable=SC2086
            run_tool 0 env $how semctl run -w 1h "$sem" -- grep -E '^Sig(Blk|Ign|Cgt):' /proc/self/status
            assert_output "$expected"
            wait_until value_is "$sem" 1
        done
    done
}

@test "run: the kernel is asked about the few signals that were changed, not about all" {
    requires strace
    local sem trace=$BATS_TEST_TMPDIR/trace
    for sem in "${both[@]}"; do
        make_semaphore "$sem" --value 1
        run_tool 0 strace -qq --detach-on=execve -e trace=rt_sigaction -o "$trace" \
            semctl run "$sem" -- true
        [ "$(grep -c '^rt_sigaction' "$trace")" -le 16 ]
    done
}

@test "run: COMMAND has no strange child, and its status is its own" {
    make_semaphore /s --value 1
    run_tool 0 semctl run /s -- python3 -c 'import os
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("none")'
    assert_output none
}

@test "run: of 50 at once, one is in at a time" {
    local sem i
    for sem in "${both[@]}"; do
        make_semaphore "$sem" --value 1
        for i in {1..50}; do
            spawn "$i" semctl run "$sem" -- \
                sh -c 'set -C; : >"$0" && rm "$0"' "$BATS_TEST_TMPDIR/inside"
        done
        for i in {1..50}; do
            wait_exit "$i" 0
            assert_no_stderr
        done
        wait_until value_is "$sem" 1
    done
}

@test "run: killed at random, what was taken is back" {
    run "$BATS_TEST_DIRNAME/soak/semaphores" --kills 60 3>&-
    assert_success
    assert_line '60 kills in each family, and all was given back'
}

@test "run: the kills would notice a guard that does not give back" {
    local bin=$BATS_TEST_TMPDIR/tools real
    mkdir "$bin"
    real=$(command -v semctl)
    printf '%s\n' '#!/bin/bash' "real=$real" \
        'if [ "$1" = run ]; then "$real" wait -c "$3" "$4"; exec "${@:6}"; fi' 'exec "$real" "$@"' >"$bin/semctl"
    chmod +x "$bin/semctl"
    PATH=$bin:$PATH run "$BATS_TEST_DIRNAME/soak/semaphores" --kills 60 3>&-
    assert_failure
    assert_output --regexp 'FAILED: (/kills|key:[0-9a-fx]+) is [01], not 2'
}

# bats test_tags=user
@test "run: no process can be had" {
    requires user
    ignore_leaks
    make_semaphore /s --value 1
    run_tool 125 bash -c 'ulimit -u 1; exec semctl run /s -- true'
    assert_diagnostic semctl 'COMMAND: cannot start its guard: .*RLIMIT_NPROC = 1'
    assert_value /s 1
}

# ---- Time and signals ----

stop_and_continue() {
    local times=3
    while ((times-- > 0)); do
        kill -STOP "${pid[$1]}"
        wait_until is_stopped "$1"
        kill -CONT "${pid[$1]}"
        wait_blocked "$1"
    done
}

@test "stop and continue change nothing" {
    local sem
    local command
    for sem in "${both[@]}"; do
        for command in 'wait' 'wait -w 1h' 'run' 'run -w 1h'; do
            echo "$command $sem"
            make_semaphore "$sem"
            local -a behind=()
            [[ $command != run* ]] || behind=(-- true)
            # shellcheck disable=SC2086 # words
            spawn one semctl $command "$sem" "${behind[@]}"
            wait_until waiting "$sem" 1
            stop_and_continue one
            semctl post "$sem"
            wait_exit one 0
            assert_no_stderr
            semctl rm "$sem"
        done
    done
    make_semaphore key:1 --nsems 2
    spawn one semctl op -w 1h key:1 0-1 1-1
    wait_blocked one semtimedop semop
    stop_and_continue one
    semctl op key:1 0+1 1+1
    wait_exit one 0
}

@test "-w goes by the monotonic clock" {
    requires strace
    local trace=$BATS_TEST_TMPDIR/trace sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem"
        run_tool 124 strace -f -qq -o "$trace" semctl wait -w 0.02 "$sem"
        run ! grep -E 'CLOCK_REALTIME|^[0-9]+ +(alarm|setitimer)\(' "$trace"
        grep -Eq 'semtimedop\(|futex\(.*FUTEX_WAIT, 0, \{' "$trace"
    done
}

# ---- show ----

@test "show of a POSIX semaphore agrees with its file" {
    make_semaphore /s -m 0640 --value 3
    run_tool 0 semctl show /s
    assert_no_stderr
    assert_output "$(stat -c 'name=/s
kind=sem
uid=%u
gid=%g
perms=0640
value=3
waiters=0
mtime=%Y
ctime=%Z
inode=%i' /dev/shm/sem.s)"
}

@test "show of a System V set agrees with /proc" {
    make_semaphore key:0x4d2 -m 0640 --value 3
    local id
    id=$(attribute id key:0x4d2)
    run_tool 0 semctl show key:0x4d2
    assert_equal "$(sed -n 's/^\(id\|perms\|nsems\|uid\|gid\|cuid\|cgid\|otime\|ctime\)=0*//p' <<<"$output" |
        sed 's/^$/0/' | sort)" "$(row "$id" | tr ' ' '\n' | tail -n +2 | sort)"
    assert_line key=0x000004d2
    assert_line value=3
    # Whoever made the last operation.
    run sh -c 'echo $$; exec semctl post key:0x4d2'
    assert_equal "$(attribute lastpid key:0x4d2)" "'$output'" ||
        assert_equal "$(attribute lastpid key:0x4d2)" "$output"
}

@test "show -J: numbers are numbers, and members an array" {
    make_semaphore /s --value 3
    make_semaphore key:1 --nsems 2 --value 4
    run_tool 0 semctl show -J /s key:1
    python3 - "$output" <<'PYTHON'
import json, sys
posix, sysv = map(json.loads, sys.argv[1].splitlines())
assert (posix["name"], posix["kind"], posix["value"], posix["waiters"]) == ("/s", "sem", 3, 0)
assert (sysv["nsems"], sysv["value"], sysv["waiters"], sysv["zwaiters"]) == (2, [4, 4], [0, 0], [0, 0])
assert sysv["key"] == "0x00000001" and len(sysv["lastpid"]) == 2
PYTHON
    run_tool 0 semctl show -Ji 1 key:1
    assert_output --partial '"value":4,"waiters":0,'
}

@test "show is fit for eval" {
    make_semaphore key:1 --nsems 2 --value 4
    make_semaphore "/it's" --value 7
    run sh -c 'eval "$(semctl show key:1)" && set -- $value && echo "$# $1 $2 $perms"'
    assert_output '2 4 4 0600'
    run sh -c 'eval "$(semctl show "$1")" && echo "$name $value"' sh "/it's"
    assert_output "/it's 7"
}

@test "show and value need to read; the rest must not" {
    requires root
    made /s key:1
    as_user -u 1234 semctl create -m 0622 --value 1 /s key:1 >/dev/null
    run_tool 2 "${nobody[@]}" semctl show /s
    assert_diagnostic semctl '/s: cannot open: Permission denied'
    run_tool 2 "${nobody[@]}" semctl value key:1
    assert_diagnostic semctl 'key:1: cannot read: Permission denied'
    # The kernel tells of the set, not of its members.
    run_tool 0 "${nobody[@]}" semctl show key:1
    assert_line nsems=1
    refute_line --regexp '^(value|waiters)='
    run_tool 0 "${nobody[@]}" semctl post key:1
    assert_value key:1 2
    run_tool 2 "${nobody[@]}" semctl post /s
    assert_diagnostic semctl 'Permission denied'
    chmod 0604 /dev/shm/sem.s
    run_tool 0 "${nobody[@]}" semctl value /s
    assert_output 1
    run_tool 2 "${nobody[@]}" semctl rm key:1
    assert_diagnostic semctl 'Operation not permitted'
    run_tool 2 "${nobody[@]}" semctl rm -f /s
    assert_diagnostic semctl 'cannot remove: (Permission denied|Operation not permitted)'
}

# ---- rm ----

@test "rm: several, one that is not there, -f" {
    make_semaphore /s
    make_semaphore key:1
    run_tool 2 semctl rm /s /none key:1 key:2
    assert_equal "${#stderr_lines[@]}" 2
    assert_equal "${stderr_lines[0]}" 'semctl: /none: cannot remove: No such file or directory'
    [ -z "$(ls -A /dev/shm)" ]
    [ "$(sysv_count)" -eq 0 ]
    run_tool 0 semctl rm -f /s key:1 id:12345
    assert_no_stderr
}

@test "who waits for a POSIX semaphore looks each second whether it is still there" {
    requires strace
    make_semaphore /s
    spawn one strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=futex semctl wait /s
    wait_until grep -q tv_sec= "$BATS_TEST_TMPDIR/trace"
    local until now
    until=$(sed -nE '1s/.*tv_sec=([0-9]+),.*/\1/p' "$BATS_TEST_TMPDIR/trace")
    now=$(python3 -c 'import time; print(int(time.monotonic()))')
    [ $((until - now)) -le 1 ]
    semctl rm /s
    wait_exit one 2
}

@test "a semaphore that is removed while it is waited for is trouble" {
    local sem
    for sem in "${both[@]}"; do
        make_semaphore "$sem" --value 1
        spawn one semctl wait -c 2 "$sem"
        wait_blocked one futex semtimedop semop
        semctl rm "$sem"
        wait_exit one 2
        assert_diagnostic semctl "$sem: cannot wait: Identifier removed"
        make_semaphore "$sem"
        spawn one semctl run "$sem" -- true
        wait_until waiting "$sem" 1
        semctl rm "$sem"
        wait_exit one 125
        assert_diagnostic semctl "$sem: cannot wait: Identifier removed"
    done
}

# ---- What is none ----

@test "what is no semaphore in /dev/shm is malformed: never opened for long, never mapped" {
    mkfifo /dev/shm/sem.fifo
    mkdir /dev/shm/sem.directory
    ln -s /dev/shm/sem.real /dev/shm/sem.link
    ln -s nowhere /dev/shm/sem.dangling
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/dev/shm/sem.socket")'
    : >/dev/shm/sem.empty
    head -c 31 /dev/zero >/dev/shm/sem.short
    head -c 33 /dev/zero >/dev/shm/sem.long
    truncate -s 8E /dev/shm/sem.huge 2>/dev/null || truncate -s 1T /dev/shm/sem.huge
    made /real
    semctl create --value 1 /real >/dev/null
    local kind verb
    for kind in fifo directory link dangling socket empty short long huge; do
        for verb in show value post 'wait -n' 'wait -w 1' 'set -q' create; do
            local -a words=("/$kind")
            [ "$verb" != 'set -q' ] || words+=(1)
            # shellcheck disable=SC2086 # words
            run_tool 2 semctl $verb "${words[@]}"
            assert_diagnostic semctl "^semctl: /$kind: malformed: /dev/shm/sem.$kind (is a|has [0-9]+ bytes, a semaphore has)"
            assert_output ''
        done
        run_tool 125 semctl run "/$kind" -- true
        assert_diagnostic semctl malformed
    done
    assert_value /real 1
    # Whoever must be rid of it, can be.
    run_tool 0 semctl rm /fifo /link /dangling /socket /empty /short /long /huge
    run_tool 2 semctl rm /directory
    rmdir /dev/shm/sem.directory
    assert_value /real 1
}

@test "a file of the right size that holds no value of a semaphore is malformed, and stays as it is" {
    requires strace
    local verb content=$BATS_TEST_TMPDIR/content trace=$BATS_TEST_TMPDIR/trace
    head -c 32 /dev/zero | tr '\0' '\377' >"$content"
    cp "$content" /dev/shm/sem.s
    for verb in show value post 'wait -n' 'set -q' run; do
        local -a behind=()
        [ "$verb" != 'set -q' ] || behind=(1)
        [ "$verb" != run ] || behind=(-- true)
        # shellcheck disable=SC2086 # words
        run_tool - strace -f -qq -o "$trace" -e trace=mmap -P /dev/shm/sem.s \
            semctl $verb /s "${behind[@]}"
        assert_equal "$status" "$([ "$verb" = run ] && echo 125 || echo 2)"
        assert_diagnostic semctl '^semctl: /s: malformed: /dev/shm/sem.s holds 4294967295, SEM_VALUE_MAX = 2147483647$'
        assert_output ''
        [ ! -s "$trace" ] || fail "mapped: $(<"$trace")"
        assert_same /dev/shm/sem.s "$content"
    done
    run_tool 0 semctl rm /s
}

@test "a semaphore cut short under us: a line, not a crash" {
    make_semaphore /s
    spawn one semctl wait /s
    wait_blocked one futex
    : >/dev/shm/sem.s
    wait_exit one 2
    assert_diagnostic semctl '/s: malformed'
    rm /dev/shm/sem.s
    make_semaphore /s
    spawn one semctl run /s -- true
    wait_until waiting /s 1
    : >/dev/shm/sem.s
    wait_exit one 125
    assert_diagnostic semctl '/s: malformed|COMMAND: its guard has ended'
}

@test "a semaphore cut short between look and use: SIGBUS is a line" {
    requires strace
    make_semaphore /s
    # It is stopped when it has mapped the file, which is empty then.
    ignore_leaks
    local trace=$BATS_TEST_TMPDIR/trace
    spawn one strace -o "$trace" -e trace=mmap -e inject=mmap:signal=STOP:when=1 -P /dev/shm/sem.s \
        semctl post /s
    wait_until grep -qs 'stopped by SIGSTOP' "$trace"
    : >/dev/shm/sem.s
    kill -CONT "$(pgrep -x -P "${pid[one]}" semctl)"
    wait_exit one 2
    assert_diagnostic semctl '/s: malformed: /dev/shm/sem.s was truncated meanwhile'
}

@test "hostile names" {
    local name
    for name in $'/a\nb' $'/\e[31m' $'/\xff\xfe' '/-x' '/ ' '/*' '/%' '/..x' "/$(printf 'x%.0s' {1..251})"; do
        run_tool 0 semctl create --value 1 -- "$name"
        made "$name"
        assert_output "$name"
        [ -e "/dev/shm/sem.${name#/}" ]
        run_tool 0 semctl post -- "$name"
        assert_value "$name" 2
        run_tool 0 semctl run "$name" -- true
        run_tool 0 semctl rm -- "$name"
    done
    refused create "/$(printf 'x%.0s' {1..252})"
    refused create s
    assert_diagnostic semctl "did you mean '/s'"
    refused create /a/b
    refused create key:0
    refused post private
    refused post fd:3
    refused rm fd:3
    run_tool 2 semctl create mq:/s
    assert_diagnostic semctl '^semctl: mq:/s is a message queue, not a semaphore$'
    run -2 on_terminal semctl post $'/\e[31m'
    assert_output --partial '\x1b[31m'
}

# ---- Where little is there ----

@test "everything works without /proc" {
    requires mount
    ! is_sanitized || skip 'the sanitizers need /proc'
    local sem
    for sem in "${both[@]}"; do
        made "$sem"
        run_tool 0 unshare --mount bash -ec 'mount -t tmpfs none /proc
            semctl create --value 1 "$1"
            semctl post "$1"
            semctl wait -n -c 2 "$1"
            semctl set -q "$1" 1
            semctl run -n "$1" -- semctl value "$1"
            semctl wait -w 1h "$1"
            semctl show "$1" | grep ^value=
            semctl rm "$1"' bash "$sem"
        assert_output "$sem"$'\n0\nvalue=0'
        assert_no_stderr
    done
}

@test "limits are explained without /proc, as far as they can be" {
    requires mount
    ! is_sanitized || skip 'the sanitizers need /proc'
    run_tool 2 unshare --mount bash -c 'mount -t tmpfs none /proc && semctl create --nsems 1000000 key:1'
    assert_diagnostic semctl 'nsems is 1000000, SEMMSL of kernel.sem'
}

@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    ! is_sanitized || skip 'the sanitizers need descriptors'
    local sem number verb
    for sem in "${both[@]}"; do
        for verb in create show value post 'wait -w 1h' run; do
            for number in 4 5 6 7 8; do
                semctl rm -f "$sem"
                [ "$verb" = create ] || make_semaphore "$sem" --value 1
                local -a behind=()
                [ "$verb" != run ] || behind=(-- true)
                # shellcheck disable=SC2086 # words
                run_tool - bash -c 'exec 3>&- && ulimit -n "$1" && exec "${@:2}"' bash "$number" \
                    semctl $verb "$sem" "${behind[@]}"
                echo "$number: $verb $sem: $status"
                [ "$status" -eq 0 ] || [ "$status" -eq 127 ] ||
                    assert_diagnostic semctl "RLIMIT_NOFILE = $number; raise it"
            done
            [ "$status" -eq 0 ]
        done
    done
    made "${both[@]}"
}

# bats test_tags=user
@test "kernel.sem: which of its four numbers is in the way, and what helps" {
    requires limits
    set_limit kernel.sem '4 20 3 2'
    make_semaphore key:1 --nsems 4
    run_tool 2 semctl op key:1 0+1 1+1 2+1 3+1
    assert_diagnostic semctl "4 operations, SEMOPM = 3 of kernel.sem; raise it with: sysctl kernel.sem='4 20 4 2'"
    run_tool 2 semctl create --nsems 5 key:2
    assert_diagnostic semctl "SEMMSL = 4 of kernel.sem; raise it with: sysctl kernel.sem='5 20 3 2'"
    make_semaphore key:3
    run_tool 2 semctl create key:2
    assert_diagnostic semctl "No space left on device .SEMMNI = 2 of kernel.sem; raise it with: sysctl kernel.sem='4 20 3 5'"
    semctl rm key:3
    set_limit kernel.sem '4 6 3 9'
    run_tool 2 semctl create --nsems 4 key:2
    assert_diagnostic semctl "No space left on device .SEMMNS = 6 of kernel.sem; raise it with: sysctl kernel.sem='4 8 3 9'"
    set_limit kernel.sem '4 8 3 9'
    run_tool 0 semctl create --nsems 4 key:2
    made key:2
}

# ---- Verbs and operands ----

@test "a verb comes first, a semaphore next, and COMMAND goes with run alone" {
    make_semaphore /s --value 1
    refused --value 1
    refused value
    refused value /s /s
    refused post /s 3
    run_tool 2 semctl run /s true
    assert_diagnostic semctl "unexpected operand 'true'; options come before SEM, and -- before COMMAND"
    refused run /s
    run_tool 125 semctl post /s -- true
    assert_diagnostic semctl 'only run takes a COMMAND'
    refused show -c 1 /s
    refused post -n /s
    refused wait -E 3 /s
    refused wait -nw 1 /s
    refused wait -c 0 /s
    refused post -c 2147483648 /s
    assert_value /s 1
}

# ---- Semaphores that others have made ----

@test "semaphores made by python's multiprocessing" {
    requires python3
    # Its name is removed at once where it can be: not here.
    spawn python python3 -c '
import multiprocessing, _multiprocessing, sys
_multiprocessing.sem_unlink = lambda name: None
from multiprocessing import synchronize
synchronize.sem_unlink = lambda name: None
semaphore = multiprocessing.get_context("spawn").Semaphore(3)
print(semaphore._semlock.name, flush=True)
for i in range(4):
    semaphore.acquire()
print("posted", flush=True)
import os
os._exit(0)
'
    wait_until test -s "$(out python)"
    local name
    name=$(head -n 1 "$(out python)")
    made "$name"
    [[ $name == /mp-* ]]
    wait_until waiting "$name" 1
    run_tool 0 semctl post "$name"
    wait_exit python 0
    assert_line posted
}

@test "semaphores of sem_open(3), from either side" {
    requires python3
    make_semaphore /s -m 0600 --value 2
    local script='
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
sem_open = getattr(libc, "sem_open", None) or ctypes.CDLL("libpthread.so.0").sem_open
sem_open.restype = ctypes.c_void_p
sem = ctypes.c_void_p(sem_open(*eval(sys.argv[1])))
assert sem.value
value = ctypes.c_int()
libc.sem_getvalue(sem, ctypes.byref(value))
print(value.value)
libc.sem_post(sem)'
    run_tool 0 python3 -c "$script" 'b"/s", 0'
    assert_output 2
    assert_value /s 3
    run_tool 0 python3 -c "$script" 'b"/theirs", os.O_CREAT, 0o600, 6'
    made /theirs
    assert_value /theirs 7
    assert_equal "$(attribute perms /theirs)" 0600
    run_tool 0 semctl wait -n -c 7 /theirs
}

@test "sets made by perl, initialised or never" {
    requires perl
    made key:0x70
    run_tool 0 perl -MIPC::SysV=:all -MIPC::Semaphore -e '
        my $sem = IPC::Semaphore->new(0x70, 3, IPC_CREAT | 0600) or die;
        $sem->setall(5, 6, 7);
        print $sem->id'
    run_tool 0 semctl show key:0x70
    assert_line "value='5 6 7'"
    assert_line otime=0
    run_tool 0 semctl post -i 1 key:0x70
    run_tool 0 semctl op key:0x70 0-5 2-7
    run_tool 0 perl -MIPC::SysV=:all -MIPC::Semaphore -e 'print join " ", IPC::Semaphore->new(0x70, 3, 0)->getall'
    assert_output '0 7 0'
}

@test "sets made by ipcmk" {
    requires ipcmk
    local id
    id=id:$(ipcmk -S 2 | tr -dc 0-9)
    made "$id"
    run_tool 0 semctl post -i 1 "$id"
    assert_equal "$(attribute value "$id")" "'0 1'"
}

@test "semaphores of PHP: a set of three, the first of which counts" {
    requires php
    local holder='$s = sem_get(0x71, 2); sem_acquire($s); echo "in\n"; fgets(STDIN); sem_release($s);'
    local asker='echo sem_acquire(sem_get(0x71, 2), true) ? "in" : "out";'
    made key:0x71
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    exec 8<>"$BATS_TEST_TMPDIR/fifo"
    spawn php php -r "$holder" <&8
    wait_until grep -q in "$(out php)"
    run_tool 0 semctl show key:0x71
    assert_line nsems=3
    assert_line "value='1 1 0'" # of two, one is free; one process uses it; nobody sets it up
    run_tool 0 semctl wait -n key:0x71
    run_tool 0 php -r "$asker"
    assert_output out
    run_tool 0 semctl post key:0x71
    run_tool 0 php -r "$asker"
    assert_output in
    spawn waiter semctl run -c 2 key:0x71 -- echo both
    wait_until waiting key:0x71 "'1 0 0'"
    echo >&8
    wait_exit waiter 0
    assert_output both
    wait_exit php 0
    exec 8>&-
}

@test "semaphores of boost's named_semaphore, and of sem_open(3) as it calls it" {
    cat >"$BATS_TEST_TMPDIR/boost.cpp" <<'CPP'
#include <cstdio>
#if __has_include(<boost/interprocess/sync/named_semaphore.hpp>)
#include <boost/interprocess/sync/named_semaphore.hpp>
struct Semaphore : boost::interprocess::named_semaphore {
    explicit Semaphore(unsigned value)
        : named_semaphore(boost::interprocess::create_only, "boosted", value) {}
};
#else
#include <fcntl.h>
#include <semaphore.h>
struct Semaphore {
    explicit Semaphore(unsigned value) : at(sem_open("/boosted", O_CREAT | O_EXCL, 0644, value)) {}
    void wait() { sem_wait(at); }
    void post() { sem_post(at); }
    sem_t* at;
};
#endif
int main() {
    Semaphore semaphore(3);
    semaphore.wait();
    std::puts("made");
    std::fflush(stdout);
    for (int i = 0; i < 3; ++i)
        semaphore.wait();
    semaphore.post();
}
CPP
    run_tool 0 c++ -pthread -o "$BATS_TEST_TMPDIR/boost" "$BATS_TEST_TMPDIR/boost.cpp"
    made /boosted
    spawn boost "$BATS_TEST_TMPDIR/boost"
    wait_until waiting /boosted 1
    run_tool 0 semctl show /boosted
    assert_line value=0
    assert_line perms=0644
    run_tool 0 semctl post /boosted
    wait_exit boost 0
    assert_value /boosted 1
    run_tool 0 semctl wait -n /boosted
}
