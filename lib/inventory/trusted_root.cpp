// SPDX-License-Identifier: MIT
#include "inventory/trusted_root.hpp"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

constexpr int path_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

enum class Mounts : std::uint8_t { same, cloned };

/// Whether that is one directory, and reached by the same mount unless that is a clone's.
bool is_same(const UniqueFd& a, const UniqueFd& b, Mounts mounts) noexcept {
    struct statx one = {};
    struct statx other = {};
    constexpr unsigned wanted = STATX_INO | STATX_MNT_ID;
    if (statx(a.get(), "", AT_EMPTY_PATH, wanted, &one) != 0 ||
        statx(b.get(), "", AT_EMPTY_PATH, wanted, &other) != 0)
        return false;
    return one.stx_ino == other.stx_ino && one.stx_dev_major == other.stx_dev_major &&
           one.stx_dev_minor == other.stx_dev_minor &&
           (mounts == Mounts::cloned || one.stx_mnt_id == other.stx_mnt_id);
}

bool is_namespace(const UniqueFd& one, const char* path) noexcept {
    struct stat its = {};
    struct stat ours = {};
    return fstat(one.get(), &its) == 0 && stat(path, &ours) == 0 && its.st_ino == ours.st_ino &&
           its.st_dev == ours.st_dev;
}

/// 0, or an errno value: EPERM if it belongs to another user namespace than ours.
int distrust_of(const UniqueFd& mounts) noexcept {
    const UniqueFd users(ioctl(mounts.get(), NS_GET_USERNS));
    if (!users.is_open())
        return is_shortage(errno) ? errno : EPERM;
    return is_namespace(users, "/proc/self/ns/user") ? 0 : EPERM;
}

/// Who enters a mount namespace is at its root, whatever the root of those who are in it. A thread
/// does so that ends there.
UniqueFd try_open_root_of(const UniqueFd& mounts) {
    UniqueFd root;
    int error = 0;
    try {
        std::thread([&] {
            if (unshare(CLONE_FS) == 0 && setns(mounts.get(), CLONE_NEWNS) == 0)
                root = UniqueFd(open("/", path_flags));
            error = errno == EPERM ? EACCES : errno; // that it is ours is known
        }).join();
    } catch (const std::system_error& failed) {
        error = failed.code().value();
    }
    errno = error;
    return root;
}

} // namespace

UniqueFd try_open_trusted_root(pid_t process) {
    const UniqueFd directory(open(text("/proc/", process).c_str(), path_flags));
    if (!directory.is_open())
        return {};
    const UniqueFd mounts(openat(directory.get(), "ns/mnt", O_RDONLY | O_CLOEXEC));
    if (!mounts.is_open())
        return {};
    const bool is_in_ours = is_namespace(mounts, "/proc/self/ns/mnt");
    if (const int error = is_in_ours ? 0 : distrust_of(mounts); error != 0) {
        errno = error;
        return {};
    }
    UniqueFd its(openat(directory.get(), "root", path_flags));
    UniqueFd ours(open("/", path_flags));
    if (!its.is_open() || !ours.is_open())
        return {};
    // unshare(2) leaves the root where it was, in the clone of its mount.
    if (is_same(its, ours, is_in_ours ? Mounts::same : Mounts::cloned))
        return its;
    if (!is_in_ours) {
        UniqueFd root = try_open_root_of(mounts);
        if (!root.is_open() || is_same(its, root, Mounts::same))
            return root;
    }
    errno = EXDEV;
    return {};
}

const char* explain_distrust(int error) noexcept {
    return error == EPERM   ? "its mounts are those of another user namespace"
           : error == EXDEV ? "its root directory is not that of its mount namespace"
                            : nullptr;
}

} // namespace ipc
