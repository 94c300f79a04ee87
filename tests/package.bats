#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The packages, as `make package` packs what was built. packaging/check installs them.

# shellcheck disable=SC2030,SC2031 # each test is a subshell
# shellcheck disable=SC2154 # from lib.bash and build.bash

load support/lib.bash
load support/build.bash

can_pack() { command -v dpkg-deb && command -v dpkg-shlibdeps; } >/dev/null

pack() { (umask 077 && DESTDIR=/nowhere sh "$top/packaging/pack" "$build"); }

setup_file() {
    take_census
    can_pack || return 0
    configure_copy
    take_build
    pack
}

setup() {
    can_pack || skip 'needs dpkg-deb and dpkg-shlibdeps'
    deb=$(echo "$build"/packages/*.deb)
    cd "$BATS_TEST_TMPDIR" || return
}

field() { dpkg-deb -f "$deb" "$1"; }

# Its files, and with a slash at the end its directories.
packed() { dpkg-deb --fsys-tarfile "$deb" | tar -t | sed 's|^\.||' | sort; }

@test "the package says what it is" {
    local version
    version=$(mqsend --version)
    version=${version##* }
    [ "${deb##*/}" = "ipctools_${version}_$(dpkg --print-architecture).deb" ]
    [ "$(field Package)" = ipctools ]
    [ "$(field Version)" = "$version" ]
    [ "$(field Section)" = utils ]
    [ "$(field Priority)" = optional ]
    [[ $(field Maintainer) =~ ^[^@]+' <'[^@\ ]+@[^@\ ]+'>'$ ]]
    # One line, and an extended description below it.
    [ "$(field Description | grep -vc '^ ')" -eq 1 ]
    [ "$(field Description | grep -c '^ ')" -ge 5 ]
    # The changelog is that of this version.
    [ "$(sed -n '1s/^ipctools (\(.*\)) .*/\1/p' "$top/packaging/changelog")" = "$version" ]
}

@test "the package depends on what its tools are linked with" {
    requires release
    field Depends | grep -Eqx 'libc6 \(>= [0-9.]+\)'
}

@test "everything is in the package, and nothing else" {
    local tool file
    {
        while read -r tool _; do
            printf '/usr/%s\n' "bin/$tool" "share/man/man1/$tool.1.gz" \
                "share/bash-completion/completions/$tool" "share/zsh/site-functions/_$tool" \
                "share/fish/vendor_completions.d/$tool.fish"
        done <"$IPCTOOLS_BIN/../tools.list"
        for file in "$top"/packaging/systemd/*; do
            echo "/usr/share/doc/ipctools/examples/systemd/${file##*/}"
        done
        printf '/usr/share/%s\n' man/man7/ipctools.7.gz doc/ipctools/{changelog.gz,copyright} \
            lintian/overrides/ipctools
    } | sort >expected
    [ "$(wc -l <expected)" -ge 28 ]
    packed | grep -v '/$' | diff expected -
}

@test "all of it belongs to root, and everybody may read it" {
    dpkg-deb -c "$deb" | awk '{ print $1, $2, $6 }' >listed
    grep -q '^-rwxr-xr-x root/root ./usr/bin/mqsend$' listed
    run grep -Ev '^(drwxr-xr-x root/root .*/|-rwxr-xr-x root/root ./usr/bin/.*)$' listed
    run grep -v '^-rw-r--r-- root/root ./usr/share/' <<<"$output"
    assert_output ''
}

@test "what was packed works, and can be read" {
    local tool page name
    dpkg-deb -x "$deb" .
    while read -r tool _; do
        run_tool 0 "usr/bin/$tool" --version
        assert_output "$("$tool" --version)"
        run ! file_has_symbols "usr/bin/$tool"
    done <"$IPCTOOLS_BIN/../tools.list"
    for page in "$top"/man/*; do
        name=${page##*/}
        gzip -dc "usr/share/man/man${name##*.}/$name.gz" | cmp "$page" -
    done
    gzip -dc usr/share/doc/ipctools/changelog.gz | cmp "$top/packaging/changelog" -
    diff -r "$top/packaging/systemd" usr/share/doc/ipctools/examples/systemd
}
file_has_symbols() { readelf -S "$1" | grep -q '\.symtab'; }

@test "the package has the licence" {
    dpkg-deb -x "$deb" .
    # A paragraph's lines begin with a space, and its empty lines have a full stop.
    sed -n '/^License: Expat/,$ { s/^ \.$//; s/^ //p; /^$/p }' usr/share/doc/ipctools/copyright |
        diff <(sed '1,4d' "$top/LICENSE") -
    grep -qx "Copyright: $(sed -n 's/^Copyright (c) //p' "$top/LICENSE")" \
        usr/share/doc/ipctools/copyright
}

@test "the same build gives the same package" {
    cp "$deb" first.deb
    pack
    assert_same first.deb "$deb"
}

@test "packing leaves alone what make install noted" {
    [ ! -e "$build/install_directories.txt" ]
    [ ! -e "$build/install_manifest.txt" ]
}

@test "an .rpm where rpmbuild is; otherwise that is said" {
    if command -v rpmbuild >/dev/null; then
        rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$build"/packages/*.rpm >listed
        sed -n 's/^-[^ ]* //p' listed | sort | diff <(packed | grep -v '/$\|/lintian/') -
        # Of directories only its own.
        run awk '/^d/ && $2 !~ "^/usr/share/doc/ipctools"' listed
        assert_output ''
    else
        run pack
        assert_line 'No .rpm: rpmbuild is not installed'
    fi
}
