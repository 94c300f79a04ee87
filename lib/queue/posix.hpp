// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mqueue.h>

#include "base/fd.hpp"
#include "queue/message_queue.hpp"

namespace ipc {

/// The POSIX family: mq_overview(7). On Linux a queue descriptor is a file descriptor, which can
/// be polled, stat'ed and read.
std::unique_ptr<MessageQueue> open_posix_queue(const Name& name, Access access, Existing existing);
Created create_posix_queue(const Name& name, const QueueSettings& settings, Existing existing);
bool remove_posix_queue(const Name& name);

/// Opens the queue, or takes over the inherited descriptor of an `fd:` name. `flags` is O_RDONLY,
/// O_WRONLY or O_RDWR. Throws Error.
UniqueFd open_posix_descriptor(const Name& name, int flags);

/// The same where EACCES is expected: then nothing. An inherited descriptor is taken however it
/// was opened.
std::optional<UniqueFd> try_open_posix_descriptor(const Name& name, int flags);

/// mq_getattr(3) on an open queue.
mq_attr posix_attributes(const UniqueFd& queue) noexcept;

} // namespace ipc
