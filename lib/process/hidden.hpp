// SPDX-License-Identifier: MIT
#pragma once

namespace ipc {

/// Whether processes may exist that /proc does not list to us: another PID namespace is around
/// ours (pid_namespaces(7)), or /proc is mounted with hidepid (proc(5)) and we are not privileged.
bool may_hide_processes();

} // namespace ipc
