// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "inventory/object.hpp"

/// What the kernel shows of file locks: proc(5), /proc/locks, and `lock:` in /proc/PID/fdinfo/N.
namespace ipc {

/// A lock, or somebody who waits for one.
struct FileLock {
    std::uint64_t number = 0; ///< a lock and those who wait for it have the same
    bool is_waiting = false;  ///< the lock of that number stands before it
    /// `posix read`, `flock write`, `ofd write`, `lease read breaking`
    std::string type;
    /// Of who made it, as seen from our PID namespace. 0: not visible from here; below: of nobody.
    pid_t pid = 0;
    /// The device is that of the file system: some show another as st_dev (btrfs, overlayfs).
    FileId file;
    std::string device; ///< as it is shown: `fe:00`
    std::string region; ///< `START-END` in bytes, both included; `0-EOF`

    /// Whether it is the same as far as can be seen, whatever its number.
    bool is_like(const FileLock& other) const noexcept;
};

/// `1: POSIX  ADVISORY  READ 4711 fe:00:2342 0 EOF`; nothing if the line is not of that form, or
/// names no file.
std::optional<FileLock> parse_file_lock(std::string_view line);

/// All of /proc/locks. Returns 0, or the errno value.
int try_read_locks(std::vector<FileLock>& locks);

/// The locks in what /proc/PID/fdinfo/N holds.
std::vector<FileLock> parse_locks_of_descriptor(std::string_view info);

} // namespace ipc
