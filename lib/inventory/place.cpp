// SPDX-License-Identifier: MIT
#include "inventory/place.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <map>
#include <sched.h>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
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

/// Why no /dev/shm was looked at; empty where there is none, or its process is gone.
std::string explain_missing_shm(int error) {
    if (const char* const distrust = explain_distrust(error))
        return text("not looked at, for ", distrust);
    for (const int is_missing : {ENOENT, ENOTDIR, ESRCH})
        if (error == is_missing)
            return {};
    return text("cannot list: ", std::strerror(error));
}

/// Gathers the places, each with a process of it whose /dev/shm nobody before it had.
class Places {
  public:
    Places() {
        found_.push_back(own_place());
        by_namespace_.emplace(found_.front().ipc_namespace, 0);
        if (const auto shm = shm_of(found_.front()))
            seen_.insert(*shm);
    }

    void add(pid_t process) {
        const std::uint64_t inode = try_inode(namespace_path(process).c_str());
        if (inode == 0) {
            if (errno != ENOENT && errno != ESRCH)
                refused_ += 1;
            return;
        }
        const auto [known, is_new] = by_namespace_.try_emplace(inode, found_.size());
        if (is_new) {
            Place& place = found_.emplace_back();
            place.ipc_namespace = inode;
            place.process = process;
            place.has_shm = false;
        }
        Place& place = found_[known->second];
        if (!place.has_shm)
            prefer_with_shm(place, process);
        if (place.process && place.process != process)
            place.others.push_back(process);
    }

    std::size_t refused() const noexcept { return refused_; }
    /// Of how many places no /dev/shm could be looked at, by why.
    std::map<std::string, std::size_t> without_shm() const {
        std::map<std::string, std::size_t> counts;
        for (const Place& place : found_)
            if (const auto why = missing_.find(place.ipc_namespace);
                !place.has_shm && why != missing_.end())
                counts[why->second] += 1;
        return counts;
    }
    std::vector<Place> take() noexcept { return std::move(found_); }

  private:
    void prefer_with_shm(Place& place, pid_t process) {
        const auto before = std::exchange(place.process, process);
        const auto shm = shm_of(place);
        if (std::string why = shm ? std::string() : explain_missing_shm(errno); !why.empty())
            missing_.emplace(place.ipc_namespace, std::move(why));
        place.has_shm = shm && seen_.insert(*shm).second;
        if (!place.has_shm)
            place.process = before;
        else if (before != process)
            place.others.push_back(*before);
    }

    std::vector<Place> found_;
    std::unordered_map<std::uint64_t, std::size_t> by_namespace_; ///< indices of these
    std::set<FileId> seen_;
    std::unordered_map<std::uint64_t, std::string> missing_;
    std::size_t refused_ = 0;
};

/// Not open, with errno set, if none of its processes is there any more, or may be asked.
UniqueFd try_open_namespace(const Place& place) {
    struct stat status {};
    int error = ESRCH;
    const auto try_open = [&](pid_t process) {
        UniqueFd its(open(namespace_path(process).c_str(), O_RDONLY | O_CLOEXEC));
        if (its.is_open() && fstat(its.get(), &status) == 0 && status.st_ino == place.ipc_namespace)
            return its;
        if (!its.is_open() && errno != ENOENT)
            error = errno;
        return UniqueFd();
    };
    UniqueFd found = try_open(*place.process);
    for (auto other = place.others.begin(); !found.is_open() && other != place.others.end();
         ++other)
        found = try_open(*other);
    errno = error;
    return found;
}

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
    for (const pid_t process : procfs::list("/proc")) {
        signals::check();
        places.add(process);
    }
    if (places.refused() > 0)
        troubles.push_back({.kinds = kept_kinds,
                            .line = text("IPC namespaces: those of ", places.refused(),
                                         places.refused() == 1 ? " process" : " processes",
                                         " may not be looked at")});
    for (const auto& [why, count] : places.without_shm())
        troubles.push_back({.kinds = {ObjectKind::sem, ObjectKind::shm},
                            .line = text("/dev/shm of ", count, " IPC namespace",
                                         count == 1 ? ": " : "s: ", why)});
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
    if (!place.process || place.ipc_namespace == own_place().ipc_namespace)
        return;
    UniqueFd opened;
    if (!place.descriptor.is_open())
        opened = try_open_namespace(place);
    const UniqueFd& there = place.descriptor.is_open() ? place.descriptor : opened;
    UniqueFd home;
    if (there.is_open())
        home = UniqueFd(open(own_namespace, O_RDONLY | O_CLOEXEC));
    if (!home.is_open() || setns(home.get(), CLONE_NEWIPC) != 0 ||
        setns(there.get(), CLONE_NEWIPC) != 0) {
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
