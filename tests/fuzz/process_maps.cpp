// SPDX-License-Identifier: MIT
// Lines of /proc/PID/maps: what the kernel prints of a mapping comes out as it was put in, whatever
// its path; any other line does no harm.

#include <cstdio>
#include <string>
#include <sys/sysmacros.h>

#include "fuzz.hpp"
#include "process/maps.hpp"

namespace {

/// As show_map_vma() in the kernel's fs/proc/task_mmu.c prints it.
std::string line_of(const ipc::MappedRange& range) {
    char line[160];
    const int length =
        std::snprintf(line, sizeof line, "%08lx-%08lx r%c-%c %08lx %02x:%02x %lu ",
                      static_cast<unsigned long>(range.start),
                      static_cast<unsigned long>(range.end), range.is_writable ? 'w' : '-',
                      range.is_shared ? 's' : 'p', 4096UL, major(range.file.device),
                      minor(range.file.device), static_cast<unsigned long>(range.file.inode));
    std::string text(line, static_cast<std::size_t>(length));
    if (!range.path.empty())
        text.append(text.size() < 73 ? 73 - text.size() : 1, ' ').append(range.path);
    return text;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    if (const auto parsed = ipc::parse_map_line(input.rest())) {
        fuzz::require(parsed->start <= parsed->end, "a mapping does not end before it starts");
        fuzz::require(input.rest().ends_with(parsed->path), "a path is the end of its line");
        ipc::is_system_v_path(parsed->path);
    }
    ipc::MappedRange range;
    range.is_writable = input.choice(2) == 1;
    range.is_shared = input.choice(2) == 1;
    range.start = input.number<std::uint32_t>();
    range.end = range.start + input.number<std::uint32_t>();
    range.file = {.device = makedev(input.number<std::uint8_t>(), input.number<std::uint8_t>()),
                  .inode = input.number<ino_t>()};
    range.path = input.rest();
    if (range.path.starts_with(' ')) // the kernel's paths begin with / or [
        range.path = {};
    const std::string line = line_of(range);
    const auto parsed = ipc::parse_map_line(line);
    fuzz::require(parsed && parsed->start == range.start && parsed->end == range.end,
                  "addresses are what the kernel shows");
    fuzz::require(parsed->is_writable == range.is_writable && parsed->is_shared == range.is_shared,
                  "so are permissions");
    fuzz::require(parsed->file == range.file, "so is the file");
    fuzz::require(parsed->path == range.path, "so is the path");
    return 0;
}
