// SPDX-License-Identifier: MIT
// UTF-8: exactly what RFC 3629 allows. What is made printable is one line without control and
// format characters, and valid text without them is left as it is.

#include "fuzz.hpp"

namespace {

/// The character at the start of `text` by the definition: decoded, then encoded again; 0 bytes if
/// that does not give the same.
struct Character {
    std::uint32_t code = 0;
    std::size_t length = 0;
};

Character decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t length = byte(0) < 0x80          ? 1
                               : byte(0) >> 5U == 0x06 ? 2
                               : byte(0) >> 4U == 0x0E ? 3
                               : byte(0) >> 3U == 0x1E ? 4
                                                       : 0;
    if (length == 0 || text.size() < length)
        return {};
    std::uint32_t code = length == 1 ? byte(0) : byte(0) & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (byte(i) >> 6U != 0x02)
            return {};
        code = code << 6U | (byte(i) & 0x3FU);
    }
    const std::size_t shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (length != shortest || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return {};
    return {code, length};
}

/// Categories Cc, Zl, Zp and Cf, but for those of historic scripts and of music.
bool is_control(std::uint32_t code) {
    const auto is_within = [code](std::uint32_t first, std::uint32_t last) {
        return code >= first && code <= last;
    };
    switch (code >> 8U) {
    case 0x00:
        return code < 0x20 || is_within(0x7F, 0x9F) || code == 0xAD;
    case 0x06:
        return is_within(0x600, 0x605) || code == 0x61C || code == 0x6DD;
    case 0x07:
        return code == 0x70F;
    case 0x18:
        return code == 0x180E;
    case 0x20:
        return is_within(0x200B, 0x200F) || is_within(0x2028, 0x202E) || is_within(0x2060, 0x206F);
    case 0xFE:
        return code == 0xFEFF;
    case 0xFF:
        return is_within(0xFFF9, 0xFFFB);
    default:
        return is_within(0xE0000, 0xE007F);
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = fuzz::Input(data, size).rest();
    bool is_valid = true;
    bool is_harmless = true;
    for (std::string_view rest = input; !rest.empty();) {
        const Character character = decode(rest);
        fuzz::require(ipc::utf8_sequence(rest) == character.length, "a character is RFC 3629's");
        is_valid = is_valid && character.length > 0;
        is_harmless = is_harmless && character.length > 0 && !is_control(character.code);
        rest.remove_prefix(character.length == 0 ? 1 : character.length);
    }
    fuzz::require(ipc::is_utf8(input) == is_valid, "UTF-8 is made of such characters alone");

    const std::string shown = ipc::printable(input);
    fuzz::require((shown == input) == is_harmless, "what is harmless is shown as it is");
    fuzz::require(ipc::printable(shown) == shown, "what is shown is harmless");
    return 0;
}
