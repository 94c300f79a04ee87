// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace ipc {

inline void append_text(std::string& out, std::string_view part) { out += part; }

inline void append_text(std::string& out, char part) { out += part; }

template <std::integral Integer> void append_text(std::string& out, Integer part) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, part).ptr;
    out.append(digits, end);
}

/// The parts one after the other; integers in decimal.
template <class... Parts> std::string text(const Parts&... parts) {
    std::string out;
    (append_text(out, parts), ...);
    return out;
}

/// `text` with every byte a terminal might act on as `\xNN`: those of characters that is_control()
/// tells of, and those that are no valid UTF-8. The result is one line, and safe to show.
std::string printable(std::string_view text);

/// How many bytes the UTF-8 sequence at the start of `text` has; 0 where there is none (RFC 3629:
/// no overlong form, no surrogate, nothing above U+10FFFF).
std::size_t utf8_sequence(std::string_view text) noexcept;

/// The character that `sequence`, one of UTF-8 (utf8_sequence()), stands for.
char32_t code_point(std::string_view sequence) noexcept;

/// Controls, what separates lines, and what is not seen or moves what is: the categories Cc, Zl, Zp
/// and Cf of Unicode, of the scripts in use.
bool is_control(char32_t code) noexcept;

bool is_utf8(std::string_view text) noexcept;

/// The last `digits` hexadecimal digits of `n`, in lower case.
void append_hex(std::string& out, unsigned n, unsigned digits);

/// `byte` as `\xNN`.
void append_escaped_byte(std::string& out, char byte);

/// `n` as eight lower-case hexadecimal digits after `0x`, as ipcs(1) shows keys.
std::string hex32(unsigned n);

} // namespace ipc
