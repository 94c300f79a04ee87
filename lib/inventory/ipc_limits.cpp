// SPDX-License-Identifier: MIT
#include "inventory/ipc_limits.hpp"

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <fcntl.h>
#include <map>
#include <sys/statfs.h>
#include <unistd.h>
#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/limits.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"
#include "inventory/system_v_limits.hpp"
#include "inventory/user_limits.hpp"
#include "object/shm_files.hpp"
#include "tool/users.hpp"

namespace ipc {

namespace {

using Count = std::optional<std::uint64_t>;

constexpr Count to_count(std::integral auto value) noexcept {
    return value < 0 ? std::nullopt : Count(static_cast<std::uint64_t>(value));
}

Count to_count(std::optional<std::int64_t> value) noexcept {
    return value ? to_count(*value) : std::nullopt;
}

/// What is looked at, and what comes of it.
class Collector {
  public:
    Collector(const Place& place, const std::vector<Object>& objects,
              std::vector<Trouble>& troubles)
        : here_(static_cast<std::int64_t>(place.ipc_namespace)), objects_(objects),
          troubles_(troubles) {
        for (const Trouble& trouble : troubles)
            missing_.push_back(trouble.kinds);
    }

    void add(LimitUse limit) { limits_.push_back(std::move(limit)); }

    void add_all(auto add_to) { add_to(limits_, troubles_); }

    /// A limit under /proc/sys; 0 is none for some.
    void add_sysctl(KindSet kinds, LimitUse limit, Count zero_means = 0) {
        errno = 0;
        limit.limit = to_count(kernel_limit(limit.name.c_str()));
        if (!limit.limit)
            return add_unread(kinds, limit.name);
        if (limit.limit == Count(0))
            limit.limit = zero_means;
        add(std::move(limit));
    }

    void add_unread(KindSet kinds, std::string_view name) {
        const int error = errno == 0 ? ERANGE : errno;
        troubles_.push_back({kinds, Error(name, "cannot read the limit", error).what()});
    }

    /// The largest figure of that place's objects of a kind; 0 where there are none, nothing where
    /// not all could be listed, or one does not tell.
    Count largest(ObjectKind kind, Family family, Figure figure) const {
        if (is_missing(kind))
            return std::nullopt;
        std::int64_t most = 0;
        for (const Object& object : objects_) {
            if (!is_here(object, kind, family))
                continue;
            const auto value = object.figures.get(figure);
            if (!value)
                return std::nullopt;
            most = std::max(most, *value);
        }
        return to_count(most);
    }

    Count count(ObjectKind kind, Family family) const {
        if (is_missing(kind))
            return std::nullopt;
        return to_count(std::count_if(objects_.begin(), objects_.end(), [&](const Object& object) {
            return is_here(object, kind, family);
        }));
    }

    bool is_missing(ObjectKind kind) const {
        return std::any_of(missing_.begin(), missing_.end(),
                           [&](KindSet kinds) { return kinds.has(kind); });
    }

    const std::vector<Object>& objects() const noexcept { return objects_; }
    std::vector<LimitUse> take() && {
        // For "no limit" the kernel itself often sets a little less than the highest number.
        constexpr std::uint64_t beyond_all = std::uint64_t{1} << 62U;
        for (LimitUse& limit : limits_)
            if (limit.limit >= beyond_all)
                limit.limit = no_limit;
        return std::move(limits_);
    }

  private:
    bool is_here(const Object& object, ObjectKind kind, Family family) const noexcept {
        return object.kind == kind && object.family == family &&
               (here_ == 0 || object.figures.get_or(Figure::ns, here_) == here_);
    }

