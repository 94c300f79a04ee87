// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

/// The function that each fuzz target consists of; libFuzzer calls it with each input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

/// Ends the process unless `holds`; libFuzzer then keeps the input.
inline void require(bool holds, const char* property) {
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", property);
    std::abort();
}

/// An input: bytes that choose, then a text.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) noexcept
        : rest_(reinterpret_cast<const char*>(data), size) {}

    /// One of the first `count` numbers, the digit that stands first; 0 at the end.
    unsigned choice(unsigned count) noexcept {
        if (rest_.empty())
            return 0;
        const auto digit = static_cast<unsigned char>(rest_.front() - '0');
        rest_.remove_prefix(1);
        return digit % count;
    }

    /// Up to `length` of the bytes that are left.
    std::string_view take(std::size_t length) noexcept {
        const std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    /// A number of as many of the next bytes as it has, or fewer at the end.
    template <class Number> Number number() noexcept {
        Number number = 0;
        const std::string_view bytes = take(sizeof number);
        std::memcpy(&number, bytes.data(), bytes.size());
        return number;
    }

    std::string_view rest() const noexcept { return rest_; }

    /// The same as one word of a command line, which ends at a NUL.
    std::string_view word() const noexcept { return rest_.substr(0, rest_.find('\0')); }

  private:
    std::string_view rest_;
};

/// What goes to stderr must not make a second line there, nor move a terminal.
inline void require_harmless(const ipc::Error& error) {
    require(ipc::printable(error.what()) == error.what(), "a diagnostic is one harmless line");
}

/// What `parse` returns; nothing if it refuses.
template <class Parse> auto accepted(Parse parse) -> std::optional<decltype(parse())> {
    try {
        return parse();
    } catch (const ipc::Error& error) {
        require_harmless(error);
        return std::nullopt;
    }
}

} // namespace fuzz
