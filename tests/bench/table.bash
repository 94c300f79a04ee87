# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run sources it, and has the words
# What is measured: tests/bench/run explains the words. All of it happens in a directory and in
# namespaces that are gone afterwards. The bounds are for an idle machine and the full figures: with
# fewer lines, starting weighs more.

#      TOOL       TRUE  STATIC C
starts mqsend     0.90  1.10
starts mqreceive  0.90  1.10
starts mqnotify   0.90  1.10
starts mqctl      1.20  -
starts shmcat     0.90  1.10
starts shmctl     1.20  -
starts semctl     0.90  1.10
starts shmpipe    0.90  1.10
starts sigwatch   0.90  1.10
starts sigsend    0.90  1.10
starts fifotee    0.90  1.10
starts fifocat    0.90  1.10
starts ipcstat    1.20  -
starts ipcclean   1.20  -

# ---- Message queues ----

# Lines of 16 to 128 bytes, the same everywhere.
awk -v lines="$lines" 'BEGIN {
    for (i = 0; i < 256; i++) text = text sprintf("%c", 33 + i * 7 % 94)
    for (seed = 1; lines-- > 0;) {
        seed = seed * 16807 % 2147483647
        print substr(text, 1 + int(seed / 256) % 128, 16 + int(seed / 65536) % 113)
    }
}' >stream
head -n "$depth" stream >messages

# A queue of the usual depth takes nearly all of RLIMIT_MSGQUEUE, which counts a user's queues in every
# namespace; what a removed one took is given back only after a moment.
ulimit -q unlimited 2>/dev/null || ulimit -Sq hard
# at_least NUMBER LIMIT
at_least() { (($(<"$2") >= $1)) || echo "$1" >"$2"; }
create_queue() {
    for ((try = 1; ; try++)); do
        mqctl create --maxmsg "$depth" /q >/dev/null 2>problem && return
        if ((try == 200)) || ! grep -q 'Too many open files' problem; then
            cat problem >&2
            return 1
        fi
        sleep 0.1
    done
}
at_least "$depth" /proc/sys/fs/mqueue/msg_max
create_queue
mqctl create key:1 >/dev/null

empty() { mqreceive -a "$1" >/dev/null || :; }
for queue in /q key:1; do
    count "mqsend $queue, full queue" mqsend "$queue" <messages
    empty "$queue"
    mqsend "$queue" <messages
    count "mqreceive -a $queue, full queue" mqreceive -a "$queue" </dev/null
    empty "$queue"
done
mqsend /q hello
count 'mqnotify /q' mqnotify /q </dev/null
empty /q
count 'mqctl create /q' mqctl create /q </dev/null

id=$(mqctl show key:1 | sed -n 's/^id=//p')
start ipcs 1.00 'mqctl show : ipcs -q -i' 'mqctl show key:1' "ipcs -q -i $id"

# flow RECEIVER SENDER: the shell command that starts both at once and lets both finish.
flow() {
    echo "$1 & $2 <stream || { kill \$!; exit 1; }; wait \$!"
}
posix=$(flow "mqreceive -c $lines /q" 'mqsend /q')
posix_raw=$(flow "mq_raw_receive /q $lines" 'mq_raw_send /q')
sysv=$(flow "mqreceive -c $lines key:1" 'mqsend key:1')
sysv_raw=$(flow "sysv_raw_receive 1 $lines" 'sysv_raw_send 1')
perl=$(flow "sysv_receive.pl 1 $lines" 'sysv_send.pl 1')
raw='mq_raw_send mq_raw_receive sysv_raw_send sysv_raw_receive'
pair "$raw" 1.10 'mqsend|mqreceive POSIX : raw C' "$posix" "$posix_raw"
pair "$raw" 1.10 'mqsend|mqreceive System V : raw C' "$sysv" "$sysv_raw"
pair perl 0.80 'mqsend|mqreceive POSIX : perl' "$posix" "$perl"
pair perl 0.80 'mqsend|mqreceive System V : perl' "$sysv" "$perl"
# 4 MiB and the largest message of the queue
peak $((4096 + 8)) 'peak memory of mqsend|mqreceive : limit' \
    stream "mqreceive -c $lines /q" 'mqsend /q'

