// SPDX-License-Identifier: MIT
#include "base/display_width.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>

#include "base/text.hpp"

namespace ipc {

namespace {

bool is_ascii(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The character tables of UTF-8, which are loaded when the first text needs them, and for the
/// calling thread alone.
class Utf8Characters {
  public:
    Utf8Characters() noexcept
        : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
          before_(locale_ == nullptr ? nullptr : uselocale(locale_)) {}
    ~Utf8Characters() {
        if (locale_ == nullptr)
            return;
        uselocale(before_);
        freelocale(locale_);
    }
    Utf8Characters(const Utf8Characters&) = delete;
    Utf8Characters& operator=(const Utf8Characters&) = delete;

  private:
    locale_t locale_;
    locale_t before_;
};

/// Bytes and columns of the character that `text` begins with.
struct Extent {
    std::size_t bytes;
    std::size_t columns;
};

Extent extent(std::string_view text) noexcept {
    const std::size_t bytes = std::max<std::size_t>(utf8_sequence(text), 1);
    std::mbstate_t state{};
    wchar_t character = 0;
    if (std::mbrtowc(&character, text.data(), bytes, &state) != bytes)
        return {.bytes = bytes, .columns = 1};
    const int columns = wcwidth(character);
    return {.bytes = bytes, .columns = columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

} // namespace

std::size_t display_width(std::string_view text) noexcept {
    if (is_ascii(text))
        return text.size();
    const Utf8Characters characters;
    std::size_t columns = 0;
    while (!text.empty()) {
        const Extent next = extent(text);
        columns += next.columns;
        text.remove_prefix(next.bytes);
    }
    return columns;
}

std::size_t bytes_within(std::string_view text, std::size_t columns) noexcept {
    if (is_ascii(text))
        return std::min(text.size(), columns);
    const Utf8Characters characters;
    std::size_t bytes = 0;
    while (bytes < text.size()) {
        const Extent next = extent(text.substr(bytes));
        if (next.columns > columns)
            break;
        columns -= next.columns;
        bytes += next.bytes;
    }
    return bytes;
}

} // namespace ipc
