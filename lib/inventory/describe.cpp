// SPDX-License-Identifier: MIT
#include "inventory/describe.hpp"

#include <algorithm>
#include <tuple>

namespace ipc {

Object used_object(ObjectKind kind) {
    Object object;
    object.kind = kind;
    object.state = State::in_use;
    object.has_owner = false;
    return object;
}

void set_owner(Object& object, const struct stat& status) noexcept {
    object.has_owner = true;
    object.owner = status.st_uid;
    object.group = status.st_gid;
    object.perms = status.st_mode & 07777U;
}

void set_file(Object& object, const FileId& file) noexcept {
    object.file = file;
    object.figures.set(Figure::inode, static_cast<std::int64_t>(file.inode));
}

void sort_users(std::vector<Use>& users) {
    std::sort(users.begin(), users.end(), [](const Use& a, const Use& b) {
        return std::tuple(a.pid, a.role) < std::tuple(b.pid, b.role);
    });
    users.erase(std::unique(users.begin(), users.end()), users.end());
}

} // namespace ipc
