// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <sys/ipc.h>
#include <sys/types.h>

#include "base/fd.hpp"
#include "object/name.hpp"

namespace ipc {

struct Owner {
    uid_t uid;
    std::optional<gid_t> gid;
};

/// What to change of who may do what with an object. What is not given stays.
struct PermissionChanges {
    const char* mode = nullptr; ///< octal, or symbolic relative to the mode it has
    std::optional<Owner> owner;

    bool is_none() const noexcept { return mode == nullptr && !owner; }
};

/// fchown(2) and fchmod(2) on the object itself; the descriptor may be one of O_PATH, which takes
/// /proc to change the mode. Throws UsageError for a bad mode before anything is changed, and
/// Error.
void change_permissions(const Name& name, const UniqueFd& fd, const PermissionChanges& changes);

/// The same in what IPC_SET takes: msgctl(2), semctl(2), shmctl(2).
void change_permissions(ipc_perm& permissions, const PermissionChanges& changes);

} // namespace ipc
