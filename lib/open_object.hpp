// SPDX-License-Identifier: MIT
#pragma once

#include "fd.hpp"
#include "inventory.hpp"

namespace ipc {

/// A POSIX object by its name, in the IPC namespace that we are in or in `shm_directory`, the
/// place's /dev/shm; for reading or else for writing; nothing is waited for. Not open where that is
/// refused, or where the name is not that of Object::file, which is found out before anything else
/// than O_PATH has touched it.
UniqueFd open_object(const Object& object, const UniqueFd& shm_directory) noexcept;

} // namespace ipc
