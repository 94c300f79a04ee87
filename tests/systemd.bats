#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The example units for systemd: systemd understands them, and the commands in them do what they
# say with the descriptors that systemd hands over. packaging/check runs them under systemd itself.

# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2154 # from lib.bash

load support/lib.bash

setup_file() {
    take_census
    write_hand_over
}

setup() {
    units=$(realpath "$BATS_TEST_DIRNAME/../packaging/systemd")
    fifo=$BATS_TEST_TMPDIR/fifo
}

# ---- Units ----

# setting UNIT NAME: its value, on one line.
setting() {
    sed -e ':joined' -e '/\\$/ { N; s/\\\n */ /; bjoined' -e '}' "$units/$1" | sed -n "s/^$2=//p"
}

# command_of UNIT [SETTING]: its words, as systemd splits them, in $command. Whoever runs it has
# nothing to replace in it: no specifier (%h), no variable ($HOME).
command_of() {
    local value
    value=$(setting "$1" "${2:-ExecStart}")
    run ! grep -Eq '%|\$[^(]' <<<"$value"
    mapfile -d '' command < <(python3 -c '
import shlex, sys
print(*shlex.split(sys.argv[1]), sep="\0", end="\0")' "$value")
    [ "${#command[@]}" -ge 2 ]
}

# start_socket: what jobs.socket does before it listens.
start_socket() {
    made_queues+=("$(setting jobs.socket ListenMessageQueue)" /jobs-failed)
    command_of jobs.socket ExecStartPre
    run_tool 0 "${command[@]}"
    assert_output "$(setting jobs.socket ListenMessageQueue)"$'\n'/jobs-failed
}

# What a socket unit listens on, opened with the flags of systemd 252 (src/core/socket.c); COMMAND
# then gets it as systemd's children do (src/core/execute.c).
write_hand_over() {
    cat >"$BATS_FILE_TMPDIR/hand_over" <<'PYTHON'
"""hand_over queue|fifo NAME MODE [nonblocking] COMMAND..."""
import ctypes, os, sys
kind, name, mode, *command = sys.argv[1:]
os.umask(~int(mode, 8) & 0o777)
if kind == "queue":
    library = ctypes.CDLL(None)
    if not hasattr(library, "mq_open"):
        library = ctypes.CDLL("librt.so.1")
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_CREAT
    fd = library.mq_open(name.encode(), flags, int(mode, 8), None)
    assert fd >= 0
else:
    if not os.path.exists(name):
        os.mkfifo(name, int(mode, 8))
    fd = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK | os.O_NOFOLLOW)
os.umask(0o077)
# NonBlocking=no is the default.
os.set_blocking(fd, command[0] != "nonblocking")
if command[0] == "nonblocking":
    del command[0]
os.set_inheritable(fd, True)
if fd != 3:
    os.dup2(fd, 3)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="unknown")
os.execvp(command[0], command)
PYTHON
}

# hand_queue NAME [nonblocking] COMMAND...: spawns it with the queue of jobs.socket.
hand_queue() {
    spawn "$1" python3 -IS "$BATS_FILE_TMPDIR/hand_over" queue \
        "$(setting jobs.socket ListenMessageQueue)" "$(setting jobs.socket SocketMode)" "${@:2}"
}

# hand_fifo NAME [nonblocking] COMMAND...: the same with the FIFO of jobs-fifo.socket.
hand_fifo() {
    spawn "$1" python3 -IS "$BATS_FILE_TMPDIR/hand_over" fifo "$fifo" \
        "$(setting jobs-fifo.socket SocketMode)" "${@:2}"
}

# change FROM TO: one word of $command.
change() {
    local i changed=0
    for i in "${!command[@]}"; do
        if [ "${command[i]}" = "$1" ]; then
            command[i]=$2
            changed=$((changed + 1))
        fi
    done
    [ "$changed" -eq 1 ]
}

has_line() { grep -Fxq -- "$2" "$1"; }
has() { [ "$(queued "$1")" -eq "$2" ]; }

# ---- What systemd thinks of them ----

