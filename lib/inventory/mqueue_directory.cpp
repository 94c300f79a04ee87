// SPDX-License-Identifier: MIT
#include "inventory/mqueue_directory.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <mqueue.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

constexpr const char* usual_directory = "/dev/mqueue";

enum class Owner : std::uint8_t { ours, foreign, unproven };

/// What mq_open(3), which goes by our namespace, makes of a name in the directory. The file system
/// of each namespace is a device of its own.
Owner owner_by(const UniqueFd& directory, const char* name) {
    struct stat there {};
    struct stat opened {};
    const auto look = [&] {
        return fstatat(directory.get(), name, &there, AT_SYMLINK_NOFOLLOW) == 0;
    };
    if (!look())
        return Owner::unproven;
    const UniqueFd queue(mq_open(text('/', name).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (queue.is_open())
        return fstat(queue.get(), &opened) == 0 && opened.st_dev == there.st_dev ? Owner::ours
                                                                                 : Owner::foreign;
    return errno == ENOENT && look() ? Owner::foreign : Owner::unproven;
}

Owner owner_of(const UniqueFd& mounted) {
    Owner owner = Owner::unproven;
    for_each_name(mounted, [&](const char* name) {
        owner = owner_by(mounted, name);
        return owner == Owner::unproven;
    });
    return owner;
}

UniqueFd try_usual_directory() noexcept {
    constexpr auto mqueue_magic = 0x19800202; // MQUEUE_MAGIC, in no header
    struct statfs system {};
    UniqueFd directory(open(usual_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.is_open() &&
        (fstatfs(directory.get(), &system) != 0 || system.f_type != mqueue_magic))
        return {};
    return directory;
}

/// A mount in no mount namespace: fsopen(2), fsmount(2), since Linux 5.2. The IPC namespace is that
/// of the call of fsopen. Not open, with errno set, if it cannot be.
UniqueFd try_mount() noexcept {
    constexpr unsigned fsopen_cloexec = 1; // linux/mount.h
    constexpr unsigned fsmount_cloexec = 1;
    constexpr unsigned fsconfig_cmd_create = 6;
    constexpr unsigned nosuid_nodev_noexec = 2 | 4 | 8;
    const UniqueFd system(static_cast<int>(syscall(SYS_fsopen, "mqueue", fsopen_cloexec)));
    if (!system.is_open() ||
        syscall(SYS_fsconfig, system.get(), fsconfig_cmd_create, nullptr, nullptr, 0) != 0)
        return {};
    const UniqueFd root(
        static_cast<int>(syscall(SYS_fsmount, system.get(), fsmount_cloexec, nosuid_nodev_noexec)));
    if (!root.is_open())
        return {};
    return UniqueFd(openat(root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

} // namespace

/// The mount comes second because it takes ten times as long: to be taken down it waits for a
/// grace period of the kernel.
UniqueFd open_mqueue_directory() {
    UniqueFd usual = try_usual_directory();
    const Owner owner = usual.is_open() ? owner_of(usual) : Owner::unproven;
    if (owner == Owner::ours)
        return usual;
    UniqueFd own = try_mount();
    const int error = errno;
    if (own.is_open() || (error == ENODEV && !usual.is_open()))
        return own;
    if (usual.is_open() && owner == Owner::unproven)
        return usual;
    const std::string detail =
        error == EPERM ? "mounting it needs CAP_SYS_ADMIN" : std::string(std::strerror(error));
    if (usual.is_open())
        throw Error(usual_directory, text("belongs to another IPC namespace (", detail, ')'));
    throw Error("POSIX message queues",
                text("cannot list: ", usual_directory, " is not mounted (", detail, ')'));
}

} // namespace ipc
