#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Root's tools beside users who mean harm: what one of them makes costs time linear in it and little
# memory, hides nothing else, and leads nobody astray.
# shellcheck disable=SC2016 # variables of other shells
# shellcheck disable=SC2154 # variables of lib.bash and of bats

load support/lib.bash

# ---- Listings ----

@test "a root directory of a user's choosing is not looked at, nor is anything removed there" {
    requires root userns
    local evil=$BATS_TEST_TMPDIR/evil
    mkdir -p "$evil/dev/shm"
    truncate -s 4K "$evil/dev/shm/hostile-victim"
    make_memory /hostile-ours 4K
    # In a user namespace of its own, where it may do so, and in our mount namespace.
    spawn_ready prisoner unshare --user --map-root-user --ipc python3 -c '
import os, signal, sys
os.chroot(sys.argv[1])
os.write(9, b"\n")
signal.pause()' "$evil" 9
    run_tool 2 ipcstat -k shm -r --noheadings -o NAME -N "${pid[prisoner]}"
    assert_output ''
    assert_diagnostic ipcstat '/dev/shm: not looked at, for its root directory is not that of its mount namespace$'
    run_tool 2 ipcstat --all-namespaces -k shm -r --noheadings -o NAME
    assert_output shm:/hostile-ours
    [[ $stderr == *'/dev/shm of 1 IPC namespace: not looked at, for its root directory'* ]]
    run_tool 2 ipcclean -y -k shm -s unused --older-than 0 -N "${pid[prisoner]}"
    assert_output ''
    [ -e "$evil/dev/shm/hostile-victim" ]
}

@test "nor is one in another mount namespace that is ours, where all others are" {
    requires root userns mount
    local evil=$BATS_TEST_TMPDIR/evil
    mkdir -p "$evil/dev/shm"
    : >"$evil/dev/shm/hostile-victim"
    spawn_ready there unshare --ipc --mount python3 -c '
import os, signal, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "none", "/dev/shm"], check=True)
open("/dev/shm/hostile-theirs", "w").truncate(4096)
if os.fork() == 0:
    os.execvp("unshare", ["unshare", "--user", "--map-root-user", "python3", "-c", """if True:
        import os, signal, sys
        os.chroot(sys.argv[1])
        os.write(9, b"\\n")
        signal.pause()""", sys.argv[1]])
signal.pause()' "$evil" 9
    local prisoner
    prisoner=$(pgrep -P "${pid[there]}")
    run_tool 0 ipcstat -k shm -r --noheadings -o NAME -N "${pid[there]}"
    assert_output shm:/hostile-theirs
    run_tool 2 ipcstat -k shm -r --noheadings -o NAME -N "$prisoner"
    assert_output ''
    run_tool 2 ipcclean -y -k shm -s unused --older-than 0 -N "$prisoner"
    [ -e "$evil/dev/shm/hostile-victim" ]
    kill -KILL "$prisoner"
}

@test "the root directory of a mount namespace is trusted, wherever that is" {
    requires root mount pivot_root
    local root=$BATS_TEST_TMPDIR/root
    mkdir "$root"
    mkfifo "$BATS_TEST_TMPDIR/never"
    # As containers have it. A process whose root directory was the old one has the new one with it.
    local pivot='mount -t tmpfs none "$1" && mkdir -p "$1/dev/shm" "$1/old" && pivot_root "$1" "$1/old"'
    unshare --mount bash -c "$pivot" bash "$root" 2>/dev/null || skip 'needs a root directory that is a mount point'
    spawn_ready there unshare --ipc --mount bash -c '
        exec 8<>"$2"
        '"$pivot"' || exit
        : >/dev/shm/hostile-theirs
        echo >&9
        read -ru 8' bash "$root" "$BATS_TEST_TMPDIR/never" 9
    run_tool 0 ipcstat -k shm -r --noheadings -o NAME -N "${pid[there]}"
    assert_output shm:/hostile-theirs
}
