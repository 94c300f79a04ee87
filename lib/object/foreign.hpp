// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <sys/ipc.h>
#include <sys/types.h>

#include "object/family.hpp"
#include "object/name.hpp"

namespace ipc {

/// An object that a tool was told to create may exist already because another user made it first,
/// to get hold of what is put into it. That takes a place where anybody may create names and only
/// their owners remove them: a directory such as /tmp or /dev/shm, the POSIX queues, the keys of
/// System V. fs.protected_fifos and fs.protected_regular do not help, as we open without O_CREAT:
/// proc_sys_fs(5).

/// Whether a directory is sticky and all may write to it: inode(7).
bool is_open_to_all(const std::string& directory) noexcept;

/// With Existing::ours, throws Error that names the owner, unless that is the superuser or us.
void check_owner(const Name& name, uid_t owner, Existing existing);

/// The same for the owner and the creator, who may always change the object.
void check_owner(const Name& name, const ipc_perm& owners, Existing existing);

} // namespace ipc
