// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "inventory/object.hpp"
#include "inventory/place.hpp"

namespace ipc {

/// The value of a limit that limits nothing.
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// A limit of the kernel on IPC, and how much of it is used.
struct LimitUse {
    std::string name; ///< of a sysctl(8), or of getrlimit(2); `SEMMNI` and its like in kernel.sem
    const char* description = "";            ///< what it limits
    const char* unit = "";                   ///< `bytes`, `pages`, `objects`, …
    std::optional<std::uint64_t> used = {};  ///< nothing: the kernel does not tell, or not us
    std::optional<std::uint64_t> limit = {}; ///< nothing: not known
    std::string who = {};                    ///< the user, of a limit that each user has

    /// How much of it is used; nothing where that is not known, or nothing is limited.
    std::optional<double> percent() const noexcept;
};

/// Every limit of the IPC namespace of a place, of the machine, and of users: System V by MSG_INFO
/// and its like (msgctl(2), semctl(2), shmctl(2)), the others by /proc/sys and /proc. Those of
/// users: our own, and each that uses some. Limits on one object have the largest of `objects` as
/// their use; what cannot be read is left out and a Trouble. Throws Error where the place cannot be
/// entered.
///
/// `objects`: all queues, semaphores and shared memory of the place, with figures; those of other
/// namespaces do not count, but for what users are charged. `troubles` tells what is missing there.
///
/// RLIMIT_MSGQUEUE is charged to the user who creates a queue, whatever the namespace and whoever
/// owns it later. Its use is that of the queues in `objects` by owner, and nothing as soon as we
/// may not read one of them: mq_overview(7), getrlimit(2). Both limits of users are those of our
/// process for our user, for others the lowest of their processes.
std::vector<LimitUse> ipc_limits(const Place& place, const std::vector<Object>& objects,
                                 std::vector<Trouble>& troubles);
/// Of our own.
std::vector<LimitUse> ipc_limits(const std::vector<Object>& objects,
                                 std::vector<Trouble>& troubles);

/// Bytes that the kernel charges for a POSIX queue: its messages, and what keeps them in order.
std::uint64_t charged_bytes(std::uint64_t maxmsg, std::uint64_t msgsize) noexcept;

} // namespace ipc
