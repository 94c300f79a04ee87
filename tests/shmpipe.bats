#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shmpipe: a stream through a ring in shared memory, and what becomes of it when somebody dies, leaves
# or means harm.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell of its own; pid is of lib.bash
# shellcheck disable=SC2016 # for other shells

load support/lib.bash

key=key:0x72696e67
both=(/ring "$key")

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# gone OBJECT: nothing of that name is there.
gone() { ! shmctl show -- "$1" >/dev/null 2>&1; }

# refused ARGUMENT...: wrong usage.
refused() {
    echo "shmpipe $*"
    run_tool 2 shmpipe "$@"
    assert_diagnostic shmpipe '; see shmpipe --help$'
    assert_output ''
}

# random_bytes COUNT: the same each time.
random_bytes() {
    python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(1).randbytes(int(sys.argv[1])))' "$1"
}

# spawn_writer [OPTION]... OBJECT: with the pipe that descriptor 8 writes to as stdin, which stays
# open; it is ready.
spawn_writer() {
    rm -f input
    mkfifo input
    exec 9<>input
    exec 8>input
    spawn_ready writer sh -c 'exec 8>&-; exec shmpipe -W --ready-fd 9 "$@"' sh "$@" <input
    exec 9>&-
}
close_input() { exec 8>&-; }

spawn_reader() {
    spawn reader shmpipe -R "$@" 8>&-
}

# is_held SIDE OBJECT: whether the ring in /dev/shm has a writer or a reader; for wait_until.
is_held() {
    local offset=64
    [ "$1" = writer ] || offset=192
    [ "$(($(od -An -tu4 -j $offset -N 4 "/dev/shm$2") & 0x3fffffff))" -ne 0 ]
}
# has_joined OBJECT: whether its stream is being read.
has_joined() { [ "$(od -An -tu8 -j 208 -N 8 "/dev/shm$1")" -eq "$(od -An -tu8 -j 72 -N 8 "/dev/shm$1")" ]; }

# ---- The stream ----

@test "a stream, whichever side is first, in each family" {
    local object
    for object in "${both[@]}"; do
        spawn writer shmpipe -W "$object" <<<hello
        wait_blocked writer futex
        run_tool 0 shmpipe -R "$object"
        assert_output hello
        assert_no_stderr
        wait_exit writer 0
        gone "$object"

        spawn reader shmpipe -R "$object"
        wait_blocked reader ppoll
        run_tool 0 shmpipe -W "$object" <<<hello
        assert_no_stderr
        wait_exit reader 0
        assert_output hello
        gone "$object"
    done
}

@test "a stream through memory that was there before, whichever side is first" {
    local id
    : >path
    id=$(shmctl create -s 64K private)
    made_memory+=("$id")
    spawn writer shmpipe -W "$id" <<<hello
    wait_blocked writer futex
    run_tool 0 shmpipe -R "shm:$id"
    assert_output hello
    wait_exit writer 0
    gone "$id"
    id=$(shmctl create -s 64K private)
    made_memory+=("$id")
    spawn reader shmpipe -R "$id"
    wait_blocked reader ppoll
    run_tool 0 shmpipe -W "$id" <<<hello
    wait_exit reader 0
    assert_output hello
    gone "$id"
    run_tool 2 shmpipe -R "$id"
    assert_diagnostic shmpipe "$id: cannot open: No such file"

    shmctl create -s 64K ftok:path
    made_memory+=(ftok:path)
    spawn reader shmpipe -R ftok:path
    wait_blocked reader ppoll
    run_tool 0 shmpipe -W ftok:path:1 <<<hello
    wait_exit reader 0
    assert_output hello
    gone ftok:path
}

