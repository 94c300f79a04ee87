// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "object/family.hpp"

/// What is known of each IPC object of the machine, as ipcstat(1) lists it and ipcclean(1) judges
/// it. Sources add objects, a judge adds users and state, and printers read.
namespace ipc {

/// The kinds of objects there are. The first three outlive every process; the others live as long
/// as the processes that have them open.
enum class ObjectKind : std::uint8_t {
    mq,
    sem,
    shm,
    fifo,
    pipe,
    unix_socket,
    lock,
    eventfd,
    memfd,
    map,
    sig,
};

constexpr std::size_t object_kind_count = 11;

/// `mq`, `unix`: as option -k and the column KIND have it.
const char* kind_name(ObjectKind kind) noexcept;
std::optional<ObjectKind> find_kind(std::string_view name) noexcept;

/// A set of kinds.
class KindSet {
  public:
    constexpr KindSet() noexcept = default;
    constexpr KindSet(std::initializer_list<ObjectKind> kinds) noexcept {
        for (const ObjectKind kind : kinds)
            add(kind);
    }
    constexpr void add(ObjectKind kind) noexcept { bits_ |= 1U << static_cast<unsigned>(kind); }
    constexpr bool has(ObjectKind kind) const noexcept {
        return (bits_ >> static_cast<unsigned>(kind) & 1U) != 0;
    }
    constexpr void add(KindSet kinds) noexcept { bits_ |= kinds.bits_; }
    /// Whether at least one of these is in it.
    constexpr bool has_any(KindSet of) const noexcept { return (bits_ & of.bits_) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr KindSet operator|(KindSet more) const noexcept {
        more.bits_ |= bits_;
        return more;
    }

  private:
    unsigned bits_ = 0;
};

/// What outlives processes: listed by default.
constexpr KindSet kept_kinds = {ObjectKind::mq, ObjectKind::sem, ObjectKind::shm};
constexpr KindSet all_kinds = {ObjectKind::mq,   ObjectKind::sem,     ObjectKind::shm,
                               ObjectKind::fifo, ObjectKind::pipe,    ObjectKind::unix_socket,
                               ObjectKind::lock, ObjectKind::eventfd, ObjectKind::memfd,
                               ObjectKind::map,  ObjectKind::sig};

/// Whether somebody uses an object, as far as that can be proved: ipcstat(1), STATES.
enum class State : std::uint8_t {
    none,      ///< not judged
    in_use,    ///< a descriptor, a mapping, an attach, a process blocked in it, or a live last user
    unused,    ///< proof that nobody has it open, mapped or attached
    idle,      ///< System V queue or set: no user was found; the kernel keeps no proof
    orphan,    ///< unused System V segment whose creator and last user are gone
    marked,    ///< removed, and still attached
    malformed, ///< not what its name says
    unknown,   ///< processes that could not be examined may use it
};

/// `in-use`, `unused`, …: as option -s and the column STATE have it; empty for none.
const char* state_name(State state) noexcept;
std::optional<State> find_state(std::string_view name) noexcept;

/// Numbers that an object may have. Times are seconds since the epoch, sizes bytes.
enum class Figure : std::uint8_t {
    key,       ///< System V: a key_t, 0 for a private one or one that is marked
    id,        ///< System V identifier
    used,      ///< bytes in it: of messages, unread, allocated
    limit,     ///< the most bytes that it takes
    msgs,      ///< messages queued
    maxmsg,    ///< POSIX queue: the most messages
    msgsize,   ///< POSIX queue: the longest message
    value,     ///< of a semaphore; of an eventfd
    waiters,   ///< processes that wait for a semaphore, or for a lock
    nsems,     ///< members of a set
    size,      ///< of memory
    nattch,    ///< attaches of a System V segment
    ctime,     ///< last change of owner, mode, …
    mtime,     ///< last change of a POSIX object's content
    send,      ///< last msgsnd(2)
    recv,      ///< last msgrcv(2)
    attach,    ///< last shmat(2)
    detach,    ///< last shmdt(2)
    operation, ///< last semop(2)
    creator,   ///< System V: the uid of who made it
    cpid,      ///< System V segment: the process that made it; 0: not visible from here
    sender,    ///< System V queue: the process of the last msgsnd(2)
    receiver,  ///< and of the last msgrcv(2)
    lastpid,   ///< of the last operation; 0: nobody, or not visible from here
    inode,
    notify, ///< POSIX queue: the process that waits for a notification
    ns,     ///< the inode of its IPC namespace
    fd,     ///< memfd, eventfd, pipe: one descriptor that refers to it, in its first user
};

constexpr std::size_t figure_count = static_cast<std::size_t>(Figure::fd) + 1;

/// A value is written before it is read, and 20,000 objects need not write all of theirs.
class Figures { // NOLINT(cppcoreguidelines-pro-type-member-init)
  public:
    void set(Figure figure, std::int64_t value) noexcept {
        values_[index(figure)] = value;
        present_ |= 1U << index(figure);
    }
    bool has(Figure figure) const noexcept { return (present_ >> index(figure) & 1U) != 0; }
    std::optional<std::int64_t> get(Figure figure) const noexcept {
        return has(figure) ? std::optional(values_[index(figure)]) : std::nullopt;
    }
    std::int64_t get_or(Figure figure, std::int64_t otherwise) const noexcept {
        return has(figure) ? values_[index(figure)] : otherwise;
    }

