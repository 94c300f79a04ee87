// SPDX-License-Identifier: MIT
#include "inventory/place.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <set>
#include <string>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "object/shm_files.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

constexpr const char* own_namespace = "/proc/self/ns/ipc";

std::string namespace_path(pid_t process) { return text("/proc/", process, "/ns/ipc"); }

/// 0, with errno set, where it may not be looked at.
std::uint64_t try_inode(const char* path, int directory = AT_FDCWD) noexcept {
    struct stat status {};
    return fstatat(directory, path, &status, AT_EMPTY_PATH) == 0 ? status.st_ino : 0;
}

[[noreturn]] void fail(pid_t process, int error) {
    throw Error(text("process ", process), "cannot look at its IPC namespace",
                error == ENOENT ? ESRCH : error, explain_error(error));
}

/// 0 where only who has rights over us can have mounted what a process sees, else an errno value:
/// EPERM in the mount namespace of another user namespace, where anybody can put any directory in
/// the place of /dev/shm.
int distrust_of_mounts(const UniqueFd& process) noexcept {
    if (const std::uint64_t its = try_inode("ns/mnt", process.get());
        its != 0 && its == try_inode("/proc/self/ns/mnt"))
        return 0;
    const UniqueFd mounts(openat(process.get(), "ns/mnt", O_RDONLY | O_CLOEXEC));
    if (!mounts.is_open())
        return errno;
    const UniqueFd users(ioctl(mounts.get(), NS_GET_USERNS));
    if (!users.is_open())
        return is_shortage(errno) ? errno : EPERM;
    const std::uint64_t owner = try_inode("", users.get());
    return owner != 0 && owner == try_inode("/proc/self/ns/user") ? 0 : EPERM;
}

/// Nothing where it has none, or none that we may look at.
std::optional<FileId> shm_of(const Place& place) {
    struct stat status {};
    const UniqueFd directory = try_open_shm_directory(place);
    if (!directory.is_open() || fstat(directory.get(), &status) != 0)
        return std::nullopt;
    return FileId{.device = status.st_dev, .inode = status.st_ino};
}

/// Gathers the places, each with a process of it whose /dev/shm nobody before it had.
class Places {
  public:
    Places() {
        found_.push_back(own_place());
        if (const auto shm = shm_of(found_.front()))
            seen_.push_back(*shm);
    }

    void add(pid_t process) {
        const std::uint64_t inode = try_inode(namespace_path(process).c_str());
        if (inode == 0) {
            if (errno != ENOENT && errno != ESRCH)
                refused_ += 1;
            return;
        }
        const auto known = std::ranges::find(found_, inode, &Place::ipc_namespace);
        if (known == found_.end())
            add_new(process);
        else if (!known->has_shm)
            prefer_with_shm(*known, process);
    }

    std::size_t refused() const noexcept { return refused_; }
    /// Of how many places no /dev/shm could be looked at for the mounts' sake.
    std::size_t untrusted() const {
        return static_cast<std::size_t>(std::ranges::count_if(found_, [this](const Place& place) {
            return !place.has_shm && untrusted_.contains(place.ipc_namespace);
        }));
    }
    std::vector<Place> take() noexcept { return std::move(found_); }

  private:
    void add_new(pid_t process) {
        try {
            Place place = place_of(process);
            place.has_shm = false;
            prefer_with_shm(place, process);
            found_.push_back(std::move(place));
        } catch (const Error& error) {
            if (is_shortage(error.code().value()))
                throw;
            if (error.code().value() != ESRCH)
                refused_ += 1;
        }
    }

    void prefer_with_shm(Place& place, pid_t process) {
        const auto before = std::exchange(place.process, process);
        const auto shm = shm_of(place);
        if (!shm && errno == EPERM)
            untrusted_.insert(place.ipc_namespace);
        place.has_shm = shm && std::ranges::find(seen_, *shm) == seen_.end();
        if (place.has_shm)
            seen_.push_back(*shm);
        else
            place.process = before;
    }

    std::vector<Place> found_;
    std::vector<FileId> seen_;
    std::set<std::uint64_t> untrusted_;
    std::size_t refused_ = 0;
};

} // namespace

Place own_place() {
    // Looked at once: what is ours must not be another's when it is asked for again.
    static const std::uint64_t inode = try_inode(own_namespace);
    Place place;
    place.ipc_namespace = inode;
    return place;
}

Place place_of(pid_t process) {
    Place place;
    place.process = process;
    UniqueFd descriptor(open(namespace_path(process).c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!descriptor.is_open() || fstat(descriptor.get(), &status) != 0)
        fail(process, errno);
    place.ipc_namespace = status.st_ino;
    if (status.st_ino != own_place().ipc_namespace)
        place.descriptor = std::move(descriptor);
    return place;
}

std::vector<Place> all_places(std::vector<Trouble>& troubles) {
    Places places;
    for (const pid_t process : procfs::list("/proc"))
        places.add(process);
    if (places.refused() > 0)
        troubles.push_back({.kinds = kept_kinds,
                            .line = text("IPC namespaces: those of ", places.refused(),
                                         places.refused() == 1 ? " process" : " processes",
                                         " may not be looked at")});
    if (const std::size_t untrusted = places.untrusted(); untrusted > 0)
        troubles.push_back(
            {.kinds = {ObjectKind::sem, ObjectKind::shm},
             .line = text("/dev/shm of ", untrusted, " IPC namespace", untrusted == 1 ? "" : "s",
                          ": not looked at, for its mounts are those of another "
                          "user namespace")});
    return places.take();
}

UniqueFd try_open_shm_directory(const Place& place) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    if (!place.process)
        return UniqueFd(open(shm_files::directory, flags));
    const UniqueFd process(open(text("/proc/", *place.process).c_str(), flags | O_PATH));
    if (!process.is_open())
        return {};
    const UniqueFd root(openat(process.get(), "root", flags | O_PATH));
    if (!root.is_open())
        return {};
    // Asked after the root was opened: nobody comes back from such a mount namespace.
    if (const int error = distrust_of_mounts(process); error != 0) {
        errno = error;
        return {};
    }
    // A symbolic link with an absolute path in there would lead to a directory of ours.
    const UniqueFd dev(openat(root.get(), "dev", flags | O_NOFOLLOW));
    if (!dev.is_open())
        return {};
    return UniqueFd(openat(dev.get(), "shm", flags | O_NOFOLLOW));
}

/// Entered first is where we are: who may not come back must not leave.
Visit::Visit(const Place& place) {
    if (!place.descriptor.is_open())
        return;
    UniqueFd home(open(own_namespace, O_RDONLY | O_CLOEXEC));
    if (!home.is_open() || setns(home.get(), CLONE_NEWIPC) != 0 ||
        setns(place.descriptor.get(), CLONE_NEWIPC) != 0) {
        const int error = errno;
        throw Error(text("IPC namespace ", place.ipc_namespace), "cannot enter", error,
                    explain_error(error));
    }
    home_ = std::move(home);
}

/// Whatever was done next in a namespace that is not ours would be done to the wrong objects.
Visit::~Visit() {
    if (!home_.is_open() || setns(home_.get(), CLONE_NEWIPC) == 0)
        return;
    write_stderr(text(program_invocation_short_name, ": cannot return to our own IPC namespace\n"));
    std::_Exit(exit_trouble);
}

} // namespace ipc
