#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The pages: their examples do what they say, they refer to each other, they can be installed.

# shellcheck disable=SC2016 # scripts for other shells
# shellcheck disable=SC2154 # from lib.bash

load support/lib.bash
load support/session.bash

setup() {
    top=$(realpath "$BATS_TEST_DIRNAME/..")
    cd "$BATS_TEST_TMPDIR" || return
}

pages() { find "$top/man" -name '*.[17]' | sort; }

# ---- Examples ----
#
# An example is a literal display of a page. Each is known here by how its first line begins.

# displays PAGE: its displays, as a reader sees them, each after a line that is only "%%".
displays() {
    awk '
        /^\.Ed/ { inside = 0 }
        inside {
            gsub(/\\\(dq/, "\"")
            gsub(/\\&/, "")
            gsub(/\\e/, "\\")
            print
        }
        /^\.Bd -literal/ { inside = 1; print "%%" }' "$1"
}

# example PAGE BEGINNING [SED SCRIPT]: writes that display into the file example, with what a test
# must have otherwise changed. The change must change something.
example() {
    displays "$top/man/$1" | awk -v beginning="$2" '
        /^%%$/ { inside = 0; is_first = 1; next }
        is_first { inside = index($0, beginning) == 1; found += inside; is_first = 0 }
        inside
        END { exit found != 1 }' >example || fail "not one example of $1 begins with $2"
    if [ $# -gt 2 ]; then
        sed "$3" example >changed
        run ! cmp -s example changed
        mv changed example
    fi
}

run_example() {
    run_tool "$1" bash ./example
    [ "$1" -ne 0 ] || assert_no_stderr
}

# In a process group of its own, for end_example.
spawn_example() { spawn example setsid bash ./example; }
end_example() {
    kill -TERM -- "-${pid[example]}"
    wait_exit example
}

has() { [ "$(queued "$1")" -ge "$2" ]; }
is_on() { grep -q -- "$1" "$2"; }

@test "every example has its test" {
    local page first beginning count=0
    for page in $(pages); do
        page=${page##*/}
        while IFS= read -r first; do
            count=$((count + 1))
            while IFS= read -r beginning; do
                [[ $first != "$beginning"* ]] || continue 2
            done < <(sed -n "s/^    example $page '\([^']*\)'.*/\1/p" "$BATS_TEST_FILENAME")
            fail "$page has an example without a test: $first"
        done < <(displays "$top/man/$page" | awk '/^%%$/ { getline; print }')
    done
    [ "$count" -ge 20 ]
}

@test "mqsend(1): two messages, the second more urgent" {
    example mqsend.1 'mqctl create /jobs'
    run_example 0
    assert_output /jobs
    run_tool 0 mqreceive -aP /jobs
    assert_output $'9\treport now\n0\treport daily'
}

@test "mqsend(1): names of files" {
    mkdir directory
    touch directory/plain directory/$'new\nline' 'directory/two words'
    make_queue /jobs
    example mqsend.1 'find .'
    cd directory
    run_tool 0 bash ../example
    mqreceive -a0 /jobs | sort -z >../received
    find . -type f -print0 | sort -z >../expected
    assert_same ../received ../expected
}

@test "mqsend(1): a log that grows" {
    : >log
    example mqsend.1 'tail ' 's|/var/log/syslog|log|'
    spawn_example
    # The end of the log is where tail found it.
    wait_until eval 'echo line >>log; mqctl show /log >/dev/null 2>&1 && has /log 1'
    run_tool 0 mqreceive -n /log
    assert_output line
    end_example
}

@test "mqsend(1): a file as one message, objects with priorities" {
    printf 'two\nlines\0' >request.bin
    make_queue /jobs
    example mqsend.1 'mqsend -F whole'
    run_example 0
    run_tool 0 mqreceive -aJ /jobs
    assert_output '{"priority":8,"size":4,"data":"soon"}
{"priority":1,"size":5,"data":"later"}
{"priority":0,"size":10,"data":"two\nlines\u0000"}'
}

@test "mqsend(1): a list while the queue is full" {
    seq 25 >list
    make_queue /jobs
    example mqsend.1 'while mqsend' 's/-w 10/-w 10ms/'
    spawn_example
    wait_until is_on 'nobody reads /jobs' "$(err example)"
    run_tool 0 mqreceive -c 25 /jobs
    assert_output "$(cat list)"
    wait_exit example 0
}

@test "mqsend(1): a stream between two terminals" {
    seq 20000 | shuf >unsorted
    example mqsend.1 'mqctl create /bulk'
    spawn_example
    wait_until is_on /bulk "$(out example)"
    wait_until test -e sorted
    example mqsend.1 'mqsend --pack'
    run_example 0
    wait_exit example 0
    sort unsorted >expected
    assert_same sorted expected
}

@test "mqreceive(1): one message, if there is one" {
    make_queue /jobs
    example mqreceive.1 'if job='
    run_example 0
    assert_output 'nothing to do'
    mqsend /jobs report
    run_example 0
    assert_output 'next: report'
}

@test "mqreceive(1): compress files, with a dead-letter queue" {
    echo one >one
    echo two >'the second'
    example mqreceive.1 'mqctl create /jobs /failed'
    spawn_example
    wait_until is_on /failed "$(out example)"
    mqsend /jobs one 'no such file' 'the second'
    wait_until test -e 'the second.gz'
    mqctl rm /jobs
    wait_exit example 0
    [ "$(grep -c 'no such file' <<<"$stderr")" -eq 3 ]
    [ "$(gzip -dc one.gz)" = one ]
    run_tool 0 mqreceive -a /failed
    assert_output 'no such file'
}

@test "mqreceive(1): move the messages of a queue" {
    make_queue /a
    make_queue /b
    mqsend -p 3 /a three
    mqsend -p 7 /a seven
    example mqreceive.1 'mqreceive -aP /a'
    run_example 0
    [ "$(queued /a)" -eq 0 ]
    run_tool 0 mqreceive -aP /b
    assert_output $'7\tseven\n3\tthree'
}

@test "mqreceive(1): messages over a reboot" {
    make_queue /jobs
    mqsend -p 3 /jobs $'two\nlines'
    mqsend -p 7 /jobs $'\xff'
    example mqreceive.1 'mqreceive -aJ /jobs' 's/^mqsend/mqctl rm \/jobs; &/'
    run_example 0
    run_tool 0 mqreceive -aP /jobs
    assert_output $'7\t\xff\n3\ttwo\nlines'
}

@test "mqreceive(1): look into a System V queue" {
    requires peek
    make_queue key:0x4d2
    mqsend -p 4 key:0x4d2 text
    example mqreceive.1 'mqreceive --peek'
    run_example 0
    assert_output '{"priority":4,"size":4,"data":"text"}'
    [ "$(queued key:0x4d2)" -eq 1 ]
}

@test "mqreceive(1): a request and its answer" {
    make_queue key:0x4d2
    spawn server bash -c 'read -r client request < <(mqreceive -t 1 key:0x4d2)
        mqsend -p "$client" key:0x4d2 "$request: fine"'
    example mqreceive.1 'mqsend -p 1'
    run_example 0
    assert_output 'status: fine'
    wait_exit server 0
}

@test "mqreceive(1): send again what could not be put back" {
    local -a powerless=()
    [ "$EUID" -ne 0 ] || powerless=(setpriv --bounding-set -dac_override --inh-caps -dac_override)
    make_queue /jobs
    seq 9 | mqsend -p 2 /jobs
    # It can neither be written out nor, for now, be put back.
    mqctl set -m 0400 /jobs
    ln -s /dev/full out
    example mqreceive.1 'mqreceive -f /jobs' '/^grep/i mqctl set -m 0600 /jobs'
    run_tool 0 "${powerless[@]}" bash ./example
    assert_no_stderr
    [ "$(grep -c '^{' err)" -eq 9 ]
    run_tool 0 mqreceive -aP /jobs
    assert_output "$(seq -f $'2\t%g' 9)"
}

@test "mqnotify(1): wait for work" {
    make_queue /jobs
    example mqnotify.1 'mqnotify -w 1m' 's/-w 1m/-w 10ms/'
    run_tool 0 bash ./example
    assert_output ''
    [ "$stderr" = 'nothing for a minute' ]
    example mqnotify.1 'mqnotify -w 1m'
    spawn_example
    mqsend /jobs work
    wait_exit example 0
    [[ $output =~ ^/jobs\ ([0-9]+|-)\ ([0-9]+|-)$ ]]
    [ -z "$stderr" ]
}

@test "mqnotify(1): a program only while there is work" {
    make_queue /jobs
    example mqnotify.1 'mqnotify -f /jobs -- mqreceive'
    spawn_example
    mqsend /jobs one two
    wait_until is_on two "$(out example)"
    mqsend /jobs three
    wait_until is_on three "$(out example)"
    wait_blocked "$(pgrep -P "${pid[example]}")" ppoll poll
    mqctl rm /jobs
    wait_exit example
    # The last mqreceive may have found nothing.
    [ "$status" -le 1 ]
    assert_output $'one\ntwo\nthree'
}

@test "mqnotify(1): log who sends" {
    make_queue /jobs
    make_queue /log
    mkdir bin
    printf '%s\n' '#!/bin/sh' 'echo "$*" >>logged' >bin/logger
    chmod +x bin/logger
    example mqnotify.1 'mqnotify -f /jobs /log' 's/-f /-f --ready-fd 9 /'
    PATH=$PWD/bin:$PATH HOME=$PWD spawn_ready example bash ./example
    mqsend /log entry
    wait_until eval 'test -s spool'
    mqctl rm /jobs /log
    wait_exit example 0
    [ "$(cat spool)" = entry ]
    [[ $(cat logged) =~ ^/log:\ process\ [0-9]+\ of\ $UID$ ]]
}

@test "mqnotify(1): send when the watcher is registered" {
    make_queue /jobs
    example mqnotify.1 'mkfifo ready'
    run_example 0
    [[ $output =~ ^/jobs\ [0-9]+\ $UID$ ]]
    [ ! -e ready ]
}

@test "mqnotify(1): beside another process that is registered" {
    make_queue /jobs
    spawn_ready other mqnotify --ready-fd 9 /jobs
    example mqnotify.1 'mqnotify -ef'
    spawn_example
    mqsend /jobs message
    wait_until is_on '^..:..:.. /jobs$' "$(out example)"
    wait_exit other 0
    mqctl rm /jobs
    wait_exit example 0
}

@test "mqctl(1): a queue for a group" {
    example mqctl.1 'mqctl create -m 0660'
    run_example 0
    assert_output /jobs
    run_tool 0 mqctl show /jobs
    assert_line perms=0660
    assert_line maxmsg=10
    assert_line msgsize=4096
}

@test "mqctl(1): a queue for the time of a script" {
    example mqctl.1 'q='
    run_example 0
    assert_output "$(seq 10 -1 1)"
    assert_no_queues
}

@test "mqctl(1): how full a queue is" {
    make_queue /jobs
    mqsend /jobs one two
    mkdir bin
    # Only what the example needs of it.
    printf '%s\n' '#!/usr/bin/env python3' 'import json, sys' \
        'print(json.load(sys.stdin)[sys.argv[1][1:]])' >bin/jq
    chmod +x bin/jq
    example mqctl.1 '( eval'
    PATH=$PWD/bin:$PATH run_example 0
    assert_output $'2 of 10\n2'
}

@test "mqctl(1): give a System V queue to another user" {
    requires root limits
    set_limit kernel.msgmnb 65536
    make_queue key:0x4d2
    example mqctl.1 'mqctl set --owner'
    run_example 0
    run_tool 0 mqctl show key:0x4d2
    assert_line owner=www-data
    assert_line limit=65536
}

@test "mqctl(1): remove queues by the beginning of their names" {
    requires posix-mount
    make_queue /test-one
    make_queue '/test- $two'
    make_queue /tested
    example mqctl.1 '( cd /dev/mqueue'
    run_example 0
    run find /dev/mqueue -type f
    assert_output /dev/mqueue/tested
}

@test "shmcat(1): put a table where programs can map it, and look at it" {
    head -c 5000 /dev/urandom >table.bin
    example shmcat.1 'shmcat -W --create --truncate /table'
    run_example 0
    assert_output "$(head -c 64 table.bin | od -A d -t x1z)"
    shmcat /table | cmp - table.bin
}

@test "shmcat(1): read and change a counter in a segment" {
    make_memory key:0x4d2 4K
    example shmcat.1 'printf ' 's|\\001|\\052|'
    run_example 0
    example shmcat.1 'shmcat -o 16'
    run_example 0
    [ "$output" -eq 42 ]
}

@test "shmcat(1): keep a copy, and copy a segment" {
    head -c 5000 /dev/urandom | tee table | shmcat -W --create /table
    example shmcat.1 'shmcat /table | gzip' 's|^gzip|shmctl rm /table; gzip|'
    run_example 0
    shmcat /table | cmp - table
    shmcat -W --create key:0x4d2 <table
    example shmcat.1 'shmcat key:0x4d2'
    run_example 0
    shmcat /copy | cmp - table
}

@test "shmcat(1): watch a status line" {
    printf '%-79s\n' one | shmcat -W --create /status
    example shmcat.1 'shmcat -f'
    spawn example bash ./example
    wait_until is_on '^one' "$(out example)"
    printf '%-79s\n' two | shmcat -W /status
    wait_until is_on '^two' "$(out example)"
    shmctl rm /status
    wait_exit example 0
}

@test "shmctl(1): an object that a group may read" {
    example shmctl.1 'shmctl create -m'
    run_example 0
    assert_output /table
    run_tool 0 shmctl show /table
    assert_line perms=0640
    assert_line size=16777216
}

@test "shmctl(1): a segment for the time of a script" {
    example shmctl.1 'm='
    run_example 0
    assert_line size=4096
    [ "$(wc -l </proc/sysvipc/shm)" -eq 1 ]
}

@test "shmctl(1): how much of an object is there" {
    truncate -s 1M /dev/shm/table
    printf x | shmcat -W /table
    mkdir bin
    printf '%s\n' '#!/usr/bin/env python3' 'import json, sys' \
        'print(json.load(sys.stdin)[sys.argv[1][1:]])' >bin/jq
    chmod +x bin/jq
    example shmctl.1 '( eval'
    PATH=$PWD/bin:$PATH run_example 0
    assert_output $'4096 of 1048576\n4096'
}

@test "shmctl(1): double an object, and give it away" {
    requires root
    make_memory /table 16M
    example shmctl.1 'shmctl set -s'
    run_example 0
    run_tool 0 shmctl show /table
    assert_line owner=www-data
    assert_line size=33554432
}

@test "shmctl(1): remove the segments that nobody has attached" {
    local kept
    kept=$(shmctl create -s 1 private)
    shmctl create -s 1 private private key:7 >/dev/null
    spawn holder perl -MIPC::SysV=shmat -e 'shmat($ARGV[0], undef, 0) or die; $| = 1; print "attached\n"; sleep 1000' \
        "${kept#id:}"
    wait_until is_on attached "$(out holder)"
    example shmctl.1 'awk '
    run_example 0
    run_tool 0 awk 'NR > 1 { print "id:" $2 }' /proc/sysvipc/shm
    assert_output "$kept"
}

@test "shmpipe(1): from one terminal to another" {
    mkdir project
    seq 10000 >project/file
    example shmpipe.1 'tar -c project'
    spawn_example
    mkdir there
    cd there
    example shmpipe.1 'shmpipe -R /copy'
    run_example 0
    wait_exit example 0
    cmp project/file ../project/file
}

@test "shmpipe(1): a large ring for bursts" {
    mkdir bin
    printf '%s\n' '#!/bin/sh' 'seq 1000' >bin/dmesg
    chmod +x bin/dmesg
    example shmpipe.1 'shmpipe -R /burst'
    echo 'wait' >>example
    PATH=$PWD/bin:$PATH run_example 0
    [ "$(gzip -dc log.gz)" = "$(seq 1000)" ]
}

@test "shmpipe(1): give up when nobody reads" {
    seq 9 >data
    example shmpipe.1 'shmpipe -W -w 10' 's/-w 10/-w 10ms/'
    run_tool 0 bash ./example
    assert_output 'status 124'
}

@test "shmpipe(1): members of a group may read" {
    seq 9 >data
    example shmpipe.1 'shmpipe -W -m'
    spawn_example
    run_tool 0 shmpipe -R /feed
    assert_output "$(seq 9)"
    wait_exit example 0
}

@test "shmpipe(1): memory that was handed down" {
    seq 9 >data
    example shmpipe.1 'shmpipe -W fd:3'
    run_tool 0 python3 -c 'import os
os.dup2(os.memfd_create("handed down"), 3)
os.execvp("bash", ["bash", "example"])'
    assert_output "$(seq 9)"
}

@test "semctl(1): four compilers at a time" {
    example semctl.1 'semctl create --value 4' 's/cc -c file.c/semctl value \/compilers/'
    run_example 0
    assert_output $'/compilers\n3'
}

@test "semctl(1): one at a time, or not at all" {
    example semctl.1 'semctl create --value 1 key:0xbac' 's/backup/echo done/'
    run_example 0
    assert_output $'key:0x00000bac\ndone'
    semctl wait key:0xbac
    run_example 0
    assert_output key:0x00000bac
}

@test "semctl(1): start when three others are ready" {
    example semctl.1 'semctl create /ready' 's/^semctl post.*//; s/^semctl wait/(for i in 1 2 3; do semctl post \/ready; done) \& &/'
    run_example 0
    assert_output $'/ready\ngo'
}

@test "semctl(1): move a unit, and wait until nothing is left" {
    example semctl.1 'set=' 's/^semctl op "$set" 0=0/semctl show "$set" | grep ^value; semctl op "$set" 0-2; &/'
    run_example 0
    assert_output "value='2 4'"
    [ "$(wc -l </proc/sysvipc/sem)" -eq 1 ]
}

@test "semctl(1): the value of each member" {
    example semctl.1 '( eval'
    make_semaphore key:0x4d2 --nsems 2 --value 7
    run_example 0
    assert_output $'7\n7'
}

@test "sigsend(1): ask, wait, then insist" {
    spawn victim sleep 1000
    example sigsend.1 'sigsend -w 10 -k'
    pid=${pid[victim]} run_example 0
    assert_output 'ended when asked'
    wait_exit victim 143
    mkfifo end
    exec 8<>end
    spawn victim sh -c 'trap "" TERM; echo ready; read -r _ <&8'
    wait_until is_on ready "$(out victim)"
    example sigsend.1 'sigsend -w 10 -k' 's/-w 10/-w 100ms/'
    # It may take longer than that to die.
    pid=${pid[victim]} run_tool 0 bash ./example
    assert_output 'had to be killed'
}

@test "sigsend(1): hand a number to a program" {
    spawn_ready receiver "$top/tests/support/signals.py" receive 1 RTMIN+1
    example sigsend.1 'sigsend -s RTMIN+1'
    pid=${pid[receiver]} run_example 0
    wait_exit receiver 0
    [[ $output == *' 42' ]]
}

# Whether the example's sigsend sleeps.
waits_for_it() {
    local child
    child=$(pgrep -P "${pid[example]}" -x sigsend) && is_blocked "$child" ppoll
}

@test "sigsend(1): wait for the end of a process that is no child" {
    spawn other sleep 1000
    example sigsend.1 'sigsend -s 0 -w'
    spawn example env pid="${pid[other]}" bash ./example
    wait_until waits_for_it
    kill "${pid[other]}"
    wait_exit example 0
    assert_output 'it has ended'
}

@test "sigsend(1): end a pipeline" {
    : >log
    example sigsend.1 'set -m'
    spawn_example
    wait_exit example 0
}

@test "sigsend(1): what is signal 15" {
    example sigsend.1 '$ sigsend -l 15'
    run_session example
    diff example example.actual
}

@test "sigwatch(1): wait to be told" {
    example sigwatch.1 'if sigwatch -c 1' 's/-w 1m/& --ready-fd 9/'
    spawn_ready example bash ./example
    kill -USR1 "$(pgrep -P "${pid[example]}" -x sigwatch)"
    wait_exit example 0
    assert_output "process $BASHPID says so"
}

@test "sigwatch(1): who keeps killing this program" {
    spawn target bash -c 'exec -a myserver sleep 1000'
    mkdir bin
    printf '%s\n' '#!/bin/sh' "echo ${pid[target]}" >bin/pgrep
    chmod +x bin/pgrep
    example sigwatch.1 'sigwatch -p' 's/sigwatch/& --ready-fd 9/'
    PATH=$PWD/bin:$PATH spawn_ready example bash ./example
    kill -TERM "${pid[target]}"
    wait_exit example 0
    grep -q "TERM user $BASHPID $UID bash - to=${pid[target]}" killers
}

@test "sigwatch(1): a daemon that adds" {
    example sigwatch.1 'echo 0 >sum' 's/sigwatch/exec & --ready-fd 9/'
    spawn_ready example bash ./example
    for number in 1 20 300; do
        sigsend -s RTMIN --value "$number" "${pid[example]}"
    done
    wait_until is_on '^321$' sum
    wait_until eval '! pgrep -P "${pid[example]}" >/dev/null'
    sigsend "${pid[example]}"
    wait_exit example 143
}

@test "sigwatch(1): all that a program and its children get" {
    example sigwatch.1 'sigwatch --children'
    run_tool 0 bash ./example
    [ "$(grep -c ' - exited ' <<<"$stderr")" -eq 2 ]
    grep -q ' CHLD exited ' <<<"$stderr"
}

@test "ipcstat(1): what is in a queue" {
    example ipcstat.1 '$ mqctl create /jobs'
    run_session example
    diff example example.actual
    mqctl rm /jobs
}

@test "ipcstat(1): names for another tool" {
    make_memory /unused 1K
    make_memory $'/new\nline' 1K
    example ipcstat.1 'ipcstat -k shm'
    run_example 0
    [ "$(grep -c '^name=' <<<"$output")" -eq 2 ]
}

@test "ipcstat(1): bytes in all queues" {
    make_queue /one
    make_queue key:0x4d2
    mqsend /one 123
    mqsend key:0x4d2 4567
    mkdir bin
    printf '%s\n' '#!/usr/bin/env python3' 'import json, sys' \
        'print(sum(each["used"] for each in json.load(sys.stdin)["ipc"]))' >bin/jq
    chmod +x bin/jq
    example ipcstat.1 'ipcstat -k mq -J'
    PATH=$PWD/bin:$PATH run_example 0
    assert_output 7
}

@test "ipcstat(1): a drawing of pipes" {
    requires dot
    example ipcstat.1 'ipcstat -k pipe'
    run_example 0
    grep -q '>ipcstat</text>' pipes.svg
    tail -n 1 pipes.svg | grep -q '</svg>'
}

@test "ipcstat(1): limits that are nearly reached" {
    requires limits
    make_queue key:0x4d2
    set_limit kernel.msgmni 1
    example ipcstat.1 'ipcstat --limits'
    run_example 0
    assert_line 'kernel.msgmni '
    refute_line 'kernel.shmmni '
}

@test "ipcclean(1): what could go, and why the rest stays" {
    make_memory /unused 1K
    example ipcclean.1 'ipcclean -v -s'
    run_tool 0 bash ./example
    [[ $stderr == *'left shm:/unused: 0 s old only'* || $stderr == *'left shm:/unused: '*' s old only'* ]]
}

@test "ipcclean(1): each night" {
    make_memory key:0x4d2 1K
    example ipcclean.1 'ipcclean -y --older-than 1d' 's/1d/0/'
    run_example 0
    assert_output --partial 'removed shm:key:0x000004d2: orphan: '
}

@test "ipcclean(1): shared memory of Python" {
    make_memory /psm_0 1K
    make_memory /other 1K
    example ipcclean.1 'ipcclean -y -s unused --name' 's/$/ --older-than 0/'
    run_example 0
    assert_output --regexp '^removed shm:/psm_0: [^
]*$'
}

@test "ipcclean(1): large segments" {
    make_memory key:0x4d2 1K
    make_memory /small 1K
    make_memory /large 1M
    example ipcclean.1 'ipcstat -k shm -s unused' 's/2^30/2^19/; s/unused -$/unused --older-than 0 -/'
    run_example 0
    assert_output --regexp '^removed shm:/large: [^
]*$'
}

@test "ipcclean(1): a container, from outside" {
    requires root
    spawn_ready there unshare --ipc bash -c 'semctl create key:0x4d2 >/dev/null; shmctl create -s 4K key:0x4d2 >/dev/null
        echo >&9; exec -a myserver sleep 600 9>&-' 9
    example ipcclean.1 'ipcclean -y -s orphan,unused -N' 's/pgrep -o myserver/pgrep -o -f ^myserver/; s/ -N/ --older-than 0 -N/'
    wait_until pgrep -f ^myserver
    run_example 0
    assert_output --regexp '^removed shm:key:0x000004d2: [^
]*$'
}

