// SPDX-License-Identifier: MIT
#include "inventory/sysv_proc.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <unistd.h>

#include "base/fd.hpp"

namespace ipc {

namespace {

SysvColumns parse_line(std::string_view line) noexcept {
    constexpr std::size_t permissions = 2; // in octal
    SysvColumns columns{};
    for (std::size_t i = 0; i < columns.size(); ++i) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        const char* const end = std::from_chars(line.data(), line.data() + line.size(), columns[i],
                                                i == permissions ? 8 : 10)
                                    .ptr;
        line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    }
    return columns;
}

} // namespace

int read_sysv_proc(const char* path, const std::function<void(const SysvColumns&)>& visit) {
    const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
    if (!fd.is_open())
        return errno;
    std::string text;
    char block[65536];
    bool is_heading = true;
    ssize_t count = 0;
    while ((count = read(fd.get(), block, sizeof block)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno;
        text.append(block, static_cast<std::size_t>(count));
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos;
             begin = end + 1) {
            if (!is_heading)
                visit(parse_line(std::string_view(text).substr(begin, end - begin)));
            is_heading = false;
        }
        text.erase(0, begin);
    }
    return 0;
}

} // namespace ipc