# ${with_memfd[@]} COMMAND...: with new memory that has no name as descriptor 7.
with_memfd=(python3 -c '
import os, sys
os.dup2(os.memfd_create("ring"), 7)
os.execvp(sys.argv[1], sys.argv[1:])')

@test "a stream through a descriptor, whichever side is first, and again" {
    run_tool 0 "${with_memfd[@]}" bash -euc '
        for i in 1 2 3; do
            shmpipe -W fd:7 <<<"first $i" & shmpipe -R fd:7; wait $!
            shmpipe -R fd:7 & shmpipe -W fd:7 <<<"second $i"; wait $!
        done'
    assert_no_stderr
    assert_output $'first 1\nsecond 1\nfirst 2\nsecond 2\nfirst 3\nsecond 3'
    run_tool 2 shmpipe -R fd:7 7</dev/null
    assert_diagnostic shmpipe 'fd:7: .*a device'
    run_tool 2 shmpipe -R fd:77
    assert_diagnostic shmpipe 'fd:77: .*Bad file descriptor'
    run_tool 2 bash -c 'exec shmpipe -R fd:7 7</etc/passwd'
    assert_diagnostic shmpipe 'fd:7: .*cannot be written to'
}

@test "an empty stream, and streams of every length about the ends of the ring" {
    local length
    for length in 0 1 4095 4096 4097 8191 8192 8193 12287 12289 65536 65537; do
        random_bytes $length >sent
        spawn writer shmpipe -W -s 4K /ring <sent
        spawn reader shmpipe -R /ring
        wait_exit writer 0
        wait_until ended "${pid[reader]}"
        assert_same sent "$(out reader)"
        wait_exit reader 0
        gone /ring
    done
}

@test "pieces of every size, which begin and end anywhere in the ring" {
    random_bytes 300000 >sent
    # Reads and writes of 1 to 5000 bytes, with a ring of 4096.
    cat >pieces.py <<'PYTHON'
import os, random, sys
numbers = random.Random(int(sys.argv[1]))
while data := os.read(0, numbers.choice([1, 2, 100, 1000, 4095, 4096, 5000])):
    while data:
        data = data[os.write(1, data):]
PYTHON
    spawn writer sh -c 'python3 pieces.py 1 <sent | shmpipe -W -s 4K /ring'
    spawn reader sh -c 'shmpipe -R /ring | python3 pieces.py 2 >received'
    wait_exit writer 0
    wait_exit reader 0
    assert_same sent received
}

@test "writes and reads of one byte" {
    random_bytes 20000 >sent
    spawn writer sh -c 'dd bs=1 if=sent 2>err.dd | shmpipe -W -s 4K /ring'
    spawn reader sh -c 'shmpipe -R /ring | dd bs=1 of=received 2>err.dd2'
    wait_exit writer 0
    wait_exit reader 0
    assert_same sent received
}

@test "256 MiB arrive as they were sent" {
    local sum size
    random_bytes $((1 << 24)) >part
    stream() { for _ in {1..16}; do cat part; done; }
    sum=$(stream | sha256sum)
    for size in 64K 1M; do
        stream | shmpipe -W -s $size /ring 3>&- &
        run_tool 0 bash -c 'shmpipe -R /ring | sha256sum'
        wait $!
        assert_output "$sum"
    done
}

@test "what was put in is taken at once, however little" {
    spawn_writer /ring
    spawn_reader /ring
    local i
    for i in 1 2 3; do
        echo $i >&8
        wait_until grep -q $i "$(out reader)"
    done
    close_input
    wait_exit writer 0
    wait_exit reader 0
    assert_output $'1\n2\n3'
}

@test "--lockstep: a buffer is not filled before the last one is empty" {
    random_bytes 3000000 >sent
    spawn writer shmpipe -W --lockstep -s 64K /ring <sent
    wait_blocked writer futex
    # One buffer is full, and nobody has taken it.
    local position
    position=$(sed -n 's/^pos:\t//p' "/proc/${pid[writer]}/fdinfo/0")
    assert_equal "$position" 65536
    run_tool 0 sh -c 'shmpipe -R /ring >received'
    wait_exit writer 0
    assert_same sent received
    # What comes next stays where it is.
    spawn_writer --lockstep /ring
    echo one >&8
    wait_blocked writer futex
    echo two >&8
    run_tool 0 sh -c 'head -n 1 <input'
    assert_output two
    close_input
    run_tool 0 shmpipe -R /ring
    assert_output one
    wait_exit writer 0
}

# ---- One of each ----

@test "a second writer or reader is refused, and disturbs nobody" {
    local object
    for object in "${both[@]}"; do
        spawn_writer "$object"
        run_tool 2 shmpipe -W "$object" <<<other
        assert_diagnostic shmpipe "$object: there is a writer already, process ${pid[writer]}\$"
        spawn_ready reader sh -c 'exec shmpipe -R --ready-fd 9 "$@" 8>&-' sh "$object"
        run_tool 2 shmpipe -R "$object"
        assert_diagnostic shmpipe "$object: there is a reader already, process ${pid[reader]}\$"
        assert_output ''
        run_tool 2 shmpipe -W "$object" <<<other
        assert_diagnostic shmpipe "$object: there is a writer already"
        echo mine >&8
        close_input
        wait_exit writer 0
        wait_exit reader 0
        assert_output mine
        gone "$object"
    done
}

@test "of many at once, one pair has the stream" {
    local object i
    for object in "${both[@]}"; do
        for i in {1..8}; do
            spawn "writer$i" shmpipe -W "$object" <<<"$i"
            spawn "reader$i" shmpipe -R "$object"
        done
        wait_until is_over
        local received='' sent=''
        for i in {1..8}; do
            kill "${pid[writer$i]}" "${pid[reader$i]}" 2>/dev/null || true
            wait_exit "writer$i"
            [[ $status = [02] || $status = 143 ]]
            [ "$status" -ne 0 ] || sent+="$i "
            wait_exit "reader$i"
            [[ $status = [02] || $status = 143 ]]
            [ "$status" -ne 0 ] || received+="$output "
        done
        echo "$sent: $received"
        # One after the other, others may have had theirs as well.
        assert_equal "$(tr ' ' '\n' <<<"$received" | sort)" "$(tr ' ' '\n' <<<"$sent" | sort)"
        [ -n "$sent" ]
        gone "$object"
    done
}

# Whether those of one side have ended, and those that are left of the other wait for one in vain: a
# reader for an object, or in one that has no writer any more.
is_over() {
    { have_ended writer none && have_ended reader ppoll futex; } ||
        { have_ended reader none && have_ended writer futex; }
}
# have_ended SIDE SYSCALL...: all of that side, but those that are blocked in such a call.
have_ended() {
    local i
    for i in {1..8}; do
        ended "${pid[$1$i]}" || is_blocked "${pid[$1$i]}" "${@:2}" || return
    done
}

@test "streams one after the other, with writers and readers that come when they like" {
    local object
    for object in "${both[@]}"; do
        spawn writers sh -ec 'for i in $(seq 100); do echo $i | shmpipe -W "$1"; done' sh "$object"
        spawn readers sh -ec 'for i in $(seq 100); do shmpipe -R "$1"; done' sh "$object"
        wait_exit writers 0
        wait_exit readers 0
        assert_output "$(seq 100)"
        assert_no_stderr
        gone "$object"
    done
}

# ---- Those who die or leave ----

@test "a reader that dies is noticed at once, whatever the writer waits for" {
    local object
    for object in "${both[@]}"; do
        # For input.
        spawn_writer "$object"
        spawn_reader "$object"
        echo hello >&8
        wait_until test -s "$(out reader)"
        wait_blocked reader futex
        kill -KILL "${pid[reader]}"
        wait_exit writer 2
        assert_diagnostic shmpipe "$object: the reader died after 6 of 6 bytes\$"
        gone "$object"
        close_input
        # For room: the reader cannot write. For the end: it does not take the rest.
        local size
        for size in 10000000 1040000; do
            open_full_pipe
            spawn_into reader "$fifo" shmpipe -R "$object"
            random_bytes $size >sent
            spawn writer shmpipe -W "$object" <sent 7<&- 8>&-
            wait_blocked writer futex
            wait_blocked reader write
            kill -KILL "${pid[reader]}"
            wait_exit writer 2
            assert_diagnostic shmpipe "$object: the reader died after [0-9]+ of [0-9]+ bytes\$"
            gone "$object"
            exec 7<&- 8>&-
        done
    done
}

@test "a writer that dies is noticed at once, and what it had put in is delivered" {
    local object
    for object in "${both[@]}"; do
        spawn_writer "$object"
        spawn_reader "$object"
        echo hello >&8
        wait_until test -s "$(out reader)"
        wait_blocked reader futex
        kill -KILL "${pid[writer]}"
        wait_exit reader 2
        assert_output hello
        assert_diagnostic shmpipe "$object: the writer died after 6 bytes\$"
        gone "$object"
        close_input
    done
    # While the reader is busy with the rest.
    open_full_pipe
    random_bytes 10000000 >sent
    spawn writer shmpipe -W /ring <sent 7<&- 8>&-
    spawn_into reader "$fifo" shmpipe -R /ring
    # In this order: before, the writer may have waited for the reader, not for room.
    wait_blocked reader write
    wait_blocked writer futex
    kill -KILL "${pid[writer]}"
    wait_exit writer 137
    exec 8>&-
    cat <&7 >received
    exec 7<&-
    wait_exit reader 2
    assert_diagnostic shmpipe '/ring: the writer died after [0-9]+ bytes$'
    [[ $stderr =~ after\ ([0-9]+) ]]
    # All that the ring still held, which was full, and what the pipe had taken before.
    [ "${BASH_REMATCH[1]}" -ge 1048576 ]
    assert_same <(tail -c "${BASH_REMATCH[1]}" received) <(head -c "${BASH_REMATCH[1]}" sent)
    gone /ring
}

@test "a writer that died at the end of its input has not died before it" {
    random_bytes 1040000 >sent
    open_full_pipe
    spawn writer shmpipe -W /ring <sent 7<&- 8>&-
    spawn_into reader "$fifo" shmpipe -R /ring
    wait_blocked reader write
    wait_until grep -q '^pos:.1040000$' "/proc/${pid[writer]}/fdinfo/0"
    wait_blocked writer futex
    kill -KILL "${pid[writer]}"
    wait_exit writer 137
    exec 8>&-
    tail -c 1040000 <&7 >received
    exec 7<&-
    assert_same sent received
    wait_exit reader 0
    gone /ring
}

@test "the reader of standard output leaves: both say so" {
    spawn writer shmpipe -W /ring </dev/zero
    run_tool 0 bash -c 'shmpipe -R /ring | head -c 1000000 | wc -c; exit $((PIPESTATUS[0] - 2))'
    assert_output 1000000
    assert_diagnostic shmpipe 'stdout: cannot write: Broken pipe'
    wait_exit writer 2
    assert_diagnostic shmpipe '/ring: the reader left after [0-9]+ of [0-9]+ bytes'
    gone /ring
}

@test "a full disk, or no stdout: both say so" {
    random_bytes 1000000 >sent
    spawn writer shmpipe -W /ring <sent
    run_tool 2 sh -c 'exec shmpipe -R /ring >"$IPCTOOLS_TINY/file"'
    assert_diagnostic shmpipe 'stdout: cannot write: No space left'
    wait_exit writer 2
    assert_diagnostic shmpipe '/ring: the reader left after [0-9]+ of [0-9]+ bytes'
    gone /ring
}

@test "a writer that cannot read its input, or is ended, gives up" {
    run_tool 2 shmpipe -W /ring <.
    assert_diagnostic shmpipe 'stdin: cannot read: Is a directory'
    gone /ring
    spawn_writer /ring
    spawn_reader /ring
    echo hello >&8
    wait_until test -s "$(out reader)"
    kill -TERM "${pid[writer]}"
    wait_exit writer 143
    wait_exit reader 2
    assert_output hello
    assert_diagnostic shmpipe '/ring: the writer gave up after 6 bytes$'
    gone /ring
    close_input
}

@test "ended by a signal, either leaves nothing, alone or both at once" {
    local object signal
    for object in "${both[@]}"; do
        for signal in INT TERM HUP; do
            spawn writer shmpipe -W "$object" </dev/zero
            wait_blocked writer futex
            kill -$signal "${pid[writer]}"
            wait_exit writer $((128 + $(kill -l $signal)))
            gone "$object"
        done
    done
    # A shell of its own: what bats starts runs the traps of bats for a moment.
    cat >both.sh <<'SCRIPT'
for object; do
    for i in $(seq 30); do
        shmpipe -W "$object" </dev/zero &
        writer=$!
        shmpipe -R "$object" >/dev/null &
        while [ $((i % 3)) = 0 ] && ! grep -q futex /proc/$!/wchan; do kill -0 $! || break; done
        kill -TERM $writer $!
        wait
        ! shmctl show "$object" >left 2>&1 || { echo "$object, round $i"; cat left; exit 1; }
    done
done
SCRIPT
    run_tool 0 bash both.sh "${both[@]}"
}

@test "who waits sleeps, and looks about once a second" {
    ignore_leaks
    rm -f input
    mkfifo input
    exec 8<>input
    spawn writer strace -D -qq -e trace=ppoll -o writer.trace shmpipe -W /ring <input 8>&-
    spawn reader strace -D -qq -e trace=futex -o reader.trace shmpipe -R /ring 8>&-
    wait_until test -e /dev/shm/ring
    wait_until has_joined /ring
    echo hello >&8
    wait_until test -s "$(out reader)"
    wait_blocked writer ppoll
    wait_blocked reader futex
    local side late looks before
    for side in reader writer; do
        late='ETIMEDOUT|= 0 \(Timeout\)'
        before=$(wc -l <$side.trace)
        looks="tail -n +$((before + 2)) $side.trace"
        wait_until sh -c "[ \$($looks | grep -Ec '$late') -ge 2 ]"
        # Whatever else it calls, and every shorter sleep.
        run bash -c "$looks | head -n 2 | grep -Ev '\{tv_sec=(1, tv_nsec=0|0, tv_nsec=9[0-9]{8})\}.*($late)'"
        assert_output ''
    done
    close_input
    wait_exit writer 0
    wait_exit reader 0
}

@test "a peer that is stopped is not dead" {
    random_bytes 5000000 >sent
    spawn reader shmpipe -R /ring
    wait_blocked reader ppoll
    kill -STOP "${pid[reader]}"
    wait_until is_stopped reader
    spawn writer shmpipe -W /ring <sent
    wait_blocked writer futex
    kill -STOP "${pid[writer]}"
    wait_until is_stopped writer
    kill -CONT "${pid[reader]}"
    wait_blocked reader futex
    kill -CONT "${pid[writer]}"
    wait_exit writer 0
    wait_until ended "${pid[reader]}"
    assert_same sent "$(out reader)"
    wait_exit reader 0
}

@test "what two that were killed left is taken over, whichever side is first" {
    local object order
    for object in "${both[@]}"; do
        for order in writer reader; do
            spawn writer shmpipe -W "$object" </dev/zero
            spawn reader sh -c 'exec shmpipe -R "$1" >zeros' sh "$object"
            wait_until test -s zeros
            kill -KILL "${pid[writer]}" "${pid[reader]}"
            wait_exit writer
            wait_exit reader
            ! gone "$object" || continue # there is a chance that one cleaned up
            if [ $order = writer ]; then
                spawn writer shmpipe -W "$object" <<<new
                wait_blocked writer futex
                spawn reader shmpipe -R "$object"
                wait_exit writer 0
                wait_exit reader 0
            else
                spawn reader shmpipe -R "$object"
                wait_blocked reader futex
                run_tool 0 shmpipe -W "$object" <<<new
                wait_exit reader 0
            fi
            assert_output new
            gone "$object"
            rm zeros
        done
    done
}

@test "a stream that was half read is not gone on with by another" {
    # A new reader while the old writer has not looked yet.
    spawn writer shmpipe -W /ring </dev/zero
    spawn reader sh -c 'exec shmpipe -R /ring >zeros'
    wait_until test -s zeros
    kill -STOP "${pid[writer]}"
    wait_until is_stopped writer
    kill -KILL "${pid[reader]}"
    wait_exit reader
    spawn other shmpipe -R /ring
    wait_until is_held reader /ring
    wait_blocked other futex
    kill -CONT "${pid[writer]}"
    wait_exit writer 2
    assert_diagnostic shmpipe '/ring: the reader (died|left) after'
    run_tool 0 shmpipe -W /ring <<<new
    wait_exit other 0
    assert_output new
    # A new writer while the old reader has not looked yet.
    spawn writer shmpipe -W /ring </dev/zero
    spawn reader sh -c 'exec shmpipe -R /ring >zeros2'
    wait_until test -s zeros2
    kill -STOP "${pid[reader]}"
    wait_until is_stopped reader
    kill -KILL "${pid[writer]}"
    wait_exit writer
    spawn other shmpipe -W /ring <<<new
    wait_until is_held writer /ring
    wait_blocked other futex
    kill -CONT "${pid[reader]}"
    wait_exit reader 2
    assert_diagnostic shmpipe '/ring: the writer died after'
    cmp -n "$(stat -c %s zeros2)" zeros2 /dev/zero
    run_tool 0 shmpipe -R /ring
    assert_output new
    wait_exit other 0
    gone /ring
}

# ---- Those who mean harm ----

# scribble OBJECT OFFSET HEX: writes bytes into it.
# shellcheck disable=SC2001 # bash has no & for what was matched before 5.2
scribble() { printf '%b' "$(sed 's/../\\x&/g' <<<"$3")" | dd of="/dev/shm$1" bs=1 seek="$2" conv=notrunc status=none; }

# look_now NAME: what sleeps in it looks about, unless it has done so by itself and ended.
look_now() { kill -USR1 "${pid[$1]}" 2>/dev/null || true; }

@test "forged counters and sizes are an error" {
    local forged
    # The reader, by a forged head (offset 128).
    for forged in 0000000000000080 ffffffffffffffff 0100100000000000; do
        spawn_writer /ring
        spawn_reader /ring
        wait_until is_held reader /ring
        wait_until has_joined /ring
        wait_blocked reader futex
        scribble /ring 128 $forged
        look_now reader
        wait_exit reader 2
        assert_output ''
        [[ $stderr == *'/ring: the counters of the ring are damaged'* ]]
        close_input
        wait_exit writer 2
        gone /ring
    done
    # The writer, by a forged tail (offset 256).
    open_full_pipe
    spawn writer shmpipe -W /ring </dev/zero 7<&- 8>&-
    spawn_into reader "$fifo" shmpipe -R /ring
    wait_until has_joined /ring
    wait_blocked reader write
    wait_blocked writer futex
    scribble /ring 256 ffffffffffffff7f
    look_now writer
    wait_exit writer 2
    [[ $stderr == *'/ring: the counters of the ring are damaged'* ]]
    exec 7<&- 8>&-
    wait_exit reader 2
    gone /ring
    # Another size (offset 80) than that of the object.
    spawn writer shmpipe -W /ring <<<hello
    wait_blocked writer futex
    scribble /ring 80 0000000001000000
    run_tool 2 shmpipe -R /ring
    assert_diagnostic shmpipe '/ring: the size of the ring is not what the writer says'
    kill -TERM "${pid[writer]}"
    wait_exit writer 143
    gone /ring
}

@test "garbage all over the header: an end with a message, and never a wrong byte" {
    cat >harm.py <<'PYTHON'
import mmap, os, random, subprocess, sys, time
numbers = random.Random(5)
data = numbers.randbytes(3 << 20)
open("sent", "wb").write(data)
ends = set()
for round in range(60):
    with open("sent", "rb") as sent, open("received", "w+b") as received:
        writer = subprocess.Popen(["shmpipe", "-w", "0.2", "-W", "-s", "64K", "/ring"], stdin=sent,
                                  stderr=subprocess.PIPE)
        while not os.path.exists("/dev/shm/ring"):
            assert writer.poll() is None
        fd = os.open("/dev/shm/ring", os.O_RDWR)
        ring = mmap.mmap(fd, 4096)
        reader = subprocess.Popen(["shmpipe", "-w", "0.2", "-R", "/ring"], stdout=received,
                                  stderr=subprocess.PIPE)
        for _ in range(numbers.randrange(1, 4)):
            at = numbers.randrange(0, 448, 4)
            ring[at:at + 4] = numbers.choice([b"\0" * 4, b"\xff" * 4, numbers.randbytes(4)])
        for tool in writer, reader:
            said = tool.communicate()[1]
            assert tool.returncode in (0, 2, 124), (round, tool.args, tool.returncode, said)
            assert (tool.returncode == 0) == (said == b""), said
            ends.add(tool.returncode)
        os.close(fd)
        if os.path.exists("/dev/shm/ring"):
            os.unlink("/dev/shm/ring")
assert 2 in ends, ends
PYTHON
    PATIENCE=600 run_tool 0 python3 harm.py
}

@test "an object that is shortened meanwhile is an error" {
    local size
    for size in 0 4096; do
        spawn_writer /ring
        spawn_reader /ring
        echo hello >&8
        wait_until test -s "$(out reader)"
        wait_blocked reader futex
        truncate -s $size /dev/shm/ring
        echo more >&8
        wait_exit writer 2
        assert_diagnostic shmpipe '/ring: somebody has shortened the object'
        wait_exit reader 2
        assert_output hello
        assert_diagnostic shmpipe '/ring: (somebody has shortened the object|the writer gave up)'
        gone /ring
        close_input

        # While both are at work.
        spawn writer shmpipe -W /ring </dev/zero
        spawn reader sh -c 'exec shmpipe -R /ring >zeros'
        wait_until test -s zeros
        truncate -s $size /dev/shm/ring
        wait_exit writer 2
        assert_diagnostic shmpipe '/ring: (somebody has shortened the object|the reader left)'
        wait_exit reader 2
        assert_diagnostic shmpipe '/ring: (somebody has shortened the object|the writer gave up)'
        cmp -n "$(stat -c %s zeros)" zeros /dev/zero
        gone /ring
        rm zeros
    done
}

@test "what holds something else is refused and left as it is" {
    local side
    random_bytes 100000 >/dev/shm/other
    cp /dev/shm/other copy
    : >/dev/shm/empty
    make_memory "$key" 64K
    perl -e 'shmwrite(shmget(0x72696e67, 0, 0), "data", 0, 4) or die'
    for side in -W -R; do
        run_tool 2 shmpipe $side /other </dev/null
        assert_diagnostic shmpipe '/other: this holds something else than a ring of shmpipe'
        assert_same copy /dev/shm/other
        run_tool 2 shmpipe $side /empty </dev/null
        assert_diagnostic shmpipe '/empty: this holds something else'
        [ ! -s /dev/shm/empty ]
        run_tool 2 shmpipe $side "$key" </dev/null
        assert_diagnostic shmpipe "$key: this holds something else"
    done
    rm /dev/shm/other /dev/shm/empty
}

@test "a symlink, FIFO, directory or device in /dev/shm" {
    local side name
    random_bytes 100 >target
    ln -s "$PWD/target" /dev/shm/link
    mkfifo /dev/shm/fifo
    mkdir /dev/shm/directory
    for side in -W -R; do
        for name in link fifo directory; do
            run_tool 2 shmpipe $side "/$name" </dev/null
            assert_diagnostic shmpipe "/$name: this is a .*(link|FIFO|directory), not shared memory"
        done
    done
    rm -r /dev/shm/{link,fifo,directory}
    assert_equal "$(stat -c %s target)" 100
}

@test "hostile names: the stream goes through, and a diagnostic is one harmless line" {
    local name
    for name in $'/new\nline' $'/\e[31m' $'/\xff' '/ ' '/-rf' '/*' '/$(exit 5)' '/fd:3'; do
        spawn writer shmpipe -W -- "$name" <<<hello
        run_tool 0 shmpipe -R -- "$name"
        assert_output hello
        wait_exit writer 0
        run_tool 124 shmpipe -R -w 0 -- "$name"
        assert_diagnostic shmpipe 'no writer has come in time'
        [[ $stderr != *[$'\e\xff']* ]]
    done
    [ -z "$(ls -A /dev/shm)" ]
}

# ---- The object ----

@test "the mode is exact whatever the umask, and 0600 by default" {
    local object umask mode
    for object in "${both[@]}"; do
        for umask in 000 022 077; do
            for mode in '' 0660 g+r 0606; do
                spawn writer sh -c 'umask "$1"; shift; exec shmpipe -W "$@"' sh \
                    "$umask" ${mode:+-m "$mode"} "$object" </dev/null
                wait_blocked writer futex
                run_tool 0 shmctl show "$object"
                case $mode in
                '') assert_line perms=0600 ;;
                g+r) assert_line perms=0640 ;;
                *) assert_line perms=$mode ;;
                esac
                run_tool 0 shmpipe -R "$object"
                wait_exit writer 0
            done
        done
    done
}

