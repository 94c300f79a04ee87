// SPDX-License-Identifier: MIT
#include "inventory/user_limits.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

#include "base/parse.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

using Count = std::optional<std::uint64_t>;

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// The first word behind `field`, up to one of `ends`.
std::string_view word_behind(std::string_view content, std::string_view field,
                             std::string_view ends) noexcept {
    const std::size_t at = content.find(field);
    if (at == std::string_view::npos)
        return {};
    content.remove_prefix(at + field.size());
    content.remove_prefix(std::min(content.find_first_not_of(" \t"), content.size()));
    return content.substr(0, content.find_first_of(ends));
}

Count to_count(std::string_view word) noexcept {
    if (word == "unlimited")
        return unlimited;
    const auto number = parse::try_number(word);
    // RLIM_INFINITY as SigQ has it is beyond what a signed number holds.
    if (!number)
        return word == "18446744073709551615" ? Count(unlimited) : std::nullopt;
    return *number < 0 ? std::nullopt : Count(*number);
}

void lower(Count& limit, Count other) noexcept {
    if (other)
        limit = std::min(limit.value_or(unlimited), *other);
}

Count own_limit(__rlimit_resource resource) noexcept {
    rlimit value{};
    if (getrlimit(resource, &value) != 0)
        return std::nullopt;
    return value.rlim_cur == RLIM_INFINITY ? unlimited : value.rlim_cur;
}

void add_process(pid_t pid, std::map<uid_t, UserLimits>& users) {
    const std::string status = procfs::read(text("/proc/", pid, "/status"));
    const auto uid = to_count(word_behind(status, "\nUid:", " \t\n"));
    if (!uid)
        return;
    UserLimits& user = users[static_cast<uid_t>(*uid)];
    // The user's count is the same in each of its processes, but for what happens meanwhile.
    user.signals = to_count(word_behind(status, "\nSigQ:", "/"));
    const std::string_view signals = word_behind(status, "\nSigQ:", "\n");
    lower(user.signals_limit,
          to_count(signals.substr(std::min(signals.find('/') + 1, signals.size()))));
    lower(user.queue_bytes_limit, to_count(word_behind(procfs::read(text("/proc/", pid, "/limits")),
                                                       "Max msgqueue size", " \t\n")));
}

} // namespace

std::map<uid_t, UserLimits> user_limits() {
    std::map<uid_t, UserLimits> users;
    for (const pid_t pid : procfs::list("/proc"))
        add_process(pid, users);
    add_process(getpid(), users);
    UserLimits& own = users[getuid()];
    own.signals_limit = own_limit(RLIMIT_SIGPENDING);
    own.queue_bytes_limit = own_limit(RLIMIT_MSGQUEUE);
    return users;
}

} // namespace ipc
