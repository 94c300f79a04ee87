#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Records: each format on both sides, exact for every byte, and what is malformed.
# shellcheck disable=SC2154 # variables of lib.bash and of bats
# shellcheck disable=SC2030,SC2031 # each test has its own
# shellcheck disable=SC2016 # for other shells

load support/lib.bash

setup_file() {
    take_census
    mkdir "$BATS_FILE_TMPDIR/sets"
    cd "$BATS_FILE_TMPDIR/sets" || return
    encode_sets $limit
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    sets=$BATS_FILE_TMPDIR/sets
}

# Both families. Whatever the machine's defaults, a message of 8192 bytes is the longest.
queues=(/records key:0x7265636f)
limit=8192

make_usual() {
    case $1 in
    /*) make_queue "$1" --maxmsg 10 --msgsize $limit ;;
    *)
        [ "$(</proc/sys/kernel/msgmax)" -eq $limit ] || set_limit kernel.msgmax $limit
        make_queue "$1"
        ;;
    esac
}

# The default priority, and others in the order in which messages of them come out.
default_priority() { case $1 in /*) echo 0 ;; *) echo 1 ;; esac; }

# An encoder and decoder of our own.
#
# encode_sets LIMIT: files SET.FORMAT, the same with priority 7 in front as SET.FORMAT.7, and
# SET.count. SET says which bytes do not occur: any, nonl, nonul, neither. SET.0 and SET.1 are
# netstrings with that priority.
encode_sets() {
    python3 - "$1" <<'PYTHON'
import base64, json, sys
limit = int(sys.argv[1])

def encoded(text, format):
    if format == "line":
        return text + b"\n"
    if format == "nul":
        return text + b"\0"
    if format == "netstring":
        return b"%d:%s," % (len(text), text)
    try:
        record = {"data": text.decode()}
    except UnicodeDecodeError:
        record = {"base64": base64.b64encode(text).decode()}
    return json.dumps(record).encode() + b"\n"

for kind, without in {"any": b"", "nonl": b"\n", "nonul": b"\0", "neither": b"\n\0"}.items():
    values = bytes(b for b in range(256) if b not in without)
    def cycle(length, start):
        return (values[start:] + values * (length // len(values) + 1))[:length]
    messages = [values[i:i + 1] for i in range(len(values))]
    messages += [cycle(length, start) for start, length in
                 enumerate((0, limit, 0, 1, limit - 1, len(values), limit))]
    messages += ["z\u00fcri \u20ac \U0001f600 \u0085\u009f\x7f\u2028\U000e0041".encode(), b"\\\"/\b\f\r\t",
                 b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82",
                 b"\xe2\x28\xa1", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x88\x80\x80\x80"]
    files = {"line": ("", "line"), "nul": ("", "nul"), "netstring": ("", "netstring"),
             "json": ("", "json"), "line.7": ("7\t", "line"), "nul.7": ("7\t", "nul"),
             "netstring.7": ("7\t", "netstring"), "0": ("0\t", "netstring"),
             "1": ("1\t", "netstring")}
    for name, (prefix, format) in files.items():
        with open(kind + "." + name, "wb") as file:
            for message in messages:
                file.write(encoded(prefix.encode() + message, format))
    with open(kind + ".count", "w") as file:
        print(len(messages), file=file)
PYTHON
}

# decoded <JSON: netstrings with -P.
decoded() {
    python3 -c '
import base64, json, sys
for line in sys.stdin.buffer:
    assert line.endswith(b"\n")
    record = json.loads(line.decode())
    assert set(record) in ({"priority", "size", "data"}, {"priority", "size", "base64"}), record
    if "data" in record:
        message = record["data"].encode()
    else:
        message = base64.b64decode(record["base64"], validate=True)
        try:
            message.decode()
            sys.exit("base64 though it is UTF-8: %r" % message)
        except UnicodeDecodeError:
            pass
    assert record["size"] == len(message), record
    assert all(byte >= 0x20 for byte in line[:-1]), line
    text = b"%d\t%s" % (record["priority"], message)
    sys.stdout.buffer.write(b"%d:%s," % (len(text), text))'
}

# The set that a format can carry, of two formats.
carried() {
    case "$*" in
    *line*nul* | *nul*line*) echo neither ;;
    *line*) echo nonl ;;
    *nul*) echo nonul ;;
    *) echo any ;;
    esac
}

# carry QUEUE IN OUT FILE COUNT [-P]: the file through the queue into the file out.
carry() {
    spawn sender mqsend "${@:6}" -F "$2" "$1" <"$4"
    mqreceive "${@:6}" -F "$3" -c "$5" "$1" >out
    wait_exit sender 0
    assert_no_stderr
    [ "$(queued "$1")" -eq 0 ]
}

# ---- Every byte, every length ----

@test "framing is exact for all bytes and lengths, from every format to every format" {
    local queue from to set
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        for from in line nul netstring json; do
            for to in line nul netstring json; do
                echo "$queue: $from to $to"
                set=$sets/$(carried $from $to)
                carry "$queue" $from $to "$set.$from" "$(<"$set.count")"
                if [ $to = json ]; then
                    decoded <out >out.decoded
                    assert_same "$set.$(default_priority "$queue")" out.decoded
                else
                    assert_same "$set.$to" out
                fi
            done
        done
    done
}

@test "framing is exact with priorities" {
    local queue from to set
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        for from in line nul netstring; do
            for to in line nul netstring; do
                echo "$queue: $from to $to"
                set=$sets/$(carried $from $to)
                carry "$queue" $from $to "$set.$from.7" "$(<"$set.count")" -P
                assert_same "$set.$to.7" out
            done
        done
    done
}

@test "whole: all of the input is one message, and nothing else is written" {
    local queue length
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        for length in 0 1 255 256 257 $((limit - 1)) $limit; do
            echo "$queue $length"
            tail -c "$length" "$sets/any.netstring" >in
            [ "$(stat -c %s in)" -eq "$length" ]
            run_tool 0 mqsend -F whole "$queue" <in
            [ "$(queued "$queue")" -eq 1 ]
            mqreceive -F whole "$queue" >out
            assert_same in out
        done
        printf 'ends with lines\n\n' >in
        run_tool 0 mqsend -F whole "$queue" <in
        mqreceive -F whole "$queue" >out
        assert_same in out
    done
}

@test "what is in the queue are the bytes alone, as other programs see them" {
    make_usual key:0x7265636f
    local options text
    while IFS='|' read -r options text; do
        echo "$options $text"
        # shellcheck disable=SC2059,SC2086
        run_tool 0 mqsend $options key:0x7265636f < <(printf "$text")
        run_tool 0 perl -MIPC::SysV -e '
            my $id = msgget(0x7265636f, 0) // die "$!\n";
            msgrcv($id, my $message, 8192, 0, 04000) // die "$!\n";
            my ($type, $bytes) = unpack("l! a*", $message);
            print "$type ", unpack("H*", $bytes)'
        assert_output '1 6109620063'
    done <<'FORMATS'
-F whole|a\tb\0c
-F line|a\tb\0c\n
-F netstring|5:a\tb\0c,
-J|{"data":"a\\tb\\u0000c"}\n
-J|{"base64":"YQliAGM="}\n
-P|1\ta\tb\0c\n
-P -F netstring|7:1\ta\tb\0c,
FORMATS
}

@test "messages longer than any buffer" {
    requires limits
    set_limit kernel.msgmax 300000
    set_limit kernel.msgmnb 600000
    set_limit fs.mqueue.msgsize_max 300000
    encode_sets 300000
    make_queue key:0x7265636f
    make_queue /records --maxmsg 1 --msgsize 300000
    local queue format set
    for queue in "${queues[@]}"; do
        for format in line nul netstring; do
            set=$(carried $format)
            carry "$queue" $format $format "$set.$format" "$(<"$set.count")"
            assert_same "$set.$format" out
        done
        carry "$queue" json netstring any.json "$(<any.count)"
        assert_same any.netstring out
        head -c 300000 /dev/urandom >in
        run_tool 0 mqsend -F whole "$queue" <in
        mqreceive -F whole "$queue" >out
        assert_same in out
    done
}

@test "line: a last line without newline counts, an empty line is an empty message" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        run_tool 0 mqsend "$queue" < <(printf '\n\none\r\n\0\nlast')
        mqreceive -a -F netstring "$queue" >out
        printf '0:,0:,4:one\r,1:\0,4:last,' >expected
        assert_same expected out
        run_tool 0 mqsend -0 "$queue" < <(printf '\0\0one\n\0last')
        mqreceive -a -F netstring "$queue" >out
        printf '0:,0:,4:one\n,4:last,' >expected
        assert_same expected out
    done
}

@test "netstring: one after another and in pieces" {
    make_usual /records
    rm -f feed
    mkfifo feed
    exec 7<>feed
    spawn sender mqsend -F netstring /records <feed 7>&-
    local piece
    for piece in 0 : ',' 1 0 :0123 4567 '89,' 1:x,1:y,2: z z ','; do
        printf %s "$piece" >&7
        wait_blocked sender read
    done
    exec 7>&-
    wait_exit sender 0
    run_tool 0 mqreceive -a -F netstring /records
    assert_output '0:,10:0123456789,1:x,1:y,2:zz,'
}

# ---- Priorities ----

@test "-P: the priority and a tab in front; the message may have tabs itself" {
    make_usual /records
    run_tool 0 mqsend -P /records < <(printf '5\tfive\n32767\t\n0\ta\tb\n05\t7\tx\n')
    run_tool 0 mqreceive -a -P /records
    assert_output $'32767\t\n5\tfive\n5\t7\tx\n0\ta\tb'
    run_tool 0 mqsend -P -F netstring /records < <(printf '6:5\tfive,2:9\t,')
    run_tool 0 mqreceive -a -P -F netstring /records
    assert_output $'2:9\t,6:5\tfive,'
    run_tool 0 mqsend -P -0 /records < <(printf '5\tfive\n\0009\t')
    run_tool 0 bash -c 'mqreceive -a -P -0 /records | od -An -c | tr -d " \n"'
    assert_output '9\t\05\tfive\n\0'
}

@test "-P: System V types" {
    make_usual key:0x7265636f
    run_tool 0 mqsend -P key:0x7265636f < <(printf '5\tfive\n2147483647\tbig\n1\tone\n')
    run_tool 0 mqreceive -a -P key:0x7265636f
    assert_output $'5\tfive\n2147483647\tbig\n1\tone'
}

@test "-P: malformed priorities stop it, named; what came before is sent" {
    local queue prefix
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        for prefix in '' '\t' 'x\t' '5' '5 ' ' 5\t' '5 \t' '+5\t' '5.0\t' '5x\t' '0x5\t' '5e0\t' \
            '99999999999999999999\t' '-1\t' '-\t' '4294967296000000000000000001\t'; do
            echo "$queue $prefix"
            # shellcheck disable=SC2059
            run_tool 2 mqsend -P "$queue" < <(printf "3\\tone\\n${prefix}x\\n3\\tthree\\n")
            assert_diagnostic mqsend 'record 2.*1 sent, record 2 not$'
            run_tool 0 mqreceive -aP "$queue"
            assert_output $'3\tone'
        done
        # An empty record has no priority.
        run_tool 2 mqsend -P "$queue" < <(printf '\n')
        assert_diagnostic mqsend 'record 1.*0 sent, record 1 not$'
        run_tool 2 mqsend -P -F netstring "$queue" < <(printf '0:,')
        assert_diagnostic mqsend 'record 1.*0 sent, record 1 not$'
        [ "$(queued "$queue")" -eq 0 ]
    done
}

@test "a record of the limit has room for its priority" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        { printf '00000000000000000007\t'; head -c $limit /dev/zero | tr '\0' x; echo; } >in
        run_tool 0 mqsend -P "$queue" <in
        run_tool 0 mqreceive -P "$queue"
        assert_output "7	$(head -c $limit /dev/zero | tr '\0' x)"
    done
}

@test "mqreceive -aP /a | mqsend -P /b moves a queue with its priorities" {
    local from to
    for from in "${queues[@]}"; do
        for to in /records-b key:0x7265636e; do
            make_usual "$from"
            make_queue "$to"
            mqsend -p 3 "$from" three '' $'tab\t'
            mqsend -p 9 "$from" nine
            mqsend -p 1 "$from" one
            mqsend -p 3 "$from" $'\e[m'
            # Its order, without taking anything away for good.
            mqreceive -aJ "$from" >expected
            mqsend -J "$from" <expected
            [ "$(queued "$from")" -eq 6 ]
            run_tool 0 bash -c 'set -o pipefail; mqreceive -aP "$1" | mqsend -P "$2"' bash "$from" "$to"
            assert_no_stderr
            [ "$(queued "$from")" -eq 0 ]
            [ "$(queued "$to")" -eq 6 ]
            mqreceive -aJ "$to" >out
            case $to in
            # System V keeps the order in which they came.
            key:*) assert_same expected out ;;
            # POSIX gives the highest first, equals in order.
            *) assert_same <(sort -s -t : -k 2,2nr expected) out ;;
            esac
            # All bytes: the same with netstrings.
            mqsend -F netstring -p 4 "$from" < <(printf '3:a\nb,2:\0\xff,')
            run_tool 0 bash -c 'set -o pipefail; mqreceive -aP -F netstring "$1" | mqsend -P -F netstring "$2"' \
                bash "$from" "$to"
            mqreceive -aP -F netstring "$to" >out
            assert_same <(printf '5:4\ta\nb,4:4\t\0\xff,') out
            mqctl rm "$from" "$to"
        done
    done
}

# ---- Netstrings ----

@test "netstring: malformed ones stop it, named; what came before is sent" {
    local queue=/records text
    make_usual $queue
    for text in 5 5: 5:abc 5:abcde '5:abcde;' '3:abcde,' '05:abcde,' '00:,' '-1:x,' '+1:x,' ' 1:x,' \
        '-0:,' '1 :x,' 'x:x,' ':,' ',,' $'1:x\n' '3abc,' '1x:y,' '99999999999999999999:x,' \
        '9223372036854775808:x,' '0x1:x,' 12345678901234567890123 $'\n'; do
        echo "$text"
        run_tool 2 mqsend -F netstring $queue < <(printf '3:one,%s' "$text")
        assert_diagnostic mqsend 'record 2.*1 sent, record 2 not$'
        run_tool 0 mqreceive -a $queue
        assert_output one
    done
    # An endless length is not waited for.
    run_tool 2 bash -c 'tr "\0" 1 </dev/zero | mqsend -F netstring /records'
    assert_diagnostic mqsend 'record 1'
    run_tool 2 bash -c 'yes | tr -d "\n" | mqsend -F netstring /records'
    assert_diagnostic mqsend 'record 1'
    [ "$(queued $queue)" -eq 0 ]
}

# ---- json ----

# sends JSON EXPECTED: a line of json, and what it is in the queue, as netstring with its priority.
sends() {
    echo "$1"
    run_tool 0 mqsend -J /records <<<"$1"
    assert_no_stderr
    run_tool 0 mqreceive -aP -F netstring /records
    assert_output "$2"
}

# refuses JSON [REGEX]: a line that is an error; what came before is sent. For very many runs, so
# without run_tool.
refuses() {
    local status=0
    printf '%.200s\n' "$1"
    printf '%s\n' '{"data":"before"}' "$1" '{"data":"after"}' >in.json
    timeout -k 1 "$PATIENCE" mqsend -J /records <in.json 2>err || status=$?
    mapfile -t stderr_lines <err
    echo "$status: ${stderr_lines[*]}"
    [ "$status" -eq 2 ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ ${stderr_lines[0]} =~ ^mqsend:\ .*record\ 2:\ .*${2-}.*1\ sent,\ record\ 2\ not$ ]]
    [ "$(mqreceive -a /records)" = before ]
}

@test "json: data or base64, and a priority or none" {
    make_usual /records
    sends '{"data":"text"}' $'6:0\ttext,'
    sends '{"priority":5,"data":"text"}' $'6:5\ttext,'
    sends ' { "data" : "text" , "priority" : 5 } ' $'6:5\ttext,'
    sends $'\t{"data":"text"}\r' $'6:0\ttext,'
    sends '{"priority":32767,"base64":"dGV4dA=="}' $'10:32767\ttext,'
    sends '{"base64":"dGV4"}' $'5:0\ttex,'
    sends '{"base64":""}' $'2:0\t,'
    sends '{"data":""}' $'2:0\t,'
    sends '{"priority":0,"size":99,"data":"size is ignored"}' $'17:0\tsize is ignored,'
    run_tool 0 mqsend -J -p 7 /records < <(printf '%s\n' '{"data":"a"}' '{"priority":8,"data":"b"}')
    run_tool 0 mqreceive -aP /records
    assert_output $'8\tb\n7\ta'
}

@test "json: a last line without newline counts" {
    make_usual /records
    run_tool 0 mqsend -J /records < <(printf '{"data":"a"}\n{"data":"b"}')
    run_tool 0 mqreceive -a /records
    assert_output $'a\nb'
}

@test "json: the default type on System V, and its range" {
    make_usual key:0x7265636f
    run_tool 0 mqsend -J key:0x7265636f <<<'{"data":"a"}'
    run_tool 0 mqsend -J key:0x7265636f <<<'{"priority":9223372036854775807,"data":"b"}'
    run_tool 2 mqsend -J key:0x7265636f <<<'{"priority":0,"data":"c"}'
    assert_diagnostic mqsend 'record 1 .*0 sent'
    run_tool 0 mqreceive -aJ key:0x7265636f
    assert_output '{"priority":1,"size":1,"data":"a"}
{"priority":9223372036854775807,"size":1,"data":"b"}'
}

@test "json: escapes, NUL and surrogate pairs" {
    make_usual /records
    sends '{"data":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC"}' $'16:0\t"\\/\b\f\n\r\tA\u00e9\u20ac,'
    sends '{"data":"\ud83d\ude00\uD83D\uDE00"}' $'10:0\t\U1f600\U1f600,'
    sends $'{"data":"z\u00fcri \u20ac \U1f600"}' $'16:0\tz\u00fcri \u20ac \U1f600,'
    sends $'{"data":"\x7f"}' $'3:0\t\x7f,'
    run_tool 0 mqsend -J /records <<<'{"data":"\u0000a\u0000"}'
    mqreceive -F whole /records >out
    assert_same <(printf '\0a\0') out
    # The key may be escaped as well.
    sends '{"\u0064ata":"text"}' $'6:0\ttext,'
}

@test "json: unknown keys are ignored" {
    make_usual /records
    sends '{"x":1,"data":"a","y":[1,{"data":"b","base64":"c","priority":9}],"z":null}' $'3:0\ta,'
    sends '{"size":-1.5e300,"Data":"b","data":"a","":true,"x":"","x":""}' $'3:0\ta,'
    sends '{"x":123456789012345678901234567890,"data":"a","y":{"priority":"high"}}' $'3:0\ta,'
    sends "{\"x\":$(printf '[%.0s' {1..20000})$(printf ']%.0s' {1..20000}),\"data\":\"a\"}" $'3:0\ta,'
    sends "{\"x\":$(printf '{"":%.0s' {1..10000})0$(printf '}%.0s' {1..10000}),\"data\":\"a\"}" $'3:0\ta,'
}

@test "json: neither or both of data and base64" {
    make_usual /records
    refuses '{}' 'data.*base64'
    refuses '{"priority":5}' 'data.*base64'
    refuses '{"x":{"data":"y"}}' 'data.*base64'
    refuses '{"data":"a","base64":"YQ=="}' 'data.*base64'
    refuses '{"base64":"YQ==","data":"a"}' 'data.*base64'
}

@test "json: a key of ours that is there twice" {
    make_usual /records
    refuses '{"data":"a","data":"b"}'
    refuses '{"base64":"YQ==","base64":"YQ=="}'
    refuses '{"priority":1,"priority":1,"data":"a"}'
}

@test "json: values of the wrong type" {
    make_usual /records
    local value
    for value in 1 null true '["a"]' '{"data":"a"}' 1.5; do
        refuses "{\"data\":$value}"
        refuses "{\"base64\":$value}"
        refuses "{\"data\":\"a\",\"x\":0,\"base64\":$value}"
    done
    for value in '"5"' null true 1.5 1e2 '[5]' '{"priority":5}' 99999999999999999999 \
        -99999999999999999999; do
        refuses "{\"priority\":$value,\"data\":\"a\"}" 'priority'
    done
    for value in -1 32768 4294967296; do
        run_tool 2 mqsend -J /records <<<"{\"priority\":$value,\"data\":\"a\"}"
        assert_diagnostic mqsend "record 1 .*priority $value.*0 sent"
    done
    for value in '"data"' '["data"]' '[]' 5 null true '""' '[{"data":"a"}]'; do
        refuses "$value" 'object'
    done
}

@test "json: what is no json" {
    make_usual /records
    local text
    for text in '{' '{"data":"a"' '{"data":"a' '{"data"}' '{"data":}' '{data:"a"}' "{'data':'a'}" \
        '{"data":"a",}' '{,"data":"a"}' '{"data":"a"} x' '{"data":"a"}{"data":"b"}' \
        '{"data":"a"},' '{"data":"a"}]' '{"data":"\x41"}' '{"data":"\u12"}' '{"data":"\u12g4"}' \
        $'{"data":"\t"}' $'{"data":"\e"}' '{"priority":05,"data":"a"}' '{"priority":+5,"data":"a"}' \
        '{"priority":.5,"data":"a"}' '{"x":nul,"data":"a"}' '{"x":NaN,"data":"a"}' \
        '/**/{"data":"a"}' '{"data":"a"} // comment' text '{"x":[1,],"data":"a"}' '{"x":[},"data":"a"}'; do
        refuses "$text"
    done
    # A NUL does not end it.
    run_tool 2 mqsend -J /records < <(printf '{"data":"a"}\0{"data":"b"}\n')
    assert_diagnostic mqsend 'record 1'
    run_tool 2 mqsend -J /records < <(printf '{"data":"a\0b"}\n')
    assert_diagnostic mqsend 'record 1'
    [ "$(queued /records)" -eq 0 ]
}

