// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.hpp"
#include "object/foreign.hpp"

/// The files in /dev/shm that POSIX shared memory and semaphores are: shm_overview(7),
/// sem_overview(7).
namespace ipc::shm_files {

constexpr const char* directory = "/dev/shm";

/// Opens one that is there: `access` is O_RDONLY or O_RDWR. Follows no symlink, and what is no file
/// neither blocks us nor becomes our terminal. A lease that somebody holds on it is waited for, as
/// long as the kernel leaves one to its holder: fcntl(2). Not open, with errno set, if it cannot
/// be. Throws signals::Ended.
UniqueFd open_file(const std::string& path, int access);

/// What stands behind an errno value of it. Empty where nothing does.
std::string explain_opening(int error);

/// check_owner() where all may make files in the directory.
void check_owner(const Name& name, uid_t owner, Existing existing);

/// A new file without a name, empty, open for reading and writing: nobody can see it, and it is
/// gone if we are (open(2), O_TMPFILE). Its mode is 0. Not open, with errno set, if it cannot be.
UniqueFd make_unnamed() noexcept;

/// Gives such a file its name in one step: linkat(2). Returns 0, or an errno value such as EEXIST.
int try_publish(const UniqueFd& file, const std::string& path);

/// What stands behind an errno value of these two: what is missing, or the limit that was met and
/// how to raise it. Empty where nothing does.
std::string explain_making(int error);

/// The same where `length` bytes more could not be had for such a file.
std::string explain_storing(std::int64_t length, int error);

} // namespace ipc::shm_files
