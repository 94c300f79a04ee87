// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

namespace ipc {

/// A file: what has the same device and inode.
struct FileId {
    dev_t device = 0;
    ino_t inode = 0;

    bool operator==(const FileId&) const = default;
    bool operator<(const FileId& other) const noexcept {
        return device != other.device ? device < other.device : inode < other.inode;
    }
};

} // namespace ipc
