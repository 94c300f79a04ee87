# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables are for the tests
# What every test file loads: `load support/lib.bash`.
#
# It defines setup_file, teardown_file and teardown; a file with its own calls take_census,
# check_census and clean_up in them.

bats_require_minimum_version 1.8.0
# What bats_load_library loads, which would start a process for each file of a library in each test.
load_library() {
    local file
    for file in "${BATS_LIB_PATH%%:*}/$1/src"/*.bash; do
        # shellcheck disable=SC1090
        source "$file" 2>/dev/null || bats_load_library "$1"
    done
}
load_library bats-support
load_library bats-assert

# bats notes before each command where it is, which takes longer than most commands do. It is enough to
# look when one has failed; only --trace wants to know of each.
if [ "${BATS_TRACE_LEVEL:-0}" -eq 0 ] && declare -F bats_setup_tracing bats_capture_stack_trace >/dev/null; then
    look_at_failures() {
        trap - DEBUG
        BATS_DEBUG_LAST_STACK_TRACE=() BATS_DEBUG_LASTLAST_STACK_TRACE=()
        trap 'note_failure; bats_error_trap' ERR
    }
    note_failure() {
        local failed=$?
        bats_capture_stack_trace
        BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
        return "$failed"
    }
    eval "each_command_$(declare -f bats_setup_tracing)"
    bats_setup_tracing() {
        each_command_bats_setup_tracing
        look_at_failures
    }
    # Where setup_file and teardown_file run it has begun already.
    [ -z "$(trap -p DEBUG)" ] || look_at_failures
fi

# How long anything may take before a test gives up on it, in seconds: generous, never waited out.
: "${PATIENCE:=120}"

setup_file() { take_census; }
teardown_file() { check_census; }
teardown() { clean_up; }

# ---- What a test needs ----

# requires CONDITION...: skips the test, and says why, unless all hold.
requires() {
    local condition
    for condition; do
        case $condition in
        root) is_root || skip 'needs root, who can be other users' ;;
        user) ! is_root || skip 'needs an ordinary user' ;;
        mount) can_mount || skip 'needs to mount' ;;
        posix-mount) mountpoint -q /dev/mqueue || skip 'needs /dev/mqueue mounted' ;;
        limits) can_set_limits || skip 'needs to raise limits of the IPC namespace' ;;
        peek) can_peek || skip 'needs a kernel with MSG_COPY' ;;
        strace)
            strace -o /dev/null true 2>/dev/null || skip 'needs ptrace'
            ignore_leaks
            ;;
        ptrace) # of what runs already, as sigwatch needs it: not where yama forbids that
            [ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" -lt 1 ] || is_root ||
                skip 'needs ptrace of other processes'
            ;;
        release) ! is_sanitized || skip 'measures a build without sanitizers' ;;
        pids)
            "${other_pids[@]}" true 2>/dev/null || skip 'needs a PID namespace of its own'
            ignore_leaks
            ;;
        userns)
            unshare --user true 2>/dev/null || skip 'needs user namespaces'
            ignore_leaks
            ;;
        *) command -v "$condition" >/dev/null || skip "needs $condition" ;;
        esac
    done
}

# The leak sanitizer cannot look where it is traced, has no /proc of its own, or can start no process.
ignore_leaks() { export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0; }

# Root who can become others: the only user of a user namespace cannot.
is_root() { [ "$EUID" -eq 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; }
can_mount() { unshare --mount true 2>/dev/null; }
can_set_limits() { [ -w /proc/sys/fs/mqueue/msg_max ] || [ -p "${IPCTOOLS_LIMITS-}" ]; }
can_peek() {
    perl -MIPC::SysV=IPC_PRIVATE,IPC_RMID,IPC_NOWAIT -MErrno=ENOSYS -e '
        my $id = msgget(IPC_PRIVATE, 0600);
        my $no = !msgrcv($id, my $message, 8, 0, 040000 | IPC_NOWAIT) && $! == ENOSYS;
        msgctl($id, IPC_RMID, 0);
        exit $no' 2>/dev/null
}
is_sanitized() { grep -qa __asan_init "$(command -v mqsend)"; }

# ---- Running ----

# run_tool STATUS COMMAND [ARGUMENT]...: sets status, output, lines, stderr and stderr_lines as `run
# --separate-stderr` does, at half the price; bounded in time. The status must be this one ("-"
# for any).
run_tool() {
    local expected=$1 err=$BATS_FILE_TMPDIR/stderr.$BASHPID
    shift
    status=0
    # Where it is this limit that ends it, the status is not the 124 that a test may expect.
    output=$(exec timeout --foreground --preserve-status -k 1 "$PATIENCE" "$@" 2>"$err") || status=$?
    read -rd '' stderr <"$err" || true
    split_lines
    [ "$expected" = - ] || [ "$status" -eq "$expected" ] || {
        echo "ended with status $status, expected $expected: $*"
        printf '%s\n' "$output" "$stderr"
        return 1
    } >&2
}

# $output into $lines, and $stderr into $stderr_lines: without those that are empty, as run has it.
split_lines() {
    local IFS=$'\n'
    set -f
    # shellcheck disable=SC2206 # split at newlines, and nothing else
    lines=($output) stderr_lines=($stderr)
    set +f
}

# assert_diagnostic TOOL [REGEX]: stderr was one line, began with the tool's name, and matches.
assert_diagnostic() {
    if [ "${#stderr_lines[@]}" -ne 1 ] || [[ ${stderr_lines[0]} != "$1: "* ]]; then
        batslib_decorate "not one line of $1 on stderr" <<<"$stderr" | fail
    elif [ $# -gt 1 ] && ! [[ ${stderr_lines[0]} =~ $2 ]]; then
        batslib_decorate "stderr does not match $2" <<<"$stderr" | fail
    fi
}

assert_no_stderr() { [ -z "$stderr" ] || batslib_decorate 'stderr is not empty' <<<"$stderr" | fail; }

# assert_same FILE FILE: byte by byte.
assert_same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }

# as_user [-u UID] COMMAND...: as another user; `requires root`.
as_user() {
    local uid=65534
    if [ "$1" = -u ]; then
        uid=$2
        shift 2
    fi
    setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all "$@"
}

# without_capability NAME COMMAND...: as root, but without this capability (e.g. sys_resource).
without_capability() {
    setpriv --bounding-set "-$1" --inh-caps "-$1" "${@:2}"
}

# without_mqueue COMMAND...: with no /dev/mqueue mounted; `requires mount`.
without_mqueue() {
    # shellcheck disable=SC2016
    unshare --mount sh -c 'umount /dev/mqueue && exec "$@"' sh "$@"
}

# on_terminal COMMAND...: with a terminal as stdin, stdout and stderr; prints what that shows, with
# line ends as the command wrote them. The status is the command's.
on_terminal() {
    python3 - "$@" <<'PYTHON' 3>&-
import os, pty, sys, termios
pid, fd = pty.fork()
if pid == 0:
    attributes = termios.tcgetattr(1)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(1, termios.TCSANOW, attributes)
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
PYTHON
}

# ${other_pids[@]} COMMAND...: where no process is visible but its own; `requires pids`.
other_pids=(unshare --pid --fork --kill-child)
[ "$EUID" -eq 0 ] || other_pids=(unshare --user --map-current-user --pid --fork --kill-child)

# on_overlay SCRIPT: what bash says of it where /dev/shm is an overlayfs, as run_tool 0 has it.
on_overlay() {
    local overlay='mount -t tmpfs none /mnt; mkdir /mnt/low /mnt/up /mnt/work
        mount -t overlay -o lowerdir=/mnt/low,upperdir=/mnt/up,workdir=/mnt/work none /dev/shm'
    unshare --mount bash -ec "$overlay" 2>/dev/null || skip 'needs an overlayfs'
    run_tool 0 unshare --mount bash -ec "$overlay;$1"
}

# ---- In the background ----

# spawn NAME COMMAND...: starts COMMAND (no function) with stdout in $(out NAME), stderr in $(err
# NAME), stdin as of now, and all signals at their defaults; its pid is ${pid[NAME]}.
declare -gA pid=()
spawn() {
    local ours=${ready:-3} to_out to_err
    # Here, not in the child: it would sleep in read(2), which wait_blocked may be told to wait for.
    to_out=$BATS_TEST_TMPDIR/$1.out to_err=$BATS_TEST_TMPDIR/$1.err
    # Nobody shall find there what another of this name has written.
    : >"$to_out" 2>"$to_err"
    env --default-signal "${@:2}" <&0 >"$to_out" 2>"$to_err" 3>&- {ours}>&- &
    pid[$1]=$!
}
out() { echo "$BATS_TEST_TMPDIR/$1.out"; }
err() { echo "$BATS_TEST_TMPDIR/$1.err"; }

# spawn_ready NAME COMMAND...: the same, and waits until it has written its newline to descriptor 9,
# so COMMAND has `--ready-fd 9`.
spawn_ready() {
    local fifo=$BATS_TEST_TMPDIR/$1.ready ready line deadline=$((SECONDS + PATIENCE))
    mkfifo "$fifo"
    exec {ready}<>"$fifo"
    spawn "$@" 9>"$fifo"
    # `read -t` with more than 0 may take the newline and yet time out.
    until read -t 0 <&"$ready"; do
        # It may have written it and ended since.
        if { ended "${pid[$1]}" || ((SECONDS >= deadline)); } && ! read -t 0 <&"$ready"; then
            batslib_decorate "$1 did not get ready: ${*:2}" <"$(err "$1")" | fail
            return 1
        fi
        nap
    done
    read -r line <&"$ready"
    exec {ready}>&-
    rm "$fifo"
}

# wait_exit NAME [STATUS]: waits for the end of what was spawned; sets status, output, lines, stderr
# and stderr_lines as run does, and fails unless the status is this one.
wait_exit() {
    local child=${pid[$1]}
    wait_until ended "$child" || return
    status=0
    wait "$child" || status=$?
    unset "pid[$1]"
    local from=$BATS_TEST_TMPDIR/$1
    output=$(<"$from.out") stderr=$(<"$from.err")
    mapfile -t lines <"$from.out"
    mapfile -t stderr_lines <"$from.err"
    if [ $# -gt 1 ] && [ "$status" -ne "$2" ]; then
        batslib_decorate "status of $1 is $status, expected $2" <<<"$stderr" | fail
    fi
}

# Whether a child of this shell has ended (it may be a zombie still).
ended() {
    local fields
    read -r fields 2>/dev/null <"/proc/$1/stat" || return 0
    [[ ${fields##*) } == [ZX]* ]]
}

# wait_until COMMAND...: until it succeeds; fails after $PATIENCE seconds.
wait_until() {
    local deadline=$((SECONDS + PATIENCE))
    until "$@"; do
        # It may be called where a failure does not end the test: behind it stands `||`.
        if ((SECONDS >= deadline)); then
            fail "in vain: $*"
            return 1
        fi
        nap
    done
}

# A moment between two looks, without a process: nobody writes to that FIFO.
nap() { read -rt 0.01 <>"$BATS_FILE_TMPDIR/nap" || true; }

# wait_blocked NAME|PID [SYSCALL]...: until that process sleeps, in one of these calls if named.
wait_blocked() { wait_until is_blocked "${pid[$1]:-$1}" "${@:2}"; }

# starve NAME: from here on it gets no more memory.
starve() {
    local size
    size=$(sed -n 's/^VmSize:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/${pid[$1]}/status")
    prlimit --pid "${pid[$1]}" --as="$((size * 1024))"
}

# Read in this shell: the kernel may allow it to a parent alone.
is_blocked() {
    local fields number name
    read -r fields 2>/dev/null <"/proc/$1/stat" || return
    [[ ${fields##*) } == S* ]] || return
    [ $# -gt 1 ] || return 0
    read -r number fields 2>/dev/null <"/proc/$1/syscall" || return
    know_syscalls
    for name in "${@:2}"; do
        [[ $syscalls != *" $name=$number "* ]] || return 0
    done
    return 1
}

# Once a file: it takes a compiler.
know_syscalls() {
    local list=$BATS_FILE_TMPDIR/syscalls
    [ -z "${syscalls-}" ] || return 0
    [ -e "$list" ] || list_syscalls >"$list"
    syscalls=" $(<"$list") "
}

list_syscalls() {
    cc -E -dM - <<<'#include <asm/unistd.h>' |
        sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/\1=\2/p' | tr '\n' ' '
}

# wait_idle NAME: until it uses no time of a processor, and is not even woken, while some passes.
wait_idle() { wait_until is_idle "${pid[$1]}"; }
is_idle() {
    local before
    before=$(uses "$1") || return
    sleep 0.3
    [ "$(uses "$1")" = "$before" ]
}
uses() { cut -d ' ' -f 14,15 "/proc/$1/stat" && grep ctxt_switches "/proc/$1/status"; }

# open_full_pipe: a pipe full of empty lines: $fifo is its name, descriptor 7 reads and 8 writes it.
open_full_pipe() {
    fifo=$BATS_TEST_TMPDIR/full
    rm -f "$fifo"
    mkfifo "$fifo"
    exec 9<>"$fifo"
    exec 7<"$fifo"
    exec 8>"$fifo" 9>&-
    tr '\0' '\n' </dev/zero |
        dd bs="$(getconf PAGESIZE)" iflag=fullblock oflag=nonblock of="$fifo" 2>/dev/null || true
}

# spawn_into NAME FILE COMMAND...: spawn with FILE as stdout, and without that pipe's descriptors.
spawn_into() {
    # shellcheck disable=SC2016
    spawn "$1" sh -c 'out=$1; shift; exec "$@" >"$out" 7<&- 8>&-' sh "${@:2}"
}

# read_pipe: closes the pipe's end for writing; $output and $lines are what was written to it.
read_pipe() {
    exec 8>&-
    output=$(timeout "$PATIENCE" sed '/^$/d' <&7)
    exec 7<&-
    mapfile -t lines <<<"$output"
}

# is_stopped NAME|PID: by SIGSTOP; for wait_until.
is_stopped() {
    local fields
    read -r fields <"/proc/${pid[$1]:-$1}/stat"
    [[ ${fields##*) } == T* ]]
}

# ---- Objects ----

# make_queue QUEUE [OPTION OF mqctl create]...: creates it, and clean_up removes it. Prints nothing;
# `private` is not for this.
made_queues=()
make_queue() {
    mqctl create "${@:2}" -- "$1" >/dev/null && made_queues+=("$1")
}

# make_memory OBJECT SIZE [OPTION OF shmctl create]...: the same for shared memory.
made_memory=()
make_memory() {
    shmctl create -s "$2" "${@:3}" -- "$1" >/dev/null && made_memory+=("$1")
}

# make_semaphore SEM [OPTION OF semctl create]...: the same for a semaphore or a set of them.
made_semaphores=()
make_semaphore() {
    semctl create "${@:2}" -- "$1" >/dev/null && made_semaphores+=("$1")
}

# queued QUEUE: the number of messages in it.
queued() { mqctl show -- "$1" | sed -n 's/^msgs=//p'; }

# set_limit NAME VALUE: a limit of this IPC namespace, e.g. fs.mqueue.msg_max 100; clean_up restores
# it.
set_limits=()
set_limit() {
    local file=${1//.//} before
    before=$(<"/proc/sys/$file")
    put_limit "$file" "$2"
    set_limits+=("$file $before")
}
put_limit() {
    if [ -p "${IPCTOOLS_LIMITS-}" ]; then
        # tests/run does it for a user.
        echo "$1 $2" >"$IPCTOOLS_LIMITS"
    else
        echo "$2" >"/proc/sys/$1"
    fi
    wait_until limit_is "$1" "$2"
}
limit_is() { [ "$(words_of <"/proc/sys/$1")" = "$(words_of <<<"$2")" ]; }
words_of() { tr -s '\t ' ' '; }

# For the end of each test: ends what the test spawned, removes what make_queue and its like made
# and what fills the tiny disk $IPCTOOLS_TINY (16 KiB), restores limits.
clean_up() {
    local name
    for name in "${!pid[@]}"; do
        kill -KILL "${pid[$name]}" 2>/dev/null || true
        wait "${pid[$name]}" 2>/dev/null || true
    done
    pid=()
    ((${#made_queues[@]} == 0)) || mqctl rm -f -- "${made_queues[@]}" || true
    ((${#made_memory[@]} == 0)) || shmctl rm -f -- "${made_memory[@]}" || true
    ((${#made_semaphores[@]} == 0)) || semctl rm -f -- "${made_semaphores[@]}" || true
    # The last first: a limit may have been set twice.
    local i
    for ((i = ${#set_limits[@]} - 1; i >= 0; --i)); do
        put_limit "${set_limits[i]%% *}" "${set_limits[i]#* }"
    done
    made_queues=() made_memory=() made_semaphores=() set_limits=()
    ! compgen -G "$IPCTOOLS_TINY/*" >/dev/null || rm -rf -- "${IPCTOOLS_TINY:?}"/*
}

# ---- Installing ----

# install_into PREFIX: what `cmake --install` runs, but from where the tests see the sources and the
# build, and with its records in the test's directory: the build's own are for make uninstall.
install_into() {
    local here=$BATS_TEST_TMPDIR script source build
    script=$(sed -E 's#"[^"$]*/(install_[a-z_]*\.txt|\$\{CMAKE_INSTALL_MANIFEST\})"#"'"$here"'/\1"#' \
        "$IPCTOOLS_BIN/../cmake_install.cmake")
    source=$(sed -n '1s/^# Install script for directory: //p' <<<"$script")
    build=$(sed -n 's#.* FILES "\(.*\)/tools/mqsend")$#\1#p' <<<"$script")
    script=${script//"\"$build/"/"\"${IPCTOOLS_BIN%/*}/"}
    printf '%s\n' "${script//"\"$source/"/"\"$BATS_TEST_DIRNAME/../"}" >"$here/install.cmake"
    DESTDIR='' run -0 cmake -DCMAKE_INSTALL_PREFIX="$1" -P "$here/install.cmake"
}

