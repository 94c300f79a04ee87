// SPDX-License-Identifier: MIT
#include "queue/message_queue.hpp"

#include <limits>

#include "base/error.hpp"
#include "queue/posix.hpp"
#include "queue/sysv.hpp"

namespace ipc {

bool Selection::matches(long message_type) const noexcept {
    if (except)
        return message_type != type;
    if (type < 0)
        return type == std::numeric_limits<long>::min() || message_type <= -type;
    return type == 0 || message_type == type;
}

void MessageQueue::fail(std::string_view action, int error, std::string_view detail) const {
    throw Error(name_.text, action, error, detail);
}

std::unique_ptr<MessageQueue> open_queue(const Name& name, Access access, Existing existing) {
    if (name.is_system_v())
        return open_sysv_queue(name, existing);
    return open_posix_queue(name, access, existing);
}

Created create_queue(const Name& name, const QueueSettings& settings, Existing existing) {
    if (name.is_system_v())
        return create_sysv_queue(name, settings, existing);
    return create_posix_queue(name, settings, existing);
}

bool remove_queue(const Name& name) {
    return name.is_system_v() ? remove_sysv_queue(name) : remove_posix_queue(name);
}

} // namespace ipc
