# SPDX-License-Identifier: MIT
# Completion for fish: awk -f options.awk -f fish.awk OPTIONS

# fish knows \' and \\ between single quotes.
function fish_quote(text) {
    gsub(/\\/, "\\\\&", text)
    gsub(/'/, "\\'", text)
    return "'" text "'"
}

function values(kind,    i, calls) {
    if (kind == "object") {
        for (i = 1; i <= named; i++)
            calls = calls (i > 1 ? "; " : "") "__" name "_objects " named_kinds[2 * i] " " places(named_kinds[2 * i]) " " named_kinds[2 * i - 1]
        return " -a '(" calls ")'"
    }
    if (list(kind) != "") return " -a '(__" name "_list " list(kind) ")'"
    if (places(kind) != "") return " -a '(__" name "_objects " kind " " places(kind) ")'"
    if (kind == "user") return " -a '(__fish_complete_users)'"
    if (kind == "process") return " -a '(__fish_complete_pids)'"
    if (kind == "fifo") return " -F"
    if (choices(kind) != "") return " -a " fish_quote(choices(kind))
    return ""
}

END {
    print "# fish completion for " tool ", generated from its option table"
    print ""
    print "# The words, behind those of the current one up to its last comma."
    print "function __" name "_list"
    print "    set -l before (commandline -ct | string replace -r -- '^(--[^=]*=|-[^-])' '' | string replace -r -- '[^,+]*$' '')"
    print "    for word in $argv"
    print "        contains -- $word (string trim -lc + -- \"$before\" | string split ,); or echo \"$before\"$word"
    print "    end"
    print "end"
    print ""
    print "# _objects KIND START TABLE [PREFIX]: POSIX objects by name, System V ones by key, or by id"
    print "# without one."
    print "function __" name "_objects"
    print "    for object in $argv[2]* $argv[2].*"
    print "        string match -qr -- '[\\n\\t]' $object; and continue # which no candidate can have"
    print "        test $argv[2] = /dev/shm/; and string match -q '/dev/shm/sem.*' -- $object; and continue"
    print "        echo \"$argv[4]\"/(string sub -s (math 1 + (string length $argv[2])) -- $object)\\tPOSIX $argv[1]"
    print "    end"
    print "    test -r /proc/sysvipc/$argv[3]; or return"
    print "    while read -l line"
    print "        set -l field (string match -ra -- '\\S+' $line)"
    print "        test $field[1] = key; and continue"
    print "        if test $field[1] -eq 0"
    print "            echo \"$argv[4]\"id:$field[2]\\tSystem V $argv[1]"
    print "        else if test $field[1] -lt 0"
    print "            printf '%skey:0x%08x\\tSystem V %s\\n' \"$argv[4]\" (math 4294967296 + $field[1]) $argv[1]"
    print "        else"
    print "            printf '%skey:0x%08x\\tSystem V %s\\n' \"$argv[4]\" $field[1] $argv[1]"
    print "        end"
    print "    end </proc/sysvipc/$argv[3]"
    print "end"
    print ""
    print "# Where the current word stands: its verb if it has one, how many operands are before it, and"
    print "# from which word on there is a command."
    print "function __" name "_state"
    print "    set -l words (commandline -opc)"
    print "    set -g __" name "_verb ''"
    print "    set -g __" name "_operands 0"
    print "    set -g __" name "_command"
    print "    set -l value"
    print "    set -l ended"
    print "    for i in (seq 2 (count $words))"
    print "        set -l word $words[$i]"
    print "        if set -q value[1]"
    print "            set -e value"
    print "            set -l value"
    print "        else if test \"$word\" = --"
    if (runs_command) {
        print "            if test $__" name "_operands -" (command_alone ? "ge" : "gt") " 0"
        print "                set __" name "_command $words[(math $i + 1)..-1]"
        print "                return 0"
        print "            end"
    }
    print "            set ended yes"
    print "        else if not set -q ended[1]; and string match -q -- '-?*' $word"
    print "            if string match -qr -- " fish_quote("^(" (valued_long == "" ? "--" : valued_long) (valued_short == "" ? "" : "|-[^-" valued_short "]*[" valued_short "]") ")$") " $word"
    print "                set value yes"
    print "            end"
    if (verbs) {
        print "        else if test $i -eq 2"
        print "            set __" name "_verb $word"
    }
    print "        else"
    print "            set __" name "_operands (math $__" name "_operands + 1)"
    if (runs_command) print "            set ended yes"
    print "        end"
    print "    end"
    print "    return 1"
    print "end"
    print ""
    print "function __" name "_in_command"
    print "    __" name "_state"
    print "end"
    print "function __" name "_verb_is"
    print "    __" name "_state"
    print "    contains -- \"$__" name "_verb\" $argv"
    print "end"
    print "# Whether as many operands are before the current word: N, or N and more with a +."
    print "function __" name "_operand"
    print "    __" name "_state; and return 1"
    if (verbs) print "    test -n \"$__" name "_verb\"; or return 1"
    print "    if string match -q -- '*+' $argv[1]"
    print "        test $__" name "_operands -ge (string trim -rc + -- $argv[1])"
    print "    else"
    print "        test $__" name "_operands -eq $argv[1]"
    print "    end"
    print "end"
    if (runs_command) {
        print "function __" name "_complete_command"
        print "    __" name "_state"
        print "    complete -C (string join -- ' ' (string escape -- $__" name "_command) (commandline -ct))"
        print "end"
    }
    print ""
    print "complete -c " tool " -f"
    if (runs_command)
        print "complete -c " tool " -n __" name "_in_command -a '(__" name "_complete_command)'"
    for (v = 1; v <= verbs; v++)
        print "complete -c " tool " -n '__" name "_verb_is \"\"' -a " verb[v] " -d " fish_quote(verb_help[v])
    for (i = 1; i <= operands; i++)
        if (values(operand[i]) != "")
            print "complete -c " tool " -n '__" name "_operand " (i - 1) (i == operands ? "+" : "") "'" values(operand[i])
    for (i = 1; i <= options; i++) {
        line = "complete -c " tool
        if (option_verbs[i] != "-") {
            words = option_verbs[i]
            gsub(/,/, " ", words)
            line = line " -n '__" name "_verb_is " words "'"
        } else if (runs_command) {
            line = line " -n 'not __" name "_in_command'"
        }
        if (short[i] != "") line = line " -s " short[i]
        if (long[i] != "") line = line " -l " long[i]
        if (takes[i] == "required") line = line " -x"
        print line values(kind[i]) " -d " fish_quote(help[i])
    }
}
