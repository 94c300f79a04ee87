// SPDX-License-Identifier: MIT
#pragma once

namespace ipc {

/// Whether this is among our effective capabilities, such as CAP_LEASE: capabilities(7). In a user
/// namespace that may still not be enough.
bool has_capability(int capability) noexcept;

} // namespace ipc