@test "the size of the ring is a power of two; the object is a page larger" {
    local size ring object
    while read -r size ring; do
        for object in "${both[@]}"; do
            spawn writer shmpipe -W -s "$size" "$object" </dev/null
            wait_blocked writer futex
            run_tool 0 shmctl show "$object"
            assert_line "size=$((ring + $(getconf PAGESIZE)))"
            run_tool 0 shmpipe -R "$object"
            wait_exit writer 0
        done
    done <<SIZES
1M 1048576
0 $(getconf PAGESIZE)
1 $(getconf PAGESIZE)
65537 131072
3M 4194304
SIZES
    refused -W -s 1025G /ring
    refused -W -s -1 /ring
    refused -W -s x /ring
}

@test "an object that is there keeps its size unless another is asked for" {
    # A stale one.
    spawn writer shmpipe -W -s 64K /ring </dev/zero
    wait_blocked writer futex
    kill -KILL "${pid[writer]}"
    wait_exit writer
    spawn writer shmpipe -W /ring <<<hello
    wait_blocked writer futex
    assert_equal "$(stat -c %s /dev/shm/ring)" $((65536 + $(getconf PAGESIZE)))
    kill -KILL "${pid[writer]}"
    wait_exit writer
    local size
    for size in 256K 16K; do
        spawn writer shmpipe -W -s $size /ring <<<hello
        wait_blocked writer futex
        assert_equal "$(stat -c %s /dev/shm/ring)" $((${size%K} * 1024 + $(getconf PAGESIZE)))
        kill -KILL "${pid[writer]}"
        wait_exit writer
    done
    spawn writer shmpipe -W /ring <<<hello
    run_tool 0 shmpipe -R /ring
    assert_output hello
    wait_exit writer 0
    # A segment has its size for ever.
    make_memory "$key" 64K
    run_tool 2 shmpipe -W -s 64K "$key" </dev/null
    assert_diagnostic shmpipe "$key: this segment .* a ring of 32768 bytes, and cannot have one of 65536"
    ! gone "$key" || make_memory "$key" 64K
    spawn writer shmpipe -W -s 32K "$key" <<<hello
    run_tool 0 shmpipe -R "$key"
    assert_output hello
    wait_exit writer 0
    make_memory "$key" 8191
    run_tool 2 shmpipe -W "$key" </dev/null
    assert_diagnostic shmpipe "$key: this segment is too small for a ring: 8191 bytes"
    run_tool 2 shmpipe -R "$key"
    assert_diagnostic shmpipe "$key: this segment is too small"
}

