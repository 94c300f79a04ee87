// SPDX-License-Identifier: MIT
#include "object/shm_files.hpp"

#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/deadline.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"

namespace ipc::shm_files {

namespace {

/// In seconds.
long lease_time() { return kernel_limit("fs.lease-break-time").value_or(45); }

/// Until a lease may have been given up.
void nap() {
    signals::check();
    const timespec interval = to_timespec(std::chrono::milliseconds(20));
    nanosleep(&interval, nullptr);
}

} // namespace

UniqueFd open_file(const std::string& path, int access) {
    const int flags = access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    std::optional<Deadline> patience;
    for (;;) {
        UniqueFd fd(open(path.c_str(), flags));
        if (fd.is_open() || errno != EAGAIN)
            return fd;
        if (!patience)
            patience = Deadline::after(nanoseconds(std::chrono::seconds(lease_time())));
        if (patience->passed()) {
            errno = EAGAIN;
            return {};
        }
        nap();
    }
}

std::string explain_opening(int error) {
    if (error == EAGAIN)
        return text("a process holds a lease on it, and has not given it up within ", lease_time(),
                    " s, which is fs.lease-break-time");
    return explain_error(error);
}

void check_owner(const Name& name, uid_t owner, Existing existing) {
    if (is_open_to_all(directory))
        ipc::check_owner(name, owner, existing);
}

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
