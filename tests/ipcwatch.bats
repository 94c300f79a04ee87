#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ipcstat --watch: a table that stays in its place on a terminal, and streams elsewhere.
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# screen ROWS COLUMNS [REGEX COMMAND]... -- IPCSTAT...: runs that on such a terminal; when it has
# shown a screen that matches the next regex, runs the command; then ends it with SIGTERM. Prints
# the last of the screens that matched; all that was written is in the file written.
screen() {
    python3 - "$@" <<'PYTHON' 3>&-
import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time
rows, columns = int(sys.argv[1]), int(sys.argv[2])
dashes = sys.argv.index('--')
steps, command = sys.argv[3:dashes], sys.argv[dashes + 1:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.execvp(command[0], command)
before = termios.tcgetattr(fd)
written, seen = b'', 0
deadline = time.monotonic() + float(os.environ['PATIENCE'])
def read():
    global written
    if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
        sys.exit(f'waited in vain; written: {written!r}')
    try:
        data = os.read(fd, 65536)
    except OSError:
        data = b''
    written += data
    return data
for regex, action in zip(steps[::2], steps[1::2]):
    while True:
        # A screen is between going home and clearing what is below.
        found = [m for m in re.finditer(rb'\x1b\[H(.*?)\x1b\[J', written[seen:], re.S)
                 if re.search(regex.encode(), m[1], re.S)]
        if found:
            break
        if not read():
            sys.exit(f'it ended; written: {written!r}')
    seen += found[0].end()
    shown = found[0][1]
    subprocess.run(['bash', '-c', action], check=True)
os.kill(pid, signal.SIGTERM)
while read():
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert status == -signal.SIGTERM, status
open('written', 'wb').write(written)
sys.stdout.buffer.write(shown.replace(b'\r', b''))
PYTHON
}
export PATIENCE

@test "a terminal: what changed stands out, once" {
    make_queue /watch-a
    make_queue /watch-b
    run -0 screen 24 80 \
        '/watch-a .* 0 .*/watch-b .* 0 ' 'mqsend /watch-b message' \
        '/watch-b +\S+ +\x1b\[7m1\x1b\[0m' true \
        '/watch-b +\S+ +1 +7 ' true \
        -- ipcstat --watch 20ms -b -k mq -o KIND,NAME,OWNER,MSGS,USED,PERMS
    # Of the screen with the change: nothing else stands out.
    [ "$(grep -o $'\e\\[7m[^\e]*\e\\[0m' written | sort | uniq -c | xargs)" = $'1 \e[7m1\e[0m 1 \e[7m7\e[0m' ]
    # What is there to scroll back to was not overwritten, and no mode was changed.
    [ "$(head -n 24 written | tr -d '\r\n' | wc -c)" -eq 0 ]
    run bash -c "grep -o $'\e.[^A-Za-z]*[A-Za-z]' written | sort -u | cat -v | xargs"
    assert_output '^[[0m ^[[7m ^[[H ^[[J ^[[K'
}

@test "a terminal: what else is to be said stands below the table, which leaves room for it" {
    for i in 1 2 3 4 5 6; do make_queue "/watch-$i"; done
    run -0 screen 7 40 '/watch-1.*no such object' true '/watch-1.*no such object' true -- \
        ipcstat --watch 20ms -o NAME mq:/watch-{1..6} mq:/nowhere
    assert_line --index 4 $'… 4 more\e[K'
    assert_line --index 5 $'mq:/nowhere: there is no such object\e[K'
    run -0 screen 24 40 '/watch-1' true '/watch-1' true -- \
        bash -c 'ipcstat --watch 20ms -o NAME mq:/watch-1 mq:/nowhere 2>said'
    refute_output --partial nowhere
    grep -qx 'ipcstat: mq:/nowhere: there is no such object' said
}

@test "a terminal: limits are drawn in their place too" {
    make_queue /watch-1
    run -0 screen 60 200 'limits.*fs.mqueue.queues_max +1 ' 'mqctl create /watch-2 >/dev/null' \
        'fs.mqueue.queues_max +\x1b\[7m2\x1b' 'mqctl rm /watch-2' -- ipcstat --watch 20ms --limits
}

@test "an interval of nothing is none" {
    run_tool 2 ipcstat --watch 0
    assert_diagnostic ipcstat "'0' is no interval"
}

@test "a terminal: a new row stands out wholly, one that is gone leaves nothing" {
    make_queue /watch-a
    run -0 screen 24 80 \
        '1 object\b.*/watch-a' 'mqctl create /watch-b >/dev/null' \
        '2 objects.*\x1b\[7mmq\x1b\[0m +\x1b\[7mmq:/watch-b\x1b\[0m' 'mqctl rm /watch-a' \
        '1 object\b' true \
        -- ipcstat --watch 20ms -k mq -o KIND,NAME
    mqctl rm /watch-b
    assert_output --partial mq:/watch-b
    refute_output --partial mq:/watch-a
    # It was there before.
    refute_output --partial $'\e[7m'
}

@test "a terminal: no more rows and columns than it has" {
    local i
    for i in 1 2 3 4 5 6; do make_queue "/watch-$i-and-a-long-name"; done
    run -0 screen 6 20 6 true -- ipcstat --watch 20ms -k mq -o KIND,NAME,PERMS
    [ "${#lines[@]}" -eq 5 ]
    assert_line --index 2 $'mq   mq:/watch-1-and'
    assert_line --index 4 $'… 4 more\e[K'
    run -0 screen 9 80 6 true -- ipcstat --watch 20ms -k mq -o KIND,NAME
    [ "${#lines[@]}" -eq 8 ]
    assert_line --index 7 $'mq   mq:/watch-6-and-a-long-name\e[K'
}

@test "a terminal: how full a queue is" {
    make_queue /watch-a
    mqsend /watch-a 1 2 3 4 5
    run -0 screen 24 100 '#####\.\.\.\.\.' 'mqreceive -c 5 /watch-a >/dev/null' \
        '\x1b\[7m\.{10}\x1b\[0m' true -- ipcstat --watch 20ms -k mq
}

@test "json: a document at each interval" {
    make_queue /watch-a
    spawn watch ipcstat --watch 10ms -J -o NAME,MSGS mq:/watch-a
    wait_until grep -q '"msgs":0' "$(out watch)"
    mqsend /watch-a message
    wait_until grep -q '"msgs":1' "$(out watch)"
    kill "${pid[watch]}"
    wait_exit watch 143
    assert_no_stderr
    run_tool 0 python3 - "$(out watch)" <<'PYTHON'
import json, sys
text, seen = open(sys.argv[1]).read(), []
while text:
    document, end = json.JSONDecoder().raw_decode(text)
    seen.append(document['ipc'][0]['msgs'])
    text = text[end:].lstrip()
assert seen == sorted(seen) and set(seen) == {0, 1}, seen
PYTHON
}

@test "a pipe: tables one after the other, until nobody reads" {
    make_queue /watch-a
    run_tool - bash -c 'ipcstat --watch 10ms -k mq -o NAME,MSGS | head -n 6'
    local both=$'NAME        MSGS\nmq:/watch-a    0'
    assert_output "$both"$'\n'"$both"$'\n'"$both"
}

@test "the interval does not drift" {
    requires strace
    make_queue /watch-a
    spawn watch strace -o trace -e trace=clock_nanosleep ipcstat --watch 30ms -o NAME mq:/watch-a
    # shellcheck disable=SC2016 # for eval
    wait_until eval '[ "$(grep -c "= 0" trace)" -ge 4 ]'
    kill "$(pgrep -P "${pid[watch]}" -x ipcstat)"
    wait_exit watch 143
    run_tool 0 python3 - <<'PYTHON'
import re
moments = [int(s) * 10**9 + int(ns) for s, ns in re.findall(
    r'CLOCK_MONOTONIC, TIMER_ABSTIME, \{tv_sec=(\d+), tv_nsec=(\d+)\}', open('trace').read())]
assert len(moments) >= 4
for before, after in zip(moments, moments[1:]):
    assert after > before and (after - before) % 30_000_000 == 0, moments
PYTHON
}
