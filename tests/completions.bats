#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Loads each completion in its shell, from the build or where it is installed, and asks it what a
# user would.

load support/lib.bash

setup() {
    completions=$IPCTOOLS_BIN/../completions
    mapfile -t tools < <(cut -f 1 "$IPCTOOLS_BIN/../tools.list")
    make_queue /completion-one
    make_queue '/completion two'
    make_queue key:0x0badcafe
    make_memory /completion-memory 1
    make_memory key:0x0badf00d 1
    make_semaphore /completion-sem
    make_semaphore key:0x5e3
}

# install_completions: below $prefix, where then each shell has to find the completions by itself.
install_completions() {
    prefix=$BATS_TEST_TMPDIR/prefix
    install_into "$prefix"
    completions=
    export XDG_DATA_DIRS=$prefix/share
}

# complete_bash LINE...: what bash offers for each.
complete_bash() {
    # shellcheck disable=SC2016 # for the other shell
    run bash --norc -c '
        if [ -e /usr/share/bash-completion/bash_completion ]; then
            . /usr/share/bash-completion/bash_completion
        fi
        function_for() {
            local command
            command=$(complete -p "$1")
            command=${command#*-F }
            echo "${command%% *}"
        }
        for line in "${@:2}"; do
            tool=${line%% *}
            if [ -n "$1" ]; then
                . "$1/bash/$tool"
            else
                # What completes the commands that have no completion yet.
                "$(function_for -D)" "$tool"
            fi
            COMP_LINE=$line COMP_POINT=${#line}
            read -ra COMP_WORDS <<<"$line"
            [[ $line != *" " ]] || COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
            "$(function_for "$tool")" 2>/dev/null
            printf "%s\n" "${COMPREPLY[@]}"
        done' bash "$completions" "$@"
    assert_success
}

# complete_fish LINE: what fish offers.
complete_fish() {
    # shellcheck disable=SC2016 # for the other shell
    run fish ${completions:+--no-config} -c 'test -z $argv[1]; or source $argv[1]
        complete -C $argv[2] | string replace -r "\t.*" ""; true' \
        "${completions:+$completions/fish/${1%% *}.fish}" "$1"
    assert_success
}

# complete_zsh LINE [DIRECTORY]: what zsh lists with this directory of completions, in an
# interactive shell on a terminal of its own.
complete_zsh() {
    cat >"$BATS_TEST_TMPDIR/complete.zsh" <<'ZSH'
zmodload zsh/zpty zsh/zselect
# Reads from the shell on the other side until that has printed $1.
read_until() {
    out=
    local piece
    integer i
    for (( i = 0; i < 2000; i++ )); do
        while zpty -rt inner piece; do out+=$piece; done
        [[ $out == *$1* ]] && return
        zselect -t 1
    done
    print -ru2 "waited for $1 in vain: $out"
    exit 1
}
zpty inner 'TERM=dumb zsh -f -i'
zpty -w inner "PS1=; COLUMNS=150 LINES=2000 LISTMAX=100000; unset zle_bracketed_paste
    fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -d ${(q)3}
    bindkey '^D' list-choices
    zle-line-init() { print REA''DY }; zle -N zle-line-init"
# Only now does the terminal hand over each character as it is; before, ^U would clear the line.
read_until READY
zpty -w -n inner "$2"$'\x04\x15'"print DO''NE"$'\n'
read_until $'DONE\r'
print -r -- "${out//$'\r'/}"
ZSH
    local directory=${2:-$completions/zsh}
    # What there is to complete is gathered once for a directory.
    run timeout -k 1 "$PATIENCE" zsh -f "$BATS_TEST_TMPDIR/complete.zsh" "$directory" "$1" \
        "$BATS_FILE_TMPDIR/${directory//\//_}" 3>&-
    assert_success
}

# The long options of a tool that go with every verb.
long_options() { "$1" --dump-options | awk -F '\t' '$1 == "option" && $7 == "-" { print "--" $3 }'; }

@test "bash: options" {
    requires bash
    local tool option
    for tool in "${tools[@]}"; do
        complete_bash "$tool --"
        for option in $(long_options "$tool"); do
            assert_line --regexp "^$option=?\$"
        done
    done
}

@test "bash: queues" {
    complete_bash 'mqsend /comp' 'mqctl rm /completion-one /' 'mqreceive --dead-letter /completion-'
    assert_equal "${#lines[@]}" 5
    assert_line '/completion-one'
    assert_line '/completion\ two'
    complete_bash 'mqsend '
    assert_line 'key:0x0badcafe'
    # Bash splits words at the colon.
    complete_bash 'mqsend key:'
    assert_output '0x0badcafe'
}

@test "bash: shared memory" {
    : >/dev/shm/sem.completion
    complete_bash 'shmcat '
    rm /dev/shm/sem.completion
    assert_output $'/completion-memory\nkey:0x0badf00d'
    complete_bash 'shmctl rm /completion-memory /comp'
    assert_output /completion-memory
}

@test "bash: values and verbs" {
    complete_bash 'mqsend --format=n'
    assert_output $'nul\nnetstring'
    complete_bash 'mqsend -nF n'
    assert_output $'nul\nnetstring'
    complete_bash 'mqctl '
    assert_output $'create\nshow\nset\nrm'
    complete_bash 'mqctl rm --'
    assert_line --force
    refute_line --owner=
}

@test "bash: semaphores" {
    requires bash
    complete_bash 'semctl run '
    assert_line /completion-sem
    assert_line key:0x000005e3
    refute_line /completion-one
}

@test "bash: signals and processes" {
    complete_bash 'sigsend --signal=US' "sigsend $$"
    assert_output $'USR1\nUSR2\n'"$$"
}

@test "bash: FIFOs, and what to do about readers" {
    mkdir "$BATS_TEST_TMPDIR/directory"
    mkfifo "$BATS_TEST_TMPDIR/dash" "$BATS_TEST_TMPDIR/d e"
    : >"$BATS_TEST_TMPDIR/data"
    complete_bash "fifotee $BATS_TEST_TMPDIR/d"
    assert_output "$(printf "$BATS_TEST_TMPDIR/%s\n" dash 'd\ e' directory/ | sort)"
    complete_bash 'fifotee --slow=d' 'fifotee --absent '
    assert_output $'drop\ndisconnect\nwait\nskip'
}

@test "bash: lists" {
    complete_bash 'ipcstat -k m' 'ipcstat --state=in-use,u' 'ipcstat -o +PERMS,KE' 'ipcstat -o KIND,NAME,K'
    assert_output $'mq\nmemfd\nmap\nin-use,unused\nin-use,unknown\n+PERMS,KEY\nKIND,NAME,KEY'
    # Its words are those of the tool.
    complete_bash 'ipcstat -o ' 'ipcstat -k ' 'ipcstat -s '
    local words=${lines[*]} known
    known=$(for option in -o -k -s; do ipcstat "$option" none 2>&1; done |
        sed -E 's/.*(there are|is none of) //; s/; see .*//; s/,? and / /; s/,//g' | xargs)
    assert_equal "$words" "$known"
}

@test "bash: objects of every kind" {
    complete_bash 'ipcstat ' 'ipcstat shm:/' 'ipcstat mq:/completion-one sem:/comp'
    assert_line 'mq:/completion\ two'
    assert_line sem:/completion-sem
    assert_line shm:key:0x0badf00d
    # Bash splits words at the colon.
    assert_line /completion-memory
    assert_line /completion-sem
}

@test "bash: the command of a wrapper" {
    complete_bash "mqreceive -c 3 /completion-one -- ls $BATS_TEST_DIRNAME/support/lib"
    assert_line "$BATS_TEST_DIRNAME/support/lib.bash"
    complete_bash 'mqreceive /completion-one -- base6'
    assert_line base64
    complete_bash 'sigwatch -- base6'
    assert_line base64
    complete_bash 'sigwatch USR1 -- base6'
    assert_line base64
    complete_bash 'sigwatch US'
    assert_output $'USR1\nUSR2'
}

@test "bash: finds what is installed" {
    [ -e /usr/share/bash-completion/bash_completion ] || skip 'needs bash-completion'
    install_completions
    complete_bash 'mqsend --pa' 'mqctl '
    assert_output $'--pack\ncreate\nshow\nset\nrm'
}

@test "fish: options" {
    requires fish
    local tool option
    for tool in "${tools[@]}"; do
        complete_fish "$tool --"
        for option in $(long_options "$tool"); do
            assert_line "$option"
        done
    done
}

@test "fish: queues, values and verbs" {
    requires fish
    complete_fish 'mqsend '
    assert_line /completion-one
    assert_line '/completion two'
    assert_line key:0x0badcafe
    complete_fish 'shmctl rm '
    assert_line /completion-memory
    assert_line key:0x0badf00d
    refute_line key:0x0badcafe
    complete_fish 'mqsend --format=n'
    assert_output $'--format=netstring\n--format=nul'
    complete_fish 'mqctl '
    assert_output $'create\nrm\nset\nshow'
    complete_fish 'mqctl rm --'
    assert_line --force
    refute_line --owner
    complete_fish 'mqctl rm /completion-one /completion-'
    assert_line /completion-one
}

@test "fish: a name with a newline or a tab is not offered, and not in pieces" {
    requires fish
    make_queue $'/completion-a\nrest'
    make_queue $'/completion-b\tc'
    complete_fish 'mqctl rm /completion-'
    assert_output /completion-one
}

@test "fish: semaphores" {
    requires fish
    complete_fish 'semctl run '
    assert_line /completion-sem
    assert_line key:0x000005e3
    refute_line /completion-one
}

@test "fish: signals and processes" {
    requires fish
    complete_fish 'sigsend --signal=US'
    assert_output $'--signal=USR1\n--signal=USR2'
    complete_fish "sigsend $$"
    assert_line "$$"
}

@test "fish: FIFOs, and what to do about readers" {
    requires fish
    mkfifo "$BATS_TEST_TMPDIR/dash"
    complete_fish "fifotee $BATS_TEST_TMPDIR/d"
    assert_output "$BATS_TEST_TMPDIR/dash"
    complete_fish 'fifotee --slow=d'
    assert_output $'--slow=disconnect\n--slow=drop'
}

@test "fish: lists, and objects of every kind" {
    requires fish
    complete_fish 'ipcstat -k mq,m'
    assert_output $'mq,map\nmq,memfd'
    complete_fish 'ipcstat --state=in-use,u'
    assert_output $'--state=in-use,unknown\n--state=in-use,unused'
    complete_fish 'ipcstat -o +PERMS,KE'
    assert_output +PERMS,KEY
    complete_fish 'ipcstat '
    assert_line 'mq:/completion two'
    assert_line sem:/completion-sem
    assert_line shm:key:0x0badf00d
    refute_line sem:/completion-one
}

@test "fish: the command of a wrapper" {
    requires fish
    complete_fish 'mqreceive -c 3 /completion-one -- base6'
    assert_line base64
    complete_fish 'sigwatch -- base6'
    assert_line base64
}

@test "fish: finds what is installed" {
    requires fish
    install_completions
    complete_fish 'mqsend --pa'
    assert_output --pack
    complete_fish 'mqctl '
    assert_output $'create\nrm\nset\nshow'
}

@test "zsh: options" {
    requires zsh
    local tool option
    for tool in "${tools[@]}"; do
        complete_zsh "$tool --"
        for option in $(long_options "$tool"); do
            assert_line --regexp "^$option( |\$)"
        done
    done
}

@test "zsh: queues, values and verbs" {
    requires zsh
    complete_zsh 'mqsend '
    assert_line --partial /completion-one
    assert_line --partial '/completion\ two'
    assert_line --partial key:0x0badcafe
    complete_zsh 'shmctl rm '
    assert_line --partial /completion-memory
    assert_line --partial key:0x0badf00d
    refute_line --partial key:0x0badcafe
    complete_zsh 'mqsend --format=n'
    assert_line --regexp '^netstring +nul'
    complete_zsh 'mqctl '
    assert_line --regexp '^create +--'
    complete_zsh 'mqctl rm --'
    assert_line --regexp '^--force'
    refute_line --regexp '^--owner'
    complete_zsh 'mqctl rm /completion-one /'
    assert_line --partial /completion-one
}

@test "zsh: semaphores" {
    requires zsh
    complete_zsh 'semctl run '
    assert_line --partial /completion-sem
    assert_line --partial key:0x000005e3
    refute_line --partial /completion-one
}

@test "zsh: signals and processes" {
    requires zsh
    complete_zsh 'sigsend --signal=US'
    assert_line --regexp '^USR1 +USR2'
    complete_zsh 'sigsend '
    assert_line --regexp '^ *[0-9]+ .* zsh'
}

@test "zsh: FIFOs, and what to do about readers" {
    requires zsh
    mkdir "$BATS_TEST_TMPDIR/directory"
    mkfifo "$BATS_TEST_TMPDIR/directory/dash" "$BATS_TEST_TMPDIR/directory/dot"
    : >"$BATS_TEST_TMPDIR/directory/data"
    complete_zsh "fifotee $BATS_TEST_TMPDIR/directory/"
    assert_line --regexp '^dash\|? +dot\|?'
    refute_line --partial data
    complete_zsh 'fifotee --slow=d'
    assert_line --regexp '^disconnect +drop'
}

@test "zsh: lists, and objects of every kind" {
    requires zsh
    complete_zsh 'ipcstat -k mq,m'
    assert_line --regexp '^map +memfd'
    complete_zsh 'ipcstat --state=in-use,u'
    assert_line --regexp '^unknown +unused'
    complete_zsh 'ipcstat -o +PERMS,KE'
    assert_line --partial KEY
    complete_zsh 'ipcstat '
    assert_line --partial 'mq:/completion\ two'
    assert_line --partial sem:/completion-sem
    assert_line --partial shm:key:0x0badf00d
    refute_line --partial sem:/completion-one
}

@test "zsh: the command of a wrapper" {
    requires zsh
    complete_zsh 'mqreceive -c 3 /completion-one -- base6'
    assert_line --partial base64
    complete_zsh 'sigwatch -- base6'
    assert_line --partial base64
}

@test "zsh: finds what is installed" {
    requires zsh
    install_completions
    complete_zsh 'mqsend --pa' "$prefix/share/zsh/site-functions"
    assert_line --regexp '^--pack +--'
    complete_zsh 'mqctl ' "$prefix/share/zsh/site-functions"
    assert_line --regexp '^create +--'
}
