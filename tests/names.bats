#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The grammar of names, over all tools, and names that mean harm.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2030,SC2031 # each test has its own
# shellcheck disable=SC2016 # for other shells

load support/lib.bash

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# quickly COMMAND...: run_tool 2 and assert_diagnostic for very many runs; $stderr is its one line.
quickly() {
    local status=0
    printf '%q ' "$@"
    timeout --foreground -k 1 "$PATIENCE" "$@" >out 2>err || status=$?
    mapfile -t stderr_lines <err
    stderr=${stderr_lines[0]}
    echo ": $status, $stderr"
    [ "$status" -eq 2 ] && [ "${#stderr_lines[@]}" -eq 1 ] && [[ $stderr == "$1: "* ]] && [ ! -s out ]
}

# refused_by_all NAME REGEX: every tool refuses NAME with such a line.
refused_by_all() {
    local -a command
    while read -ra command; do
        # The one that may have it.
        [[ $1:${command[*]} != *private:'mqctl create'* ]] || continue
        quickly "${command[@]/NAME/$1}"
        [[ $stderr =~ $2 ]]
    done <<'COMMANDS'
mqsend -- NAME x
mqsend --create -- NAME x
mqreceive -n -- NAME
mqnotify -w 0 -- NAME
mqctl create -- NAME
mqctl show -- NAME
mqctl set -m 0600 -- NAME
mqctl rm -- NAME
COMMANDS
}

# refused NAME...: without a word that is given beforehand.
refused() {
    local name
    for name; do
        quickly mqsend --create -- "$name" x
        quickly mqctl create -- "$name"
    done
}

