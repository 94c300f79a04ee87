// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>
#include <sys/types.h>

#include "base/fd.hpp"
#include "tool/options.hpp"

namespace ipc {

/// Sets a variable of COMMAND's environment.
void set_environment(const char* name, std::string_view value);

/// Runs COMMAND (execvp(3)) and waits for its end, passing on signals that ask us to end. If
/// `input` is given, it is COMMAND's stdin, as a sealed memfd: memfd_create(2). The inherited
/// signal mask and dispositions are COMMAND's.
///
/// Returns its exit status, 128+N if signal N ended it, or exit_cannot_run or exit_not_found after
/// saying why. Throws Error if we fail ourselves.
int run_command(Operands command, std::optional<std::string_view> input);

/// A COMMAND that runs while we go on. It begins with no signal blocked and none ignored, whatever
/// we were started with.
class RunningCommand {
  public:
    /// Throws Error if it cannot be run, or we fail ourselves.
    explicit RunningCommand(Operands command);

    pid_t pid() const noexcept { return pid_; }

    /// Readable when it has ended: pidfd_open(2).
    int fd() const noexcept { return fd_.get(); }

    /// Waits for its end.
    void wait() const noexcept;

  private:
    pid_t pid_ = 0;
    UniqueFd fd_;
};

/// A COMMAND that waits, as a child of ours, to be let go; it never begins if we end before.
class HeldCommand {
  public:
    /// Throws Error. COMMAND, `command`, lives as long.
    explicit HeldCommand(Operands command);

    pid_t pid() const noexcept { return pid_; }

    /// From here on it becomes COMMAND, with the inherited signal mask and dispositions. Throws
    /// Error.
    void release();

    /// When it has ended: exit_cannot_run or exit_not_found, after saying why, if it did not become
    /// COMMAND; else 0.
    int failure() const;

  private:
    Operands command_;
    pid_t pid_ = 0;
    UniqueFd gate_;    ///< it waits for a byte from here
    UniqueFd failure_; ///< its errno value, if there is one
};

/// Hands signals that asked us to end, and that the child has not got itself, on to it.
void pass_on_signals(pid_t pid) noexcept;

/// Becomes COMMAND (execvp(3)), with the inherited signal mask and dispositions. Returns only if
/// that fails: exit_cannot_run or exit_not_found, after saying why.
int exec_command(Operands command);

} // namespace ipc
