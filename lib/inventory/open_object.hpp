// SPDX-License-Identifier: MIT
#pragma once

#include "base/fd.hpp"
#include "inventory/object.hpp"

namespace ipc {

struct OpenedObject {
    UniqueFd fd; ///< not open where that is refused, or the name is another file's meanwhile
    bool is_leased = false; ///< refused because somebody has it open who holds a lease
};

/// A POSIX object by its name, in the IPC namespace that we are in or in `shm_directory`, the
/// place's /dev/shm; for reading or else for writing; nothing is waited for. Whether the name is
/// that of Object::file is found out before anything else than O_PATH has touched it. Throws Error
/// for want of descriptors or memory.
OpenedObject open_object(const Object& object, const UniqueFd& shm_directory);

} // namespace ipc
