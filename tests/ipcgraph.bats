#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ipcstat --graph: its edges are those that a program knows to be there, and dot(1) can read it.
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# Three processes, and between them all that has edges. Prints their numbers and the name of their
# socket, then each edge.
fixture() {
    spawn_ready fixture python3 - 9 <<'PYTHON'
import ctypes, fcntl, mmap, os, signal, socket

def close_all(*ends):
    for end in ends:
        os.close(end) if isinstance(end, int) else end.close()

# What it was started with, and this text, are pipes too.
close_all(0)
os.closerange(3, 9)
os.closerange(10, 256)
libc = ctypes.CDLL('librt.so.1')
reader, writer = os.pipe()
left, right = socket.socketpair()
os.mkfifo('fifo')
server = socket.socket(socket.AF_UNIX)
# Of all sockets of the network namespace, only this one is called that.
name = 'listening-' + os.urandom(8).hex()
server.bind(name)
server.listen()
told, tell = os.pipe()
first = os.fork()
if first == 0:
    close_all(reader, right, server, told)
    lock = open('lock', 'w')
    fcntl.flock(lock, fcntl.LOCK_EX)
    fifo = os.open('fifo', os.O_WRONLY)  # waits for the other
    memory = os.open('/dev/shm/graph-m', os.O_RDWR)
    close_all(tell, 9)
    signal.pause()
second = os.fork()
if second == 0:
    close_all(writer, left, server, told)
    fifo = os.open('fifo', os.O_RDONLY)
    memory = os.open('/dev/shm/graph-m', os.O_RDWR)
    mapped = mmap.mmap(memory, 0)
    client = socket.socket(socket.AF_UNIX)
    client.connect(name)
    lock = open('lock', 'a')
    close_all(memory, tell, 9)
    fcntl.flock(lock, fcntl.LOCK_EX)
    signal.pause()
connection, _ = server.accept()
close_all(tell, reader, left, right)
os.read(told, 1)  # until both have closed it
close_all(told)
event = libc.eventfd(0, 0)
number = next(line.split()[1] for line in open(f'/proc/self/fdinfo/{event}') if 'eventfd-id' in line)
queue = libc.mq_open(b'/graph-q', os.O_RDWR)
pipe = os.readlink(f'/proc/self/fd/{writer}')
close_all(writer)
here, own = os.getcwd(), os.getpid()
print(own, first, second, f'unix:{name}')
for edge in (
        (f'process {first}', pipe), (pipe, f'process {second}'),
        (f'process {first}', f'fifo:{here}/fifo'), (f'fifo:{here}/fifo', f'process {second}'),
        (f'process {first}', 'shm:/graph-m'), (f'process {second}', 'shm:/graph-m'),
        (f'process {first}', f'lock:{here}/lock'), (f'process {second}', f'lock:{here}/lock'),
        (f'process {own}', f'eventfd:[{number}]'), (f'process {own}', 'mq:/graph-q'),
        (f'process {own}', f'unix:{name}'),
        (f'process {first}', f'process {second}'), (f'process {own}', f'process {second}')):
    print('"%s" -> "%s"' % edge, flush=True)
os.write(9, b'\n')
os.close(9)
signal.pause()
PYTHON
    read -r own first second socket <"$(out fixture)"
    wait_blocked "$second" flock
}

teardown() {
    [ -z "${first-}" ] || kill -KILL "$first" ${second:+"$second"}
    clean_up
}

draw() { ipcstat -k mq,sem,shm,fifo,pipe,unix,lock,eventfd --graph; }

# edges PATTERN: those of the graph that match, without what they look like.
edges() { grep -- ' -> ' graph | grep -E -- "$1" | sed 's/^ *//; s/ \[[a-z].*//; s/;$//' | sort; }

@test "the edges are those that are there, and no other" {
    make_queue /graph-q
    make_memory /graph-m 4K
    fixture
    draw >graph
    diff <(sed 1d "$(out fixture)" | sort) <(edges "\"process ($own|$first|$second)\"")
    grep -F "\"process $second\" -> \"lock:$PWD/lock\"" graph | grep 'label="waits".*style=dashed'
    grep -F "\"process $first\" -> \"lock:$PWD/lock\"" graph | grep 'label="holds"'
    grep -F "\"process $own\" -> \"process $second\"" graph | grep -F "label=\"$socket\""
    # The same objects make the same text.
    draw | grep -F "process $first" >again
    diff <(grep -F "process $first" graph) again
}

# Its number, and the name that those of its sockets begin with.
network() {
    spawn_ready network python3 - 9 <<'PYTHON'
import os, signal, socket

name = 'network-' + os.urandom(8).hex()

def bound(type, which):
    s = socket.socket(socket.AF_UNIX, type)
    s.bind(f'{name}-{which}')
    return s

def connected(s, which):
    s.connect(f'{name}-{which}')
    return s

server = bound(socket.SOCK_STREAM, 'server')
server.listen()
red, blue, log, sender, third = (
    bound(socket.SOCK_DGRAM, which) for which in ('red', 'blue', 'log', 'sender', 'third'))
connected(sender, 'log')
# Later, red would take it from blue alone.
connected(third, 'red')
connected(red, 'blue')
connected(blue, 'red')
child = os.fork()
if child == 0:
    os.close(9)
    for s in server, red, log, sender, third:
        s.close()
    client = connected(socket.socket(socket.AF_UNIX), 'server')
    signal.pause()
accepted, _ = server.accept()
blue.close()
print(os.getpid(), child, name, flush=True)
os.write(9, b'\n')
os.close(9)
signal.pause()
PYTHON
    read -r own first name <"$(out network)"
}