@test "json: lone surrogates and invalid UTF-8" {
    make_usual /records
    local text
    for text in '\ud800' '\udc00' '\ud83dx' '\ud83d\u0041' '\ude00\ud83d' 'x\udfff' '\ud83d\ud83d'; do
        refuses "{\"data\":\"$text\"}"
        refuses "{\"data\":\"a\",\"x\":\"$text\"}"
        refuses "{\"data\":\"a\",\"$text\":0}"
    done
    for text in $'\xff' $'\xc0\x80' $'\xed\xa0\x80' $'\xf4\x90\x80\x80' $'\xe2\x82' $'\x80' \
        $'\xe2\x28\xa1' $'\xe0\x80\xaf' $'\xf0\x80\x80\xaf' $'\xf8\x88\x80\x80\x80'; do
        refuses "{\"data\":\"$text\"}"
        refuses "{\"data\":\"a\",\"x\":\"$text\"}"
        refuses "{\"data\":\"a\",\"$text\":0}"
    done
}

@test "json: malformed base64" {
    make_usual /records
    local text
    for text in = == === Y YQ YQ= YQ=== 'YQ==YQ==' 'Y=Q=' '=YQ=' 'YQ= =' ' YQ==' 'YQ==\n' 'Y-_=' 'Y*==' \
        YR== YWJ= '\u0000===' $'\u00e9A=='; do
        refuses "{\"base64\":\"$text\"}"
    done
}

