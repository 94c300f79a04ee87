// SPDX-License-Identifier: MIT
#include "base/signals.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <initializer_list>
#include <string>
#include <sys/resource.h>
#include <utility>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace ipc::signals {

namespace {

using namespace std::chrono_literals;

constexpr nanoseconds tick = 10ms;

// Handlers touch these, errno, and timer_settime(2) only.
std::atomic<int> end_signal{0};
std::atomic<std::uint64_t> for_child{0};
std::atomic<bool> report_requested{false};
timer_t tick_timer;
std::optional<timer_t> alarm_timer;

void (*report)() = nullptr;

sigset_t mask_at_start;
std::uint64_t changed = 0;          ///< the signals whose disposition is ours: bits as in bit_of()
std::uint64_t ignored_at_start = 0; ///< of these

static_assert(std::atomic<int>::is_always_lock_free);

constexpr std::uint64_t bit_of(int signal) noexcept { return std::uint64_t{1} << (signal - 1); }

/// Only interrupts. The first real-time signal that is free for applications.
int interrupt_signal() noexcept { return SIGRTMIN; }

void arm(timer_t timer, nanoseconds first, nanoseconds interval) noexcept {
    itimerspec spec{};
    spec.it_value = to_timespec(first);
    spec.it_interval = to_timespec(interval);
    timer_settime(timer, 0, &spec, nullptr);
}

timer_t make_timer(int signal) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signal;
    timer_t timer = nullptr;
    constexpr ResourceLimit pending = {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING, "sigpending"};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        throw Error({}, "cannot create a timer", errno,
                    errno == EAGAIN ? describe_rlimit(pending, 64) : std::string());
    return timer;
}

void on_interrupt(int) noexcept {}

void on_report(int) noexcept {
    const int saved = errno;
    report_requested = true;
    if (end_signal == 0)
        arm(tick_timer, tick, 0ms);
    errno = saved;
}

void on_end(int signal, siginfo_t* info, void*) noexcept {
    const int saved = errno;
    int none = 0;
    end_signal.compare_exchange_strong(none, signal);
    if (info->si_code != SI_KERNEL)
        for_child |= bit_of(signal);
    arm(tick_timer, tick, tick);
    errno = saved;
}

void install(int signal, const struct sigaction& action) noexcept {
    struct sigaction old {};
    sigaction(signal, nullptr, &old);
    if (old.sa_handler == SIG_IGN)
        return;
    changed |= bit_of(signal);
    sigaction(signal, &action, nullptr);
}

/// Handlers never nest, and calls they interrupt return EINTR.
struct sigaction action_for(void (*handler)(int)) noexcept {
    struct sigaction action {};
    sigfillset(&action.sa_mask);
    action.sa_handler = handler;
    return action;
}

/// Not SIGBUS: blocked, the fault of a mapping that was cut short would kill us.
sigset_t all_that_may_wait() noexcept {
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGBUS);
    return set;
}

void install_interrupt() noexcept {
    const auto action = action_for(on_interrupt);
    sigaction(interrupt_signal(), &action, nullptr);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, interrupt_signal());
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

} // namespace

void prepare_process() noexcept {
    sigprocmask(SIG_BLOCK, nullptr, &mask_at_start);
    changed = ignored_at_start = 0;
    const std::pair<int, void (*)(int)> ours[] = {
        {SIGPIPE, SIG_IGN}, {SIGXFSZ, SIG_IGN}, {SIGCHLD, SIG_DFL}, {interrupt_signal(), SIG_DFL}};
    for (const auto& [signal, disposition] : ours) {
        changed |= bit_of(signal);
        if (::signal(signal, disposition) == SIG_IGN)
            ignored_at_start |= bit_of(signal);
    }
}

Blocked::Blocked() noexcept {
    const sigset_t most = all_that_may_wait();
    sigprocmask(SIG_SETMASK, &most, &saved_);
}

Blocked::~Blocked() { sigprocmask(SIG_SETMASK, &saved_, nullptr); }

void restore_inherited() noexcept {
    for (std::uint64_t mask = changed; mask != 0; mask &= mask - 1) {
        const int signal = std::countr_zero(mask) + 1;
        ::signal(signal, (ignored_at_start & bit_of(signal)) != 0 ? SIG_IGN : SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, &mask_at_start, nullptr);
}

void restore_defaults() noexcept {
    for (int signal = 1; signal <= SIGRTMAX; ++signal)
        ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

void hold() {
    tick_timer = make_timer(interrupt_signal());
    install_interrupt();
    struct sigaction end {};
    sigfillset(&end.sa_mask);
    end.sa_flags = SA_SIGINFO;
    end.sa_sigaction = on_end;
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2, SIGSTKFLT,
                             SIGXCPU, SIGVTALRM, SIGPROF, SIGIO, SIGPWR})
        install(signal, end);
    for (int signal = interrupt_signal() + 1; signal <= SIGRTMAX; ++signal)
        install(signal, end);
}

int ended() noexcept { return end_signal.load(std::memory_order_relaxed); }

int hold_off() noexcept {
    const sigset_t most = all_that_may_wait();
    sigprocmask(SIG_SETMASK, &most, nullptr);
    return ended();
}

void check() {
    serve_report_request();
    if (const int signal = ended())
        throw Ended{signal};
}

std::uint64_t take_for_child() noexcept {
    arm(tick_timer, 0ms, 0ms); // first: a signal from here on starts them again
    return for_child.exchange(0);
}

void on_report_request(void (*function)(), std::optional<nanoseconds> interval) {
    report = function;
    install(SIGUSR1, action_for(on_report));
    if (interval)
        arm(make_timer(SIGUSR1), *interval, *interval);
}

void serve_report_request() {
    if (report_requested.load(std::memory_order_relaxed) && report_requested.exchange(false) &&
        report != nullptr)
        report();
}

void end_by(int signal) noexcept {
    ::signal(signal, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    raise(signal);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

Alarm::Alarm(Deadline deadline) {
    if (deadline.is_never())
        return;
    if (!alarm_timer)
        alarm_timer = make_timer(interrupt_signal());
    armed_ = true;
    arm(*alarm_timer, std::max<nanoseconds>(deadline.left(), 1ns), tick);
}

Alarm::~Alarm() {
    if (armed_)
        arm(*alarm_timer, 0ns, 0ns);
}

} // namespace ipc::signals
