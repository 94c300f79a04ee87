// SPDX-License-Identifier: MIT
//
// mqreceive: message queue -> stream of records, or one run of COMMAND for each message.
//
// Nothing taken is lost: a message is delivered when write(2) accepted its record's last byte, or
// COMMAND ended with 0; what cannot be delivered goes back, and what cannot go back is on stderr.
// Status: 0 done, 1 nothing there (-n, -a), 2 trouble, 3 messages are on stderr, 124 none came
// (-w); with COMMAND its own, and 125 for trouble.

#include <cerrno>
#include <cstdint>
#include <new>
#include <optional>
#include <string_view>
#include <unistd.h>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "queue/delivery.hpp"
#include "queue/handover.hpp"
#include "queue/intake.hpp"
#include "queue/message_queue.hpp"
#include "tool/progress.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"

namespace {

using namespace ipc;

struct Options {
    Demand demand;
    bool with_priority = false;
    Format format = Format::line;
    bool unbuffered = false;
    bool literal = false;
    bool progress = false;
    bool verbose = false;
    HandoverPolicy policy;
    std::optional<int> conflict_status; ///< instead of 1 and 124
};

constexpr const char* synopsis[] = {
    "[OPTION]... QUEUE",
    "[OPTION]... QUEUE -- COMMAND [ARG]...",
};
constexpr const char* operands[] = {"queue", "command"};

constexpr Tool tool = {
    .name = "mqreceive",
    .summary = "Take messages from a queue, to standard output or one by one to a COMMAND.",
    .synopsis = synopsis,
    .operands = operands,
    .runs_command = true,
};

// clang-format off
constexpr Option<Options> table[] = {
    {standard::count({.group = 'c', .help = "take N messages (default 1)"}),
     [](Options& o, const char* a) { o.demand.count = parse::count(a); }},
    {{.short_name = 'a', .long_name = "all", .group = 'c',
      .help = "take what is queued now, and no more"},
     [](Options& o, const char*) { o.demand.all = true; }},
    {standard::follow({.group = 'c', .help = "go on until the queue is removed"}),
     [](Options& o, const char*) { o.demand.follow = true; }},
    {standard::nonblock({.help = "do not wait for a message"}),
     [](Options& o, const char*) { o.demand.nonblock = true; }},
    {standard::timeout({.help = "wait at most that long for each message"}),
     [](Options& o, const char* a) { o.demand.timeout = parse::duration(a); }},
    {{.short_name = 't', .long_name = "type", .argument = Argument::required,
      .argument_name = "TYPE", .value_kind = "number", .group = 't',
      .help = "System V: of this type; -N: lowest up to N"},
     [](Options& o, const char* a) { o.demand.selection = {.type = parse::any_number(a)}; }},
    {{.long_name = "except", .argument = Argument::required,
      .argument_name = "TYPE", .value_kind = "number", .group = 't',
      .help = "System V: messages of any other type"},
     [](Options& o, const char* a) {
         o.demand.selection = {.type = parse::number(a, 1), .except = true};
     }},
    {{.long_name = "peek", .command = ForCommand::never,
      .help = "System V: show without taking"},
     [](Options& o, const char*) { o.demand.peek = true; }},
    {{.short_name = 'P', .long_name = "with-priority", .command = ForCommand::never,
      .help = "begin each record with its priority and a tab"},
     [](Options& o, const char*) { o.with_priority = true; }},
    {standard::format({.command = ForCommand::never}),
     [](Options& o, const char* a) { o.format = parse_format(a); }},
    {standard::format_null({.command = ForCommand::never}),
     [](Options& o, const char*) { o.format = Format::nul; }},
    {standard::format_json({.command = ForCommand::never}),
     [](Options& o, const char*) { o.format = Format::json; }},
    {{.short_name = 'u', .long_name = "unbuffered", .command = ForCommand::never,
      .help = "write each message before the next is taken"},
     [](Options& o, const char*) { o.unbuffered = true; }},
    {standard::literal({.command = ForCommand::never}),
     [](Options& o, const char*) { o.literal = true; }},
    {{.long_name = "retries", .argument = Argument::required,
      .argument_name = "N", .value_kind = "number", .command = ForCommand::only,
      .help = "run a COMMAND that fails up to N times again"},
     [](Options& o, const char* a) { o.policy.retries = parse::count(a); }},
    {{.long_name = "dead-letter", .argument = Argument::required,
      .argument_name = "QUEUE", .value_kind = "queue", .command = ForCommand::only,
      .help = "where messages go on which COMMAND fails"},
     [](Options& o, const char* a) { o.policy.dead_letter = a; }},
    {standard::conflict_exit_code({.command = ForCommand::only,
                                   .help = "exit status instead of 1 and 124"}),
     [](Options& o, const char* a) { o.conflict_status = parse::exit_status(a); }},
    {standard::progress({.command = ForCommand::never,
                         .help = "say each second how much was received"}),
     [](Options& o, const char*) { o.progress = true; }},
    {standard::verbose({.help = "say what a script would not see"}),
     [](Options& o, const char*) { o.verbose = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

void check(const Options& options, const Invocation& invocation) {
    if (invocation.operands.empty())
        throw UsageError("QUEUE is missing");
    if (invocation.operands.size() > 1)
        throw UsageError(text("unexpected operand '", printable(invocation.operands[1]),
                              "'; options come before QUEUE, and -- before COMMAND"));
    if (options.with_priority &&
        (options.format == Format::json || options.format == Format::whole))
        throw UsageError("--with-priority goes with line, nul and netstring alone");
    const Demand& demand = options.demand;
    if (options.format == Format::whole && (demand.all || demand.follow || demand.count > 1))
        throw UsageError("the format whole is for one message alone");
    if (demand.peek && (demand.follow || demand.timeout || demand.selection.type < 0))
        throw UsageError("--peek never waits: it goes with neither --follow nor --timeout, "
                         "nor with a negative --type");
}

/// The status to end with when `outcome` came instead of a message, or done when all has come.
int status_of(const Options& options, const MessageQueue& queue, Outcome outcome,
              std::uint64_t taken) {
    switch (outcome) {
    case Outcome::timed_out:
        return options.conflict_status.value_or(exit_timed_out);
    case Outcome::removed:
        if (options.demand.follow)
            return exit_done;
        throw Error(queue.name().text, "cannot receive", EIDRM);
    case Outcome::cut_off:
        throw Error("stdout", "cannot write", EPIPE);
    default:
        break;
    }
    const bool nothing = options.demand.all ? taken == 0 : outcome == Outcome::not_now;
    return nothing ? options.conflict_status.value_or(exit_not_now) : exit_done;
}

/// A record that holds its delimiter looks like two.
void note_delimiter(const Options& options, const Name& name, std::string_view message,
                    std::uint64_t number) {
    if (is_delimited(options.format) &&
        message.find(delimiter(options.format)) != std::string_view::npos)
        report(text(printable(name.text), ": message ", number, " holds a ",
                    options.format == Format::nul ? "NUL" : "newline", " itself"));
}

int pass_on(const Options& options, MessageQueue& queue, Delivery& delivery) {
    Progress progress(tool.name, options.progress ? Periodic::yes : Periodic::no);
    Intake intake(queue, options.demand);
    Outcome outcome = Outcome::done;
    while (outcome == Outcome::done && intake.wants_more() && signals::ended() == 0) {
        try {
            outcome = intake.move_one(delivery).outcome;
        } catch (const Error&) {
            delivery.deliver();
            throw;
        }
        if (outcome != Outcome::done)
            break;
        progress.add(1, delivery.last().size());
        if (options.verbose)
            note_delimiter(options, queue.name(), delivery.last(), intake.taken());
        if (options.unbuffered)
            delivery.deliver();
        signals::serve_report_request();
    }
    delivery.deliver();
    signals::check();
    return status_of(options, queue, outcome, intake.taken());
}

int stream(const Options& options, MessageQueue& queue) {
    const bool escape = !options.literal && isatty(STDOUT_FILENO) == 1;
    Delivery delivery(queue,
                      {.format = options.format,
                       .with_priority = options.with_priority,
                       .escape = escape ? Escape::yes : Escape::no},
                      options.demand.peek ? PutBack::no : PutBack::yes);
    try {
        return pass_on(options, queue, delivery);
    } catch (const std::bad_alloc&) {
        report("out of memory");
        return delivery.give_back() ? exit_trouble : exit_lost;
    }
}

int hand_over(const Options& options, MessageQueue& queue, Operands command) {
    Handover handover(queue, command, options.policy);
    Progress progress(tool.name, Periodic::no);
    Intake intake(queue, options.demand);
    Intake::Moved moved;
    while (moved.outcome == Outcome::done && intake.wants_more()) {
        moved = intake.move_one(handover);
        if (moved.status != 0)
            return moved.status;
        if (moved.outcome == Outcome::done)
            progress.add(1, handover.last().size());
    }
    return status_of(options, queue, moved.outcome, intake.taken());
}

int run(const Options& options, const Invocation& invocation) {
    check(options, invocation);
    const auto queue = open_queue(parse_name(Kind::queue, invocation.operands[0]), Access::receive);
    if (options.verbose && !queue->can_send() && !options.demand.peek)
        report(text(printable(queue->name().text),
                    ": opened for reading alone: what cannot be delivered cannot be put back"));
    signals::hold();
    return invocation.command ? hand_over(options, *queue, *invocation.command)
                              : stream(options, *queue);
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