# A process for each message.
runs=$((lines / 1000))
pair xargs 1.20 'seq|mqsend|mqreceive -- true : seq|xargs' \
    "seq $runs | mqsend /q & mqreceive -c $runs /q -- true && wait" "seq $runs | xargs -n 1 true"

# A stream, packed. The number of messages is not known beforehand: the receiver ends when the queue
# is removed. That is small enough for two to count at once, and cannot hold all of the stream: when
# the sender has ended, the receiver has opened it.
rm stream
mqctl rm /q
create_queue
mqctl rm /q
count=$((lines * 5 / 2 + depth * 1000))
packed="mqctl create --maxmsg $((depth / 2)) /q >/dev/null || exit
    mqreceive -f /q & seq $count | mqsend --pack /q; mqctl rm /q; wait \$!"
pair - 1.25 'seq|--pack|mqreceive : seq|cat|cat' "$packed" "seq $count | cat | cat"
pair mbuffer 1.25 'seq|--pack|mqreceive : seq|mbuffer' \
    "$packed" "seq $count | mbuffer -q -s 256k -m 16M"
pair socat 1.00 'seq|--pack|mqreceive : seq|socat|socat' "$packed" \
    "socat -u UNIX-LISTEN:socket,unlink-early STDOUT &
    seq $count | socat -u STDIN UNIX-CONNECT:socket,retry=1000,interval=0.01; wait"
mqctl rm key:1

# ---- Shared memory: 1 GiB in the full figures ----

head -c $((lines * 512)) /dev/urandom >stream
shmcat -W --create /m <stream
pair splice_out 1.15 'shmcat|sink : raw C' 'shmcat /m | sink' 'splice_out /dev/shm/m | sink'
pair sink 0.18 'shmcat|sink : cat|sink' 'shmcat /m | sink' 'cat /dev/shm/m | sink'
pair - 0.50 'shmcat -W over an object : cp' 'shmcat -W /m <stream' 'cp stream /dev/shm/m'
pair splice_in 1.15 'shmcat -W over an object : raw C' \
    'shmcat -W /m <stream' 'splice_in /dev/shm/m <stream'
new='rm -f /dev/shm/new; '
pair - 1.00 'shmcat -W --create : cp' \
    "$new shmcat -W --create /new <stream" "$new cp stream /dev/shm/new"
rm -f /dev/shm/new
peak 4096 'peak memory of shmcat, shmcat -W : limit' stream 'shmcat /m' 'shmcat -W /m'
shmctl create -s 1M /small key:1 >/dev/null
for object in /small key:1; do
    count "shmcat $object, 1 MiB" shmcat "$object" </dev/null
    count "shmcat -W $object, 4 KiB" shmcat -W "$object" < <(head -c 4096 stream)
done
start lsipc 1.00 'shmctl show : lsipc -m -i' 'shmctl show key:1' \
    "lsipc -m -i $(shmctl show key:1 | sed -n 's/^id=//p')"
shmctl rm /m /small key:1

# A stream through a ring: reader first, so that it has to look for the object.
ring='shmpipe -R /r & shmpipe -W /r <stream; wait $!'
pair - 0.20 'shmpipe file>null : cat|cat' "$ring" 'cat stream | cat'
pair mbuffer 1.00 'shmpipe file>null : mbuffer' "$ring" 'mbuffer -q -s 256k -m 16M <stream'
pair splice_pipe 1.30 'cat|shmpipe|cat : splice' \
    'shmpipe -R /r | cat & cat stream | shmpipe -W /r; wait $!' 'cat stream | splice_pipe | cat'
# 4 MiB and the ring
peak $((4096 + 1024)) 'peak memory of shmpipe -W|-R : limit' stream 'shmpipe -R /r' 'shmpipe -W /r'
rm stream

# ---- Semaphores ----

