// SPDX-License-Identifier: MIT
#include "signal/names.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <optional>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

struct Known {
    int number;
    std::string_view name;
    const char* action;
    const char* meaning;
};

constexpr Known known[] = {
    {SIGHUP, "HUP", "terminate", "the terminal is gone; daemons: read the configuration"},
    {SIGINT, "INT", "terminate", "interrupt from the terminal (Ctrl-C)"},
    {SIGQUIT, "QUIT", "core", "quit from the terminal (Ctrl-\\)"},
    {SIGILL, "ILL", "core", "an instruction that is none"},
    {SIGTRAP, "TRAP", "core", "a breakpoint"},
    {SIGABRT, "ABRT", "core", "abort(3)"},
    {SIGBUS, "BUS", "core", "access to memory that nothing is behind"},
    {SIGFPE, "FPE", "core", "arithmetic that cannot be done"},
    {SIGKILL, "KILL", "terminate", "end at once; cannot be caught"},
    {SIGUSR1, "USR1", "terminate", "for programs to define"},
    {SIGSEGV, "SEGV", "core", "access to memory that is not there"},
    {SIGUSR2, "USR2", "terminate", "for programs to define"},
    {SIGPIPE, "PIPE", "terminate", "a write to a pipe or socket without reader"},
    {SIGALRM, "ALRM", "terminate", "alarm(2), or a timer of real time"},
    {SIGTERM, "TERM", "terminate", "please end"},
#ifdef SIGSTKFLT
    {SIGSTKFLT, "STKFLT", "terminate", "not used"},
#endif
    {SIGCHLD, "CHLD", "ignore", "a child ended, stopped or continued"},
    {SIGCONT, "CONT", "continue", "go on after a stop"},
    {SIGSTOP, "STOP", "stop", "stop at once; cannot be caught"},
    {SIGTSTP, "TSTP", "stop", "stop from the terminal (Ctrl-Z)"},
    {SIGTTIN, "TTIN", "stop", "a read from the terminal in the background"},
    {SIGTTOU, "TTOU", "stop", "a write to the terminal in the background"},
    {SIGURG, "URG", "ignore", "urgent data on a socket"},
    {SIGXCPU, "XCPU", "core", "the limit on processor time is reached"},
    {SIGXFSZ, "XFSZ", "core", "the limit on the size of a file is reached"},
    {SIGVTALRM, "VTALRM", "terminate", "a timer of processor time in user mode"},
    {SIGPROF, "PROF", "terminate", "a timer for profiling"},
    {SIGWINCH, "WINCH", "ignore", "the window has another size"},
    {SIGIO, "IO", "terminate", "input or output is possible"},
    {SIGPWR, "PWR", "terminate", "the power is failing"},
    {SIGSYS, "SYS", "core", "a system call that is not allowed"},
};

/// Other names that programs and headers know.
constexpr struct {
    std::string_view name;
    int number;
} aliases[] = {{"CLD", SIGCHLD}, {"IOT", SIGABRT}, {"POLL", SIGIO}};

const Known* find(int signal) noexcept {
    const auto* const found = std::find_if(std::begin(known), std::end(known),
                                           [=](const Known& row) { return row.number == signal; });
    return found == std::end(known) ? nullptr : found;
}

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// The N of RTMIN+N and RTMAX-N; nothing if it is none.
std::optional<int> offset(std::string_view text, char sign) {
    if (text.empty())
        return 0;
    if (text.front() != sign || text.size() < 2 || text[1] == '-')
        return std::nullopt;
    const auto value = parse::try_number(text.substr(1));
    if (!value || *value > SIGRTMAX - SIGRTMIN)
        return std::nullopt;
    return static_cast<int>(*value);
}

std::optional<int> by_name(std::string_view name) {
    if (name.starts_with("SIG"))
        name.remove_prefix(3);
    for (const Known& row : known)
        if (row.name == name)
            return row.number;
    for (const auto& alias : aliases)
        if (alias.name == name)
            return alias.number;
    if (name.starts_with("RTMIN"))
        if (const auto n = offset(name.substr(5), '+'))
            return SIGRTMIN + *n;
    if (name.starts_with("RTMAX"))
        if (const auto n = offset(name.substr(5), '-'))
            return SIGRTMAX - *n;
    return std::nullopt;
}

} // namespace

int parse_signal(std::string_view text, AllowZero allow_zero) {
    if (!text.empty() && text.front() >= '0' && text.front() <= '9')
        return static_cast<int>(
            parse::number(text, allow_zero == AllowZero::yes ? 0 : 1, SIGRTMAX));
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(), upper);
    if (const auto signal = by_name(name))
        return *signal;
    throw UsageError(ipc::text("'", printable(text), "' is not a signal (such as TERM, SIGTERM, ",
                               "15, RTMIN+3); the most is RTMAX, which is RTMIN+",
                               SIGRTMAX - SIGRTMIN));
}

std::string signal_name(int signal) {
    if (const Known* const row = find(signal))
        return std::string(row->name);
    if (signal == SIGRTMIN)
        return "RTMIN";
    if (signal > SIGRTMIN && signal <= SIGRTMAX)
        return text("RTMIN+", signal - SIGRTMIN);
    return text(signal);
}

const char* signal_action(int signal) noexcept {
    const Known* const row = find(signal);
    return row == nullptr ? "terminate" : row->action;
}

const char* signal_meaning(int signal) noexcept {
    const Known* const row = find(signal);
    if (row != nullptr)
        return row->meaning;
    return is_usable_signal(signal) ? "for programs to define; queued, with a value"
                                    : "the C library's own";
}

bool is_usable_signal(int signal) noexcept {
    return find(signal) != nullptr || (signal >= SIGRTMIN && signal <= SIGRTMAX);
}

} // namespace ipc
