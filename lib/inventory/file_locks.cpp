// SPDX-License-Identifier: MIT
#include "inventory/file_locks.hpp"

#include <algorithm>
#include <charconv>
#include <sys/sysmacros.h>
#include <system_error>

#include "base/text.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

std::string_view take_word(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

std::string_view take_line(std::string_view& text) noexcept {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

template <class Number> bool read_number(std::string_view word, Number& value, int base = 10) {
    const char* const end = word.data() + word.size();
    const auto result = std::from_chars(word.data(), end, value, base);
    return result.ec == std::errc() && result.ptr == end;
}

/// `fe:00:2342`
bool read_file_id(std::string_view word, FileLock& lock) {
    const std::size_t first = word.find(':');
    const std::size_t second = word.rfind(':');
    unsigned major = 0;
    unsigned minor = 0;
    if (first == second || !read_number(word.substr(0, first), major, 16) ||
        !read_number(word.substr(first + 1, second - first - 1), minor, 16) ||
        !read_number(word.substr(second + 1), lock.file.inode))
        return false;
    lock.file.device = makedev(major, minor);
    lock.device = std::string(word.substr(0, second));
    return true;
}

/// What kinds of locks are called here, and by the kernel.
constexpr struct {
    std::string_view shown;
    std::string_view name;
} families[] = {{"POSIX", "posix"}, {"OFDLCK", "ofd"},  {"FLOCK", "flock"},
                {"LEASE", "lease"}, {"DELEG", "deleg"}, {"ACCESS", "access"}};

constexpr struct {
    std::string_view shown;
    std::string_view name;
} accesses[] = {{"READ", " read"}, {"WRITE", " write"}, {"RW", " write"}, {"UNLCK", " none"}};

template <class Names> std::string_view name_of(const Names& names, std::string_view shown) {
    for (const auto& known : names)
        if (known.shown == shown)
            return known.name;
    return {};
}

} // namespace

bool FileLock::is_like(const FileLock& other) const noexcept {
    return is_waiting == other.is_waiting && pid == other.pid && file == other.file &&
           type == other.type && region == other.region;
}

std::optional<FileLock> parse_file_lock(std::string_view line) {
    FileLock lock;
    std::string_view word = take_word(line);
    if (!word.ends_with(':') || !read_number(word.substr(0, word.size() - 1), lock.number))
        return std::nullopt;
    word = take_word(line);
    if (word == "->") {
        lock.is_waiting = true;
        word = take_word(line);
    }
    const std::string_view family = name_of(families, word);
    const std::string_view mode = take_word(line); // ADVISORY, MSNFS; of leases ACTIVE, BREAKING
    const std::string_view access = name_of(accesses, take_word(line));
    if (family.empty() || access.empty() || !read_number(take_word(line), lock.pid) ||
        !read_file_id(take_word(line), lock))
        return std::nullopt;
    lock.type = text(family, access, mode == "BREAKING" ? " breaking" : "");
    std::int64_t start = 0;
    std::int64_t end = 0;
    const std::string_view first = take_word(line);
    const std::string_view last = take_word(line);
    if (!read_number(first, start) || (last != "EOF" && !read_number(last, end)) ||
        !take_word(line).empty())
        return std::nullopt;
    lock.region = text(first, '-', last);
    return lock;
}

int try_read_locks(std::vector<FileLock>& locks) {
    std::string content;
    const int error = procfs::try_read("/proc/locks", content);
    std::string_view rest = content;
    while (!rest.empty())
        if (auto lock = parse_file_lock(take_line(rest)))
            locks.push_back(std::move(*lock));
    return error;
}

std::vector<FileLock> parse_locks_of_descriptor(std::string_view info) {
    constexpr std::string_view field = "lock:\t";
    std::vector<FileLock> locks;
    while (!info.empty()) {
        const std::string_view line = take_line(info);
        if (line.starts_with(field))
            if (auto lock = parse_file_lock(line.substr(field.size())))
                locks.push_back(std::move(*lock));
    }
    return locks;
}

} // namespace ipc