@test "ipcstat(1): figures for Prometheus" {
    make_queue /jobs
    example ipcstat.1 'ipcstat --openmetrics'
    run_example 0
    grep -q '^ipc_queue_messages{.*name="/jobs".* 0$' ipc.prom
    assert_equal "$(tail -n 1 ipc.prom)" '# EOF'
}

@test "ipctools(7): a first session" {
    example ipctools.7 '$ mqctl create /hello'
    run_session example
    # The page has spaces where the terminal shows a tab.
    expand example.actual | diff example -
}

@test "ipctools(7): what an error looks like" {
    make_queue /jobs
    example ipctools.7 'mqsend: /jobs: cannot send'
    run_tool 2 mqsend /jobs 1 2 3 4 5 6 "$(printf '%09000d' 7)"
    [ "$(tr -s '\n ' ' ' <example)" = "$stderr " ]
}

@test "ipctools(7): raise limits" {
    requires limits sysctl
    set_limit fs.mqueue.msg_max 10
    example ipctools.7 'sysctl fs' 's|/etc/sysctl.d/||'
    if [ -w /proc/sys/fs/mqueue/msg_max ]; then
        run_tool 0 bash ./example
        [ "$(cat /proc/sys/fs/mqueue/msg_max)" -eq 100 ]
    fi
    run_tool 0 bash -c "$(tail -n 1 example)"
    assert_no_stderr
    [ "$(head -n 1 example)" = "sysctl $(sed -n 's/^echo \([^ ]*\) .*/\1/p' example)" ]
}

