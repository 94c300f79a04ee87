// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/fd.hpp"

namespace ipc {

/// What the number of a recipient stands for.
enum class SendTo : std::uint8_t { process, group };

/// A process, or a process group, that signals are sent to. A process is held by its pidfd
/// (pidfd_open(2)) from the beginning: if it ends, no other process gets what was meant for it.
/// The number of a group is not given to another one as long as it has members.
class Recipient {
  public:
    /// Throws Error: there is no such process, or it is a thread of another one.
    Recipient(SendTo to, pid_t id);

    /// Sends a signal, or with 0 looks whether one could be sent; with a value as sigqueue(3)
    /// does. Real-time signals are always queued, so that a full queue is an error and not a loss.
    /// Throws Error, also when it has ended already.
    void send(int signal, std::optional<int> value);

    /// Whether the process has ended, or all of the group have, we ourselves aside. Throws Error
    /// where the members of a group cannot be seen.
    bool has_ended();

    /// Adds descriptors that become readable when has_ended() may have changed.
    void add_poll_fds(std::vector<pollfd>& poll_fds) const;

    pid_t id() const noexcept { return id_; }

  private:
    int try_send(int signal, const siginfo_t* info) noexcept;
    std::string explain(int error) const;
    void find_members();
    [[noreturn]] void fail(int signal, int error) const;

    SendTo to_;
    pid_t id_;
    UniqueFd fd_;                   ///< of the process, or of the group's leader if it has one
    std::vector<UniqueFd> members_; ///< those of a group that ran when it was looked at
};

} // namespace ipc
