// SPDX-License-Identifier: MIT
#pragma once

#include "base/fd.hpp"

namespace ipc {

/// The directory of the POSIX queues of the IPC namespace that we are in: mq_overview(7),
/// "Mounting the message queue filesystem". That is /dev/mqueue if a queue in it can be seen to be
/// ours, else a mount of our own that nobody sees and that is gone with the descriptor, for which
/// CAP_SYS_ADMIN is needed; without that, /dev/mqueue if nothing speaks against it, such as an
/// empty one. Not open where the kernel has no POSIX queues. Throws Error.
UniqueFd open_mqueue_directory();

} // namespace ipc
