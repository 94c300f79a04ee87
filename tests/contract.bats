#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What holds for every tool; one that is registered is tested here without another word.
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

setup() {
    build=$IPCTOOLS_BIN/..
    top=$BATS_TEST_DIRNAME/..
    local name kind
    tools=()
    declare -gA linkage=()
    while IFS=$'\t' read -r name kind; do
        tools+=("$name")
        linkage[$name]=$kind
    done <"$build/tools.list"
    [ "${#tools[@]}" -gt 0 ]
}

# read_table TOOL: its option table into shorts, longs (spellings), and what the rest tells.
read_table() {
    tool=$1 operand_kind=
    shorts=() longs=() with_argument=() without_argument=() verbs=() synopses=() first_verb=()
    local fields
    while IFS=$'\t' read -ra fields; do
        case ${fields[0]} in
        synopsis) synopses+=("${fields[1]}") ;;
        verb) verbs+=("${fields[1]}") ;;
        operand) operand_kind=${operand_kind:-${fields[1]}} ;;
        option)
            [ "${fields[1]}" = - ] || shorts+=("-${fields[1]}")
            longs+=("--${fields[2]}")
            # Behind a verb that it goes with.
            local verb=${fields[6]%%,*}
            [ "$verb" != - ] || verb=${verbs[0]-}
            case ${fields[3]} in
            required) with_argument+=("$verb --${fields[2]}") ;;
            none) without_argument+=("$verb --${fields[2]}") ;;
            esac
            ;;
        esac
    done < <("$tool" --dump-options)
    # What comes before options and operands.
    [ "${#verbs[@]}" -eq 0 ] || first_verb=("${verbs[0]}")
    [ "${#synopses[@]}" -gt 0 ]
    [ "${#longs[@]}" -gt 1 ]
}

# Whether it can do without operands.
needs_operand() { [[ ${synopses[0]} != *'[OPTION]... ['*']...' ]]; }

runs_command() { [[ ${synopses[*]} == *'-- COMMAND'* ]]; }

# wrap: the words of a wrapper before its options and operand into $wrapper; an operand on which it
# runs its COMMAND at once into $object, and one that there is not into $no_object.
wrap() {
    local word line
    wrapper=("$tool")
    for word in "${verbs[@]}"; do
        for line in "${synopses[@]}"; do
            [[ $line != "$tool $word "*'-- COMMAND'* ]] || wrapper[1]=$word
        done
    done
    object=/contract no_object=/no-such-object
    case $operand_kind in
    signal) object=USR1 no_object=USR3 ;;
    queue) make_queue /contract && mqsend /contract message ;;
    semaphore) make_semaphore /contract --value 1 ;;
    *) fail "what is a $operand_kind?" ;;
    esac
}

# given_back: whether the operand is as it was; what a tool leaves behind may need a moment.
given_back() {
    case $operand_kind in
    queue) [ "$(queued /contract)" -eq 1 ] ;;
    semaphore) [ "$(semctl value /contract)" -eq 1 ] ;;
    esac
}

# misused ARGUMENT...: $tool refuses them as wrong usage.
misused() {
    echo "$tool $*"
    run_tool 2 "$tool" "$@"
    assert_diagnostic "$tool" "; see $tool --help\$"
    assert_output ''
}

# The pages' options: on the tags of lists and in the synopsis.
page_options() {
    awk '
        $1 == ".Sh" { synopsis = $2 == "SYNOPSIS" }
        $1 == ".It" && $2 == "Fl" || synopsis && $1 ~ /^\.(Fl|Op|Oo)$/ {
            for (i = 1; i < NF; i++) if ($i ~ /^\.?Fl$/ && $(i + 1) != "Fl") print "-" $(i + 1)
        }' "$top/man/$tool.1" | sort -u
}

@test "--help and -h: every option and synopsis, on stdout, status 0" {
    local option line
    for tool in "${tools[@]}"; do
        read_table "$tool"
        for option in --help -h; do
            run_tool 0 "$tool" "$option"
            assert_no_stderr
            assert_line --index 0 --regexp "^Usage: $tool "
        done
        for option in "${shorts[@]}" "${longs[@]}"; do
            echo "$tool $option"
            [[ $output =~ [\ ,]$option([^a-z0-9-]|$) ]]
        done
        for option in "${verbs[@]}"; do
            run_tool 0 "$tool" "$option" --help
            assert_line --index 0 --regexp "^Usage: $tool "
            assert_no_stderr
        done
    done
}

@test "--help fits into 80 columns" {
    local line
    for tool in "${tools[@]}"; do
        while IFS= read -r line; do
            echo "$tool: $line"
            [ "${#line}" -le 80 ]
        done < <("$tool" --help)
    done
}

