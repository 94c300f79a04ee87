# SPDX-License-Identifier: MIT
# Completion for bash: awk -f options.awk -f bash.awk OPTIONS

function option_words(verb,    i, words) {
    for (i = 1; i <= options; i++) {
        if (verb != "" && !goes_with(i, verb)) continue
        if (verb == "" && verbs && option_verbs[i] != "-") continue
        if (short[i] != "") words = words " -" short[i]
        if (long[i] != "") words = words " --" long[i] (takes[i] == "required" ? "=" : "")
    }
    return substr(words, 2)
}

function complete_kind(kind,    i, calls) {
    if (kind == "object") {
        for (i = 1; i <= named; i++)
            calls = calls (i > 1 ? "; " : "") "before=" named_kinds[2 * i - 1] " _" name "_objects " places(named_kinds[2 * i])
        return calls
    }
    if (list(kind) != "") return "_" name "_list " quote(list(kind))
    if (places(kind) != "") return "_" name "_objects " places(kind)
    if (kind == "user") return "_" name "_users"
    if (kind == "process") return "_" name "_words \"$(cd /proc && printf '%s ' [0-9]*)\""
    if (kind == "fifo") return "_" name "_fifos"
    if (choices(kind) != "") return "_" name "_words " quote(choices(kind))
    return ":"
}