@test "a /dev/shm that is full is an error, and nothing is left" {
    requires mount
    run_tool 2 unshare --mount sh -c '
        mount -t tmpfs -o size=64k none /dev/shm
        shmpipe -W -s 1M /ring </dev/zero; status=$?
        ls /dev/shm
        exit $status'
    assert_diagnostic shmpipe '/ring: cannot reserve memory: No space left on device \([0-9]+ bytes, 6'
    assert_output ''
}

@test "the object removed while nobody has come is trouble, and while both are there it is not" {
    local object
    for object in "${both[@]}"; do
        spawn writer shmpipe -W "$object" <<<hello
        wait_blocked writer futex
        shmctl rm "$object"
        wait_exit writer 2
        assert_diagnostic shmpipe "$object: the object was removed"
        gone "$object"

        spawn_writer "$object"
        spawn_reader "$object"
        echo hello >&8
        wait_until test -s "$(out reader)"
        shmctl rm "$object"
        echo again >&8
        close_input
        wait_exit writer 0
        wait_exit reader 0
        assert_output $'hello\nagain'
    done
}

@test "an object of the same name that came meanwhile is left alone" {
    spawn_writer /ring
    spawn_reader /ring
    echo hello >&8
    wait_until test -s "$(out reader)"
    rm /dev/shm/ring
    echo mine >/dev/shm/ring
    close_input
    wait_exit writer 0
    wait_exit reader 0
    [ "$(</dev/shm/ring)" = mine ]
    rm /dev/shm/ring
}

