// SPDX-License-Identifier: MIT
#include "process/maps.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <string>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <vector>

namespace ipc {

namespace {

/// struct procmap_query of linux/fs.h, which older headers lack.
struct Query {
    std::uint64_t size;
    std::uint64_t query_flags;
    std::uint64_t query_addr;
    std::uint64_t vma_start;
    std::uint64_t vma_end;
    std::uint64_t vma_flags;
    std::uint64_t vma_page_size;
    std::uint64_t vma_offset;
    std::uint64_t inode;
    std::uint32_t dev_major;
    std::uint32_t dev_minor;
    std::uint32_t vma_name_size;
    std::uint32_t build_id_size;
    std::uint64_t vma_name_addr;
    std::uint64_t build_id_addr;
};

constexpr unsigned long procmap_query = _IOWR('f', 17, Query);
constexpr std::uint64_t vma_writable = 0x02;
constexpr std::uint64_t vma_shared = 0x08;
constexpr std::uint64_t covering_or_next = 0x10;
constexpr std::uint64_t file_backed = 0x20;

/// Takes a number and the character behind it.
template <class Number>
bool take_number(std::string_view& rest, Number& number, int base, char end) noexcept {
    const char* const last = rest.data() + rest.size();
    const auto parsed = std::from_chars(rest.data(), last, number, base);
    if (parsed.ec != std::errc() || parsed.ptr == last || *parsed.ptr != end)
        return false;
    rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()) + 1);
    return true;
}

/// ENOTTY where the kernel does not know the question.
int query_maps(int maps, MapKinds kinds, const std::function<bool(const MappedRange&)>& wants_path,
               const std::function<bool(const MappedRange&)>& found) {
    char path[PATH_MAX + 16];
    std::uint64_t next = 0;
    const std::uint64_t flags =
        covering_or_next | file_backed | (kinds == MapKinds::shared ? vma_shared : 0);
    for (;;) {
        Query query = {};
        query.size = sizeof query;
        query.query_flags = flags;
        query.query_addr = next;
        if (ioctl(maps, procmap_query, &query) != 0) {
            if (errno == EINTR)
                continue;
            // Those are the end of the mappings, and of the process.
            return errno == ENOENT || errno == ESRCH ? 0 : errno;
        }
        MappedRange range{.start = query.vma_start,
                          .end = query.vma_end,
                          .is_writable = (query.vma_flags & vma_writable) != 0,
                          .is_shared = (query.vma_flags & vma_shared) != 0,
                          .file = {.device = makedev(query.dev_major, query.dev_minor),
                                   .inode = static_cast<ino_t>(query.inode)},
                          .path = {}};
        next = query.vma_end;
        if (wants_path(range)) {
            query = {};
            query.size = sizeof query;
            query.query_flags = flags;
            query.query_addr = range.start;
            query.vma_name_size = sizeof path;
            query.vma_name_addr = reinterpret_cast<std::uintptr_t>(path);
            if (ioctl(maps, procmap_query, &query) == 0 && query.vma_start == range.start &&
                query.inode == range.file.inode && query.vma_name_size > 0)
                range.path = {path, query.vma_name_size - 1};
        }
        if (!found(range))
            return 0;
    }
}

int parse_maps(int maps, MapKinds kinds, const std::function<bool(const MappedRange&)>& wants_path,
               const std::function<bool(const MappedRange&)>& found) {
    std::vector<char> block(std::size_t{64} << 10);
    std::string path;
    std::size_t filled = 0;
    for (;;) {
        const ssize_t count = read(maps, block.data() + filled, block.size() - filled);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == ESRCH ? 0 : errno;
        if (count == 0)
            return 0;
        filled += static_cast<std::size_t>(count);
        std::string_view rest(block.data(), filled);
        for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;) {
            auto range = parse_map_line(rest.substr(0, end));
            rest.remove_prefix(end + 1);
            if (!range || range->file == FileId{} ||
                (kinds == MapKinds::shared && !range->is_shared))
                continue;
            path.clear();
            if (wants_path(*range)) {
                path = range->path;
                for (std::size_t at = 0; (at = path.find("\\012", at)) != std::string::npos; ++at)
                    path.replace(at, 4, "\n");
            }
            range->path = path;
            if (!found(*range))
                return 0;
        }
        filled = rest.size();
        std::memmove(block.data(), rest.data(), filled);
        if (filled == block.size()) // a line that the kernel would not write
            return EOVERFLOW;
    }
}

} // namespace

std::optional<MappedRange> parse_map_line(std::string_view line) noexcept {
    MappedRange range;
    if (!take_number(line, range.start, 16, '-') || !take_number(line, range.end, 16, ' ') ||
        range.end < range.start)
        return std::nullopt;
    if (line.size() < 5 || line[4] != ' ' || (line[3] != 's' && line[3] != 'p') ||
        (line[1] != 'w' && line[1] != '-'))
        return std::nullopt;
    range.is_writable = line[1] == 'w';
    range.is_shared = line[3] == 's';
    line.remove_prefix(5);
    std::uint64_t offset = 0;
    unsigned major = 0;
    unsigned minor = 0;
    if (!take_number(line, offset, 16, ' ') || !take_number(line, major, 16, ':') ||
        !take_number(line, minor, 16, ' ') || !take_number(line, range.file.inode, 10, ' '))
        return std::nullopt;
    range.file.device = makedev(major, minor);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    range.path = line;
    return range;
}

bool is_system_v_path(std::string_view path) noexcept {
    constexpr std::string_view prefix = "/SYSV";
    constexpr std::string_view deleted = " (deleted)";
    if (path.ends_with(deleted))
        path.remove_suffix(deleted.size());
    return path.size() == prefix.size() + 8 && path.starts_with(prefix) &&
           path.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

int read_maps(int maps, MapKinds kinds, const std::function<bool(const MappedRange&)>& wants_path,
              const std::function<bool(const MappedRange&)>& found) {
    const int error = query_maps(maps, kinds, wants_path, found);
    // What the ioctl does not take at its first mapping, it has found none of before.
    return error == ENOTTY || error == EINVAL ? parse_maps(maps, kinds, wants_path, found) : error;
}

} // namespace ipc
