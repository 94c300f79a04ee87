// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/file_id.hpp"

/// What a process has mapped: proc(5), /proc/PID/maps.
namespace ipc {

/// A mapping of a file.
struct MappedRange {
    std::uint64_t start = 0; ///< addresses, of the first byte and behind the last
    std::uint64_t end = 0;
    bool is_writable = false;
    bool is_shared = false;
    FileId file;
    /// As the kernel shows it, ` (deleted)` included; valid as long as the text, or the call, is.
    std::string_view path;
};

/// A line without its newline: what `file` is all zero in is no file. Nothing where it is none that
/// the kernel writes. The path keeps the `\012` that stands for each newline.
std::optional<MappedRange> parse_map_line(std::string_view line) noexcept;

/// Whether that is the path of a System V segment: `/SYSV` and its key.
bool is_system_v_path(std::string_view path) noexcept;

enum class MapKinds : std::uint8_t { shared, all };

/// Calls `found` for each mapping of a file until it returns false, by the ioctl PROCMAP_QUERY
/// (Linux 6.11) or the text. The path is there where `wants_path`, which is asked first, said so.
/// `maps` is /proc/PID/maps, open. Returns 0, also where the process is gone, or an errno value.
int read_maps(int maps, MapKinds kinds, const std::function<bool(const MappedRange&)>& wants_path,
              const std::function<bool(const MappedRange&)>& found);

} // namespace ipc