    std::int64_t here_; ///< 0: not known; then they are all of one place
    const std::vector<Object>& objects_;
    std::vector<Trouble>& troubles_;
    std::vector<KindSet> missing_; ///< what could not all be listed
    std::vector<LimitUse> limits_;
};

void add_system_v(Collector& to) {
    using enum ObjectKind;
    constexpr Family family = Family::system_v;
    to.add_all([&](std::vector<LimitUse>& limits, std::vector<Trouble>& troubles) {
        add_system_v_limits({.queue = to.largest(mq, family, Figure::used),
                             .set = to.largest(sem, family, Figure::nsems),
                             .segment = to.largest(shm, family, Figure::size)},
                            limits, troubles);
    });
}

void add_posix_queues(Collector& to) {
    constexpr KindSet mq = {ObjectKind::mq};
    to.add_sysctl(mq, {.name = "fs.mqueue.queues_max",
                       .description = "POSIX queues",
                       .unit = "objects",
                       .used = to.count(ObjectKind::mq, Family::posix)});
    to.add_sysctl(mq, {.name = "fs.mqueue.msg_max",
                       .description = "messages in a POSIX queue; the deepest",
                       .unit = "messages",
                       .used = to.largest(ObjectKind::mq, Family::posix, Figure::maxmsg)});
    to.add_sysctl(mq, {.name = "fs.mqueue.msgsize_max",
                       .description = "bytes of a message in a POSIX queue; the widest",
                       .unit = "bytes",
                       .used = to.largest(ObjectKind::mq, Family::posix, Figure::msgsize)});
    to.add_sysctl(mq, {.name = "fs.mqueue.msg_default",
                       .description = "messages in a POSIX queue, unless asked for",
                       .unit = "messages"});
    to.add_sysctl(mq, {.name = "fs.mqueue.msgsize_default",
                       .description = "bytes of a message in a POSIX queue, unless asked for",
                       .unit = "bytes"});
}

void add_posix_memory(Collector& to, const Place& place) {
    struct statfs status {};
    const UniqueFd directory = try_open_shm_directory(place);
    if (!directory.is_open() || fstatfs(directory.get(), &status) != 0)
        return to.add_unread({ObjectKind::shm, ObjectKind::sem}, shm_files::directory);
    const auto block = static_cast<std::uint64_t>(status.f_bsize);
    // A tmpfs without a limit says 0 of all: tmpfs(5).
    to.add({.name = "/dev/shm:size",
            .description = "bytes of POSIX shared memory and semaphores",
            .unit = "bytes",
            .used = status.f_blocks == 0 ? std::nullopt
                                         : Count((status.f_blocks - status.f_bfree) * block),
            .limit = status.f_blocks == 0 ? no_limit : status.f_blocks * block});
    to.add({.name = "/dev/shm:nr_inodes",
            .description = "POSIX shared memory and semaphores",
            .unit = "objects",
            .used = status.f_files == 0 ? std::nullopt : Count(status.f_files - status.f_ffree),
            .limit = status.f_files == 0 ? no_limit : status.f_files});
}

/// The bytes charged for each user's POSIX queues; nothing for a user of whom one is not known.
std::map<uid_t, Count> queue_bytes(const std::vector<Object>& objects) {
    std::map<uid_t, Count> charged;
    for (const Object& object : objects) {
        if (object.kind != ObjectKind::mq || object.is_system_v() || !object.has_owner)
            continue;
        const Count maxmsg = to_count(object.figures.get(Figure::maxmsg));
        const Count msgsize = to_count(object.figures.get(Figure::msgsize));
        Count& sum = charged.try_emplace(object.owner, 0).first->second;
        sum = sum && maxmsg && msgsize ? Count(*sum + charged_bytes(*maxmsg, *msgsize))
                                       : std::nullopt;
    }
    return charged;
}

/// The names of users, by uid; the number where two have the same, so that a name tells one.
class UserNames {
  public:
    std::string operator()(uid_t uid) {
        std::string name = user_name(uid);
        const uid_t owner = owners_.try_emplace(name, uid).first->second;
        return owner == uid ? name : text(uid);
    }

