// SPDX-License-Identifier: MIT
#include "inventory/exact_unlink.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

bool is_name_of(const UniqueFd& directory, const std::string& name, FileId file) noexcept {
    struct stat now {};
    return fstatat(directory.get(), name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           FileId{.device = now.st_dev, .inode = now.st_ino} == file;
}

int try_rename(const UniqueFd& directory, const std::string& from, const std::string& to) noexcept {
    const int dir = directory.get();
    return renameat2(dir, from.c_str(), dir, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
}

int try_unlink(const UniqueFd& directory, const std::string& name) noexcept {
    return unlinkat(directory.get(), name.c_str(), 0) == 0 ? 0 : errno;
}

} // namespace

int try_unlink_exactly(const UniqueFd& directory, const std::string& name, FileId file) {
    if (!is_name_of(directory, name, file))
        return ESTALE;
    // Others may make files here: a name that they cannot foresee.
    std::uint64_t chance = 0;
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
        return errno;
    const std::string hidden = text(".ipcclean-", chance);
    int error = try_rename(directory, name, hidden);
    if (error == EINVAL) // the file system does not know how
        return try_unlink(directory, name);
    if (error != 0)
        return error;
    const int outcome =
        is_name_of(directory, hidden, file) ? try_unlink(directory, hidden) : ESTALE;
    if (outcome == 0)
        return 0;
    error = try_rename(directory, hidden, name);
    if (error != 0)
        throw Error(text('/', name), "cannot have its name back", error,
                    text("it is /", hidden, " now"));
    return outcome;
}

} // namespace ipc
