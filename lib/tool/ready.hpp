// SPDX-License-Identifier: MIT
#pragma once

namespace ipc {

/// A descriptor to which one newline says that a tool is armed: the argument of --ready-fd.
/// Throws UsageError if it is not open. A COMMAND does not inherit it.
int parse_ready_fd(const char* argument);

/// Says it. Throws Error. Does nothing with -1.
void say_ready(int fd);

} // namespace ipc