# accepted NAME QUEUE: NAME is another name of QUEUE, to every tool.
accepted() {
    local name=$1 queue=$2
    printf '%q\n' "$name"
    run_tool 0 mqsend -- "$name" message
    [ "$(queued "$queue")" -eq 1 ]
    [ "$(queued "$name")" -eq 1 ]
    case $queue in
    /*)
        run_tool 0 mqnotify -- "$name"
        assert_output --partial ' - -'
        ;;
    esac
    run_tool 0 mqctl set -m 0640 -- "$name"
    [ "$(mqctl show -- "$queue" | grep ^perms)" = perms=0640 ]
    run_tool 0 mqreceive -n -- "$name"
    assert_output message
    [ "$(queued "$queue")" -eq 0 ]
}

# removed NAME QUEUE: mqctl rm NAME removes QUEUE.
removed() {
    run_tool 0 mqctl rm -- "$1"
    assert_output ''
    run_tool 2 mqctl show -- "$2"
}

# ---- POSIX ----

@test "/NAME, with the kind in front or without" {
    make_queue /names
    accepted /names /names
    accepted mq:/names /names
    run_tool 0 mqctl create mq:/names
    assert_output /names
    removed mq:/names /names
}

@test "a name without its slash is refused, with a suggestion" {
    make_queue /jobs
    refused_by_all jobs "/jobs"
    refused_by_all 'two words' "/two words"
    refused_by_all mq:jobs "/jobs"
    [ "$(queued /jobs)" -eq 0 ]
}

@test "no name, a second slash, a directory" {
    local name
    for name in '' / /a/b; do
        refused_by_all "$name" "'$name'"
    done
    refused // /a/ //a mq:/ mq: /. /.. /dev/mqueue/names ./names ../names
    [ -z "$(ls -A /dev/mqueue)" ]
}

@test "255 bytes may follow the slash" {
    local longest
    longest=/$(printf '%255s' '' | tr ' ' n)
    run_tool 0 mqctl create "$longest"
    assert_output "$longest"
    made_queues+=("$longest")
    accepted "$longest" "$longest"
    removed "$longest" "$longest"
    refused_by_all "${longest}n" 'too long|255'
    refused_by_all "mq:${longest}n" 'too long|255'
    refused "$longest$longest"
    refused_by_all "/$(printf '%100000s' '' | tr ' ' n)" 'too long|255'
}

# ---- Keys ----

@test "key: hexadecimal, decimal, octal and negative are the same key" {
    make_queue key:0x4d2
    local name
    for name in key:0x4d2 key:0x4D2 key:0X4d2 key:0x000004d2 key:1234 key:02322 mq:key:0x4d2; do
        accepted "$name" key:1234
        run_tool 0 mqctl create "$name"
        assert_output key:0x000004d2
    done
    grep -q '^ *1234 ' /proc/sysvipc/msg
    removed mq:key:02322 key:0x4d2
    make_queue key:-2
    for name in key:-2 key:0xfffffffe key:4294967294 key:037777777776; do
        accepted "$name" key:-2
        run_tool 0 mqctl create "$name"
        assert_output key:0xfffffffe
    done
    # As /proc has it.
    grep -q '^ *-2 ' /proc/sysvipc/msg
    removed key:0xfffffffe key:-2
    # All bits: -1 is what ftok(3) and msgget(2) say on failure.
    made_queues+=(key:-1)
    run_tool 0 mqctl create key:-1
    assert_output key:0xffffffff
    accepted key:0xffffffff key:-1
    removed key:-1 key:0xffffffff
    made_queues+=(key:-2147483648)
    run_tool 0 mqctl create key:-2147483648
    assert_output key:0x80000000
    removed key:2147483648 key:-2147483648
}

@test "key: not zero, not beyond 32 bits, nothing behind" {
    local name
    for name in key:0 key:00 key:0x0 key:-0 mq:key:0; do
        refused_by_all $name 'IPC_PRIVATE|private'
    done
    for name in key:4294967296 key:-2147483649 key:12x; do
        refused_by_all "$name" "'$name'"
    done
    refused key:0x100000000 key:040000000000 key:99999999999999999999 key:-99999999999999999999 \
        key:-0x80000001 key: key:x key:0x key:08 key:0x4g 'key: 1' 'key:1 ' key:+1 key:--1 key:1.0 \
        key:- key:0x-1 key:0b1 KEY:1 key:key:1 key:$'1\n'
    [ "$(wc -l </proc/sysvipc/msg)" -eq 1 ]
}

# ---- ftok ----

# ftok PATH ID: as the C library has it.
ftok() { perl -MIPC::SysV=ftok -e 'printf "key:0x%08x\n", 0xffffffff & ftok($ARGV[0], 0 + $ARGV[1])' "$@"; }

@test "ftok:PATH and ftok:PATH:ID" {
    local name id
    : >file
    while read -r name id; do
        echo "$name $id"
        made_queues+=("$name")
        run_tool 0 mqctl create "$name"
        assert_output "$(ftok file "$id")"
        removed "$name" "$output"
    done <<NAMES
ftok:file 1
ftok:$PWD/file 1
ftok:./file:1 1
ftok:file:2 2
ftok:file:255 255
ftok:file:007 7
ftok:file:A 65
ftok:file:/ 47
NAMES
    make_queue ftok:file:B
    accepted ftok:file:B "$(ftok file 66)"
    accepted mq:ftok:file:66 "$(ftok file 66)"
    # One character, which need not be ASCII.
    made_queues+=(ftok:file:$'\xff')
    run_tool 0 mqctl create ftok:file:$'\xff'
    assert_output "$(ftok file 255)"
    # A directory has a key, and a path may have colons.
    mkdir a:directory
    run_tool 0 mqctl create ftok:a:directory
    made_queues+=(ftok:a:directory)
    assert_output "$(ftok a:directory 1)"
    run_tool 0 mqctl create ftok:a:directory:B
    made_queues+=(ftok:a:directory:B)
    assert_output "$(ftok a:directory 66)"
}

@test "ftok: a path that is not there, an ID that is none" {
    : >file
    refused_by_all ftok:nothing 'ftok:nothing: .*No such file'
    refused_by_all ftok:file/nothing 'Not a directory'
    refused_by_all ftok:file:256 '255'
    refused ftok: ftok::1 ftok:file:0 ftok:file:1000 ftok:file:99999999999999999999 ftok:file:AB
    [ "$(wc -l </proc/sysvipc/msg)" -eq 1 ]
}

# ---- Identifiers ----

@test "private: create prints id:N, which every tool accepts; each is another one" {
    local first second
    run_tool 0 mqctl create private
    first=$output
    [[ $first =~ ^id:[0-9]+$ ]]
    made_queues+=("$first")
    run_tool 0 mqctl create mq:private
    second=$output
    made_queues+=("$second")
    [ "$first" != "$second" ]
    accepted "$first" "$first"
    accepted "mq:$first" "$first"
    [ "$(mqctl show "$first" | grep ^name)" = "name=$first" ]
    removed "$first" "$first"
    removed "$second" "$second"
    refused_by_all private 'private'
    refused_by_all mq:private 'private'
}

@test "id: a queue with a key as well" {
    make_queue key:0x4d2
    local id
    id=$(mqctl show key:0x4d2 | sed -n 's/^id=//p')
    accepted "id:$id" key:0x4d2
    removed "id:$id" key:0x4d2
}

@test "id:0 is a queue like others" {
    requires limits
    [ -e /proc/sys/kernel/msg_next_id ] || skip 'needs /proc/sys/kernel/msg_next_id'
    set_limit kernel.msg_next_id 0
    run_tool 0 mqctl create private
    made_queues+=("$output")
    assert_output id:0
    accepted id:0 id:0
    removed id:0 id:0
}

@test "another kind in front is refused" {
    local -a command
    while read -ra command; do
        quickly "${command[@]}"
        [[ $stderr =~ ' is '(a message queue|a semaphore|shared memory|a FIFO)', not a ' ]]
    done <<'COMMANDS'
mqsend sem:/names x
mqreceive shm:key:1
mqnotify fifo:/names
fifotee mq:/names
fifocat sem:key:1
mqctl create sem:key:1
semctl create mq:/names
semctl post shm:/names
semctl wait -n fifo:names
semctl show mq:id:0
semctl rm -f mq:/names
COMMANDS
    [ -z "$(ls -A /dev/mqueue)" ]
    [ -z "$(ls -A /dev/shm)" ]
}

@test "id: what is no identifier" {
    refused_by_all id:7x "'id:7x'"
    refused id: id:x id:-1 id:+1 id:0x7 'id: 7' id:2147483648 id:99999999999999999999 ID:7
    # create has no choice of it.
    run_tool 2 mqctl create id:7
    assert_diagnostic mqctl 'id:7'
    run_tool 2 mqctl show id:2147483647
    assert_diagnostic mqctl '^mqctl: id:2147483647: .*No such file'
    [ "$(wc -l </proc/sysvipc/msg)" -eq 1 ]
}

# ---- Descriptors ----

@test "fd:N is a queue that is open" {
    requires posix-mount
    make_queue /names
    exec 6<>/dev/mqueue/names
    run_tool 0 mqsend fd:6 one
    run_tool 0 mqsend mq:fd:6 two
    [ "$(queued /names)" -eq 2 ]
    [ "$(queued fd:6)" -eq 2 ]
    run_tool 0 mqnotify fd:6
    assert_output 'fd:6 - -'
    run_tool 0 mqctl set -m 0640 fd:6
    [ "$(mqctl show /names | grep ^perms)" = perms=0640 ]
    run_tool 0 mqreceive -a fd:6
    assert_output $'one\ntwo'
    # Of no use for these.
    run_tool 2 mqctl rm fd:6
    assert_diagnostic mqctl 'fd:6'
    run_tool 2 mqctl create fd:6
    assert_diagnostic mqctl 'fd:6'
    # It needs no name, but it has its messages.
    run_tool 0 mqsend fd:6 three
    mqctl rm /names
    run_tool 0 mqreceive -a fd:6
    assert_output three
    exec 6<&-
}

@test "fd:0 is a queue as stdin" {
    requires posix-mount
    make_queue /names
    run_tool 0 mqsend fd:0 x <>/dev/mqueue/names
    run_tool 0 mqreceive fd:0 <>/dev/mqueue/names
    assert_output x
}

@test "fd:N that cannot do what it shall" {
    requires posix-mount
    make_queue /names
    exec 6</dev/mqueue/names
    run_tool 2 mqsend fd:6 x
    assert_diagnostic mqsend '^mqsend: fd:6: .*send'
    exec 6<&- 6>>/dev/mqueue/names
    run_tool 2 mqreceive -n fd:6
    assert_diagnostic mqreceive '^mqreceive: fd:6: .*receive'
    run_tool 0 mqsend fd:6 x
    exec 6>&-
    [ "$(queued /names)" -eq 1 ]
}

@test "fd:N is never a descriptor of the tool's own" {
    make_queue /names
    mqsend /names x
    local number alone='exec 3>&- 4>&- 5>&- 6>&- 7>&-; exec "$@"'
    for number in 3 4 5 6 7; do
        run_tool 2 bash -c "$alone" bash mqnotify -w 0 /names fd:$number
        assert_diagnostic mqnotify "fd:$number: .*Bad file descriptor"
        run_tool 125 bash -c "$alone" bash mqreceive -n --dead-letter fd:$number /names -- false
        assert_diagnostic mqreceive "fd:$number: .*Bad file descriptor"
        run_tool 2 bash -c "$alone" bash mqctl show /names fd:$number
        assert_diagnostic mqctl "fd:$number: .*Bad file descriptor"
    done
}

@test "fd:N that is no queue, or not open" {
    : >file
    exec 6<>file
    refused_by_all fd:6 'fd:6: .*(not a message queue|cannot be created|to remove)'
    exec 6>&-
    [ ! -s file ]
    refused_by_all fd:6 'fd:6: .*(Bad file descriptor|cannot be created|to remove)'
    refused fd: fd:x fd:-1 fd:6x fd:0x6 fd:2147483648 fd:99999999999999999999
}

# ---- Kinds ----

@test "another kind's name is refused, and nothing made" {
    local name
    for name in /names key:0x4d2 id:0; do
        refused_by_all "sem:$name" "sem:$name is a semaphore, not a message queue"
        refused_by_all "shm:$name" "shm:$name is shared memory, not a message queue"
    done
    refused_by_all fifo:/tmp/names 'fifo:/tmp/names is a FIFO, not a message queue'
    refused mq:sem:/names sem:mq:/names mq:mq:/names nothing:/names MQ:/names
    [ -z "$(ls -A /dev/mqueue)" ]
    [ "$(wc -l </proc/sysvipc/msg)" -eq 1 ]
}

# ---- What is printed is accepted ----

@test "what create and show print is a name to every tool" {
    local created shown name
    : >file
    for name in /names mq:/names key:77 mq:key:-5 ftok:file private; do
        created=$(mqctl create "$name")
        made_queues+=("$created")
        accepted "$created" "$created"
        shown=$(eval "$(mqctl show "$created")" && echo "$name")
        [ "$shown" = "$created" ]
        run_tool 0 mqctl create "$created" || [[ $created = id:* ]]
        removed "$shown" "$created"
    done
}

# ---- Hostile names ----

hostile=(
    $'/new\nline' $'/\n' $'/\e[31mred\e]0;title\a' $'/\xff\xfe' $'/a\xc3' $'/\u009b31m' $'/\x7f'
    /-rf /--help /-- '/*' '/?[a]' '/ ' '/ two  words ' '/"quotes"' "/it's" '/$(exit 5)' '/`exit 5`'
    '/$HOME' '/back\slash' '/\n' $'/\t' '/;exit 5' '/#' '/~' '/key:5' '/fd:3' /mq: '/=' '/&' '/|'
    $'/z\u00fcri' $'/\U1f600' '/...' '/.hidden'
)

@test "hostile names: create, send, notify, receive, remove" {
    local name created
    for name in "${hostile[@]}"; do
        printf '%q\n' "$name"
        mqctl create -- "$name" >out
        made_queues+=("$name")
        # Exactly, when it goes to a program.
        assert_same <(printf '%s\n' "$name") out
        mqsend -- "$name" one
        mqsend -p 1 -- "mq:$name" two
        mqnotify -- "$name" >out
        assert_same <(printf '%s - -\n' "$name") out
        mqreceive -n -c 2 -- "$name" >out
        assert_same <(printf 'two\none\n') out
        mqctl set -m 0640 -- "$name" >out
        mqctl rm -- "$name" >>out
        [ ! -s out ]
        run ! mqctl show -- "$name"
        made_queues=()
    done
}

@test "hostile names: show gives them back" {
    local wanted number=0
    for wanted in "${hostile[@]}"; do
        printf '%q\n' "$wanted"
        make_queue "$wanted"
        # To a shell: read back in one that has nothing else.
        mqctl show -- "$wanted" >shown
        env -i sh -c '. ./shown; printf "%s\n" "$name"' >out
        assert_same <(printf '%s\n' "$wanted") out
        # As json: one object, a line.
        mqctl show -J -- "$wanted" >"$number.json"
        [ "$(wc -l <"$number.json")" -eq 1 ]
        number=$((number + 1))
        mqctl rm -- "$wanted"
        made_queues=()
    done
    python3 -c '
import base64, json, os, sys
for number, wanted in enumerate(map(os.fsencode, sys.argv[1:])):
    with open("%d.json" % number, "rb") as file:
        shown = json.load(file)
    if "name" in shown:
        assert shown["name"].encode() == wanted, shown
        continue
    assert base64.b64decode(shown["name_base64"]) == wanted, shown
    try:
        wanted.decode()
        sys.exit("base64 though it is UTF-8: %r" % wanted)
    except UnicodeDecodeError:
        pass' "${hostile[@]}"
}

# Whether there is anything on stdin that a terminal acts upon, or that is no UTF-8.
has_controls() {
    ! perl -0777 -ne '
        use Encode;
        my $text = eval { decode("UTF-8", $_, Encode::FB_CROAK) };
        exit(!defined $text || $text =~ /[\x00-\x09\x0b-\x1f\x7f-\x9f]/)'
}

@test "hostile names: a diagnostic is one line without control bytes" {
    local name
    local -a said=()
    for name in "${hostile[@]}"; do
        quickly mqsend -- "$name" x && said+=("$stderr")
        quickly mqreceive -n -- "$name" && said+=("$stderr")
        quickly mqnotify -w 0 -- "$name" && said+=("$stderr")
        quickly mqctl show -- "$name" && said+=("$stderr")
        quickly mqctl set -m 0600 -- "$name" && said+=("$stderr")
        quickly mqctl rm -- "$name" && said+=("$stderr")
    done
    for name in $'no\nslash' $'\e[31m' $'key:\e[m' $'sem:/\e[m' $'ftok:/\e[m\n' $'id:\n' $'fd:\xff' \
        $'/a\n/b' $'\xff' $'nothing:\e'; do
        quickly mqsend -- "$name" x && said+=("$stderr")
        quickly mqctl create -- "$name" && said+=("$stderr")
        quickly mqctl rm -f -- "$name" && said+=("$stderr")
    done
    [ "${#said[@]}" -eq $((${#hostile[@]} * 6 + 30)) ]
    ! has_controls <<<"${said[*]}" || fail 'control bytes on stderr'
}

@test "hostile numbers of processes, and signals: one line without control bytes" {
    local name
    local -a said=()
    for name in "${hostile[@]}" /names mq:/names key:5 id:0 fd:0 '' ' 1' $'1\n' +1 -1 0x1 1e0 1.0 1x \
        2147483648 99999999999999999999 $'TERM\n' 'TERM ' SIGSIGTERM TERM+1 RTMIN+31 'RTMIN+ 1' $'\e'; do
        quickly sigsend -s 0 -- "$name" && said+=("$stderr")
        quickly sigsend -s "$name" -- $$ && said+=("$stderr")
        quickly sigsend -l -- "$name" && said+=("$stderr")
        quickly sigwatch -p "$name" && said+=("$stderr")
        quickly sigwatch "$name" && said+=("$stderr")
        quickly sigwatch -x "$name=true" && said+=("$stderr")
    done
    ! has_controls <<<"${said[*]}" || fail 'control bytes on stderr'
}

@test "hostile names: what mqsend says of them" {
    local name
    for name in $'/new\nline' $'/\e[31m' $'/\xff'; do
        make_queue "$name" --maxmsg 1
        run_tool 0 mqsend -v -- "$name" one
        assert_diagnostic mqsend ': 1 record sent$'
        ! has_controls <<<"$stderr" || fail 'control bytes on stderr'
        run_tool 1 mqsend -n -- "$name" two
        assert_diagnostic mqsend ': 0 sent, record 1 not$'
        ! has_controls <<<"$stderr" || fail 'control bytes on stderr'
        run_tool 1 mqreceive -v -n -c 2 -- "$name"
        mqsend -- "$name" $'two\nlines'
        run_tool 0 mqreceive -v -- "$name"
        assert_diagnostic mqreceive ': message 1 holds a newline itself$'
        ! has_controls <<<"$stderr" || fail 'control bytes on stderr'
    done
}

@test "hostile names: a terminal gets them escaped" {
    local name expected=
    for name in /plain $'/new\nline' $'/\e[31mred' $'/\xff\xfe' $'/\u009b31m'; do
        printf '%q\n' "$name"
        made_queues+=("$name")
        on_terminal sh -ec '
            mqctl create -- "$1"
            mqctl show -- "$1"
            mqctl show -J -- "$1"
            mqsend -- "$1" x
            mqnotify -- "$1"' sh "$name" >out
        : "${expected:=$(wc -l <out)}"
        [ "$(wc -l <out)" -eq "$expected" ]
        ! has_controls <out || fail 'control bytes'
    done
}

@test "a name that looks like an option needs --" {
    local name
    for name in -rf --help-me; do
        run_tool 2 mqctl create $name
        assert_diagnostic mqctl 'option'
        run_tool 2 mqctl create -- $name
        assert_diagnostic mqctl "/$name"
    done
}
