// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "queue/message_queue.hpp"

namespace ipc {

/// How long a message that goes back waits for room in its queue.
constexpr nanoseconds put_back_patience = std::chrono::seconds(1);

/// Sends a message that could not be delivered back to its queue, waiting for room until
/// `deadline`. If that fails, it is on stderr as a json record, and the result is false.
bool put_back(MessageQueue& queue, std::span<char> message, long priority,
              Deadline deadline) noexcept;

/// A message was neither delivered nor put back; stderr has it.
class LostError : public Error {
  public:
    using Error::Error;
    ExitStatus status() const noexcept override { return exit_lost; }
};

} // namespace ipc
