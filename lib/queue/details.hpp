// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

#include "base/fd.hpp"

namespace ipc {

/// What the kernel shows of a POSIX queue besides its attributes: mq_overview(7), "Mounting the
/// message queue filesystem".
struct QueueDetails {
    std::int64_t bytes; ///< of all messages queued
    pid_t registered;   ///< the process that waits for a notification; 0: none, or not visible
};

/// From a line such as "QSIZE:129 NOTIFY:0 SIGNO:10 NOTIFY_PID:4711"; what it lacks is 0.
QueueDetails parse_queue_details(std::string_view line) noexcept;

/// Read through the open descriptor itself, so that no mount is needed. Nothing if it is open for
/// writing alone.
std::optional<QueueDetails> read_queue_details(const UniqueFd& queue) noexcept;

} // namespace ipc
