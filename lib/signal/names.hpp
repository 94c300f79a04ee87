// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What signals are called, and what they do where nobody catches them: signal(7).
namespace ipc {

/// Whether 0, which is no signal, will do: with it kill(2) only looks.
enum class AllowZero : std::uint8_t { no, yes };

/// A signal by its name, with SIG in front or without and in any case, by its number, or as
/// RTMIN[+N] or RTMAX[-N]. Throws UsageError.
int parse_signal(std::string_view text, AllowZero allow_zero = AllowZero::no);

/// TERM, RTMIN+3; the number where there is no name.
std::string signal_name(int signal);

/// What the kernel does with it by default, in a word: terminate, core, stop, continue, ignore.
const char* signal_action(int signal) noexcept;

/// What it is for, in a few words.
const char* signal_meaning(int signal) noexcept;

/// Whether programs may use it: the C library keeps two for itself (nptl(7)).
bool is_usable_signal(int signal) noexcept;

} // namespace ipc