@test "json: a hundred thousand open brackets are an error, not a crash" {
    make_usual /records
    local many
    many=$(printf '[%.0s' {1..100000})
    refuses "$many"
    refuses "{\"x\":$many"
    refuses "{\"data\":$many"
    many=$(printf '{"x":%.0s' {1..50000})
    refuses "$many"
}

@test "json: an endless line is not collected" {
    make_usual /records
    local -a bounded=(env)
    is_sanitized || bounded=(prlimit --as=200000000)
    run_tool 2 bash -c '{ printf "{\"data\":\""; tr "\0" x </dev/zero; } | "$@" mqsend -J /records' \
        bash "${bounded[@]}"
    assert_diagnostic mqsend 'record 1.*0 sent'
    [ "$(queued /records)" -eq 0 ]
}

@test "json: what mqreceive writes mqsend reads" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        mqsend -F netstring -p 6 "$queue" < <(printf '3:a\nb,2:\0\xff,0:,4:\e[m",')
        mqreceive -aJ "$queue" >expected
        [ "$(wc -l <expected)" -eq 4 ]
        run_tool 0 mqsend -J "$queue" <expected
        mqreceive -aJ "$queue" >out
        assert_same expected out
    done
}

@test "json: base64 only where the bytes are no UTF-8" {
    make_usual /records
    printf '%s' text >in
    run_tool 0 mqsend -F whole /records <in
    run_tool 0 mqreceive -J /records
    assert_output '{"priority":0,"size":4,"data":"text"}'
    printf '\xff\xfe' >in
    run_tool 0 mqsend -p 3 -F whole /records <in
    run_tool 0 mqreceive -J /records
    assert_output '{"priority":3,"size":2,"base64":"//4="}'
}

