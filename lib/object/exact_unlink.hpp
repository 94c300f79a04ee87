// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/file_id.hpp"

namespace ipc {

/// Removes a name from an open directory, or AT_FDCWD, if it is that of `file`, never that of
/// another file that takes its place meanwhile. unlink(2) cannot tell them apart; so the name is
/// changed first (rename(2), RENAME_NOREPLACE) to one that nobody else knows, and changed back if
/// that turns out to be another file's, or cannot be removed. Returns 0, ESTALE if it is another's,
/// or an errno value such as ENOENT. Throws Error where the name cannot be changed back.
int try_unlink_exactly(int directory, const std::string& name, FileId file);

} // namespace ipc