@test "a connection is an edge, unless others send to one of its ends" {
    network
    ipcstat -k unix --graph >graph
    edges "$name|\"process ($own|$first)\"" | sed "s/$name-//g" >actual
    sort <<END | diff - actual
"process $own" -> "process $first"
"process $own" -> "unix:server"
"process $own" -> "unix:red"
"process $own" -> "unix:log"
"process $own" -> "unix:sender"
"process $own" -> "unix:third"
"process $first" -> "unix:blue"
"unix:blue" -> "unix:red"
"unix:sender" -> "unix:log"
"unix:third" -> "unix:red"
END
    # The connection has the name of the socket that accepted it, and yet is no node.
    grep -F "label=\"unix:$name-server\"" graph
    [ "$(grep -cE "^ *\"unix:$name-server[^\"]*\" \[" graph)" -eq 1 ]
}

# bats test_tags=user
@test "only what is proved to be unused is dotted" {
    make_queue key:0x67
    make_memory /graph-m 4K
    draw >graph
    [ "$(ipcstat -r --noheadings -o STATE key:0x67)" = unknown ] || skip 'needs a queue of unknown state'
    grep -F 'label="mq:key:0x00000067' graph | grep style=filled
    grep -F 'label="shm:/graph-m' graph | grep style=dotted
}

@test "a queue: who has it open for sending, for receiving, for both" {
    make_queue /graph-q
    mkfifo messages
    spawn sender mqsend /graph-q <>messages
    # What it cannot deliver, it puts back.
    spawn keeper mqreceive -f /graph-q
    spawn reader python3 - <<'PYTHON'
import ctypes, os, signal
assert ctypes.CDLL(None).mq_open(b'/graph-q', os.O_RDONLY) >= 0
signal.pause()
PYTHON
    all_are_shown() {
        [ "$(ipcstat -y --noheadings -o WRITERS,READERS mq:/graph-q)" = \
            "$(printf 'WRITERS="%s:mqsend,%s:mqreceive" READERS="%s:mqreceive,%s:python3"' \
                "${pid[sender]}" "${pid[keeper]}" "${pid[keeper]}" "${pid[reader]}")" ]
    }
    wait_until all_are_shown
    draw >graph
    grep -F 'mq:/graph-q"' graph | grep -F -- '->' | sed 's/^ *//' | sort >edges
    sort <<END | diff - edges
"mq:/graph-q" -> "process ${pid[reader]}";
"process ${pid[keeper]}" -> "mq:/graph-q" [dir=both];
"process ${pid[sender]}" -> "mq:/graph-q";
END
}

@test "dot draws it" {
    requires dot
    make_queue /graph-q
    make_memory /graph-m 4K
    fixture
    ipcstat -k mq,shm,fifo,lock,eventfd --graph >graph
    run_tool 0 dot -Tsvg graph
    assert_no_stderr
    assert_output --partial '>mq:/graph&#45;q</text>'
    assert_output --partial '>0 messages of 10</text>'
}

@test "what is in an object, and what nobody uses" {
    make_queue /graph-q
    mqsend /graph-q one two
    make_semaphore key:0x67 --nsems 3
    make_semaphore /graph-s --value 5
    make_memory /graph-m 2M
    run_tool 0 ipcstat --graph
    assert_line --partial 'label="mq:/graph-q\n2 messages of 10"'
    assert_line --partial 'label="sem:key:0x00000067\n3 semaphores"'
    assert_line --partial 'label="sem:/graph-s\nvalue 5"'
    assert_line --regexp 'label="shm:/graph-m\\n2M".*style=dotted'
    refute_output --partial ' -> '
}

@test "System V: who sent last, and who waits" {
    make_queue key:0x67
    spawn receiver mqreceive -c 2 key:0x67
    wait_blocked receiver msgrcv
    mqsend key:0x67 one
    wait_until test -s "$(out receiver)"
    wait_blocked receiver msgrcv
    ipcstat -k mq --graph >graph
    [ "$(edges .)" = "\"mq:key:0x00000067\" -> \"process ${pid[receiver]}\"" ]
    grep 'label="received last[",].*style=dashed' graph
    kill "${pid[receiver]}"
    wait_exit receiver 143
}

@test "hostile names" {
    local name=$'/we"ird\\N\n&lt;<b>{|}\xff\\'
    make_queue "$name"
    # It looks the same.
    make_queue $'/we"ird\\N\\x0a&lt;<b>{|}\xff\\'
    spawn_ready user python3 - "$name" 9 <<'PYTHON'
import ctypes, os, signal, sys
open('/proc/self/comm', 'wb').write(b'a"\\N\n<b>&amp;\xff')
ctypes.CDLL('librt.so.1').mq_open(os.fsencode(sys.argv[1]), os.O_RDWR)
os.write(9, b'\n')
os.close(9)
signal.pause()
PYTHON
    ipcstat -k mq --graph >graph
    [ "$(grep -c 'label="mq:/' graph)" -eq 2 ]
    [ "$(edges . | wc -l)" -eq 1 ]
    # No line is anything else than a statement.
    run ! grep -Evq '^(digraph ipc \{|    ("process [0-9]+"|"mq:.*"|graph|node|edge) .*;|})$' graph
    requires dot
    run_tool 0 dot -Tsvg graph
    assert_no_stderr
    python3 - <<'PYTHON' "$output" >shown
import html, re, sys
for line in re.findall('<text[^>]*>([^<]*)</text>', sys.argv[1]):
    print(html.unescape(line).replace('\u00a0', ' '))
PYTHON
    # shellcheck disable=SC1003 # it ends with a backslash
    [ "$(grep -cFx 'mq:/we"ird\N\x0a&lt;<b>{|}\xff\' shown)" -eq 2 ]
    grep -Fx 'a"\N\x0a<b>&amp;\xff' shown
    kill -KILL "${pid[user]}"
    wait_exit user 137
}
