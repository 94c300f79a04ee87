#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The table of traps is complete: each trap has, for each tool, a test that is there, or a reason. And
# no test is left out because of who runs it.
# shellcheck disable=SC2016,SC2154 # a pattern; variables of lib.bash and of bats

load support/lib.bash

number_of_traps=37

# flaws TABLE: what is wrong with it, a line each.
flaws() {
    awk -F ' [|] ' -v last="$number_of_traps" -v tests="$BATS_TEST_DIRNAME" '
        function has_test(file, title,    line, found) {
            while ((getline line <(tests "/" file)) > 0)
                if (line == "@test \"" title "\" {") found = 1
            close(tests "/" file)
            return found
        }
        function finish_trap(    i) {
            if (trap)
                for (i in tools)
                    if (!covered[tools[i]]) print "trap " trap ": nothing for " tools[i]
            delete covered
        }
        FNR == NR { split($0, fields, "\t"); tools[++count] = fields[1]; registered[fields[1]]; next }
        /^#/ || /^$/ { next }
        /^[0-9]/ {
            finish_trap()
            if (int($1) != ++trap) print "trap " trap " is missing"
            next
        }
        NF != 2 { print "no row: " $0; next }
        {
            if ($1 == "all") for (i in tools) covered[tools[i]] = 1
            for (i = split($1, named, " "); i > 0; --i) {
                if (named[i] != "all" && !(named[i] in registered)) print "no tool: " named[i]
                covered[named[i]] = 1
            }
            if ($2 ~ /^- ./) next
            at = index($2, ": ")
            if (!has_test(substr($2, 1, at - 1), substr($2, at + 2))) print "no test: " $2
        }
        END {
            finish_trap()
            if (trap != last) print trap " traps, expected " last
        }' "$IPCTOOLS_BIN/../tools.list" "$1"
}

@test "each trap is sprung on each tool, or cannot be" {
    run -0 flaws "$BATS_TEST_DIRNAME/support/traps"
    assert_output ''
}

@test "what is missing in the table is noticed" {
    local table=$BATS_TEST_TMPDIR/traps
    grep -v '^mqnotify | .*removed while waiting' "$BATS_TEST_DIRNAME/support/traps" |
        sed -e 's/^37 .*/38 another/' -e 's/two of us/three of us/' \
            -e 's/: everything works with neither/: nothing works/' -e 's/^mqctl | - never/mqclt | - never/' \
            >"$table"
    run -0 flaws "$table"
    assert_line 'trap 26: nothing for mqctl'
    assert_line 'no tool: mqclt'
    assert_line 'trap 27: nothing for mqnotify'
    assert_line 'trap 37 is missing'
    assert_line 'no test: mounts.bats: nothing works'
}

@test "what needs an ordinary user is run as one: it has the tag" {
    run -0 awk '
        FNR == 1 { all = 0 }
        /^# bats file_tags=user$/ { all = 1 }
        /^# bats test_tags=user$/ { tagged = FNR + 1 }
        /^@test / { title = $0; has_tag = all || tagged == FNR }
        /^    requires.* user( |$)/ && !has_tag { print FILENAME ": " title }' "$BATS_TEST_DIRNAME"/*.bats
    assert_output ''
}
