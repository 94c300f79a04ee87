// SPDX-License-Identifier: MIT
// Modes: permission bits alone; clauses act one after the other; what is printed is accepted.

#include "base/parse.hpp"
#include "fuzz.hpp"
#include "tool/attributes.hpp"

namespace {

/// The mode as a clause for each class.
std::string symbolic(mode_t mode) {
    std::string out;
    for (const char who : {'u', 'g', 'o'}) {
        const unsigned shift = who == 'u' ? 6 : who == 'g' ? 3 : 0;
        out += out.empty() ? "" : ",";
        out += who;
        out += '=';
        for (unsigned bit = 0; bit < 3; ++bit)
            if ((mode >> shift & 4U >> bit) != 0)
                out += "rwx"[bit];
    }
    return out;
}

/// The clauses by themselves, each on what the one before made of the mode.
std::optional<mode_t> by_clauses(std::string_view word, mode_t mode) {
    for (;;) {
        const std::size_t comma = word.find(',');
        const std::string_view clause = word.substr(0, comma);
        const bool is_octal = !clause.empty() && clause.front() >= '0' && clause.front() <= '9';
        const auto changed = fuzz::accepted([&] { return ipc::parse::mode(clause, mode); });
        if (is_octal || !changed)
            return std::nullopt;
        mode = *changed;
        if (comma == std::string_view::npos)
            return mode;
        word.remove_prefix(comma + 1);
    }
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view word = fuzz::Input(data, size).word();
    const bool is_octal = !word.empty() && word.front() >= '0' && word.front() <= '9';
    for (const mode_t base : {0600U, 0U, 0751U, 0124U, 0777U}) {
        const auto mode = fuzz::accepted([&] { return ipc::parse::mode(word, base); });
        const auto beyond = fuzz::accepted([&] { return ipc::parse::mode(word, base | ~0777U); });
        fuzz::require(mode == beyond, "other bits than permissions have no influence");
        fuzz::require(is_octal || mode == by_clauses(word, base), "clauses act one by one");
        if (!mode)
            continue;
        fuzz::require(*mode <= 0777, "a mode has permission bits alone");
        fuzz::require(!is_octal || ipc::parse::mode(word, ~base) == *mode,
                      "an octal mode says all bits");
        fuzz::require(ipc::parse::mode(ipc::mode_text(*mode), ~*mode) == *mode,
                      "a mode printed and parsed again is the same");
        fuzz::require(ipc::parse::mode(symbolic(*mode), ~*mode) == *mode,
                      "a mode spelled out and parsed again is the same");
    }
    return 0;
}