semctl create --value 1 /s key:2 >/dev/null
for semaphore in /s key:2; do
    start raw_exit 1.15 "semctl post $semaphore : static C" "semctl post $semaphore" raw_exit
    count "semctl post $semaphore" semctl post "$semaphore" </dev/null
    semctl set -q "$semaphore" 1
done
# At 1, so that the next one waits until the one before has given back.
: >lock
start flock 0.65 'semctl run key:2 -- true : flock' 'semctl run key:2 -- true' 'flock lock true'
start flock 1.20 'semctl run /s -- true : flock' 'semctl run /s -- true' 'flock lock true'
start raw_semaphore_run 1.10 'semctl run key:2 -- true : raw C' \
    'semctl run key:2 -- true' 'raw_semaphore_run 2 true'
# Ten, so that the shell's own start does not count.
ten() { echo "for i in 1 2 3 4 5 6 7 8 9 10; do $*; done"; }
once='sem --fg --id ipctools-bench true'
pair sem 0.02 'semctl run key:2 : GNU sem' "$(ten semctl run key:2 -- true)" "$(ten "$once")"
pair sem 0.02 'semctl run /s : GNU sem' "$(ten semctl run /s -- true)" "$(ten "$once")"
semctl rm /s key:2

# ---- Signals ----

sleep 1000000 &
sleeper=$!
disown
start - 1.00 'sigsend -s 0 : kill' "sigsend -s 0 $sleeper" "/bin/kill -s 0 $sleeper"
start raw_exit 1.15 'sigsend -s 0 : static C' "sigsend -s 0 $sleeper" raw_exit
count 'sigsend -l' sigsend -l </dev/null # valgrind does not know pidfd_send_signal(2)
kill -KILL "$sleeper" # TERM, were it early, would end a copy of this shell, which tidies up
count 'sigwatch -c 0' sigwatch -c 0 </dev/null

# 100,000 in the full figures, or as many as RLIMIT_SIGPENDING lets wait: they come while the receiver
# is stopped.
signals=$((lines / 20))
queueable=$(ulimit -i)
[[ $queueable == unlimited ]] || ((signals < queueable * 9 / 10)) || signals=$((queueable * 9 / 10))
mkfifo armed
# received RECEIVER: the shell command that starts it, and sends it all.
received() {
    echo "$1 9>armed >/dev/null & read -r _ <armed; kill -STOP \$!; signal_raw_send \$! $signals
        kill -CONT \$!; wait \$!"
}
pair 'signal_raw_send signal_raw_receive' 1.30 'sigwatch, queued signals : sigwaitinfo in C' \
    "$(received "sigwatch -c $signals --ready-fd 9 RTMIN+1")" \
    "$(received "signal_raw_receive $signals")"
pair 'strace signal_self' 0.90 'sigwatch -- COMMAND, many signals : strace' \
    "sigwatch -- signal_self $signals 2>/dev/null" \
    "strace -qq -e trace=none -o /dev/null signal_self $signals"
pair 'strace signal_self' 0.90 'sigwatch -p, many signals : strace -p' \
    "signal_self $signals traced & sigwatch -p \$! >/dev/null" \
    "signal_self $signals traced & strace -qq -e trace=none -o /dev/null -p \$!"
peak 4096 'peak memory of sigwatch : limit' /dev/null "sigwatch -- signal_self $signals" true

# ---- FIFOs: 512 MiB in the full figures ----

mkfifo f{1..16}
blocks=$((lines / 244))
# fan N COMMAND [SOURCE]: SOURCE, by default in writes of 64 KiB, into COMMAND and N FIFOs with readers.
fan() {
    local fifos
    fifos=$(seq -f 'f%g' -s ' ' "$1")
    echo "for f in $fifos; do sink <\$f & done
        ${3:-dd if=/dev/zero bs=64K count=$blocks status=none} | $2 $fifos >/dev/null && wait"
}
for n in '1 0.30' '4 0.18' '16 0.10'; do
    pair sink "${n#* }" "fifotee, ${n% *} FIFOs : tee" \
        "$(fan "${n% *}" fifotee)" "$(fan "${n% *}" tee)"
    pair 'sink tee_loop' 1.20 "fifotee, ${n% *} FIFOs : tee(2) in C" \
        "$(fan "${n% *}" fifotee)" "$(fan "${n% *}" tee_loop)"
