// SPDX-License-Identifier: MIT
#include "process/recorded_user.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <unistd.h>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

bool exists(pid_t pid) noexcept { return kill(pid, 0) == 0 || errno != ESRCH; }

bool has_live_thread(pid_t pid) {
    const std::vector<pid_t> threads = procfs::list(text("/proc/", pid, "/task"));
    return std::any_of(threads.begin(), threads.end(), [&](pid_t thread) {
        signals::check();
        const auto stat = thread == pid ? std::nullopt : procfs::stat(thread);
        return stat && stat->state != 'Z' && stat->state != 'X';
    });
}

double seconds(clockid_t clock) noexcept {
    timespec now = {};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

} // namespace

RecordedUsers::Life RecordedUsers::look(pid_t pid) {
    static const bool has_own_pids = procfs::has_own_pids();
    if (!has_own_pids)
        return {.state = Recorded::unknown};
    const auto stat = procfs::stat(pid);
    if (!stat) // hidden, or gone meanwhile
        return {.state = exists(pid) ? Recorded::unknown : Recorded::gone};
    if (stat->state == 'X' || (stat->state == 'Z' && !has_live_thread(pid)))
        return {.state = Recorded::gone};
    return {.state = Recorded::alive,
            .start = static_cast<double>(stat->start) / static_cast<double>(sysconf(_SC_CLK_TCK))};
}

Recorded RecordedUsers::find(pid_t pid, std::int64_t used) {
    if (pid <= 0)
        return Recorded::unknown;
    if (!exists(pid)) // not kept: there may have been any number of them
        return Recorded::gone;
    const auto [place, is_new] = lives_.try_emplace(pid);
    Life& life = place->second;
    if (is_new)
        life = look(pid);
    if (life.state != Recorded::alive)
        return life.state;
    const double boot = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME);
    const auto use = static_cast<double>(used);
    // The record is in whole seconds, rounded down.
    return use >= boot && boot + life.start > use + 1 ? Recorded::gone : Recorded::alive;
}

} // namespace ipc