# ---- The census: what is left behind ----

# Objects, and processes of this IPC namespace, a line each.
census() {
    local directory entry row
    for directory in /dev/mqueue /dev/shm; do
        for entry in "$directory"/* "$directory"/.[!.]*; do
            [ ! -e "$entry" ] && [ ! -L "$entry" ] || printf '%q\n' "$entry"
        done
    done
    for directory in msg sem shm; do
        while read -r _ entry row; do
            [ "$entry" = "${directory}id" ] || echo "System V $directory id $entry"
        done <"/proc/sysvipc/$directory"
    done
    local ours ancestors=' ' process state
    ours=$(readlink "/proc/$BASHPID/ns/ipc")
    process=$BASHPID
    while [ "${process:-0}" -gt 0 ]; do
        ancestors+="$process "
        process=$(sed -n 's/^PPid:\t//p' "/proc/$process/status" 2>/dev/null)
    done
    for directory in /proc/[0-9]*; do
        process=${directory#/proc/}
        case $ancestors in *" $process "*) continue ;; esac
        [ "$(readlink "$directory/ns/ipc" 2>/dev/null)" = "$ours" ] || continue
        read -r state 2>/dev/null <"$directory/stat" || continue
        # Zombies are gone but for a parent that has not looked yet.
        [[ ${state##*) } == [ZX]* ]] ||
            echo "process $process $(tr '\0' ' ' 2>/dev/null <"$directory/cmdline")"
    done
}

# Without pipes: their processes would be counted.
take_census() {
    mkfifo "$BATS_FILE_TMPDIR/nap"
    census >"$BATS_FILE_TMPDIR/census"
}

# Fails when there is more than at take_census; what is about to end gets a moment.
check_census() {
    local deadline=$((SECONDS + 3)) left
    while
        census >"$BATS_FILE_TMPDIR/census.now"
        left=$(grep -Fxvf "$BATS_FILE_TMPDIR/census" "$BATS_FILE_TMPDIR/census.now")
        [ -n "$left" ]
    do
        if ((SECONDS >= deadline)); then
            batslib_decorate 'left behind' <<<"$left" | fail
            return 1
        fi
        nap
    done
}