@test "--version and -V" {
    local option version
    version=$(sed -n 's/^project(ipctools VERSION \([0-9.]*\).*/\1/p' "$top/CMakeLists.txt")
    for tool in "${tools[@]}"; do
        for option in --version -V; do
            run_tool 0 "$tool" "$option"
            assert_output "$tool (ipctools) $version"
            assert_no_stderr
        done
    done
}

@test "misuse: an unknown option" {
    local letter
    for tool in "${tools[@]}"; do
        read_table "$tool"
        for letter in Z Q j k y; do
            [[ " ${shorts[*]} " == *" -$letter "* ]] || break
        done
        misused "${first_verb[@]}" "-$letter"
        misused "${first_verb[@]}" --no-such-option
        misused "${first_verb[@]}" --no-such-option=value
        misused "${first_verb[@]}" $'--no\nsuch\e[option'
    done
}

@test "misuse: an ambiguous abbreviation" {
    local one other
    for tool in "${tools[@]}"; do
        read_table "$tool"
        for one in "${longs[@]}"; do
            for other in "${longs[@]}"; do
                if [ "$one" != "$other" ] && [ "${one:0:3}" = "${other:0:3}" ]; then
                    misused "${first_verb[@]}" "${one:0:3}"
                    break 2
                fi
            done
        done
    done
}

@test "misuse: an option without its argument" {
    local option
    for tool in "${tools[@]}"; do
        read_table "$tool"
        for option in "${with_argument[@]}"; do
            # shellcheck disable=SC2086 # the verb may be empty
            misused $option
        done
    done
}

@test "misuse: an argument for an option that takes none" {
    local option
    for tool in "${tools[@]}"; do
        read_table "$tool"
        for option in "${without_argument[@]}"; do
            # shellcheck disable=SC2086 # the verb may be empty
            misused $option=value
        done
    done
}

@test "misuse: no operand, no verb, an unknown verb" {
    local verb
    for tool in "${tools[@]}"; do
        read_table "$tool"
        ! needs_operand || misused
        for verb in "${verbs[@]}"; do
            misused "$verb"
            misused "$verb" --
        done
        [ "${#verbs[@]}" -eq 0 ] || misused no-such-verb /queue
    done
}

@test "the page has every option of the table, and no other" {
    for tool in "${tools[@]}"; do
        read_table "$tool"
        echo "$tool"
        run diff <(printf '%s\n' "${shorts[@]}" "${longs[@]}" | sort -u) <(page_options)
        assert_success
    done
}

@test "the page is clean, and has its sections" {
    local section
    requires mandoc
    for tool in "${tools[@]}"; do
        run mandoc -T lint -W warning "$top/man/$tool.1"
        assert_success
        assert_output ''
        for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES CAVEATS 'SEE ALSO'; do
            echo "$tool: $section"
            grep -qix "\.Sh $section" "$top/man/$tool.1"
        done
    done
}

@test "the page tells every exit status" {
    local -a statuses
    local section status_
    for tool in "${tools[@]}"; do
        read_table "$tool"
        section=$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' "$top/man/$tool.1")
        statuses=(0 2)
        [[ " ${longs[*]} " != *' --nonblock '* ]] || statuses+=(1)
        [[ " ${longs[*]} " != *' --timeout '* ]] || statuses+=(124)
        ! runs_command || statuses+=(125 126 127)
        for status_ in "${statuses[@]}"; do
            echo "$tool: $status_"
            grep -Eq "^\.It (Li |Sy )?$status_\$" <<<"$section"
        done
    done
}

@test "the completions have every option" {
    local option
    for tool in "${tools[@]}"; do
        read_table "$tool"
        for option in "${shorts[@]}" "${longs[@]}"; do
            echo "$tool $option"
            grep -Eq -- "[ ']${option}[= ']" "$build/completions/bash/$tool"
            grep -Eq -- "[)']${option}(=|\+|-|=-)?\[" "$build/completions/zsh/_$tool"
            case $option in
            --*) grep -Eq -- " -l ${option#--} " "$build/completions/fish/$tool.fish" ;;
            *) grep -Eq -- " -s ${option#-} " "$build/completions/fish/$tool.fish" ;;
            esac
        done
    done
}

@test "what a tool opens does not take the place of a closed standard descriptor" {
    local command
    make_queue /contract
    make_semaphore /contract
    mqsend /contract message
    for command in 'mqctl show' mqnotify mqreceive 'semctl create' 'semctl show' 'semctl value'; do
        # shellcheck disable=SC2086 # words
        run_tool 2 sh -c '"$@" >&-' sh $command /contract
        assert_diagnostic "${command%% *}" 'stdout: cannot write: Bad file descriptor'
    done
    run_tool 2 sh -c '"$@" <&-' sh mqsend /contract
    assert_diagnostic mqsend 'stdin: cannot read: Bad file descriptor'
    [ "$(queued /contract)" -eq 1 ]
}

