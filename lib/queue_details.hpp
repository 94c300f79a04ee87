// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

#include "fd.hpp"

namespace ipc {

/// What the kernel shows of a POSIX queue besides its attributes: mq_overview(7), "Mounting the
/// message queue filesystem".
struct QueueDetails {
    std::int64_t bytes; ///< of all messages queued
    pid_t registered;   ///< the process that waits for a notification; 0: none, or not visible
};

/// Read through the open descriptor itself, so that no mount is needed. Nothing if it is open for
/// writing alone.
std::optional<QueueDetails> read_queue_details(const UniqueFd& queue) noexcept;

} // namespace ipc
