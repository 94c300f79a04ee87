// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "object/family.hpp"
#include "object/name.hpp"
#include "tool/attributes.hpp"
#include "tool/permissions.hpp"

namespace ipc {

struct CreatedMemory {
    Name name; ///< it can be found by
    bool is_new = false;
};

/// Makes an object of `size` bytes, all zero, or finds that there is one, whatever its size. Its
/// memory is reserved, and nobody sees it before. Throws Error that names the limit that was met.
CreatedMemory create_memory(const Name& name, std::int64_t size, mode_t mode, Existing existing);

/// Everything the kernel tells of an object: fstat(2), or shmctl(2). Throws Error.
Attributes memory_attributes(const Name& name);

/// Whether the pages of a segment may be swapped out: shmctl(2), SHM_LOCK.
enum class Swapping : std::uint8_t { allowed, locked };

/// What to change of an object. What is not given stays.
struct MemoryChanges {
    PermissionChanges permissions;
    std::optional<std::int64_t> size; ///< POSIX
    std::optional<Swapping> swapping; ///< System V
};

/// Throws Error that names the limit where one is met, UsageError for what the family does not
/// have.
void change_memory(const Name& name, const MemoryChanges& changes);

} // namespace ipc