@test "another user: refused unless the mode allows it, and who may not remove the object says so" {
    requires root
    local nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups '--inh-caps=-all')
    spawn writer shmpipe -W /ring <<<hello
    wait_blocked writer futex
    run_tool 2 "${nobody[@]}" shmpipe -R /ring
    assert_diagnostic shmpipe '/ring: cannot open: Permission denied'
    run_tool 0 shmpipe -R /ring
    wait_exit writer 0
    spawn writer shmpipe -W -m 0606 /ring <<<hello
    wait_blocked writer futex
    run_tool 0 "${nobody[@]}" shmpipe -R /ring
    assert_output hello
    wait_exit writer 0
    gone /ring
    # The last is the one who may not.
    spawn_writer -m 0606 /ring
    spawn reader sh -c 'exec 8>&-; exec "$@"' sh "${nobody[@]}" shmpipe -R /ring
    echo hello >&8
    wait_until test -s "$(out reader)"
    kill -KILL "${pid[writer]}"
    close_input
    wait_exit reader 2
    assert_output hello
    assert_equal "${#stderr_lines[@]}" 2
    [[ $stderr == *'/ring: cannot remove: '* ]]
    run_tool 0 sh -c 'shmpipe -W /ring <<EOF & shmpipe -R /ring; wait $!
