// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include "base/fd.hpp"

namespace ipc {

/// The root directory of a process, where only who has rights over us can have chosen what is seen
/// there: it is ours, or that of a mount namespace that our user namespace owns. Opened with
/// O_PATH. Not open, with errno set, if it is not: EPERM in the mount namespace of another user
/// namespace (mount_namespaces(7)), EXDEV where it is another directory, for in a user namespace of
/// his own anybody may chroot(2).
UniqueFd try_open_trusted_root(pid_t process);

/// Why it is not trusted, of one of those two values: `its …`; null of any other.
const char* explain_distrust(int error) noexcept;

} // namespace ipc
