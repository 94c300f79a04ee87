# SPDX-License-Identifier: MIT
# Completion for zsh: awk -f options.awk -f zsh.awk OPTIONS

# Text inside a specification of _arguments.
function escape(text) {
    gsub(/[][\\:]/, "\\\\&", text)
    return text
}

function action(kind) {
    if (places(kind) != "") return "_" name "_objects " places(kind)
    if (kind == "object") return "_" name "_named_objects"
    if (kind == "columns") return "{compset -P +; _values -s , column " list(kind) "}"
    if (list(kind) != "") return "{_values -s , " kind " " list(kind) "}"
    if (kind == "user") return "_users"
    if (kind == "process") return "_pids"
    if (kind == "fifo") return "_files -g \"*(p)\""
    if (choices(kind) != "") return "(" choices(kind) ")"
    return " "
}

function option_specs(verb,    i, value, exclusive, spelling) {
    for (i = 1; i <= options; i++) {
        if (verb != "" && !goes_with(i, verb)) continue
        value = ""
        if (takes[i] != "none")
            value = (takes[i] == "optional" ? "::" : ":") escape(argument[i]) ":" action(kind[i])
        spelling = (short[i] != "" ? "-" short[i] : "") (short[i] != "" && long[i] != "" ? " " : "") (long[i] != "" ? "--" long[i] : "")
        exclusive = long[i] == "help" || long[i] == "version" ? "(- *)" : "(" spelling ")"
        if (short[i] != "")
            print "        " quote(exclusive "-" short[i] (takes[i] == "required" ? "+" : takes[i] == "optional" ? "-" : "") "[" escape(help[i]) "]" value)
        if (long[i] != "")
            print "        " quote(exclusive "--" long[i] (takes[i] == "required" ? "=" : takes[i] == "optional" ? "=-" : "") "[" escape(help[i]) "]" value)
    }
}

function operand_specs(    i) {
    for (i = 1; i < operands; i++) print "        " quote(i ":" operand[i] ":" action(operand[i]))
    if (operands) print "        " quote("*:" operand[operands] ":" action(operand[operands]))
}

END {
    print "#compdef " tool
    print "# zsh completion for " tool ", generated from its option table"
    print ""
    # What _arguments adds for compadd comes first, the two words last.
    print "# _objects START TABLE: POSIX objects by name, System V ones by key, or by id without one; with"
    print "# $before in front."
    print "_" name "_objects() {"
    print "    local -a objects rows"
    print "    local row where=$argv[-2] table=/proc/sysvipc/$argv[-1]"
    print "    objects=(${where}*(ND))"
    print "    [[ $where == /dev/shm/ ]] && objects=(${objects:#/dev/shm/sem.*})"
    print "    objects=(/${^objects#$where})"
    print "    [[ -r $table ]] && rows=(${${(f)\"$(<$table)\"}[2,-1]})"
    print "    for row in $rows; do"
    print "        local -a fields=(${=row})"
    print "        if (( fields[1] == 0 )); then"
    print "            objects+=(id:$fields[2])"
    print "        else"
    print "            objects+=(key:0x${(l:8::0:)$(( [##16] fields[1] & 0xffffffff )):l})"
    print "        fi"
    print "    done"
    print "    [[ -n $before ]] && objects=($before$^objects)"
    print "    compadd \"${(@)argv[1,-3]}\" -a objects"
    print "}"
    print "_" name "_named_objects() {"
    print "    local before"
    for (i = 1; i <= named; i++)
        print "    before=" named_kinds[2 * i - 1] "; _" name "_objects \"$@\" " places(named_kinds[2 * i])
    print "}"
    print ""
    print "_" name "() {"
    print "    local curcontext=$curcontext"
    print "    local -a specs"
    if (runs_command) {
        print "    local i word value= operands=0 ended="
        print "    for (( i = 2; i < CURRENT; i++ )); do"
        print "        word=$words[i]"
        print "        if [[ -n $value ]]; then"
        print "            value="
        print "        elif [[ $word == -- && $operands -" (command_alone ? "ge" : "gt") " 0 ]]; then"
        print "            # The command, as if it stood alone."
        print "            words=(\"${(@)words[i+1,-1]}\")"
        print "            (( CURRENT -= i ))"
        print "            _normal"
        print "            return"
        print "        elif [[ $word == -- ]]; then"
        print "            ended=yes"
        print "        elif [[ -z $ended && $word == (" (valued_long == "" ? "--" : valued_long) ") ]]; then"
        print "            value=yes"
        print "        elif [[ -z $ended && $word == -[^-]* ]]; then"
        print "            [[ $word == -[^" valued_short "]#[" valued_short "] ]] && value=yes"
        print "        elif [[ -n $ended || $word != --?* ]]; then"
        print "            (( ++operands ))"
        print "            ended=yes"
        print "        fi"
        print "    done"
    }
    if (verbs) {
        print "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then"
        print "        local -a verbs=("
        for (v = 1; v <= verbs; v++)
            print "            " quote(escape(verb[v]) ":" escape(verb_help[v]))
        print "        )"
        print "        _describe -t verbs verb verbs"
        print "        return"
        print "    fi"
        print "    case $words[2] in"
        for (v = 1; v <= verbs; v++) {
            print "    " verb[v] ") specs=("
            option_specs(verb[v])
            operand_specs()
            print "        ) ;;"
        }
        print "    *) specs=("
        option_specs(" ")
        print "        ) ;;"
        print "    esac"
        print "    if [[ $words[2] != -* ]]; then"
        print "        shift words"
        print "        (( CURRENT-- ))"
        print "    fi"
    } else {
        print "    specs=("
        option_specs("")
        operand_specs()
        print "    )"
    }
    print "    _arguments -s -S " (runs_command ? "-A '-*' " : "") ": $specs"
    print "}"
    print ""
    print "_" name " \"$@\""
}
