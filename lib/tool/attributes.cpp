// SPDX-License-Identifier: MIT
#include "tool/attributes.hpp"

#include <algorithm>
#include <string_view>

#include "base/json.hpp"

namespace ipc {

namespace {

bool is_plain(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_-./:@%+,").find(c) != std::string_view::npos;
}

std::string quoted(std::string_view value) {
    if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain))
        return std::string(value);
    std::string out = "'";
    for (const char c : value)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + '\'';
}

} // namespace

void Attributes::add(const char* name, std::span<const std::int64_t> values) {
    std::string words;
    for (const std::int64_t value : values)
        words += text(words.empty() ? "" : " ", value);
    rows_.push_back({name, std::move(words), Form::list});
}

std::string Attributes::shell_text(bool escaped) const {
    std::string out;
    for (const Row& row : rows_) {
        const std::string value = row.form == Form::number ? row.value : quoted(row.value);
        out += text(row.name, '=', escaped ? printable(value) : value, '\n');
    }
    return out;
}

std::string Attributes::json_text() const {
    JsonObject object;
    for (const Row& row : rows_) {
        if (row.form == Form::number)
            object.add_number(row.name, row.value);
        else if (row.form == Form::list)
            object.add_numbers(row.name, row.value);
        else
            object.add(row.name, text(row.name, "_base64"), row.value);
    }
    return std::move(object).line();
}

std::string mode_text(unsigned mode) {
    std::string out = "0";
    for (int shift = 6; shift >= 0; shift -= 3)
        out += static_cast<char>('0' + (mode >> static_cast<unsigned>(shift) & 7U));
    return out;
}

} // namespace ipc
