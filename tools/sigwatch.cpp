// SPDX-License-Identifier: MIT
//
// sigwatch: wait for signals, or look at those of another process or of a COMMAND; say which came,
// who sent them, why and with what value.
//
// Those that are sent to sigwatch are queued by the kernel until they are read: none is lost that
// did not merge before. Those of others are on their way before they are told.
// Status: 0 they came (-c), or what was watched has ended; 2 trouble, 124 none came (-w); with
// COMMAND its own, and 125 for trouble.

#include <cerrno>
#include <climits>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "signal/commands.hpp"
#include "signal/event.hpp"
#include "signal/log.hpp"
#include "signal/names.hpp"
#include "signal/own_signals.hpp"
#include "signal/trace.hpp"
#include "tool/ready.hpp"
#include "tool/spawn.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"

namespace {

using namespace ipc;

struct Options {
    std::optional<std::uint64_t> count;
    std::optional<nanoseconds> timeout;
    LogAs log_as = LogAs::words;
    std::vector<SignalRule> rules;
    std::optional<pid_t> pid;
    FollowChildren children = FollowChildren::no;
    int ready_fd = -1;
};

constexpr const char* synopsis[] = {
    "[OPTION]... [SIGNAL]...",
    "-p PID [--children] [OPTION]... [SIGNAL]...",
    "[-J] [--children] [SIGNAL]... -- COMMAND [ARG]...",
};
constexpr const char* operands[] = {"signal", "command"};

constexpr Tool tool = {
    .name = "sigwatch",
    .summary = "Wait for signals; say which came, from whom, why and with what value.",
    .synopsis = synopsis,
    .operands = operands,
    .runs_command = true,
    .command_alone = true,
};

int parse_watchable(std::string_view text) {
    const int signal = parse_signal(text);
    if (!is_usable_signal(signal))
        throw UsageError(ipc::text("signal ", signal, " is the C library's own"));
    return signal;
}

/// `SIGNAL=COMMAND`.
void add_command(Options& options, std::string_view rule) {
    const std::size_t equals = rule.find('=');
    if (equals == std::string_view::npos)
        throw UsageError(text("'", printable(rule), "' is not SIGNAL=COMMAND"));
    options.rules.push_back({.signal = parse_watchable(rule.substr(0, equals)),
                             .command = std::string(rule.substr(equals + 1))});
}

// clang-format off
constexpr Option<Options> table[] = {
    {standard::count({.command = ForCommand::never, .help = "end after N signals"}),
     [](Options& o, const char* a) { o.count = parse::count(a); }},
    {standard::timeout({.command = ForCommand::never,
                        .help = "wait at most that long for each signal"}),
     [](Options& o, const char* a) { o.timeout = parse::duration(a); }},
    {standard::json({.help = "one json object for each signal"}),
     [](Options& o, const char*) { o.log_as = LogAs::json; }},
    {{.short_name = 'x', .long_name = "execute", .argument = Argument::required,
      .argument_name = "SIGNAL=COMMAND", .value_kind = "signal", .group = 'p',
      .command = ForCommand::never, .help = "run a command of sh for each SIGNAL"},
     [](Options& o, const char* a) { add_command(o, a); }},
    {{.short_name = 'p', .long_name = "process", .argument = Argument::required,
      .argument_name = "PID", .value_kind = "process", .group = 'p',
      .command = ForCommand::never, .help = "watch the signals of another process"},
     [](Options& o, const char* a) { o.pid = static_cast<pid_t>(parse::number(a, 1, INT_MAX)); }},
    {{.long_name = "children", .help = "and those of its children"},
     [](Options& o, const char*) { o.children = FollowChildren::yes; }},
    {standard::ready_fd({.help = "write a newline to FD once no signal is missed"}),
     [](Options& o, const char* a) { o.ready_fd = parse_ready_fd(a); }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

/// Those named in operands and in -x, if any are.
std::optional<sigset_t> named_signals(const Options& options, Operands names) {
    if (names.empty() && options.rules.empty())
        return std::nullopt;
    sigset_t set;
    sigemptyset(&set);
    for (const SignalRule& rule : options.rules)
        sigaddset(&set, rule.signal);
    for (const char* const name : names)
        sigaddset(&set, parse_watchable(name));
    return set;
}

/// All that can be waited for, without those by which the terminal stops us and the processor
/// tells of our own mistakes.
sigset_t default_signals() noexcept {
    sigset_t set;
    sigfillset(&set);
    for (const int signal : {SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGFPE,
                             SIGILL, SIGTRAP, SIGSYS})
        sigdelset(&set, signal);
    return set;
}

/// Goes on until what is watched has ended, or the count is reached: returns 0 and, of a COMMAND,
/// its status; or 124.
class Trace {
  public:
    Trace(const Options& options, const std::optional<sigset_t>& named, HeldCommand* command)
        : options_(options), named_(named), command_(command), trace_(options.children),
          log_(options.log_as) {}

    int run() {
        trace_.attach(pid());
        say_ready(options_.ready_fd);
        if (command_ != nullptr)
            command_->release();
        for (Deadline deadline = Deadline::after(options_.timeout);;) {
            if (take())
                deadline = Deadline::after(options_.timeout);
            if (is_done() || has_ended())
                return status_;
            if (deadline.passed())
                return exit_timed_out;
            if (command_ == nullptr)
                signals::check();
            else
                pass_on_signals(command_->pid());
            trace_.wait(deadline);
        }
    }

  private:
    /// Whether anything was told.
    bool take() {
        constexpr int most_at_once = 1000; // or neither -w nor a signal would end us
        const std::uint64_t before = told_;
        for (int taken = 0; taken < most_at_once && !is_done(); ++taken) {
            const auto event = trace_.take();
            if (!event)
                break;
            handle(*event);
            if (log_.is_full())
                write();
        }
        write();
        return told_ > before;
    }

    bool is_done() const noexcept { return options_.count && told_ >= *options_.count; }

    bool has_ended() const {
        if (trace_.is_over() && !is_end_told_)
            throw Error(text(pid()), "is gone, and nobody knows how it ended");
        return trace_.is_over();
    }

    pid_t pid() const noexcept { return command_ == nullptr ? *options_.pid : command_->pid(); }

    void handle(const SignalTrace::Event& event) {
        if (event.what == SignalTrace::Event::What::other)
            return;
        log_.begin_moment();
        if (event.what == SignalTrace::Event::What::end)
            handle_end(event);
        else if (!named_ || sigismember(&*named_, event.info.si_signo) == 1) {
            log_.add(decode(event.info), event.receiver);
            ++told_;
        }
    }

    void handle_end(const SignalTrace::Event& event) {
        is_end_told_ = is_end_told_ || event.receiver == pid();
        if (command_ != nullptr && event.receiver == pid()) {
            status_ = command_->failure();
            if (status_ != exit_done)
                return;
            status_ = event.info.si_status;
            if (event.info.si_code != CLD_EXITED)
                status_ += exit_signal_base;
        }
        log_.add(end_of_process(event.info));
    }

    /// What was taken is told, also when we shall end. COMMAND has stdout for itself.
    void write() {
        const std::string lines = log_.take();
        if (command_ != nullptr)
            return write_stderr(lines);
        std::size_t written = 0;
        const int error = write_patiently(STDOUT_FILENO, lines, written);
        if (error == EINTR)
            signals::check();
        if (error != 0)
            throw Error("stdout", "cannot write", error);
    }

    const Options& options_;
    std::optional<sigset_t> named_;
    HeldCommand* command_; ///< or null
    SignalTrace trace_;
    SignalLog log_;
    std::uint64_t told_ = 0;
    bool is_end_told_ = false; ///< of what was to be watched, not of its children
    int status_ = exit_done;
};

int watch_others(const Options& options, const std::optional<sigset_t>& named,
                 const std::optional<Operands>& command) {
    signals::hold();
    std::optional<HeldCommand> held;
    if (command)
        held.emplace(*command);
    return Trace(options, named, held ? &*held : nullptr).run();
}

int watch_ourselves(const Options& options, const std::optional<sigset_t>& named) {
    sigset_t ending;
    sigemptyset(&ending);
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM})
        if (!named || sigismember(&*named, signal) == 0)
            sigaddset(&ending, signal);
    OwnSignals own({.count = options.count, .timeout = options.timeout, .log_as = options.log_as},
                   named ? *named : default_signals(), ending, SignalCommands(options.rules));
    say_ready(options.ready_fd);
    return own.run();
}

int run(const Options& options, const Invocation& invocation) {
    const std::optional<sigset_t> named = named_signals(options, invocation.operands);
    if (options.pid || invocation.command)
        return watch_others(options, named, invocation.command);
    if (options.children == FollowChildren::yes)
        throw UsageError("--children goes with --process or a COMMAND");
    for (const int signal : {SIGKILL, SIGSTOP})
        if (named && sigismember(&*named, signal) == 1)
            throw UsageError(text(signal_name(signal), " cannot be waited for; --process shows"
                                                       " stops, and the end, of another process"));
    return watch_ourselves(options, named);
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
