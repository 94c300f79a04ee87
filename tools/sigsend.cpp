// SPDX-License-Identifier: MIT
//
// sigsend: send a signal, with a value if wanted, to processes or process groups; wait for their
// end, and insist with another signal.
//
// A process that ends is never taken for another one that got its number.
// Status: 0 sent, and ended in time (-w); 2 trouble with one of them; 124 not ended in time, or
// only after the second signal (-k).

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <optional>
#include <poll.h>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/io.hpp"
#include "base/parse.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "signal/names.hpp"
#include "signal/recipient.hpp"
#include "tool/standard_options.hpp"
#include "tool/tool.hpp"
#include "tool/verbs.hpp"

namespace {

using namespace ipc;

struct Options {
    std::optional<int> signal;
    std::optional<int> value;
    std::optional<nanoseconds> timeout;
    std::optional<int> second_signal;
    SendTo to = SendTo::process;
    bool list = false;
};

constexpr const char* synopsis[] = {
    "[-s SIGNAL] [--value=N] [-w DURATION [-k SIGNAL]] [-g] PID...",
    "-l [SIGNAL]...",
};
constexpr const char* operands[] = {"process"};

constexpr Tool tool = {
    .name = "sigsend",
    .summary = "Send a signal to processes, with a value, and wait for their end.",
    .synopsis = synopsis,
    .operands = operands,
};

// clang-format off
constexpr Option<Options> table[] = {
    {{.short_name = 's', .long_name = "signal", .argument = Argument::required,
      .argument_name = "SIGNAL", .value_kind = "signal",
      .help = "the signal (default TERM); 0 sends none"},
     [](Options& o, const char* a) { o.signal = parse_signal(a, AllowZero::yes); }},
    {{.long_name = "value", .argument = Argument::required,
      .argument_name = "N", .value_kind = "number", .help = "send this number along"},
     [](Options& o, const char* a) {
         o.value = static_cast<int>(parse::number(a, INT_MIN, INT_MAX));
     }},
    {standard::timeout({.help = "wait at most that long for their end"}),
     [](Options& o, const char* a) { o.timeout = parse::duration(a); }},
    {{.short_name = 'k', .long_name = "kill", .argument = Argument::required,
      .argument_name = "SIGNAL", .value_kind = "signal", .needs = "timeout",
      .help = "then send this one, and wait again"},
     [](Options& o, const char* a) { o.second_signal = parse_signal(a); }},
    {{.short_name = 'g', .long_name = "group", .help = "to all of the process group PID"},
     [](Options& o, const char*) { o.to = SendTo::group; }},
    {{.short_name = 'l', .long_name = "list",
      .help = "list signals, what they do and mean"},
     [](Options& o, const char*) { o.list = true; }},
    help_option<Options>,
    version_option<Options>,
};
// clang-format on

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
}

std::string line_of(int signal) {
    const std::string number = text(signal);
    return text(number.size() < 2 ? " " : "", number, ' ', padded(signal_name(signal), 10),
                padded(signal_action(signal), 10), signal_meaning(signal), '\n');
}

void list(const Options& options, Operands signals) {
    if (options.signal || options.value || options.timeout || options.to == SendTo::group)
        throw UsageError("--list goes with no other option");
    std::string out;
    for (const char* const operand : signals)
        out += line_of(parse_signal(operand));
    for (int signal = 1; signals.empty() && signal <= SIGRTMAX; ++signal)
        if (is_usable_signal(signal))
            out += line_of(signal);
    write_stdout(out);
}

std::vector<pid_t> parse_ids(Operands words) {
    std::vector<pid_t> ids;
    for (const char* const word : words) {
        try {
            ids.push_back(static_cast<pid_t>(parse::number(word, 1, INT_MAX)));
        } catch (const UsageError& error) {
            throw UsageError(text("PID ", error.what()));
        }
    }
    return ids;
}

/// Waits until all have ended, and forgets those that have. False if the time ran out.
bool wait_for(std::vector<Recipient>& recipients, Deadline deadline) {
    for (;;) {
        signals::check();
        std::erase_if(recipients, [](Recipient& recipient) { return recipient.has_ended(); });
        if (recipients.empty())
            return true;
        if (deadline.passed())
            return false;
        std::vector<pollfd> poll_fds;
        for (const Recipient& recipient : recipients)
            recipient.add_poll_fds(poll_fds);
        const timespec left = to_timespec(deadline.left());
        if (ppoll(poll_fds.data(), poll_fds.size(), &left, nullptr) < 0 && errno != EINTR)
            throw Error({}, "cannot wait", errno);
    }
}

/// What has not ended is sent the second signal, and waited for again; what ends just then needs it
/// no more. Returns the status.
int insist(const Options& options, std::vector<Recipient>& recipients) {
    int status = exit_timed_out;
    std::erase_if(recipients, [&](Recipient& recipient) {
        try {
            recipient.send(*options.second_signal, std::nullopt);
        } catch (const Error& error) {
            if (error.code().value() == ESRCH)
                return false;
            report(error);
            status = exit_trouble;
            return true;
        }
        return false;
    });
    if (!wait_for(recipients, Deadline::after(*options.timeout)))
        for (const Recipient& recipient : recipients)
            report(
                text(recipient.id(), ": still there after ", signal_name(*options.second_signal)));
    return status;
}

int run(const Options& options, const Invocation& invocation) {
    if (options.list) {
        list(options, invocation.operands);
        return exit_done;
    }
    if (invocation.operands.empty())
        throw UsageError("PID is missing");
    if (options.timeout)
        signals::hold();
    int status = exit_done;
    std::vector<Recipient> recipients;
    for (const pid_t id : parse_ids(invocation.operands)) {
        try {
            Recipient recipient(options.to, id);
            recipient.send(options.signal.value_or(SIGTERM), options.value);
            recipients.push_back(std::move(recipient));
        } catch (const Error& error) {
            report(error);
            status = exit_trouble;
        }
    }
    if (!options.timeout || wait_for(recipients, Deadline::after(*options.timeout)))
        return status;
    const int late = options.second_signal ? insist(options, recipients) : exit_timed_out;
    return status == exit_done ? late : status;
}

} // namespace

int main(int argc, char** argv) { return ipc::tool_main<tool, table, run, Options>(argc, argv); }
