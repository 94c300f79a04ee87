// SPDX-License-Identifier: MIT
#include "object/shm_files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace ipc::shm_files {

UniqueFd make_unnamed() noexcept {
    return UniqueFd(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0));
}

/// The first way is for root, and since Linux 6.10 for us who opened it; the second needs /proc.
int try_publish(const UniqueFd& file, const std::string& path) {
    if (linkat(file.get(), "", AT_FDCWD, path.c_str(), AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOENT)
        return errno;
    const std::string ours = text("/proc/self/fd/", file.get());
    return linkat(AT_FDCWD, ours.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0
                                                                                          : errno;
}

std::string explain_making(int error) {
    struct statfs system {};
    const bool is_there = statfs(directory, &system) == 0;
    if (error == ENOENT)
        return is_there ? "without /proc it cannot get its name" : text("there is no ", directory);
    if (error == ENOSPC && is_there && system.f_files > 0 && system.f_ffree == 0)
        return text("all ", system.f_files, " inodes of ", directory,
                    " are in use; allow more with: mount -o remount,nr_inodes=", 2 * system.f_files,
                    ' ', directory);
    return explain_error(error);
}

std::string explain_storing(std::int64_t length, int error) {
    constexpr ResourceLimit file_size = {"RLIMIT_FSIZE", RLIMIT_FSIZE, "fsize"};
    struct statfs system {};
    if (error == EFBIG)
        return text(length, " bytes, ",
                    describe_rlimit(file_size, static_cast<unsigned long>(length)));
    if (error != ENOSPC || statfs(directory, &system) != 0)
        return text(length, " bytes");
    const auto free =
        static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_bsize);
    return text(length, " bytes, ", free, " are free in ", directory,
                "; enlarge it with: mount -o remount,size=SIZE ", directory);
}

} // namespace ipc::shm_files
