// SPDX-License-Identifier: MIT
#include "base/escape.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text.hpp"

namespace ipc {

namespace {

/// The length that its first byte announces; 1 for bytes that begin no longer one.
std::size_t announced_length(char first) noexcept {
    const auto byte = static_cast<unsigned char>(first);
    return byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
}

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

/// How many bytes at the end may be the beginning of a character.
std::size_t broken_off(std::string_view bytes) noexcept {
    constexpr std::size_t longest = 4;
    for (std::size_t count = 1; count < longest && count <= bytes.size(); ++count) {
        const char c = bytes[bytes.size() - count];
        if (!is_continuation(c))
            return announced_length(c) > count ? count : 0;
    }
    return 0;
}

} // namespace

std::string Escaper::add(std::string_view bytes) {
    std::string all = std::exchange(held_, {});
    all += bytes;
    const std::size_t whole = all.size() - broken_off(all);
    held_ = all.substr(whole);
    all.erase(whole);
    std::string shown;
    for (std::string_view rest = all; !rest.empty();) {
        const std::size_t line = std::min(rest.find('\n'), rest.size());
        shown += printable(rest.substr(0, line));
        rest.remove_prefix(line);
        if (!rest.empty()) {
            shown += '\n';
            rest.remove_prefix(1);
        }
    }
    return shown;
}

std::string Escaper::finish() { return printable(std::exchange(held_, {})); }

} // namespace ipc
