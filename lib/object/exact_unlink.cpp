// SPDX-License-Identifier: MIT
#include "object/exact_unlink.hpp"

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

/// 0 if that is its name, ESTALE if it is another's, or an errno value.
int compare(int directory, const std::string& name, FileId file) noexcept {
    struct stat now {};
    if (fstatat(directory, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    return FileId{.device = now.st_dev, .inode = now.st_ino} == file ? 0 : ESTALE;
}

int try_rename(int directory, const std::string& from, const std::string& to) noexcept {
    return renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE) == 0 ? 0
                                                                                            : errno;
}

int try_unlink(int directory, const std::string& name) noexcept {
    return unlinkat(directory, name.c_str(), 0) == 0 ? 0 : errno;
}

} // namespace

int try_unlink_exactly(int directory, const std::string& name, FileId file) {
    if (const int error = compare(directory, name, file))
        return error;
    // Others may make files here: a name that they cannot foresee.
    std::uint64_t chance = 0;
    if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
        return errno;
    const std::string hidden = text(name.substr(0, name.rfind('/') + 1), ".ipctools-", chance);
    int error = try_rename(directory, name, hidden);
    if (error == EINVAL) // the file system does not know how
        return try_unlink(directory, name);
    if (error != 0)
        return error;
    int outcome = compare(directory, hidden, file);
    if (outcome == 0)
        outcome = try_unlink(directory, hidden);
    if (outcome == 0)
        return 0;
    error = try_rename(directory, hidden, name);
    if (error != 0)
        throw Error(name, "cannot have its name back", error, text("it is ", hidden, " now"));
    return outcome;
}

} // namespace ipc
