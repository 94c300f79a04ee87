// SPDX-License-Identifier: MIT
#include "queue/details.hpp"

#include <unistd.h>

#include "base/parse.hpp"

namespace ipc {

namespace {

/// The number behind `name`.
std::int64_t field(std::string_view line, std::string_view name) noexcept {
    const std::size_t at = line.find(name);
    if (at == std::string_view::npos)
        return 0;
    std::string_view value = line.substr(at + name.size());
    value = value.substr(0, value.find_first_of(" \n"));
    return parse::try_number(value).value_or(0);
}

} // namespace

QueueDetails parse_queue_details(std::string_view line) noexcept {
    return {.bytes = field(line, "QSIZE:"),
            .registered = static_cast<pid_t>(field(line, "NOTIFY_PID:"))};
}

std::optional<QueueDetails> read_queue_details(const UniqueFd& queue) noexcept {
    char text[256];
    const ssize_t length = pread(queue.get(), text, sizeof text, 0);
    if (length < 0)
        return std::nullopt;
    return parse_queue_details({text, static_cast<std::size_t>(length)});
}

} // namespace ipc
