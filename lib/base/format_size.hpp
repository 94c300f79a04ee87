// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace ipc {

/// Bytes for people, in at most five characters: `512`, `4K`, `1.5M`; powers of 1024, rounded to
/// the nearest.
std::string short_size(std::int64_t bytes);

} // namespace ipc
