// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <sys/types.h>
#include <vector>

#include "inventory/object.hpp"

/// How full the pipes and FIFOs of other processes are.
namespace ipc {

/// A descriptor of one.
struct PipeEnd {
    std::size_t object = 0; ///< which pipe it is: any number; the ends of one stand together
    pid_t pid = 0;
    int fd = 0;
    FileId file;
};

/// As FIONREAD and F_GETPIPE_SZ tell it: fcntl(2), pipe(7). Below zero: not known.
struct PipeLevel {
    std::size_t object = 0;
    int unread = -1;
    int capacity = -1;
};

/// Calls `found` for each pipe of which one end could be duplicated: pidfd_getfd(2), Linux 5.6.
/// To open it would be to take part in it. What a process has made of the descriptor meanwhile may
/// be a file of its own file system (FUSE), which never answers to our close(2), and no signal ends
/// that; so a child does this. Where it makes no progress for two seconds it is left behind, and
/// the rest is not known, as where there can be no child. Throws Error for want of descriptors, and
/// signals::Ended.
void query_pipe_levels(const std::vector<PipeEnd>& ends,
                       const std::function<void(const PipeLevel&)>& found);

} // namespace ipc