@test "a full or closed stdout is an error" {
    local option
    for tool in "${tools[@]}"; do
        for option in --help --version --dump-options; do
            run_tool 2 sh -c '"$@" >/dev/full' sh "$tool" "$option"
            assert_diagnostic "$tool" 'No space left on device'
            run_tool 2 sh -c '"$@" >&-' sh "$tool" "$option"
            assert_diagnostic "$tool"
        done
    done
}

@test "a stdout that fails only when it is closed is an error" {
    requires strace
    local file=$BATS_TEST_TMPDIR/file
    for tool in "${tools[@]}"; do
        # shellcheck disable=SC2016 # for the other shell
        run_tool 2 sh -c '"$@" >"$0"' "$file" strace -qq -o /dev/null -P "$file" \
            -e trace=close -e inject=close:error=EIO "$tool" --version
        assert_diagnostic "$tool" 'stdout: cannot write: Input/output error'
    done
}

# ${nonblocking[@]} FD COMMAND...: COMMAND with FD non-blocking.
nonblocking=(python3 -c '
import os, sys
os.set_blocking(int(sys.argv[1]), False)
os.execvp(sys.argv[2], sys.argv[2:])')

@test "a non-blocking stdout or stderr that is full is waited for" {
    for tool in "${tools[@]}"; do
        open_full_pipe
        # shellcheck disable=SC2154 # from open_full_pipe
        spawn_into "$tool" "$fifo" "${nonblocking[@]}" 1 "$tool" --help
        wait_blocked "$tool" poll ppoll
        read_pipe
        assert_output "$("$tool" --help | sed '/^$/d')"
        wait_exit "$tool" 0

        open_full_pipe
        # shellcheck disable=SC2016 # for the other shell
        spawn_into "$tool" "$fifo" sh -c 'exec "$@" 2>&1 >/dev/null' sh \
            "${nonblocking[@]}" 2 "$tool" --no-such-option
        wait_blocked "$tool" poll ppoll
        read_pipe
        assert_output --regexp "^$tool: unknown option '--no-such-option'"
        wait_exit "$tool" 2
    done
}

@test "closed standard descriptors at the start do no harm" {
    for tool in "${tools[@]}"; do
        run_tool 0 sh -c '"$@" <&-' sh "$tool" --version
        assert_output --partial "$tool (ipctools)"
        run_tool 0 sh -c '"$@" 2>&-' sh "$tool" --version
        assert_output --partial "$tool (ipctools)"
        run_tool 0 sh -c '"$@" <&- 2>&-' sh "$tool" --version
        assert_output --partial "$tool (ipctools)"
        run_tool 2 sh -c '"$@" <&- >&- 2>&-' sh "$tool" --version
        run_tool 2 sh -c '"$@" <&- >&- 2>&-' sh "$tool" --no-such-option
    done
}

@test "a tool is static unless it looks names up" {
    local path
    for tool in "${tools[@]}"; do
        echo "$tool"
        path=$(command -v "$tool")
        case ${linkage[$tool]} in
        static) run ! grep -q INTERP <(readelf -lW "$path") ;;
        dynamic)
            is_sanitized || run ! grep -q 'NEEDED.*libstdc' <(readelf -dW "$path")
            # At a random address.
            readelf -hW "$path" | grep -q 'Type: *DYN'
            ;;
        esac
        # Nothing of it is writable that need not be.
        readelf -lW "$path" | grep -q GNU_RELRO
    done
}

@test "COMMAND gets no descriptor of the tool's" {
    local expected
    expected=$(ls /proc/self/fd)
    for tool in "${tools[@]}"; do
        read_table "$tool"
        runs_command || continue
        wrap
        run_tool 0 "${wrapper[@]}" "$object" -- ls /proc/self/fd
        assert_output "$expected"
        clean_up
    done
}

@test "COMMAND that cannot be run or found: 126, 127; trouble before it: 125" {
    for tool in "${tools[@]}"; do
        read_table "$tool"
        runs_command || continue
        wrap
        run_tool 126 "${wrapper[@]}" "$object" -- /dev/null
        assert_diagnostic "$tool"
        wait_until given_back
        run_tool 127 "${wrapper[@]}" "$object" -- /no/such/command
        assert_diagnostic "$tool"
        wait_until given_back
        run_tool 125 "${wrapper[@]}" "$no_object" -- true
        assert_diagnostic "$tool" "$no_object"
        run_tool 125 "${wrapper[@]}" --no-such-option "$object" -- true
        assert_diagnostic "$tool"
        run_tool 125 "${wrapper[@]}" "$object" --
        assert_diagnostic "$tool"
        given_back
        clean_up
    done
}
