// SPDX-License-Identifier: MIT
// Names of signals: what is accepted is a signal, and its name in any case or form is the same one.

#include <algorithm>
#include <csignal>
#include <string>

#include "fuzz.hpp"
#include "signal/names.hpp"

namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

/// What may stand in a name or a number, written another way than the parser has it.
bool is_wild(std::string_view word) {
    return word.empty() || word.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-") !=
                               std::string_view::npos;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const auto zero = input.choice(2) == 1 ? ipc::AllowZero::yes : ipc::AllowZero::no;
    const std::string_view word = input.word();
    const auto signal = fuzz::accepted([&] { return ipc::parse_signal(word, zero); });
    if (!signal)
        return 0;
    fuzz::require(!is_wild(word), "nothing but letters, digits and a sign is accepted");
    fuzz::require(*signal >= (zero == ipc::AllowZero::yes ? 0 : 1) && *signal <= SIGRTMAX,
                  "what is accepted is a signal");
    if (*signal == 0)
        return 0;
    const std::string name = ipc::signal_name(*signal);
    fuzz::require(ipc::parse_signal(name) == *signal, "a name that is printed is the same signal");
    fuzz::require(ipc::parse_signal(lower(name)) == *signal, "so it is in lower case");
    const bool has_name = name.find_first_of("0123456789") != 0;
    fuzz::require(has_name == ipc::is_usable_signal(*signal), "what can be used has a name");
    fuzz::require(!has_name || ipc::parse_signal("SIG" + name) == *signal,
                  "so it is with SIG in front");
    return 0;
}
