// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "options.hpp"

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

/// Becomes COMMAND (execvp(3)), with the inherited signal mask and dispositions. Returns only if
/// that fails: exit_cannot_run or exit_not_found, after saying why.
int exec_command(Operands command);

} // namespace ipc
