// SPDX-License-Identifier: MIT
#pragma once

#include "tool/options.hpp"

/// The options that mean the same in every tool that has them: ipctools(7), OPTIONS. Each function
/// completes a row by what is always the same: letter, name, argument, the verb it goes with, the
/// group of which only one may be given. The tool adds what is its own, such as its help:
///
///     {standard::timeout({.help = "wait at most that long for each message"}),
///      [](Options& o, const char* a) { o.timeout = parse::duration(a); }},
namespace ipc::standard {

/// -n. Not with -w.
consteval OptionInfo nonblock(OptionInfo row) {
    row.short_name = 'n';
    row.long_name = "nonblock";
    row.group = 'n';
    return row;
}

/// -w DURATION. Not with -n.
consteval OptionInfo timeout(OptionInfo row) {
    row.short_name = 'w';
    row.long_name = "timeout";
    row.argument = Argument::required;
    row.argument_name = "DURATION";
    row.value_kind = "duration";
    row.group = 'n';
    return row;
}

/// -c N.
consteval OptionInfo count(OptionInfo row) {
    row.short_name = 'c';
    row.long_name = "count";
    row.argument = Argument::required;
    row.argument_name = "N";
    row.value_kind = "number";
    return row;
}

/// -f.
consteval OptionInfo follow(OptionInfo row) {
    row.short_name = 'f';
    row.long_name = "follow";
    return row;
}

/// -E CODE.
consteval OptionInfo conflict_exit_code(OptionInfo row) {
    row.short_name = 'E';
    row.long_name = "conflict-exit-code";
    row.argument = Argument::required;
    row.argument_name = "CODE";
    row.value_kind = "code";
    return row;
}

/// -F FORMAT, and -0 and -J that are short for two of them: one of the three.
consteval OptionInfo format(OptionInfo row) {
    row.short_name = 'F';
    row.long_name = "format";
    row.argument = Argument::required;
    row.argument_name = "FORMAT";
    row.value_kind = "format";
    row.group = 'F';
    row.help = "line (default), nul, netstring, json or whole";
    return row;
}

consteval OptionInfo null(OptionInfo row) {
    row.short_name = '0';
    row.long_name = "null";
    return row;
}

consteval OptionInfo format_null(OptionInfo row) {
    row.group = 'F';
    row.help = "the same as --format=nul";
    return null(row);
}

consteval OptionInfo json(OptionInfo row) {
    row.short_name = 'J';
    row.long_name = "json";
    return row;
}

consteval OptionInfo format_json(OptionInfo row) {
    row.group = 'F';
    row.help = "the same as --format=json";
    return json(row);
}

consteval OptionInfo literal(OptionInfo row) {
    row.long_name = "literal";
    row.help = "do not escape control bytes on a terminal";
    return row;
}

/// -m MODE.
consteval OptionInfo mode(OptionInfo row) {
    row.short_name = 'm';
    row.long_name = "mode";
    row.argument = Argument::required;
    row.argument_name = "MODE";
    row.value_kind = "mode";
    return row;
}

/// -x, of the verb create.
consteval OptionInfo exclusive(OptionInfo row) {
    row.short_name = 'x';
    row.long_name = "exclusive";
    row.verbs = "create";
    return row;
}

/// --owner-any.
consteval OptionInfo owner_any(OptionInfo row) {
    row.long_name = "owner-any";
    row.help = "accept an existing one of any user";
    return row;
}

/// --owner USER[:GROUP], of the verb set.
consteval OptionInfo owner(OptionInfo row) {
    row.long_name = "owner";
    row.argument = Argument::required;
    row.argument_name = "USER[:GROUP]";
    row.value_kind = "user";
    row.verbs = "set";
    row.help = "owner and group";
    return row;
}

/// -f, of the verb rm.
consteval OptionInfo force(OptionInfo row) {
    row.short_name = 'f';
    row.long_name = "force";
    row.verbs = "rm";
    row.help = "do not complain about what is not there";
    return row;
}

/// -u USER.
consteval OptionInfo user(OptionInfo row) {
    row.short_name = 'u';
    row.long_name = "user";
    row.argument = Argument::required;
    row.argument_name = "USER";
    row.value_kind = "user";
    row.help = "what this user owns";
    return row;
}

/// -N PID.
consteval OptionInfo namespace_of(OptionInfo row) {
    row.short_name = 'N';
    row.long_name = "namespace";
    row.argument = Argument::required;
    row.argument_name = "PID";
    row.value_kind = "process";
    row.help = "the IPC namespace of this process";
    return row;
}

/// --ready-fd FD.
consteval OptionInfo ready_fd(OptionInfo row) {
    row.long_name = "ready-fd";
    row.argument = Argument::required;
    row.argument_name = "FD";
    row.value_kind = "fd";
    return row;
}

consteval OptionInfo progress(OptionInfo row) {
    row.long_name = "progress";
    return row;
}

/// -v.
consteval OptionInfo verbose(OptionInfo row) {
    row.short_name = 'v';
    row.long_name = "verbose";
    return row;
}

} // namespace ipc::standard