again
EOF'
    assert_output again
    gone /ring
}

# ---- Time, readiness, progress ----

@test "-w: each wait for the other side ends with 124" {
    local object
    run_tool 124 shmpipe -R -w 10ms /ring
    assert_diagnostic shmpipe '/ring: no writer has come in time'
    for object in "${both[@]}"; do
        run_tool 124 shmpipe -W -w 10ms "$object" <<<hello
        assert_diagnostic shmpipe "$object: not all of 6 bytes were taken in time"
        gone "$object"
        run_tool 124 shmpipe -W -w 10ms -s 4K "$object" </dev/zero
        assert_diagnostic shmpipe "$object: no room in time, after 4096 bytes"
        gone "$object"
        spawn_writer "$object"
        echo hello >&8
        wait_until eval 'shmcat "$object" | grep -qa hello'
        run_tool 124 shmpipe -R -w 10ms "$object"
        assert_output hello
        assert_diagnostic shmpipe "$object: nothing came in time, after 6 bytes"
        wait_exit writer 2
        close_input
        gone "$object"
    done
    # Waiting for input is no waiting for the reader, and progress begins the time anew.
    spawn_writer -w 1h /ring
    spawn_reader -w 1h /ring
    echo hello >&8
    wait_until test -s "$(out reader)"
    close_input
    wait_exit writer 0
    wait_exit reader 0
    refused -R -w x /ring
}

