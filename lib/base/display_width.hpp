// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace ipc {

/// How many columns of a terminal `text` takes, which is valid UTF-8 without control characters:
/// wcwidth(3).
std::size_t display_width(std::string_view text) noexcept;

/// How many bytes of it take at most `columns`.
std::size_t bytes_within(std::string_view text, std::size_t columns) noexcept;

} // namespace ipc
