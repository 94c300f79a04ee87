// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "object/name.hpp"
#include "tool/attributes.hpp"

namespace ipc {

/// Everything that is known of a semaphore or a set: semctl(2), or its file. Numbers of the members
/// of a set are lists, unless one `member` is picked. Users are numbers, so that no name service is
/// needed. Nothing is changed. Throws Error.
Attributes semaphore_attributes(const Name& name, std::optional<std::int64_t> member);

} // namespace ipc
