// SPDX-License-Identifier: MIT
#pragma once

#include "base/fd.hpp"
#include "object/name.hpp"

namespace ipc {

/// A duplicate, above the standard descriptors, of the inherited descriptor that `name` (fd:N)
/// stands for. Its status flags stay as they are, for they belong to others as well; COMMAND
/// inherits neither. Throws Error if it is not open, or is one of our own.
UniqueFd take_descriptor(const Name& name);

} // namespace ipc