done
# With one FIFO, seq(1) and the kernel's pipe alone take as long as either.
seq="seq $((lines * 10))"
pair sink 0.65 'seq|fifotee, 4 FIFOs : seq|tee' "$(fan 4 fifotee "$seq")" "$(fan 4 tee "$seq")"
pair 'sink tee_loop' 1.20 'seq|fifotee, 1 FIFO : tee(2) in C' \
    "$(fan 1 fifotee "$seq")" "$(fan 1 tee_loop "$seq")"
seq $((lines * 10)) >stream
from_file='dd if=stream bs=64K status=none'
pair sink 0.60 'fifotee --slow=drop : tee' \
    "$(fan 4 'fifotee --slow=drop --buffer=16M' "$from_file")" "$(fan 4 tee "$from_file")"
quarter=$((lines * 5 / 2))
pair - 1.10 'fifocat of 4 : cat of one' \
    "for f in f1 f2 f3 f4; do yes a line of some length | head -n $quarter >\$f & done; fifocat --once f1 f2 f3 f4" \
    "(for f in 1 2 3 4; do yes a line of some length | head -n $quarter; done) >f1 & cat f1"
peak 4096 'peak memory of fifotee|fifocat : limit' stream 'fifocat --once f1' 'fifotee f1'
rm f{1..16} stream

# ---- Listing: 20,000 objects, 2,000 processes in the full figures ----

for what in mq sem shm; do
    count "ipcstat -k $what, nothing there" ipcstat -k "$what" </dev/null
done
start lsipc 0.90 'ipcstat, nothing there : lsipc' ipcstat lsipc
objects=$((lines / 100)) each=$((lines / 300 + 1))
at_least "$each" /proc/sys/kernel/shmmni
at_least "$each" /proc/sys/kernel/msgmni
sysv_objects make "$objects"
names='ipcstat -o KIND,NAME,OWNER,PERMS >/dev/null'
figures='ipcstat -o KIND,NAME,OWNER,PERMS,USED,MSGS,NSEMS,SIZE,NATTCH >/dev/null'
pair 'ipcs sysv_objects' 0.20 'ipcstat, many objects : ipcs -a' "$figures" 'ipcs -a >/dev/null'
pair sysv_objects 2.00 'ipcstat, many objects : raw C' "$names" 'sysv_objects list >/dev/null'
peak 65536 'peak memory of ipcstat, many objects : limit' /dev/null 'ipcstat --output-all' true
# The removals alone, behind a listing of ours, for ipcclean needs one too.
clean='ipcclean -y -s orphan,unused,idle,unknown --older-than 0 >/dev/null'
peak 65536 'peak memory of ipcclean, many objects : limit' /dev/null 'ipcclean -s orphan,idle' true
ipcstat -r --noheadings -o KIND,ID | sysv_objects remove
pair sysv_objects 1.50 'ipcclean, many objects : ipcstat and raw C' "$clean" \
    'ipcstat -r --noheadings -o KIND,ID,STATE | sysv_objects remove' "sysv_objects make $objects"

mkfifo held
shmctl create -s 4K /bench >/dev/null
exec {memory}<>/dev/shm/bench {end}<>held
idle_processes $((lines / 1000)) 15 <held {end}>&- >ready &
disown
until [[ -s ready ]] || ! kill -0 $!; do sleep 0.01; done
users='ipcstat >/dev/null'
pair lsof 0.20 'ipcstat, many processes : lsof' "$users" 'lsof -nPlw >/dev/null'
pair lsfd 0.15 'ipcstat, many processes : lsfd' "$users" 'lsfd >/dev/null'
pair fuser 0.60 'ipcstat, many processes : fuser' "$users" 'fuser /dev/shm/bench >/dev/null 2>&1'
peak 65536 'peak memory of ipcstat, many processes : limit' /dev/null 'ipcstat -a' true
exec {memory}>&- {end}>&-
shmctl rm /bench
rm held ready
