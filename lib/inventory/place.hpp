// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

#include "base/fd.hpp"
#include "inventory/object.hpp"

namespace ipc {

/// Where to look: an IPC namespace, and the directories of the mount namespace that goes with it.
struct Place {
    std::uint64_t ipc_namespace = 0; ///< the inode of /proc/PID/ns/ipc
    std::optional<pid_t> process;    ///< one that lives there; nothing: this place is our own
    std::vector<pid_t> others;       ///< more of them, should that one end
    /// Of the namespace, which keeps it what it is; not open: our own, or one of so many that each
    /// is opened by its processes as it is entered.
    UniqueFd descriptor;
    bool has_shm = true; ///< its /dev/shm is not that of a place listed before
};

/// The IPC namespace of this process: ipc_namespaces(7).
Place own_place();
/// The one that a process is in. Throws Error.
Place place_of(pid_t process);
/// Every one that a process is in, our own first. What could not be looked at is a Trouble.
std::vector<Place> all_places(std::vector<Trouble>& troubles);

/// Its /dev/shm, of which no part is followed as a symbolic link in another place: whoever removes
/// a file there does so by unlinkat(2). Not open, with errno set, if it cannot be, such as by
/// try_open_trusted_root(): who is not trusted could have put any directory there.
UniqueFd try_open_shm_directory(const Place& place);

/// Enters the IPC namespace of a place and leaves it at the end: setns(2). Throws Error, with ESRCH
/// where none of its processes is there any more.
class Visit {
  public:
    explicit Visit(const Place& place);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

  private:
    UniqueFd home_;
};

} // namespace ipc