# ---- --pack ----

# packs QUEUE FORMAT: the file in through --pack arrives as it was; messages in the file counts.
packs() {
    spawn sender mqsend --pack -F "$2" "$1" <in
    # Until the last: the queue goes when the sender is done.
    spawn receiver mqreceive -f -u -F "$2" "$1"
    wait_exit sender 0
    assert_no_stderr
    mqctl rm "$1"
    wait_until ended "${pid[receiver]}"
    wait "${pid[receiver]}"
    unset 'pid[receiver]'
    mv "$(out receiver)" out
}

@test "--pack: the other side gives the same stream" {
    local queue format
    for queue in "${queues[@]}"; do
        for format in line nul; do
            # With empty records among them, and all lengths up to the limit.
            python3 - $limit $format >in <<'PYTHON'
import sys
limit, end = int(sys.argv[1]), {"line": b"\n", "nul": b"\0"}[sys.argv[2]]
other = b"\0" if end == b"\n" else b"\n"
lengths = [0, 0, 1, limit, limit, 0, limit - 1, 0, 0, limit - 2, 1, 0, limit, 0, limit // 2,
           limit // 2 - 1, limit // 2, limit // 2, 0] + list(range(300)) + [0] * 20000 + [1] * 9000
for n, length in enumerate(lengths):
    sys.stdout.buffer.write((other + b"%d" % n + b"x" * limit)[:length] + end)
PYTHON
            make_usual "$queue"
            packs "$queue" $format
            assert_same in out
        done
    done
}

@test "--pack: a last record without its end, and a last empty one" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        run_tool 0 mqsend --pack "$queue" < <(printf 'one\ntwo')
        run_tool 0 mqsend --pack "$queue" < <(printf '\n')
        run_tool 0 mqsend --pack "$queue" < <(printf 'three\n\n')
        run_tool 0 mqsend --pack -0 "$queue" < <(printf 'four\n\0\0')
        mqreceive -a "$queue" >out
        [ "$(tr '\0' '@' <out)" = $'one\ntwo\n\nthree\n\nfour\n@' ]
    done
}

