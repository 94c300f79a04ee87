// SPDX-License-Identifier: MIT
#include "object/foreign.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc {

bool is_open_to_all(const std::string& directory) noexcept {
    constexpr mode_t both = S_ISVTX | S_IWOTH;
    struct stat status {};
    return stat(directory.c_str(), &status) == 0 && (status.st_mode & both) == both;
}

void check_owner(const Name& name, uid_t owner, Existing existing) {
    const bool is_found_by_name = name.form != Name::Form::fd && name.form != Name::Form::id;
    if (existing == Existing::ours && is_found_by_name && owner != 0 && owner != geteuid())
        throw Error(name.text, text("it exists and belongs to user ", owner,
                                    ", not to us; --owner-any accepts it"));
}

void check_owner(const Name& name, const ipc_perm& owners, Existing existing) {
    check_owner(name, owners.cuid, existing);
    check_owner(name, owners.uid, existing);
}

} // namespace ipc
