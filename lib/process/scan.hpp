// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <unordered_map>
#include <vector>

#include "base/file_id.hpp"
#include "object/object_kind.hpp"
#include "process/sharers.hpp"
#include "process/use.hpp"

/// One pass over the processes in /proc (proc(5)), whatever the number of objects: who has which
/// file open or mapped, and who is blocked in a call on a System V object.
namespace ipc {

/// What a pass looks for; what is not asked for costs nothing.
struct ScanRequest {
    /// Descriptors of these files, and mappings of these files if `mappings`; sorted.
    std::vector<FileId> files;
    /// Every descriptor of these types (S_IFIFO, S_IFSOCK, and 0: anonymous inodes and memfds).
    std::vector<mode_t> types;
    /// Of those among the files, a descriptor for each time that open(2) was called, as far as that
    /// can be told; of others one for each role is enough. Sorted.
    std::vector<FileId> open_files;
    bool mappings = false;          ///< of `files`, shared or private
    bool system_v_mappings = false; ///< every attach of a System V segment
    bool shared_mappings = false;   ///< every shared mapping of a file that has a name, or a memfd
    bool system_v_calls = false;    ///< threads that are blocked in msgsnd, msgrcv and semop
    std::optional<pid_t> only;      ///< this process alone
};

/// A descriptor that was found; of many that a process has of one file, one for each role.
struct Descriptor {
    pid_t pid = 0;
    int fd = 0;
    FileId file;
    mode_t type = 0; ///< S_IFMT of its mode: S_IFREG, S_IFIFO, …; 0 for an anonymous inode
    bool is_removed = false; ///< it has no link any more
    Role role = Role::opens; ///< of pipes, FIFOs and regular files: reads, writes, both
    /// Of types that were asked for, what readlink(2) shows: `pipe:[17]`, `anon_inode:[eventfd]`,
    /// `/memfd:name (deleted)`, a FIFO's path.
    std::string link;
};

/// A mapping that was found; each file and process once.
struct Mapping {
    pid_t pid = 0;
    FileId file;
    bool is_system_v = false; ///< then the inode is the identifier
    bool is_writable = false;
    std::uint64_t size = 0; ///< bytes, of all of its mappings in that process
    std::string
        path; ///< of shared_mappings alone; ` (deleted)` behind it if it has no name any more
};

/// A thread that is blocked in a call on a System V object: proc(5), /proc/PID/syscall.
struct BlockedCall {
    pid_t pid = 0; ///< of its process
    ObjectKind kind = ObjectKind::mq;
    int id = 0;
    /// That of the thread, which need not be its process's: an inode; 0: unknown.
    std::uint64_t ipc_namespace = 0;
};

struct Process {
    pid_t pid = 0;
    bool is_examined = false; ///< its descriptors, and mappings if they were asked for, were seen
    bool calls_examined = false;     ///< and the calls of all its threads
    std::uint64_t ipc_namespace = 0; ///< of its first thread: its inode; 0: unknown
};

class ProcessScan {
  public:
    /// Reads /proc. What ends meanwhile is passed over. Throws Error where /proc cannot be listed,
    /// or for want of descriptors or memory.
    explicit ProcessScan(const ScanRequest& request);
    /// No look at all.
    ProcessScan() = default;

    std::vector<Process> processes; ///< by pid
    std::vector<Descriptor> descriptors;
    std::vector<Mapping> mappings;
    std::vector<BlockedCall> calls;
    Sharers table_sharers;  ///< of descriptors
    Sharers memory_sharers; ///< of mappings
    /// How many processes could not be examined. Zombies use nothing and do not count.
    std::size_t unexamined = 0;
    /// Processes may exist that are not to be seen at all: another PID namespace is around ours, or
    /// /proc hides them (hidepid).
    bool some_hidden = false;

    /// No process can have escaped it; descriptors that none of them has, can.
    bool is_complete() const noexcept { return unexamined == 0 && !some_hidden; }
    /// No thread can be blocked in a System V object unseen. In which IPC namespace a thread is,
    /// may be known of those alone that were examined.
    bool saw_calls() const noexcept;
    /// The name of its command, once looked up; empty where that cannot be had.
    const std::string& command(pid_t pid) const;

  private:
    mutable std::unordered_map<pid_t, std::string> commands_;
};

} // namespace ipc