# Each waits for the other side, which does not come, in its own way.
timed=("shmpipe -R -w 50ms /none" "shmpipe -W -w 50ms /ring" "shmpipe -W -w 50ms $key"
    "shmpipe -R -w 50ms $key")

@test "-w ends the wait whatever signals were blocked or ignored at the start" {
    local how command
    for how in --default-signal --block-signal --ignore-signal '--block-signal --ignore-signal'; do
        for command in "${timed[@]}"; do
            echo "$how $command"
            # shellcheck disable=SC2086 # words
            run_tool 124 env $how $command </dev/null
        done
    done
    # An object that is shortened is an error for those as well who blocked or ignored SIGBUS.
    for how in --block-signal --ignore-signal; do
        spawn writer env $how=BUS shmpipe -W /ring <<<hello
        wait_blocked writer futex
        truncate -s 0 /dev/shm/ring
        wait_exit writer 2
        assert_diagnostic shmpipe '/ring: somebody has shortened the object'
        gone /ring
    done
}

@test "-w counts through stop, continue and other signals, by the monotonic clock" {
    requires strace
    local command rounds=0 signal
    for command in "${timed[@]}"; do
        # shellcheck disable=SC2086
        spawn tool ${command/50ms/400ms} </dev/null
        wait_blocked tool futex ppoll
        while ! ended "${pid[tool]}"; do
            for signal in STOP CONT WINCH USR1; do
                kill -"$signal" "${pid[tool]}" 2>/dev/null || true
            done
            sleep 0.01
            ((++rounds < 100 * PATIENCE))
        done
        wait_exit tool 124
        # shellcheck disable=SC2086
        run_tool 124 strace -qq -o trace $command </dev/null
        run ! grep -E 'CLOCK_REALTIME|^(alarm|setitimer)\(' trace
    done
}

