// SPDX-License-Identifier: MIT
#include "queue/put_back.hpp"

#include <exception>
#include <new>

#include "base/io.hpp"
#include "base/json.hpp"

namespace ipc {

namespace {

void show(std::string_view message, long priority) noexcept try {
    write_stderr(json_record(message, priority));
} catch (const std::bad_alloc&) {
    write_stderr("out of memory; a message as it is:\n");
    write_stderr(message);
    write_stderr("\n");
}

} // namespace

bool put_back(MessageQueue& queue, std::span<char> message, long priority,
              Deadline deadline) noexcept {
    try {
        if (queue.can_send() && !queue.is_removed() &&
            queue.send(message, priority, deadline, Interruptible::no) == Outcome::done)
            return true;
    } catch (const std::exception&) {
        // Whatever the reason, the message is all that counts now.
    }
    show({message.data(), message.size()}, priority);
    return false;
}

} // namespace ipc
