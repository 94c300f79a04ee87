// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// What /proc tells of processes: proc(5). Nothing of it is certain: the process may be gone, or
/// hidden from us (hidepid), or /proc may not be mounted: then there is nothing. What can be taken
/// for an answer throws Error where it is for want of descriptors or memory.
namespace ipc::procfs {

/// The name of its command, as it is; empty where that cannot be had.
std::string command(pid_t pid);

/// Whether its numbers of processes are those that the kernel tells us elsewhere, such as in
/// msgctl(2): not so where the /proc of another PID namespace is mounted, as by pid_namespaces(7).
bool has_own_pids();

/// The first number behind `field` (such as "Tgid") in its status; nothing where that cannot be
/// had. A thread has a status as well.
std::optional<long> status_number(pid_t pid, std::string_view field);

/// The numbers among the names in a directory, such as the processes of /proc, or the threads of
/// /proc/PID/task. Throws Error.
std::vector<pid_t> list(const std::string& directory);

/// Appends the content of a file. Returns 0, or the errno value.
int try_read(const std::string& path, std::string& content);

/// The content of a file, as far as it can be read.
std::string read(const std::string& path);

/// The numbers, apart by blanks, that a file holds, such as /proc/PID/task/TID/children; empty
/// where it cannot be read.
std::vector<pid_t> read_list(const std::string& path);

/// Its state (such as 'Z' for a zombie), its process group, and when it started, in clock ticks
/// since the boot. Throws Error.
struct Stat {
    char state;
    pid_t group;
    std::int64_t start;
};
std::optional<Stat> stat(pid_t pid);

} // namespace ipc::procfs