  private:
    static_assert(figure_count <= 32);
    static std::size_t index(Figure figure) noexcept { return static_cast<std::size_t>(figure); }

    std::uint32_t present_ = 0;
    std::array<std::int64_t, figure_count> values_;
};

/// Words that only some kinds have.
enum class Detail : std::uint8_t {
    type,    ///< lock: `flock write`; unix: `dgram`, `stream listen`; map: `r`, `rw`; eventfd:
             ///< `semaphore`
    peer,    ///< unix: the name of the socket at the other end, or `socket:[N]`
    region,  ///< lock: `START-END` in bytes, `0-EOF`
    pending, ///< sig: signals by name with blanks between, as are the next three
    blocked,
    ignored,
    caught,
};

/// What a process does with an object.
enum class Role : std::uint8_t {
    opens,  ///< has a descriptor, or a mapping
    reads,  ///< has the end of a pipe for reading, or a POSIX queue open for it
    writes, ///< the same for writing
    both,   ///< the same for both
    holds,  ///< has a lock
    waits,  ///< is blocked in it, or waits for a lock
    last,   ///< is recorded as the last user of a System V object, and lives
};

struct Use {
    pid_t pid = 0;
    Role role = Role::opens;

    bool operator==(const Use&) const = default;
};

/// A file: what has the same device and inode.
struct FileId {
    dev_t device = 0;
    ino_t inode = 0;

    bool operator==(const FileId&) const = default;
    bool operator<(const FileId& other) const noexcept {
        return device != other.device ? device < other.device : inode < other.inode;
    }
};

struct Object {
    ObjectKind kind = ObjectKind::mq;
    Family family = Family::posix; ///< matters for the first three kinds only
    State state = State::none;
    bool has_owner = true; ///< the next three are known
    uid_t owner = 0;
    gid_t group = 0;
    mode_t perms = 0;      ///< permission bits alone
    bool has_perms = true; ///< they are known, if the owner is
    /// Without its kind, byte by byte, what every tool accepts: `/jobs`, `key:0x000004d2`, `id:7`,
    /// a path. What has no name is called after its inode: `pipe:[N]`, `socket:[N]`.
    std::string name;
    std::optional<FileId> file; ///< POSIX objects, FIFOs, pipes, sockets, memfds, mapped files
    Figures figures;
    std::vector<Use> users; ///< by pid, each pid and role once
    std::vector<std::pair<Detail, std::string>> details;

    /// Empty if there is none.
    std::string_view detail(Detail which) const noexcept;
    bool is_system_v() const noexcept { return family == Family::system_v; }
    /// `mq:/jobs`: what tools accept that take objects of more than one kind. What is called after
    /// its inode, `pipe:[N]` or `socket:[N]`, is so already.
    std::string full_name() const;
    /// How long it lives: `process`, `kernel` or `filesystem`, as the classic texts distinguish.
    const char* persistence() const noexcept;
};

/// Why the objects of a kind could not be listed, or not all of them: one line, as for stderr.
struct Trouble {
    KindSet kinds;
    std::string line;
};

} // namespace ipc
