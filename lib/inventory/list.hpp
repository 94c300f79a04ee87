// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "inventory/object.hpp"
#include "inventory/place.hpp"
#include "process/recorded_user.hpp"
#include "process/scan.hpp"

/// Where objects come from: each function adds those of some kinds. None of them opens or maps an
/// object of others where a look at its directory, its status or /proc will do, and none stops
/// because an object comes or goes meanwhile. What cannot be listed is a Trouble.
namespace ipc {

/// How much is wanted of each object; what is not asked for is not looked up where that costs
/// calls.
enum class Depth : std::uint8_t {
    names,   ///< name, owner, permissions, and what comes with them
    figures, ///< all figures but those
    members, ///< of the semaphores in System V sets, for which each set must be asked
};

/// System V queues, sets and segments of the IPC namespace that we are in, by MSG_STAT_ANY and its
/// like, or /proc/sysvipc where the kernel lacks those. With Depth::members, VALUE (of a set of one
/// alone), WAITERS and LASTPID of sets too, where permitted.
void list_system_v(KindSet kinds, Depth depth, RecordedUsers& recorded,
                   std::vector<Object>& objects, std::vector<Trouble>& troubles);

/// POSIX queues, semaphores and shared memory of the place that we visit: the files of its
/// /dev/mqueue, or of a detached mount of our own where it has none or another namespace's, and of
/// its /dev/shm. What lies there and is no regular file, or no semaphore for all its name
/// `sem.NAME`, is malformed.
void list_posix(const Place& place, KindSet kinds, Depth depth, std::vector<Object>& objects,
                std::vector<Trouble>& troubles);

/// FIFOs, pipes, eventfds and memfds by the descriptors, and mapped files by the mappings, that a
/// scan found. How full a pipe or FIFO is takes a descriptor of it (pipe_levels.hpp).
/// Where all its writers leave in those microseconds, the reader sees the end of file after them.
/// Throws Error for want of descriptors.
void list_open(const ProcessScan& scan, KindSet kinds, std::vector<Object>& objects);
/// What a scan has to look for, so that list_open() and list_unix_sockets() find these kinds.
void request_open(KindSet kinds, ScanRequest& request);

/// Unix sockets by sock_diag(7), or /proc/net/unix where the kernel lacks that, of our network
/// namespace, with the processes that a scan found. USED is the bytes that wait to be received (of
/// a datagram socket, those of the first message); of one that listens it is the connections that
/// wait to be accepted, and LIMIT is the most of them.
void list_unix_sockets(const ProcessScan& scan, std::vector<Object>& objects,
                       std::vector<Trouble>& troubles);

/// Locks by /proc/locks, with holders and waiters. Whoever has the descriptor of a lock that
/// belongs to the open file (flock, OFD, leases) holds it: /proc/PID/fdinfo tells of the
/// descriptors that a scan found. Locks that cannot be told apart are one object.
void list_locks(const ProcessScan& scan, std::vector<Object>& objects,
                std::vector<Trouble>& troubles);
/// What a scan has to look for, so that list_locks() finds the names of the files and the holders.
void request_locks(ScanRequest& request);

/// The pending, blocked, ignored and caught signals of each process, or of one: proc(5), status.
/// What belongs to a thread alone is that of the main one. It is named after the process, and its
/// owner is the effective user.
void list_signals(std::optional<pid_t> only, std::vector<Object>& objects,
                  std::vector<Trouble>& troubles);

} // namespace ipc
