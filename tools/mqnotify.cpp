// SPDX-License-Identifier: MIT
//
// mqnotify: wait until a POSIX queue has something; say who sent it, or run COMMAND.
//
// With -f every message that comes into an empty queue after a line was printed, or after COMMAND
// ended, gives another line, or another run: no wake-up is lost.
// Status: 0 something came, 2 trouble, 124 nothing came (-w); with COMMAND its own, and 125 for
// trouble.

#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/io.hpp"
#include "base/json.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "queue/watch.hpp"
#include "tool/ready.hpp"
#include "tool/spawn.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"

namespace {

using namespace ipc;

struct Options {
    bool follow = false;
    std::optional<nanoseconds> timeout;
    WatchBy by = WatchBy::registration;
    bool json = false;
    int ready_fd = -1;
    int timed_out_status = exit_timed_out;
};

constexpr const char* synopsis[] = {
    "[OPTION]... QUEUE...",
    "[OPTION]... QUEUE... -- COMMAND [ARG]...",
};
constexpr const char* operands[] = {"queue", "command"};

constexpr Tool tool = {
    .name = "mqnotify",
    .summary = "Wait until a POSIX message queue has something, and say who sent it.",
    .synopsis = synopsis,
    .operands = operands,
    .runs_command = true,
};

// clang-format off
constexpr Option<Options> table[] = {
    {standard::follow({.help = "go on until the queues are removed"}),
     [](Options& o, const char*) { o.follow = true; }},
    {standard::timeout({.help = "wait at most that long, each time"}),
     [](Options& o, const char* a) { o.timeout = parse::duration(a); }},
    {{.short_name = 'e', .long_name = "poll",
      .help = "watch without registering; sender unknown"},
     [](Options& o, const char*) { o.by = WatchBy::readiness; }},
    {standard::json({.command = ForCommand::never, .help = "one json object for each event"}),
     [](Options& o, const char*) { o.json = true; }},
    {standard::ready_fd({.help = "write a newline to FD once all queues are watched"}),
     [](Options& o, const char* a) { o.ready_fd = parse_ready_fd(a); }},
    {standard::conflict_exit_code({.help = "exit status instead of 124"}),
     [](Options& o, const char* a) { o.timed_out_status = parse::exit_status(a); }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

std::string or_dash(const std::string& value) { return value.empty() ? "-" : value; }

/// Says what came, or has COMMAND deal with it.
class Reaction {
  public:
    Reaction(const Options& options, QueueWatch& watch, const std::optional<Operands>& command)
        : options_(options), watch_(watch), command_(command) {}

    /// Returns 0 or COMMAND's status.
    int operator()(const QueueEvent& event) {
        if (command_)
            return run(event);
        print(event);
        return 0;
    }

  private:
    /// A pid of 0 is that of a process we cannot see: unknown.
    static std::string pid(const QueueEvent& event) {
        return event.sender && event.sender->pid != 0 ? text(event.sender->pid) : std::string();
    }
    static std::string uid(const QueueEvent& event) {
        return event.sender ? text(event.sender->uid) : std::string();
    }

    void print(const QueueEvent& event) const {
        const std::string queue = watch_.name(event.queue).canonical();
        if (options_.json) {
            JsonObject object;
            object.add("queue", "queue_base64", queue);
            if (!pid(event).empty())
                object.add_number("pid", pid(event));
            if (!uid(event).empty())
                object.add_number("uid", uid(event));
            write_stdout(std::move(object).line());
        } else {
            write_stdout(text(isatty(STDOUT_FILENO) == 1 ? printable(queue) : queue, ' ',
                              or_dash(pid(event)), ' ', or_dash(uid(event)), '\n'));
        }
    }

    /// A notification tells of the first message alone, so COMMAND runs again as long as it takes
    /// some and more remain.
    int run(const QueueEvent& event) {
        const std::size_t queue = event.queue;
        set_environment("MQ_QUEUE", watch_.name(queue).text);
        set_environment("MQ_SENDER_PID", pid(event));
        set_environment("MQ_SENDER_UID", uid(event));
        for (;;) {
            watch_.take_change(queue);
            const auto before = watch_.state(queue);
            const int status = run_command(*command_, std::nullopt);
            signals::check();
            if (status != 0 && (!options_.follow || cannot_start(status)))
                return status;
            if (!watch_.has_messages(queue))
                return status;
            if (!watch_.take_change(queue) && watch_.state(queue) == before) {
                if (options_.follow)
                    wait_for_change(queue);
                return status;
            }
        }
    }

    void wait_for_change(std::size_t queue) {
        watch_.expect_change(queue);
        if (said_.insert(queue).second)
            report(text(printable(watch_.name(queue).text),
                        ": COMMAND took no message; it runs again when the queue changes"));
    }

    const Options& options_;
    QueueWatch& watch_;
    const std::optional<Operands>& command_;
    std::set<std::size_t> said_;
};

int run(const Options& options, const Invocation& invocation) {
    if (invocation.operands.empty())
        throw UsageError("QUEUE is missing");
    signals::hold();
    QueueWatch watch(options.by, options.follow ? Repeat::yes : Repeat::no);
    for (const char* const operand : invocation.operands)
        watch.add(parse_name(Kind::queue, operand));
    watch.look();
    say_ready(options.ready_fd);

    const int output_fd = invocation.command ? -1 : STDOUT_FILENO;
    Reaction react(options, watch, invocation.command);
    int status = exit_done;
    while (!watch.is_over()) {
        const auto event = watch.wait(Deadline::after(options.timeout), output_fd);
        if (!event)
            return options.timed_out_status;
        if (event->what == QueueEvent::What::removed) {
            if (!options.follow)
                throw Error(watch.name(event->queue).text, "cannot wait", EIDRM);
            continue;
        }
        status = react(*event);
        if (!options.follow || cannot_start(status))
            return status;
    }
    return status;
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
