// SPDX-License-Identifier: MIT
#include "tool/permissions.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

/// fchmod(2) refuses descriptors of O_PATH with EBADF, though their owner may chmod(2).
int try_change_mode(const UniqueFd& fd, mode_t mode) noexcept {
    if (fchmod(fd.get(), mode) == 0)
        return 0;
    if (errno == EBADF && chmod(text("/proc/self/fd/", fd.get()).c_str(), mode) == 0)
        return 0;
    return errno;
}

} // namespace

void change_permissions(const Name& name, const UniqueFd& fd, const PermissionChanges& changes) {
    struct stat status {};
    if (fstat(fd.get(), &status) != 0)
        throw Error(name.text, "cannot look at the mode", errno);
    const mode_t mode =
        changes.mode == nullptr ? status.st_mode : parse::mode(changes.mode, status.st_mode);
    if (changes.owner && fchownat(fd.get(), "", changes.owner->uid,
                                  changes.owner->gid.value_or(status.st_gid), AT_EMPTY_PATH) != 0)
        throw Error(name.text, "cannot change the owner", errno);
    // After the owner, whose change may take mode bits away.
    if (changes.mode == nullptr)
        return;
    if (const int error = try_change_mode(fd, mode))
        throw Error(name.text, "cannot change the mode", error);
}

void change_permissions(ipc_perm& permissions, const PermissionChanges& changes) {
    if (changes.mode != nullptr)
        permissions.mode = static_cast<unsigned short>(parse::mode(changes.mode, permissions.mode));
    if (changes.owner) {
        permissions.uid = changes.owner->uid;
        permissions.gid = changes.owner->gid.value_or(permissions.gid);
    }
}

} // namespace ipc
