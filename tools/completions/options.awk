# SPDX-License-Identifier: MIT
# Reads what `TOOL --dump-options` prints; the generators for the shells stand on it.

BEGIN {
    FS = "\t"
    signals = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT" \
        " STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX"
}

$1 == "tool" { tool = $2; summary = $3; name = tool; gsub(/[^a-zA-Z0-9]/, "_", name) }
$1 == "synopsis" && $2 ~ /-- COMMAND/ { runs_command = 1 }
# There need be no operand before its --.
$1 == "synopsis" && $2 ~ /\]\.\.\. -- COMMAND/ { command_alone = 1 }
$1 == "verb" { verb[++verbs] = $2; verb_help[verbs] = $3 }
$1 == "operand" && $2 == "command" { runs_command = 1 }
$1 == "operand" && $2 != "command" { operand[++operands] = $2 }
$1 == "option" {
    short[++options] = $2 == "-" ? "" : $2
    long[options] = $3 == "-" ? "" : $3
    takes[options] = $4
    argument[options] = $5
    kind[options] = $6
    option_verbs[options] = $7
    help[options] = $8
    # Those whose argument may be the next word.
    if ($4 == "required") {
        if (short[options] != "") valued_short = valued_short short[options]
        if (long[options] != "") valued_long = valued_long (valued_long == "" ? "" : "|") "--" long[options]
    }
}

# Whether option i goes with the verb.
function goes_with(i, verb) {
    return option_verbs[i] == "-" || index("," option_verbs[i] ",", "," verb ",") > 0
}

# The text as one word of the shell.
function quote(text) {
    gsub(/'/, "'\\''", text)
    return "'" text "'"
}

# Where objects of a kind are found, as words: the beginning of the paths of POSIX ones, and the
# table of System V ones.
function places(kind) {
    return kind == "queue" ? "/dev/mqueue/ msg" : kind == "memory" ? "/dev/shm/ shm" : \
        kind == "semaphore" ? "/dev/shm/sem. sem" : ""
}

# The fixed choices of a kind of value.
function choices(kind) {
    return kind == "format" ? "line nul netstring json whole" : kind == "signal" ? signals : \
        kind == "absent" ? "wait skip" : kind == "slow" ? "block drop disconnect" : ""
}
