// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "inventory/object.hpp"

namespace ipc {

/// Looks at a System V object of the namespace that we are in once more, by its identifier: why it
/// must not be removed as the one that was listed, since it is another, has changed or is used now;
/// empty if nothing speaks against it. An identifier that was given again has another creation time
/// or sequence number.
std::string why_not_the_same(const Object& listed);

/// Removes what has the identifier of this object: msgctl(2), semctl(2), shmctl(2), IPC_RMID.
/// Returns 0, or an errno value; see is_gone().
int try_remove_by_id(const Object& object) noexcept;

} // namespace ipc
