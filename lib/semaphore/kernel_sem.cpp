// SPDX-License-Identifier: MIT
#include "semaphore/kernel_sem.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

constexpr std::array names = {"SEMMSL", "SEMMNS", "SEMOPM", "SEMMNI"};

using Limits = std::array<long, names.size()>;

std::optional<Limits> read_limits() {
    const UniqueFd fd(open("/proc/sys/kernel/sem", O_RDONLY | O_CLOEXEC));
    char line[128];
    ssize_t count = -1;
    while (fd.is_open() && (count = read(fd.get(), line, sizeof line)) < 0 && errno == EINTR) {
    }
    if (count <= 0)
        return std::nullopt;
    std::string_view rest(line, static_cast<std::size_t>(count));
    Limits limits{};
    for (long& limit : limits) {
        const auto value = parse::try_number(rest.substr(0, rest.find_first_of("\t\n")));
        if (!value)
            return std::nullopt;
        limit = *value;
        rest.remove_prefix(std::min(rest.find_first_of("\t\n") + 1, rest.size()));
    }
    return limits;
}

std::size_t index_of(SemaphoreLimit limit) noexcept { return static_cast<std::size_t>(limit); }

} // namespace

std::optional<long> semaphore_limit(SemaphoreLimit limit) {
    const auto limits = read_limits();
    return limits ? std::optional<long>((*limits)[index_of(limit)]) : std::nullopt;
}

std::string describe_semaphore_limit(SemaphoreLimit limit, long wanted) {
    auto limits = read_limits();
    const std::string_view name = names[index_of(limit)];
    if (!limits)
        return text(name, " of kernel.sem");
    long& value = (*limits)[index_of(limit)];
    std::string line =
        text(name, " = ", value, " of kernel.sem; raise it with: sysctl kernel.sem='");
    value = wanted;
    for (const long& number : *limits)
        line += text(&number == limits->data() ? "" : " ", number);
    return line + '\'';
}

} // namespace ipc