@test "--pack: messages hold whole records, as many as fit" {
    local queue
    for queue in "${queues[@]}"; do
        case $queue in
        /*) make_queue "$queue" --msgsize 10 ;;
        *) make_queue "$queue" --maxbytes 100 && set_limit kernel.msgmax 10 ;;
        esac
        run_tool 0 mqsend -v --pack "$queue" < <(printf '%s\n' aaaa bbbbb cc 1234567890 '' dddd eeee fffff)
        assert_diagnostic mqsend ': 8 records sent'
        run_tool 0 mqreceive -a -F netstring "$queue"
        # cc and what follows do not fit together; the empty one and those after it do.
        assert_output '10:aaaa
bbbbb,2:cc,10:1234567890,10:
dddd
eeee,5:fffff,'
    done
}

@test "--pack: needs far fewer messages" {
    make_usual /records
    seq 10000 >in
    run_tool 0 mqsend -n --pack /records <in
    [ "$(queued /records)" -le 7 ]
    mqreceive -a /records >out
    assert_same in out
}

@test "--pack: a record over the limit stops it: number, length, limit and count are of records" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        {
            printf 'one\n\nthree\n'
            head -c $((limit + 1)) /dev/zero | tr '\0' x
            printf '\nafter\n'
        } >in
        run_tool 2 mqsend --pack "$queue" < <(cat in)
        assert_diagnostic mqsend "record 4 is $((limit + 1)) bytes, the queue takes $limit.*3 sent, record 4 not\$"
        run_tool 0 bash -c 'mqsend --pack "$1" 2>/dev/null; [ $? -eq 2 ] && tail -n 1' bash "$queue" <in
        assert_output after
        mqreceive -a "$queue" >out
        assert_same <(printf 'one\n\nthree\none\n\nthree\n') out
    done
}

# ---- A record that holds its own delimiter ----

@test "-v says when a record holds its own delimiter" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        mqsend "$queue" one $'two\nlines' three $'\n'
        run_tool 0 mqreceive -a -v "$queue"
        assert_output $'one\ntwo\nlines\nthree'
        [ "$stderr" = "mqreceive: $queue: message 2 holds a newline itself
mqreceive: $queue: message 4 holds a newline itself" ]
        mqsend -F netstring "$queue" < <(printf '3:a\0b,3:a\nb,')
        run_tool 0 bash -c 'mqreceive -0 -a -v "$1" >out' bash "$queue"
        assert_diagnostic mqreceive "^mqreceive: $queue: message 1 holds a NUL itself\$"
        assert_same <(printf 'a\0b\0a\nb\0') out
    done
}

@test "nothing is said of it without -v, or where a format can carry it" {
    make_usual /records
    local option
    for option in '' -0 '-v -F netstring' '-v -J' '-v -0' '-v -P -F netstring'; do
        mqsend /records $'two\nlines'
        # shellcheck disable=SC2086
        run_tool 0 bash -c 'mqreceive "$@" >out' bash $option /records
        assert_no_stderr
    done
    mqsend -F whole /records < <(printf 'a\0b\n')
    run_tool 0 bash -c 'mqreceive -v -F whole "$@" >out' bash /records
    assert_no_stderr
}

# ---- On a terminal ----

# Control bytes, C1 in UTF-8, what turns text around or cannot be seen, bytes that are no UTF-8, and
# text that is.
nasty=$'\e]0;title\a\r\t\x7f\u0085\u009b\u202e\U000e0041\xff\x9b z\u00fcri \u20ac'

# Whether a file has bytes a terminal acts upon; ends of lines aside.
has_controls() {
    python3 -c 'import sys, unicodedata
text = sys.stdin.buffer.read().replace(b"\n", b"").decode(errors="surrogateescape")
# Cs: the bytes that are no UTF-8.
sys.exit(not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text))' <"$1"
}

@test "a terminal gets control bytes escaped" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        mqsend "$queue" "$nasty" "$nasty" "$nasty" "$nasty" \
            $'\e\x7f\u009b\u2028\u202e\U000e0041z\u00fcri \u20ac'
        on_terminal sh -c 'for option in "" -u -Fnetstring -J -J; do mqreceive $option "$1"; done' \
            sh "$queue" >out
        cat -v out
        run ! has_controls out
        # Text stays text; one has its bytes in base64.
        [ "$(grep -o $'z\u00fcri \u20ac' out | wc -l)" -eq 4 ]
        # One line each.
        mqsend "$queue" $'two\nlines' $'z\u00fcri \u20ac \U1f600 \\'
        on_terminal mqreceive -a "$queue" >out
        [ "$(cat out)" = 'two\x0alines'$'\n'$'z\u00fcri \u20ac \U1f600 \\' ]
    done
}

@test "a terminal gets the separators of the format" {
    make_usual /records
    mqsend -p 4 /records $'a\tb'
    on_terminal mqreceive -P /records >out
    assert_same <(printf '4\ta\\x09b\n') out
    mqsend /records a b
    on_terminal mqreceive -a -0 /records >out
    assert_same <(printf 'a\0b\0') out
    mqsend /records $'\e'
    on_terminal mqreceive -F netstring /records >out
    assert_same <(printf '4:\\x1b,') out
}

@test "a terminal gets the exact bytes with --literal or the format whole" {
    local queue
    for queue in "${queues[@]}"; do
        make_usual "$queue"
        printf '%s\n%s%s' "$nasty" "$nasty" "$nasty" >expected
        mqsend "$queue" "$nasty" "$nasty" "$nasty"
        on_terminal sh -c 'mqreceive --literal "$1"; mqreceive -F whole "$1"
            mqreceive -F whole --literal "$1"' sh "$queue" >out
        assert_same expected out
    done
}

@test "a pipe or a file gets the exact bytes" {
    make_usual /records
    printf '%s\n' "$nasty" >expected
    mqsend /records "$nasty" "$nasty"
    mqreceive /records >out
    assert_same expected out
    mqreceive /records | cat >out
    assert_same expected out
    # stdout is what counts.
    mqsend /records "$nasty"
    # shellcheck disable=SC2016
    on_terminal bash -c 'mqreceive /records >"$1"' bash "$PWD/out"
    assert_same expected out
}

# ---- Usage ----

@test "whole is for one message: not with -a, -f or -c above 1" {
    make_usual /records
    mqsend /records one two
    local option
    for option in -a -f '-c 2' '--count=3' -P; do
        # shellcheck disable=SC2086
        run_tool 2 mqreceive -F whole $option /records
        assert_diagnostic mqreceive '; see mqreceive --help$'
    done
    run_tool 2 mqreceive -P -J /records
    assert_diagnostic mqreceive '; see mqreceive --help$'
    [ "$(queued /records)" -eq 2 ]
    run_tool 0 mqreceive -F whole -c 1 /records
    assert_output one
}

@test "a record of more than 16 MiB that a System V queue takes is one message" {
    requires limits
    set_limit kernel.msgmax 33554432
    set_limit kernel.msgmnb 67108864
    make_queue key:0x62696731 --maxbytes 64M
    local big=$BATS_TEST_TMPDIR/big
    { head -c 20000000 /dev/zero | tr '\0' x && printf '\ntail\n'; } >"$big"
    run_tool 0 mqsend -n key:0x62696731 <"$big"
    [ "$(queued key:0x62696731)" -eq 2 ]
    mqreceive -a key:0x62696731 >"$big.received"
    assert_same "$big.received" "$big"
}
