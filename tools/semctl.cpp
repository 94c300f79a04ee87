// SPDX-License-Identifier: MIT
//
// semctl: create, show, post, wait for and remove semaphores of both families, and run a COMMAND
// under one.
//
// A semaphore that is created has its value and its name is printed, or it is not there. What a
// wait took and could not report, and what `run` took, is given back.
// Status: 0 done, 1 not now (-n), 2 trouble, 124 time ran out (-w); run: COMMAND's, and 125 for
// trouble.

#include <cerrno>
#include <climits>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "semaphore/semaphore.hpp"
#include "semaphore/show.hpp"
#include "tool/spawn.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"
#include "tool/verbs.hpp"

namespace {

using namespace ipc;

struct Options {
    Existing existing = Existing::ours;
    SemaphoreSettings settings;
    std::optional<std::int64_t> member;
    std::uint64_t count = 1;
    bool nonblock = false;
    std::optional<nanoseconds> timeout;
    std::optional<int> conflict_status; ///< instead of 1 and 124
    bool force = false;
    bool json = false;
};

constexpr const char* synopsis[] = {
    "create [OPTION]... SEM...",
    "show [-J] [-i N] SEM...",
    "value [-i N] SEM",
    "post [-i N] [-c N] SEM",
    "wait [-n | -w DURATION] [-i N] [-c N] SEM",
    "set [-q] [-i N] SEM VALUE",
    "op [-n | -w DURATION] SEM INDEX(+|-)N | INDEX=0...",
    "run [OPTION]... SEM -- COMMAND [ARG]...",
    "rm [-f] SEM...",
};
constexpr const char* operands[] = {"semaphore"};
constexpr Verb verbs[] = {
    {"create", "create semaphores and print their names"},
    {"show", "print the attributes of semaphores"},
    {"value", "print the value of one"},
    {"post", "add to its value"},
    {"wait", "subtract from its value once that is possible"},
    {"set", "give it a value"},
    {"op", "System V: several operations at once, or none"},
    {"run", "run COMMAND; give back at its end what was taken"},
    {"rm", "remove semaphores"},
};

constexpr Tool tool = {
    .name = "semctl",
    .summary = "Create, show, use or remove semaphores, or run a COMMAND under one.",
    .synopsis = synopsis,
    .operands = operands,
    .verbs = verbs,
    .runs_command = true,
};

// clang-format off
constexpr Option<Options> table[] = {
    {standard::exclusive({.help = "fail if the semaphore is there already"}),
     [](Options& o, const char*) { o.existing = Existing::refused; }},
    {standard::owner_any({.verbs = "create"}),
     [](Options& o, const char*) { o.existing = Existing::any; }},
    {standard::mode({.verbs = "create", .help = "permissions, octal or symbolic"}),
     [](Options& o, const char* a) { o.settings.mode = parse::mode(a, o.settings.mode); }},
    {{.long_name = "value", .argument = Argument::required,
      .argument_name = "N", .value_kind = "number", .verbs = "create",
      .help = "the value to begin with (default 0)"},
     [](Options& o, const char* a) { o.settings.value = parse::number(a); }},
    {{.long_name = "nsems", .argument = Argument::required,
      .argument_name = "N", .value_kind = "number", .verbs = "create",
      .help = "members of a System V set (default 1)"},
     [](Options& o, const char* a) { o.settings.members = parse::number(a, 1, INT_MAX); }},
    {{.short_name = 'i', .long_name = "index", .argument = Argument::required,
      .argument_name = "N", .value_kind = "number", .verbs = "show,value,post,wait,set,run",
      .help = "member of set"},
     [](Options& o, const char* a) { o.member = parse::number(a); }},
    {standard::count({.verbs = "post,wait,run", .help = "add or subtract N (default 1)"}),
     [](Options& o, const char* a) {
         o.count = static_cast<std::uint64_t>(parse::number(a, 1, INT_MAX));
     }},
    {standard::nonblock({.verbs = "wait,op,run", .help = "do not wait"}),
     [](Options& o, const char*) { o.nonblock = true; }},
    {standard::timeout({.verbs = "wait,op,run", .help = "wait at most that long"}),
     [](Options& o, const char* a) { o.timeout = parse::duration(a); }},
    {standard::conflict_exit_code({.verbs = "run", .help = "exit status instead of 1 and 124"}),
     [](Options& o, const char* a) { o.conflict_status = parse::exit_status(a); }},
    {standard::force({}),
     [](Options& o, const char*) { o.force = true; }},
    {standard::json({.verbs = "show", .help = "one json object for each semaphore"}),
     [](Options& o, const char*) { o.json = true; }},
    {{.short_name = 'q', .long_name = "quiet", .verbs = "set",
      .help = "accepted without effect"},
     [](Options&, const char*) {}},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

Name name_of(const char* operand) { return parse_name(Kind::semaphore, operand); }

void create(const Options& options, const char* operand) {
    const Name name = parse_name(Kind::semaphore, operand, AllowPrivate::yes);
    const CreatedSemaphore created = create_semaphore(name, options.settings, options.existing);
    try {
        print_name(created.name);
    } catch (...) {
        if (created.is_ours)
            remove_semaphore(created.name);
        throw;
    }
}

void remove(const Options& options, const char* operand) {
    const Name name = name_of(operand);
    if (!remove_semaphore(name) && !options.force)
        throw Error(name.text, "cannot remove", ENOENT);
}

int for_each_semaphore(const Options& options, std::string_view verb, Operands names) {
    if (verb == "create")
        signals::hold(); // a semaphore whose name could not be printed must go first
    Show show(options.json ? ShowAs::json : ShowAs::shell);
    return for_each_operand(names, [&](const char* operand) {
        if (verb == "create")
            create(options, operand);
        else if (verb == "show")
            show(semaphore_attributes(name_of(operand), options.member));
        else
            remove(options, operand);
    });
}

void set(const Options& options, const Name& name, const char* value) {
    open_semaphore(name, options.member)->set(parse::number(value));
}

Deadline deadline_of(const Options& options) {
    return Deadline::after(options.nonblock ? nanoseconds::zero() : options.timeout);
}

/// The status that says how a wait came out.
int status_of(const Options& options, const Name& name, Waited waited) {
    switch (waited) {
    case Waited::timed_out:
        return options.conflict_status.value_or(options.nonblock ? exit_not_now : exit_timed_out);
    case Waited::removed:
        throw Error(name.text, "cannot wait", EIDRM);
    case Waited::done:
        break;
    }
    return exit_done;
}

/// Ended by a signal, it has taken nothing.
int wait(const Options& options, const Name& name) {
    signals::hold();
    const auto semaphore = open_semaphore(name, options.member);
    const Waited waited = semaphore->take(options.count, deadline_of(options));
    if (waited == Waited::done && signals::hold_off() != 0)
        semaphore->post(options.count);
    return status_of(options, name, waited);
}

int operate(const Options& options, const Name& name, Operands words) {
    std::vector<Operation> operations;
    for (const char* const word : words)
        operations.push_back(parse_operation(word));
    return status_of(options, name, operate(name, operations, deadline_of(options)));
}

int run_under(const Options& options, const Name& name, Operands command) {
    // Open no longer than that: it goes with a handler for SIGBUS, which COMMAND may want ignored.
    const Waited waited =
        open_semaphore(name, options.member)->take_for_life(options.count, deadline_of(options));
    if (waited != Waited::done)
        return status_of(options, name, waited);
    return exec_command(command);
}

void check(const Invocation& invocation) {
    const std::string_view verb = invocation.verb;
    const std::size_t given = invocation.operands.size();
    if (verb.empty())
        throw UsageError("a verb is missing: create, show, value, post, wait, set, op, run or rm");
    if (given == 0)
        throw UsageError("SEM is missing");
    if (verb == "create" || verb == "show" || verb == "rm")
        return;
    if (given == 1 && (verb == "set" || verb == "op"))
        throw UsageError(verb == "set" ? "VALUE is missing"
                                       : "INDEX+N, INDEX-N or INDEX=0 is missing");
    if (given > (verb == "set" ? 2 : 1) && verb != "op")
        throw UsageError(text("unexpected operand '", printable(invocation.operands[given - 1]),
                              "'; options come before SEM, and -- before COMMAND"));
}

int run(const Options& options, const Invocation& invocation) {
    check(invocation);
    const std::string_view verb = invocation.verb;
    const Operands words = invocation.operands;
    if (invocation.command.has_value() != (verb == "run"))
        throw UsageError(verb == "run" ? "COMMAND is missing" : "only run takes a COMMAND");
    if (verb == "create" || verb == "show" || verb == "rm")
        return for_each_semaphore(options, verb, words);
    const Name name = name_of(words[0]);
    if (verb == "value")
        write_stdout(text(semaphore_value(name, options.member), '\n'));
    else if (verb == "post")
        open_semaphore(name, options.member)->post(options.count);
    else if (verb == "set")
        set(options, name, words[1]);
    else if (verb == "wait")
        return wait(options, name);
    else if (verb == "op")
        return operate(options, name, words.subspan(1));
    else
        return run_under(options, name, *invocation.command);
    return exit_done;
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