END {
    print "# bash completion for " tool ", generated from its option table"
    print ""
    print "# Offers those of the words that begin as the current one does."
    print "_" name "_words() {"
    print "    local word"
    print "    for word in $1; do"
    print "        [[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")"
    print "    done"
    print "}"
    print ""
    print "# Offers those of the words that begin as the current one does behind its last comma."
    print "_" name "_list() {"
    print "    local word before"
    print "    before=${cur%\"${cur##*[,+]}\"}"
    print "    for word in $1; do"
    print "        [[ $before$word == \"$cur\"* && ,${before#+} != *,$word,* ]] && COMPREPLY+=(\"$before$word\")"
    print "    done"
    print "    compopt -o nospace 2>/dev/null"
    print "}"
    print ""
    print "# _objects START TABLE: POSIX objects by name, System V ones by key, or by id without one; with"
    print "# $before in front."
    print "_" name "_objects() {"
    print "    local object objects=() key id rest"
    print "    for object in \"$1\"* \"$1\".[!.]*; do"
    print "        [[ -e $object && ($1 != /dev/shm/ || $object != /dev/shm/sem.*) ]] || continue"
    print "        objects+=(\"/${object#\"$1\"}\")"
    print "    done"
    print "    if [[ -r /proc/sysvipc/$2 ]]; then"
    print "        while read -r key id rest; do"
    print "            [[ $key == key ]] && continue"
    print "            if ((key == 0)); then object=id:$id"
    print "            else printf -v object 'key:0x%08x' $((key & 0xffffffff)); fi"
    print "            objects+=(\"$object\")"
    print "        done <\"/proc/sysvipc/$2\""
    print "    fi"
    print "    for object in \"${objects[@]/#/${before-}}\"; do"
    print "        [[ $object == \"$cur\"* ]] || continue"
    print "        printf -v object %q \"$object\""
    print "        COMPREPLY+=(\"$object\")"
    print "    done"
    print "}"
    print ""
    print "_" name "_users() {"
    print "    if [[ $cur == *:* ]]; then"
    print "        mapfile -t COMPREPLY < <(compgen -P \"${cur%%:*}:\" -g -- \"${cur#*:}\")"
    print "    else"
    print "        mapfile -t COMPREPLY < <(compgen -u -- \"$cur\")"
    print "    fi"
    print "}"
    print ""
    print "# FIFOs, and the directories that may have some."
    print "_" name "_fifos() {"
    print "    local file"
    print "    while read -r file; do"
    print "        [[ -p $file || -d $file ]] || continue"
    print "        [[ ! -d $file ]] || file+=/"
    print "        printf -v file %q \"$file\""
    print "        COMPREPLY+=(\"$file\")"
    print "    done < <(compgen -f -- \"$cur\")"
    print "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null"
    print "}"
    print ""
    if (runs_command) {
        print "# Completes the command behind the ${1}th --."
        print "_" name "_command() {"
        print "    local i dashes=$1"
        print "    for ((i = 1; i < COMP_CWORD; i++)); do"
        print "        [[ ${COMP_WORDS[i]} == -- ]] && ((--dashes == 0)) && break"
        print "    done"
        print "    if declare -F _comp_command_offset >/dev/null; then _comp_command_offset $((i + 1))"
        print "    elif declare -F _command_offset >/dev/null; then _command_offset $((i + 1))"
        print "    elif ((COMP_CWORD == i + 1)); then mapfile -t COMPREPLY < <(compgen -c -- \"$cur\")"
        print "    else mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); fi"
        print "}"
        print ""
    }
    print "_" name "() {"
    print "    # By blanks alone: bash would also split at : and =, which names and options hold."
    print "    local line=${COMP_LINE:0:COMP_POINT} words=() cur=''"
    print "    read -ra words <<<\"$line\""
    print "    if [[ $line != *[[:blank:]] ]]; then"
    print "        cur=${words[-1]}"
    print "        unset 'words[-1]'"
    print "    fi"
    print ""
    print "    COMPREPLY=()"
    print "    local i word value='' " (verbs ? "verb='' " : "") "operands=0 ended='' dashes=0"
    print "    for ((i = 1; i < ${#words[@]}; i++)); do"
    print "        word=${words[i]}"
    print "        if [[ $value ]]; then"
    print "            value="
    print "        elif [[ $word == -- ]]; then"
    print "            ((++dashes))"
    if (runs_command) {
        print "            if ((operands " (command_alone ? ">=" : ">") " 0)); then"
        print "                _" name "_command \"$dashes\""
        print "                return"
        print "            fi"
    }
    print "            ended=yes"
    print "        elif [[ ! $ended && $word == --* ]]; then"
    print "            case $word in " (valued_long == "" ? "''" : valued_long) ") value=$word ;; esac"
    print "        elif [[ ! $ended && $word == -?* ]]; then"
    print "            while word=${word:1} && [[ $word ]]; do"
    print "                [[ " quote(valued_short) " == *\"${word:0:1}\"* ]] || continue"
    print "                [[ ${word:1} ]] || value=-$word"
    print "                break"
    print "            done"
    if (verbs) {
        print "        elif ((i == 1)); then"
        print "            verb=$word"
    }
    print "        else"
    print "            ((++operands))"
    if (runs_command) print "            ended=yes"
    print "        fi"
    print "    done"
    print ""
    print "    local prefix=''"
    print "    if [[ ! $value && ! $ended && $cur == --*=* ]]; then"
    print "        value=${cur%%=*}"
    print "        prefix=$value="
    print "        cur=${cur#*=}"
    print "    fi"
    print "    if [[ $value ]]; then"
    print "        case $value in"
    for (i = 1; i <= options; i++) {
        if (takes[i] == "none") continue
        spelling = (short[i] != "" ? "-" short[i] : "") (short[i] != "" && long[i] != "" ? " | " : "") (long[i] != "" ? "--" long[i] : "")
        print "        " spelling ") " complete_kind(kind[i]) " ;;"
    }
    print "        esac"
    print "    elif [[ ! $ended && $cur == -* ]]; then"
    if (verbs) {
        print "        case $verb in"
        for (v = 1; v <= verbs; v++)
            print "        " verb[v] ") _" name "_words " quote(option_words(verb[v])) " ;;"
        print "        *) _" name "_words " quote(option_words("")) " ;;"
        print "        esac"
    } else {
        print "        _" name "_words " quote(option_words(""))
    }
    print "        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null"
    if (verbs) {
        for (v = 1; v <= verbs; v++) verb_words = verb_words (v > 1 ? " " : "") verb[v]
        print "    elif ((${#words[@]} == 1)); then"
        print "        _" name "_words " quote(verb_words)
    }
    print "    else"
    print "        case $operands in"
    for (i = 1; i < operands; i++) print "        " (i - 1) ") " complete_kind(operand[i]) " ;;"
    # A wrapper's further operands come behind its --.
    print "        *) " (operands ? complete_kind(operand[operands]) : ":") " ;;"
    print "        esac"
    print "    fi"
    print ""
    print "    # Bash replaces what follows the last : or = alone, if it splits there."
    print "    cur=$prefix$cur"
    print "    local breaks=${COMP_WORDBREAKS//[!:=]/}"
    print "    if [[ $breaks && $cur == *[$breaks]* ]]; then"
    print "        COMPREPLY=(\"${COMPREPLY[@]/#/$prefix}\")"
    print "        COMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*[\"$breaks\"]}\"}\"}\")"
    print "    else"
    print "        COMPREPLY=(\"${COMPREPLY[@]/#/$prefix}\")"
    print "    fi"
    print "}"
    print ""
    print "complete -F _" name " " tool
}
