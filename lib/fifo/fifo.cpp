// SPDX-License-Identifier: MIT
#include "fifo/fifo.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <new>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/file_type.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "object/exact_unlink.hpp"
#include "object/foreign.hpp"
#include "object/inherited.hpp"
#include "tool/tool.hpp"

namespace ipc {

namespace {

/// Whether a symbolic link is one of /proc, which stands for what is open.
bool is_descriptor(const struct stat& link) noexcept {
    struct stat proc {};
    return stat("/proc/self", &proc) == 0 && proc.st_dev == link.st_dev;
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

/// In the directory that it is in now; where there is no descriptor for that, wherever the path
/// leads.
int remove_exactly(const std::string& path, FileId file) {
    const UniqueFd directory(open(directory_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (directory.is_open())
        return try_unlink_exactly(directory.get(), path.substr(path.rfind('/') + 1), file);
    return is_shortage(errno) ? try_unlink_exactly(AT_FDCWD, path, file) : errno;
}

/// Whether this leads to where pipe(2) makes them.
bool is_of_pipe(const std::string& path) noexcept {
    struct statfs system {};
    return statfs(path.c_str(), &system) == 0 && system.f_type == PIPEFS_MAGIC;
}

} // namespace

Fifo::Fifo(Name name, mode_t mode, Keep keep, Existing existing)
    : name_(std::move(name)), path_(name_.text) {
    if (name_.form == Name::Form::fd) {
        inherited_ = take_descriptor(name_);
        path_ = text("/proc/self/fd/", inherited_.get());
    }
    bool made = false;
    try {
        for (int tries = 0; !find(made ? Existing::any : existing); ++tries)
            made = make(mode, tries);
    } catch (const Error& error) {
        if (made && error.code().value() != 0) // else it has been replaced
            unlink(path_.c_str());
        throw;
    }
    is_ours_ = made && keep == Keep::no;
}

Fifo::Fifo(Fifo&& other) noexcept
    : name_(std::move(other.name_)), inherited_(std::move(other.inherited_)),
      path_(std::move(other.path_)), is_link_(other.is_link_), is_anonymous_(other.is_anonymous_),
      is_ours_(std::exchange(other.is_ours_, false)), identity_(other.identity_) {}

void Fifo::remove() noexcept try {
    if (!std::exchange(is_ours_, false))
        return;
    const int error = remove_exactly(path_, identity_);
    if (error != 0 && error != ENOENT && error != ESTALE)
        report(Error(name_.text, "cannot remove it", error));
} catch (const Error& error) {
    report(error);
} catch (const std::bad_alloc&) {
    report("out of memory");
}

/// False if there is no file of this name.
bool Fifo::find(Existing existing) {
    struct stat status {};
    int result = lstat(path_.c_str(), &status);
    if (result == 0 && S_ISLNK(status.st_mode) && is_descriptor(status)) {
        is_link_ = true;
        result = stat(path_.c_str(), &status);
    }
    if (result != 0 && errno == ENOENT && name_.form == Name::Form::path)
        return false;
    if (result != 0)
        throw Error(name_.text, "cannot look at it", errno);
    if (!S_ISFIFO(status.st_mode))
        throw Error(name_.text, text("this is ", describe_type(status.st_mode), ", not a FIFO"));
    identity_ = {.device = status.st_dev, .inode = status.st_ino};
    if (existing == Existing::ours && !is_link_ && is_open_to_all(directory_of(path_)))
        check_owner(name_, status.st_uid, existing);
    is_anonymous_ = is_link_ && is_of_pipe(path_);
    return true;
}

/// False if somebody else has made a file of this name just now.
bool Fifo::make(mode_t mode, int tries) const {
    constexpr int most_tries = 100;
    const mode_t mask = umask(0);
    const int result = mkfifo(path_.c_str(), mode);
    const int error = errno;
    umask(mask);
    if (result != 0 && (error != EEXIST || tries == most_tries))
        throw Error(name_.text, "cannot make it", error);
    return result == 0;
}

UniqueFd Fifo::try_open(int flags) const noexcept {
    const int more = O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (is_link_ ? 0 : O_NOFOLLOW);
    UniqueFd fd(open(path_.c_str(), flags | more));
    if (fd.is_open() && !is(fd.get())) {
        fd = UniqueFd();
        errno = ENOENT; // it has been replaced
    }
    return fd;
}

bool Fifo::is(int fd) const noexcept {
    struct stat status {};
    return fstat(fd, &status) == 0 &&
           FileId{.device = status.st_dev, .inode = status.st_ino} == identity_;
}

} // namespace ipc
