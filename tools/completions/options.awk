# SPDX-License-Identifier: MIT
# Reads what `TOOL --dump-options` prints; the generators for the shells stand on it.

BEGIN {
    FS = "\t"
    signals = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT" \
        " STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX"
    columns = "KIND NAME OWNER GROUP PERMS USED STATE KEY ID LIMIT FILL MSGS MAXMSG MSGSIZE VALUE" \
        " WAITERS NSEMS SIZE NATTCH CTIME MTIME SEND RECV ATTACH DETACH OTIME CREATOR CPID SENDER" \
        " RECEIVER LASTPID INODE NS FD NOTIFY PERSISTENCE TYPE PEER REGION PENDING BLOCKED IGNORED" \
        " CAUGHT READERS WRITERS HOLDERS WAITING USERS"
    # Of objects of each kind that has names: what stands before them, and their places.
    named = split("mq: queue sem: semaphore shm: memory", named_kinds, " ") / 2
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
        kind == "absent" ? "wait skip" : kind == "slow" ? "block drop disconnect" : \
        kind == "time-format" ? "short full iso timestamp" : ""
}

# The words of a kind of value that is a list of them, with commas between.
function list(kind) {
    return kind == "kinds" ? "mq sem shm fifo pipe unix lock eventfd memfd map sig" : \
        kind == "states" ? "in-use unused idle orphan marked malformed unknown" : \
        kind == "kept-kinds" ? "mq sem shm" : \
        kind == "removable-states" ? "orphan unused idle malformed unknown" : \
        kind == "columns" ? columns : ""
}
