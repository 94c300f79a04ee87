// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include "inventory/object.hpp"

/// What the sources of objects have in common.
namespace ipc {

/// One that is there because somebody has it, and whose owner is not known yet.
Object used_object(ObjectKind kind);

/// Owner, group and permissions of its file.
void set_owner(Object& object, const struct stat& status) noexcept;

/// Its file, and INODE.
void set_file(Object& object, const FileId& file) noexcept;

/// By pid, each pid and role once.
void sort_users(std::vector<Use>& users);

inline FileId file_id(const struct stat& status) noexcept {
    return {.device = status.st_dev, .inode = status.st_ino};
}

} // namespace ipc
