// SPDX-License-Identifier: MIT
#include "inventory/removal.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "inventory/lease.hpp"
#include "inventory/mqueue_directory.hpp"
#include "inventory/sysv_removal.hpp"
#include "inventory/verdict.hpp"
#include "object/exact_unlink.hpp"
#include "object/system_v.hpp"
#include "process/scan.hpp"

namespace ipc {

namespace {

constexpr const char* is_gone_now = "it is not there any more";
constexpr const char* is_another = "it was replaced since it was looked at";
constexpr const char* has_changed = "it has changed since it was looked at";
constexpr const char* is_used_now = "somebody has it open or mapped";

[[noreturn]] void fail(const Object& object, std::string_view action, int error) {
    throw Error(object.full_name(), action, error, explain_error(error));
}

/// Empty if the file with that status is the one that was listed, and as it was.
std::string compare(const Object& listed, const struct stat& now) {
    constexpr mode_t all_permissions = 0777;
    const auto same = [&](Figure figure, std::int64_t value) {
        return listed.figures.get_or(figure, value) == value;
    };
    if (listed.file != FileId{.device = now.st_dev, .inode = now.st_ino})
        return is_another;
    const bool is_same = listed.owner == now.st_uid && listed.group == now.st_gid &&
                         listed.perms == (now.st_mode & all_permissions) &&
                         same(Figure::mtime, now.st_mtime) && same(Figure::ctime, now.st_ctime) &&
                         (listed.kind != ObjectKind::shm || same(Figure::size, now.st_size));
    return is_same ? std::string() : has_changed;
}

/// Empty if the name in that directory is still that of the object. Sets `status`, if given.
std::string look_at_name(const UniqueFd& directory, const std::string& name, const Object& object,
                         struct stat* status = nullptr) {
    struct stat now {};
    if (fstatat(directory.get(), name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            fail(object, "cannot examine", errno);
        return is_gone_now;
    }
    if (status != nullptr)
        *status = now;
    return compare(object, now);
}

/// The lease of an open file, for as long as this lives.
class HeldLease {
  public:
    explicit HeldLease(int fd) noexcept : fd_(fd), lease_(take_lease(fd)) {}
    HeldLease(const HeldLease&) = delete;
    HeldLease& operator=(const HeldLease&) = delete;
    ~HeldLease() {
        if (lease_ == Lease::granted)
            release_lease(fd_);
    }

    /// Why the object must be left; empty if nobody else has it, or if that need not be proved.
    std::string why_left(Proof proof) const {
        if (lease_ == Lease::in_use)
            return is_used_now;
        if (lease_ == Lease::refused && proof == Proof::required)
            return "that nobody has it open can be proved by its owner and root alone, and not in "
                   "every file system (-s unknown)";
        return {};
    }
    /// Whether somebody waits for us to let him open it.
    bool is_wanted() const noexcept {
        return lease_ == Lease::granted && fcntl(fd_, F_GETLEASE) != F_WRLCK;
    }

