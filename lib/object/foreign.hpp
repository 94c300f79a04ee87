// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <sys/ipc.h>
#include <sys/types.h>

#include "object/family.hpp"
#include "object/name.hpp"

namespace ipc {

/// What a tool was told to create, and that is there already, another user may have made first, so
/// as to get hold of what is put into it. That is possible where all may make names and nobody but
/// their owners may remove them: in a directory such as /tmp or /dev/shm, for queues, and for the
/// keys of System V. Opening without O_CREAT is not what the sysctls fs.protected_fifos and
/// fs.protected_regular watch: proc_sys_fs(5).

/// Whether a directory is sticky and all may write to it: inode(7).
bool is_open_to_all(const std::string& directory) noexcept;

/// With Existing::ours, throws Error that names the owner, unless that is the superuser or us.
void check_owner(const Name& name, uid_t owner, Existing existing);

/// The same for the owner and the creator, who keeps his rights.
void check_owner(const Name& name, const ipc_perm& owners, Existing existing);

} // namespace ipc
