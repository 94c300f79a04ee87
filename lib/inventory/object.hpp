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

#include "base/file_id.hpp"
#include "object/family.hpp"
#include "object/object_kind.hpp"
#include "process/use.hpp"

/// What is known of each IPC object of the machine, as ipcstat(1) lists it and ipcclean(1) judges
/// it. Sources add objects, a judge adds users and state, and printers read.
namespace ipc {

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