  private:
    std::map<std::string, uid_t> owners_;
};

void add_users(Collector& to) {
    UserNames names;
    const std::map<uid_t, UserLimits> users = user_limits();
    const uid_t self = getuid();
    std::map<uid_t, Count> charged = queue_bytes(to.objects());
    charged.try_emplace(self, 0);
    for (const auto& [uid, bytes] : charged) {
        const auto user = users.find(uid);
        to.add({.name = "RLIMIT_MSGQUEUE",
                .description = "bytes of a user's POSIX queues",
                .unit = "bytes",
                .used = to.is_missing(ObjectKind::mq) ? std::nullopt : bytes,
                .limit = user == users.end() ? std::nullopt : user->second.queue_bytes_limit,
                .who = names(uid)});
    }
    for (const auto& [uid, user] : users)
        if (uid == self || user.signals.value_or(0) > 0)
            to.add({.name = "RLIMIT_SIGPENDING",
                    .description = "signals queued for a user",
                    .unit = "signals",
                    .used = user.signals,
                    .limit = user.signals_limit,
                    .who = names(uid)});
}

/// The number of open files, the first of the three in fs.file-nr: proc_sys_fs(5).
Count open_files() {
    const UniqueFd fd(open("/proc/sys/fs/file-nr", O_RDONLY | O_CLOEXEC));
    char line[96];
    ssize_t count = -1;
    while (fd.is_open() && (count = read(fd.get(), line, sizeof line)) < 0 && errno == EINTR) {
    }
    if (count <= 0)
        return std::nullopt;
    const std::string_view numbers(line, static_cast<std::size_t>(count));
    return to_count(parse::try_number(numbers.substr(0, numbers.find('\t'))));
}

void add_files(Collector& to) {
    constexpr KindSet pipes = {ObjectKind::pipe, ObjectKind::fifo};
    to.add_sysctl(pipes, {.name = "fs.pipe-max-size",
                          .description = "bytes in a pipe or FIFO, unless root asks",
                          .unit = "bytes"});
    to.add_sysctl(pipes,
                  {.name = "fs.pipe-user-pages-soft",
                   .description = "pages of a user's pipes and FIFOs, before new ones are small",
                   .unit = "pages"},
                  no_limit);
    to.add_sysctl(pipes,
                  {.name = "fs.pipe-user-pages-hard",
                   .description = "pages of a user's pipes and FIFOs",
                   .unit = "pages"},
                  no_limit);
    to.add_sysctl({ObjectKind::unix_socket}, {.name = "net.unix.max_dgram_qlen",
                                              .description = "datagrams waiting at a unix socket",
                                              .unit = "datagrams"});
    to.add_sysctl(all_kinds, {.name = "fs.file-max",
                              .description = "open files of the machine",
                              .unit = "files",
                              .used = open_files()});
}

} // namespace

std::optional<double> LimitUse::percent() const noexcept {
    if (!used || !limit || *limit == 0 || *limit == no_limit)
        return std::nullopt;
    return 100.0 * static_cast<double>(*used) / static_cast<double>(*limit);
}

std::uint64_t charged_bytes(std::uint64_t maxmsg, std::uint64_t msgsize) noexcept {
    // The kernel's struct msg_msg, one a message, and posix_msg_tree_node, one a priority: each has
    // six words, counting the priority as one.
    constexpr std::uint64_t node = 6 * sizeof(void*);
    constexpr std::uint64_t priorities = 32768;
    return maxmsg * msgsize + maxmsg * node + std::min(maxmsg, priorities) * node;
}

std::vector<LimitUse> ipc_limits(const Place& place, const std::vector<Object>& objects,
                                 std::vector<Trouble>& troubles) {
    const Visit visit(place);
    Collector collector(place, objects, troubles);
    add_system_v(collector);
    add_posix_queues(collector);
    add_posix_memory(collector, place);
    add_users(collector);
    add_files(collector);
    return std::move(collector).take();
}

std::vector<LimitUse> ipc_limits(const std::vector<Object>& objects,
                                 std::vector<Trouble>& troubles) {
    return ipc_limits(own_place(), objects, troubles);
}

} // namespace ipc
