// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

namespace ipc {

/// What a file of this mode is that is not what it should be: "a directory", "a FIFO".
const char* describe_type(mode_t mode) noexcept;

} // namespace ipc