  private:
    int fd_;
    Lease lease_;
};

} // namespace

Remover::Remover(const Place& place, Proof proof) : place_(place), proof_(proof) {}

std::string Remover::remove(const Object& object) {
    if (object.is_system_v())
        return remove_system_v(object);
    return object.kind == ObjectKind::mq ? remove_queue(object) : remove_file(object);
}

std::string Remover::remove_system_v(const Object& object) {
    if (object.kind == ObjectKind::mq)
        if (std::string why = why_waited_in(object); !why.empty())
            return why;
    if (std::string why = why_not_the_same(object); !why.empty())
        return why;
    const int error = try_remove_by_id(object);
    if (error != 0 && !is_gone(error))
        fail(object, "cannot remove", error);
    return error != 0 ? is_gone_now : "";
}

/// A process that waits in msgrcv(2) leaves no trace in the queue: only a look at all processes
/// shows it. One is good for ten times as long as it took, so that looks take no more than a tenth
/// of the time, however many queues there are.
std::string Remover::why_waited_in(const Object& queue) {
    constexpr int share = 10;
    const auto now = std::chrono::steady_clock::now();
    if (!has_looked_ || now - looked_at_ > share * look_took_) {
        look_at_calls(static_cast<std::uint64_t>(queue.figures.get_or(Figure::ns, 0)));
        looked_at_ = now;
        look_took_ = std::chrono::steady_clock::now() - now;
        has_looked_ = true;
    }
    if (waited_in_.contains(static_cast<int>(queue.figures.get_or(Figure::id, -1))))
        return "a process waits in it now";
    return saw_all_ || proof_ == Proof::waived ? "" : "not all processes can be examined any more";
}

void Remover::look_at_calls(std::uint64_t ipc_namespace) {
    ScanRequest request;
    request.system_v_calls = true;
    const ProcessScan scan(request);
    saw_all_ = scan.saw_calls();
    waited_in_.clear();
    for (const BlockedCall& call : scan.calls)
        if (call.kind == ObjectKind::mq &&
            (call.ipc_namespace == 0 || ipc_namespace == 0 || call.ipc_namespace == ipc_namespace))
            waited_in_.insert(call.id);
}

std::string Remover::remove_queue(const Object& object) {
    if (!queues_.is_open())
        queues_ = open_mqueue_directory();
    struct stat now {};
    const auto open_again = [&] {
        return UniqueFd(mq_open(object.name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    };
    const UniqueFd queue = open_again();
    if (!queue.is_open() && errno == ENOENT)
        return is_gone_now;
    if (!queue.is_open() && errno == EWOULDBLOCK) // who holds a lease has it open
        return is_used_now;
    if (!queue.is_open() && errno != EACCES)
        fail(object, "cannot open", errno);
    if (!queue.is_open() && proof_ == Proof::required)
        return "that nobody has it open cannot be proved without permission to read (-s unknown)";
    const HeldLease lease(queue.get());
    if (queue.is_open()) {
        mq_attr attributes{};
        if (fstat(queue.get(), &now) != 0 || mq_getattr(queue.get(), &attributes) != 0)
            fail(object, "cannot examine", errno);
        if (std::string why = compare(object, now); !why.empty())
            return why;
        if (object.figures.get_or(Figure::msgs, attributes.mq_curmsgs) != attributes.mq_curmsgs)
            return has_changed;
        if (std::string why = lease.why_left(proof_); !why.empty())
            return why;
        if (lease.is_wanted())
            return is_used_now;
    }
    if (std::string why = look_at_name(queues_, object.name.substr(1), object); !why.empty())
        return why;
    if (mq_unlink(object.name.c_str()) == 0)
        return {};
    if (errno != ENOENT)
        fail(object, "cannot remove", errno);
    return is_gone_now;
}

std::string Remover::remove_file(const Object& object) {
    if (!shm_.is_open())
        shm_ = try_open_shm_directory(place_);
    const std::string name =
        text(object.kind == ObjectKind::sem ? "sem." : "", object.name.substr(1));
    struct stat now {};
    if (std::string why = look_at_name(shm_, name, object, &now); !why.empty())
        return why;
    if (!S_ISREG(now.st_mode) && !S_ISLNK(now.st_mode))
        return "of what is malformed, only regular files and symbolic links can be removed";

    constexpr int flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
    UniqueFd file;
    if (S_ISREG(now.st_mode)) {
        file = UniqueFd(openat(shm_.get(), name.c_str(), flags));
        if (!file.is_open() && errno == EWOULDBLOCK) // who holds a lease has it open
            return is_used_now;
        if (!file.is_open() && is_shortage(errno))
            fail(object, "cannot open", errno);
        if (!file.is_open() && errno != EACCES)
            return errno == ENOENT ? is_gone_now : is_another;
        if (!file.is_open() && proof_ == Proof::required)
            return "that nobody has it open cannot be proved without permission to read "
                   "(-s unknown)";
        if (file.is_open() && fstat(file.get(), &now) == 0)
            if (std::string why = compare(object, now); !why.empty())
                return why;
    }
    const HeldLease lease(file.get());
    if (file.is_open()) {
        if (std::string why = lease.why_left(proof_); !why.empty())
            return why;
        if (std::string why = look_at_name(shm_, name, object); !why.empty())
            return why;
        if (lease.is_wanted())
            return is_used_now;
    }
    switch (const int error = try_unlink_exactly(shm_.get(), name, *object.file)) {
    case 0:
        return {};
    case ENOENT:
        return is_gone_now;
    case ESTALE:
        return is_another;
    default:
        fail(object, "cannot remove", error);
    }
}

} // namespace ipc
