// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "object/name.hpp"
#include "tool/attributes.hpp"
#include "tool/permissions.hpp"

namespace ipc {

/// Everything the kernel tells of a queue: mq_getattr(3) and fstat(2), or msgctl(2). Nothing is
/// taken from it. Throws Error.
Attributes queue_attributes(const Name& name);

/// What to change of a queue. What is not given stays.
struct QueueChanges {
    PermissionChanges permissions;
    std::optional<long> max_bytes; ///< System V
};

/// fchmod(2) and fchown(2), or msgctl(2). Throws Error that names the limit where one is met,
/// UsageError for what the family does not have.
void change_queue(const Name& name, const QueueChanges& changes);

} // namespace ipc
