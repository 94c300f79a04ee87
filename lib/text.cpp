// SPDX-License-Identifier: MIT
#include "text.hpp"

namespace ipc {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

bool is_continuation(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// C1 controls are U+0080 to U+009F: C2 80 to C2 9F.
bool is_control(std::string_view sequence) noexcept {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1)
        return first < 0x20 || first == 0x7F;
    return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

} // namespace

std::size_t utf8_sequence(std::string_view text) noexcept {
    if (text.empty())
        return 0;
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80)
        return 1;
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length == 0 || first > 0xF4 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i)
        if (!is_continuation(text[i]))
            return 0;
    const auto second = static_cast<unsigned char>(text[1]);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool surrogate = first == 0xED && second > 0x9F;
    const bool beyond = first == 0xF4 && second > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_sequence(text);
        if (length != 0 && !is_control(text.substr(0, length))) {
            out += text.substr(0, length);
            text.remove_prefix(length);
            continue;
        }
        const auto byte = static_cast<unsigned char>(text[0]);
        out += "\\x";
        out += hex_digits[byte >> 4U];
        out += hex_digits[byte & 0xFU];
        text.remove_prefix(1);
    }
    return out;
}

std::string hex32(unsigned n) {
    std::string out = "0x";
    for (int shift = 28; shift >= 0; shift -= 4)
        out += hex_digits[(n >> static_cast<unsigned>(shift)) & 0xFU];
    return out;
}

} // namespace ipc
