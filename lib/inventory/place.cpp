// SPDX-License-Identifier: MIT
#include "inventory/place.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "inventory/trusted_root.hpp"
#include "object/shm_files.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

constexpr const char* own_namespace = "/proc/self/ns/ipc";

std::string namespace_path(pid_t process) { return text("/proc/", process, "/ns/ipc"); }

/// 0, with errno set, where it may not be looked at.
std::uint64_t try_inode(const char* path) noexcept {
    struct stat status {};
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

[[noreturn]] void fail(pid_t process, int error) {
    throw Error(text("process ", process), "cannot look at its IPC namespace",
                error == ENOENT ? ESRCH : error, explain_error(error));
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
    /// Of how many places no /dev/shm could be looked at, by explain_distrust().
    std::map<std::string_view, std::size_t> untrusted() const {
        std::map<std::string_view, std::size_t> counts;
        for (const Place& place : found_)
            if (const auto why = untrusted_.find(place.ipc_namespace);
                !place.has_shm && why != untrusted_.end())
                counts[why->second] += 1;
        return counts;
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
        if (const char* const why = shm ? nullptr : explain_distrust(errno))
            untrusted_.emplace(place.ipc_namespace, why);
        place.has_shm = shm && std::ranges::find(seen_, *shm) == seen_.end();
        if (place.has_shm)
            seen_.push_back(*shm);
        else
            place.process = before;
    }

    std::vector<Place> found_;
    std::vector<FileId> seen_;
    std::map<std::uint64_t, const char*> untrusted_;
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
    for (const auto& [why, count] : places.untrusted())
        troubles.push_back({.kinds = {ObjectKind::sem, ObjectKind::shm},
                            .line = text("/dev/shm of ", count, " IPC namespace",
                                         count == 1 ? "" : "s", ": not looked at, for ", why)});
    return places.take();
}

UniqueFd try_open_shm_directory(const Place& place) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    if (!place.process)
        return UniqueFd(open(shm_files::directory, flags));
    const UniqueFd root = try_open_trusted_root(*place.process);
    if (!root.is_open())
        return {};
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