@test "ipctools(7): limits of one's own" {
    unshare -U -r -i true 2>/dev/null || skip 'needs user namespaces'
    example ipctools.7 'unshare '
    run_example 0
    assert_line --index 0 /deep
    assert_line maxmsg=100
    assert_line msgsize=1024
}

@test "ipctools(7): a script removes what it made" {
    example ipctools.7 'q='
    echo 'mqctl show "$q"' >>example
    run_example 0
    assert_line --regexp '^name=id:[0-9]+$'
    assert_no_queues
}

@test "ipctools(7): what was left behind" {
    make_memory key:0x4d2 1K
    example ipctools.7 'ipcstat -s orphan' 's/1d/0/'
    run_tool 0 bash ./example
    assert_line --index 1 --regexp '^shm +shm:key:0x000004d2 '
    assert_line --regexp '^removed shm:key:0x000004d2: '
    [[ $stderr == *'left shm:key:0x000004d2: '*' s old only'* ]]
}

# ---- The pages among themselves ----

@test "the pages are clean" {
    local page
    requires mandoc
    for page in $(pages); do
        run mandoc -T lint -W warning "$page"
        assert_success
        assert_output ''
    done
}

@test "each page refers to ipctools(7), and that to each" {
    local page name count=0
    for page in "$top"/man/*.1; do
        count=$((count + 1))
        sed -n '/^\.Sh SEE ALSO/,/^\.Sh [^S]/p' "$page" | grep -q '^\.Xr ipctools 7'
        name=${page##*/}
        name=${name%.1}
        sed -n '/^\.Sh DESCRIPTION/,/^\.Sh NAMES/p' "$top/man/ipctools.7" |
            grep -qx "\.It Xr $name 1"
        sed -n '/^\.Sh SEE ALSO/,$p' "$top/man/ipctools.7" | grep -q "^\.Xr $name 1"
    done
    [ "$count" -eq "$(wc -l <"$IPCTOOLS_BIN/../tools.list")" ]
}