@test "the units are valid" {
    requires systemd-analyze
    # systemd does not look for commands where the tools are now.
    cp "$units"/* "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    sed -i -E "s#^(Exec[A-Za-z]*=)(mq[a-z]+) #\1$IPCTOOLS_BIN/\2 #" ./*.socket ./*.service
    run -0 systemd-analyze verify --man=no ./*.socket ./*.service
    assert_output ''
}

@test "the services may do hardly anything" {
    requires systemd-analyze
    systemd-analyze --help | grep -q -- --offline || skip 'needs a newer systemd-analyze'
    local service
    for service in "$units"/*.service; do
        # 1.0 of 10
        run -0 systemd-analyze security --offline=yes --threshold=10 "$service"
    done
}

@test "a unit documents itself with pages that there are" {
    local page count=0
    while read -r page; do
        count=$((count + 1))
        [ -e "$units/../../man/$page" ]
    done < <(grep -Eoh 'man:mq[a-z]+\([0-9]\)' "$units"/* | sed 's/man:\(.*\)(\(.\))/\1.\2/')
    [ "$count" -ge 4 ]
}

# ---- jobs: the queue and its worker ----

# bats test_tags=user
@test "jobs: the first message starts the worker, which then goes on" {
    requires systemd-socket-activate
    start_socket
    command_of jobs.service
    hand_queue worker systemd-socket-activate "${command[@]}"
    wait_blocked worker epoll_wait
    mqsend /jobs 'sweep the floor'
    wait_until has_line "$(out worker)" 'doing: sweep the floor'
    wait_blocked worker ppoll
    mqsend /jobs 'water the plants'
    wait_until has_line "$(out worker)" 'doing: water the plants'
    wait_blocked worker ppoll
    kill -TERM "${pid[worker]}"
    wait_exit worker 143
    has /jobs 0
    has /jobs-failed 0
}

@test "jobs: who may do what" {
    requires root
    start_socket
    command_of jobs.service
    change 1m 0
    local -a user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    # The worker is not root, and has the descriptor.
    hand_queue worker "${user[@]}" "${command[@]}"
    wait_exit worker 0
    run_tool 0 "${user[@]}" mqsend /jobs 'from a user'
    run_tool 2 "${user[@]}" mqreceive -n /jobs
    assert_diagnostic mqreceive '/jobs: cannot open: Permission denied'
    change sh false
    hand_queue worker "${user[@]}" "${command[@]}"
    wait_exit worker 0
    run_tool 2 "${user[@]}" mqreceive -n /jobs-failed
    assert_diagnostic mqreceive '/jobs-failed: cannot open: Permission denied'
    run_tool 0 mqreceive -n /jobs-failed
    assert_output 'from a user'
}

@test "jobs: what fails three times goes to the other queue" {
    start_socket
    command_of jobs.service
    change 'echo "doing: $(cat)"' 'echo "doing: $(cat)"; exit 7'
    hand_queue worker "${command[@]}"
    wait_blocked worker ppoll
    mqsend -p 3 /jobs impossible
    wait_until has /jobs-failed 1
    wait_blocked worker ppoll
    kill -TERM "${pid[worker]}"
    wait_exit worker 143
    assert_output $'doing: impossible\ndoing: impossible\ndoing: impossible'
    run_tool 0 mqreceive -aP /jobs-failed
    assert_output $'3\timpossible'
}

@test "jobs: stopped while a command runs, the message is not lost" {
    start_socket
    command_of jobs.service
    change 'echo "doing: $(cat)"' 'echo begun; exec sleep 1000'
    hand_queue worker "${command[@]}"
    wait_blocked worker ppoll
    mqsend /jobs 'half done'
    wait_until has_line "$(out worker)" begun
    kill -TERM "${pid[worker]}"
    wait_exit worker 143
    run_tool 0 mqreceive -a /jobs-failed
    assert_output 'half done'
}

@test "jobs: without work the worker ends well, and is started again" {
    start_socket
    command_of jobs.service
    change 1m 10ms
    hand_queue worker "${command[@]}"
    wait_exit worker 0
    assert_no_stderr
    mqsend /jobs again
    hand_queue worker "${command[@]}"
    wait_exit worker 0
    assert_output 'doing: again'
}

@test "jobs: with NonBlocking=yes the worker waits all the same" {
    requires strace
    start_socket
    command_of jobs.service
    hand_queue worker nonblocking strace -o "$BATS_TEST_TMPDIR/calls" -e mq_timedreceive,ppoll \
        "${command[@]}"
    # It looks after the queue less and less often.
    touch "$BATS_TEST_TMPDIR/calls"
    wait_until grep -Eq '^ppoll.* \{tv_sec=([1-9]|0, tv_nsec=[0-9]{9})' "$BATS_TEST_TMPDIR/calls"
    [ "$(grep -c EAGAIN "$BATS_TEST_TMPDIR/calls")" -le 20 ]
    mqsend /jobs late
    wait_until has_line "$(out worker)" 'doing: late'
}

# ---- jobs-fifo: lines to messages ----

@test "jobs-fifo: the first line starts the sender, which stays when a writer leaves" {
    requires systemd-socket-activate
    start_socket
    make_queue /jobs
    command_of jobs-fifo.service
    hand_fifo sender systemd-socket-activate "${command[@]}"
    wait_blocked sender epoll_wait
    echo one >"$fifo"
    wait_until has /jobs 1
    wait_blocked sender
    printf '%s\n' two three >"$fifo"
    wait_until has /jobs 3
    run_tool 0 mqreceive -a /jobs
    assert_output $'one\ntwo\nthree'
    kill -TERM "${pid[sender]}"
    wait_exit sender 143
}

@test "jobs-fifo: with NonBlocking=yes the sender waits all the same" {
    make_queue /jobs
    command_of jobs-fifo.service
    hand_fifo sender nonblocking "${command[@]}"
    wait_blocked sender ppoll poll
    echo late >"$fifo"
    wait_until has /jobs 1
    wait_blocked sender ppoll poll
    run_tool 0 mqreceive -a /jobs
    assert_output late
}
