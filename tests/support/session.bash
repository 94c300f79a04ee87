# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For the tests of what people read: runs sessions as they are printed, in a namespace that is
# theirs, with no other queue. Loaded after lib.bash.

teardown() {
    remove_all_queues
    remove_all_semaphores
    remove_all_memory
    clean_up
}

remove_all_queues() {
    local entry
    for entry in /dev/mqueue/*; do
        [ ! -e "$entry" ] || mqctl rm -f -- "/${entry##*/}"
    done
    while read -r _ entry _; do
        [ "$entry" = msqid ] || mqctl rm -f "id:$entry"
    done </proc/sysvipc/msg
}

remove_all_memory() {
    local entry
    for entry in /dev/shm/*; do
        [ ! -e "$entry" ] || shmctl rm -f -- "/${entry##*/}"
    done
    while read -r _ entry _; do
        [ "$entry" = shmid ] || shmctl rm -f "id:$entry"
    done </proc/sysvipc/shm
}

remove_all_semaphores() {
    local entry
    for entry in /dev/shm/sem.*; do
        [ ! -e "$entry" ] || semctl rm -f -- "/${entry##*/sem.}"
    done
    while read -r _ entry _; do
        [ "$entry" = semid ] || semctl rm -f "id:$entry"
    done </proc/sysvipc/sem
}

assert_no_queues() {
    local entry
    for entry in /dev/mqueue/*; do
        [ ! -e "$entry" ] || fail "$entry is left"
    done
    [ "$(wc -l </proc/sysvipc/msg)" -eq 1 ] || fail "left: $(cat /proc/sysvipc/msg)"
}

# script_of SESSION: its commands as a script that prints each as the session has it, and runs it.
script_of() {
    awk '
        function flush_command() {
            if (prompts == "") return
            gsub(/\047/, "\047\\\047\047", prompts)
            print "printf %s \047" prompts "\047"
            print command
            prompts = command = ""
        }
        /^\$ / { flush_command() }
        /^[$>] / {
            prompts = prompts $0 "\n"
            command = command substr($0, 3) "\n"
        }
        END { flush_command() }' "$1"
}

# run_session SESSION: runs the file's commands in one shell in a new directory, writes what a
# terminal would show to SESSION.actual, and then ends what still runs.
run_session() {
    local leader
    script_of "$1" >"$1.script"
    mkdir "$1.directory"
    pushd "$1.directory" >/dev/null || return
    # timeout leads a process group of all that the session starts.
    timeout -k 1 "$PATIENCE" bash "../$1.script" >"../$1.output" 2>&1 </dev/null 3>&- &
    leader=$!
    wait "$leader" || echo "ended with status $?" >>"../$1.output"
    popd >/dev/null || return
    cp "$1.output" "$1.actual"
    kill -TERM -- "-$leader" 2>/dev/null || true
}