@test "the limits in ipctools(7) are those of the kernel" {
    local name default count=0
    while read -r name default; do
        count=$((count + 1))
        [ -e "/proc/sys/${name//.//}" ] || fail "there is no $name"
        [[ $default =~ ^[0-9]+$ ]]
    done < <(sed -n 's/^\.It \([a-z]*\.[a-z_.]*\) Ta \([0-9]*\) Ta.*/\1 \2/p' "$top/man/ipctools.7")
    [ "$count" -ge 8 ]
}

@test "the pages can be read where they are installed" {
    requires mandoc
    install_into "$PWD/prefix"
    local page file
    while IFS= read -r page; do
        page=${page##*/}
        file=prefix/share/man/man${page##*.}/$page
        [ -r "$file" ]
        run mandoc -T utf8 "$file"
        assert_success
        assert_output --partial "${page%.*}"
    done < <(pages)
    if [[ $(man --version 2>/dev/null) == man* ]]; then
        while IFS= read -r page; do
            page=${page##*/}
            MANPAGER='cat' run man -M "$PWD/prefix/share/man" "${page##*.}" "${page%.*}"
            assert_success
            assert_output --partial DESCRIPTION
        done < <(pages)
    fi
}

@test "fifotee(1): compress a backup, and compute its checksum" {
    mkdir directory
    seq 100000 >directory/file
    example fifotee.1 'mkfifo sum.fifo'
    run_example 0
    assert_equal "$(gzip -dc backup.tar.gz | sha256sum)" "$(cat backup.sum)"
    gzip -dc backup.tar.gz | tar -xO | cmp - directory/file
}

@test "fifotee(1): a log for whoever opens the FIFO" {
    : >log
    example fifotee.1 'tail -f' 's|/var/log/syslog|log|'
    spawn_example
    wait_until test -p log.fifo
    spawn reader head -n 1 log.fifo
    wait_until eval 'echo line >>log; ended "${pid[reader]}"'
    wait_exit reader 0
    assert_output line
    [ "$(stat -c %a log.fifo)" = 640 ]
    end_example
    wait_until test ! -e log.fifo
}

@test "fifotee(1): two commands and a pipe" {
    seq 1000 | shuf | gzip >data.gz
    example fifotee.1 'zcat data.gz'
    run_example 0
    wait_until test -s sum
    wait_until test -s lines
    assert_equal "$(cat lines)" 1000
    assert_equal "$(cat sum)" "$(zcat data.gz | sha256sum)"
    assert_same sorted <(seq 1000 | sort)
}

@test "fifocat(1): the lines of several programs in one log" {
    example fifocat.1 'fifocat -L'
    spawn_example
    wait_until test -p mail.fifo
    echo up >web.fifo
    echo sent >mail.fifo
    wait_until is_on $'web.fifo\tup' log
    wait_until is_on $'mail.fifo\tsent' log
    end_example
    wait_until test ! -e web.fifo
    wait_until test ! -e mail.fifo
}

@test "fifocat(1): a server and a client" {
    example fifocat.1 'mkfifo requests'
    spawn_example
    wait_until is_on 'hello, world' "$(out example)"
    wait_until ended "${pid[example]}"
    # What serves is still there.
    run_tool 0 bash -c 'mkfifo mine; echo mine again >requests; fifocat -c 1 mine'
    assert_output 'hello, again'
    kill -TERM -- "-${pid[example]}"
    wait_exit example 0
}
