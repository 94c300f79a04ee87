// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace ipc {

/// How messages cross a pipe: ipctools(7), RECORDS.
enum class Format : std::uint8_t { line, nul, netstring, json, whole };

/// Throws UsageError.
Format parse_format(std::string_view name);

constexpr bool is_delimited(Format format) noexcept {
    return format == Format::line || format == Format::nul;
}

/// What ends a record of a delimited format.
constexpr char delimiter(Format format) noexcept { return format == Format::nul ? '\0' : '\n'; }

} // namespace ipc
