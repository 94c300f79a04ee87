// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <sys/msg.h>

#include "queue/message_queue.hpp"

namespace ipc {

/// The System V family: svipc(7).
std::unique_ptr<MessageQueue> open_sysv_queue(const Name& name, Existing existing);
/// The same where its identifier is known, without asking whether it is there.
std::unique_ptr<MessageQueue> open_sysv_queue(const Name& name, int id);
Created create_sysv_queue(const Name& name, const QueueSettings& settings, Existing existing);
bool remove_sysv_queue(const Name& name);

/// The identifier behind a key or an `id:`; whether it exists is known only for a key. Throws
/// Error.
int sysv_queue_id(const Name& name);

/// msgctl(2) IPC_STAT, and where that is not permitted MSG_STAT_ANY. Throws Error.
msqid_ds sysv_queue_status(const Name& name, int id);

} // namespace ipc