@test "a signal that was ignored or blocked at the start does not end it" {
    local how signal
    for how in --ignore-signal=INT,TERM,HUP,QUIT --block-signal=INT,TERM,HUP,QUIT; do
        spawn writer env $how shmpipe -W /ring <<<hello
        wait_blocked writer futex
        for signal in INT TERM HUP QUIT; do
            kill -"$signal" "${pid[writer]}"
        done
        run_tool 0 shmpipe -R /ring
        assert_output hello
        wait_exit writer 0
    done
}

@test "everything works without /proc" {
    requires root
    ! is_sanitized || skip 'the sanitizers need /proc'
    run_tool 0 unshare --mount bash -ec '
        umount -l /proc
        for object; do
            shmpipe -W "$object" <<<hello & shmpipe -R "$object"; wait $!
            shmpipe -R "$object" & shmpipe -W "$object" <<<hello; wait $!
        done' bash "${both[@]}"
    assert_output $'hello\nhello\nhello\nhello'
    assert_no_stderr
}

# bats test_tags=user
@test "RLIMIT_NOFILE: for each number of descriptors, done or explained" {
    ! is_sanitized || skip 'the sanitizers need descriptors'
    local object number within
    for object in "${both[@]}"; do
        for number in {3..10}; do
            # Ten are enough for both; else the other side may not come.
            within=1
            [ "$number" -lt 10 ] || within=1h
            spawn reader sh -c 'exec prlimit --nofile="$1" -- shmpipe -w "$3" -R "$2" 2>&1 3>&-' sh "$number" "$object" "$within"
            run_tool - bash -c 'exec prlimit --nofile="$0" -- shmpipe -w "$2" -W "$1" 3>&-' "$number" "$object" "$within" < <(echo hello)
            [ "$status" -eq 0 ] || [ "$status" -eq 127 ] || [[ $stderr == *'in time'* ]] ||
                assert_diagnostic shmpipe 'Too many open files \(RLIMIT_NOFILE = '
            wait_exit reader
            [ "$status" -eq 0 ] || [ "$status" -eq 127 ] || [[ $output == *'in time'* ]] ||
                [[ $output == *'Too many open files (RLIMIT_NOFILE = '* ]] || fail "$output"
            gone "$object"
        done
        assert_output hello
    done
}

@test "--ready-fd: the stream can be joined; the reader has looked" {
    local object
    for object in "${both[@]}"; do
        spawn_ready reader shmpipe -R --ready-fd 9 "$object"
        spawn_ready writer shmpipe -W --ready-fd 9 "$object" <<<hello
        wait_exit writer 0
        wait_exit reader 0
        assert_output hello
    done
    refused -R --ready-fd 77 /ring
    refused -R --ready-fd x /ring
}

@test "--progress and SIGUSR1: bytes, time and rate" {
    spawn_writer --progress /ring
    spawn_reader /ring
    head -c 2048 sent >&8 || random_bytes 2048 >&8
    wait_until test -s "$(out reader)"
    wait_blocked reader futex
    kill -USR1 "${pid[reader]}"
    wait_until grep -Eq '^shmpipe: 2\.0KiB, [0-9]+\.[0-9] s, [0-9.]+[KMG]?i?B/s$' "$(err reader)"
    close_input
    wait_exit writer 0
    [[ ${stderr_lines[-1]} =~ ^'shmpipe: 2.0KiB, ' ]]
    wait_exit reader 0
}

# ---- Usage ----

@test "wrong usage" {
    refused
    refused /ring
    refused -W
    refused -R
    refused -W -R /ring
    refused -W /ring /other
    refused -R -s 1M /ring
    refused -R -m 0600 /ring
    refused -R --lockstep /ring
    refused -W -m 99 /ring
    refused -W ring
    refused -W private
    run_tool 2 shmpipe -W mq:/ring
    assert_diagnostic shmpipe 'mq:/ring is a message queue, not shared memory'
}

@test "a closed stdin or stdout is an error, and the object goes" {
    run_tool 2 sh -c 'exec shmpipe -W /ring <&-'
    assert_diagnostic shmpipe 'stdin: cannot read: Bad file descriptor'
    gone /ring
    spawn writer shmpipe -W /ring <<<hello
    run_tool 2 sh -c 'exec shmpipe -R /ring >&-'
    assert_diagnostic shmpipe 'stdout: cannot write: Bad file descriptor'
    wait_exit writer 2
    assert_diagnostic shmpipe '/ring: the reader left after 0 of 6 bytes'
    gone /ring
}

@test "a non-blocking stdin or stdout is waited for" {
    random_bytes 3000000 >sent
    cat >nonblocking.py <<'PYTHON'
import os, sys
os.set_blocking(int(sys.argv[1]), False)
os.execvp(sys.argv[2], sys.argv[2:])
PYTHON
    spawn writer sh -c 'cat sent | python3 nonblocking.py 0 shmpipe -W /ring'
    spawn reader sh -c 'python3 nonblocking.py 1 shmpipe -R /ring | cat >received'
    wait_exit writer 0
    wait_exit reader 0
    assert_same sent received
}
