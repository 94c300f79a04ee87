// SPDX-License-Identifier: MIT
// What `show` prints: a shell that evaluates it gets the value and runs nothing; json has the same.

#include "tool/attributes.hpp"

#include "base/json.hpp"
#include "fuzz.hpp"

namespace {

/// What sh(1) takes `word` for, if nothing in it has a meaning to it beyond quotes.
std::optional<std::string> unquoted(std::string_view word) {
    std::string value;
    while (!word.empty()) {
        std::size_t length = 1;
        if (word.front() == '\'') {
            length = word.find('\'', 1);
            if (length == std::string_view::npos)
                return std::nullopt;
            value += word.substr(1, length++ - 1);
        } else if (word.starts_with("\\'")) {
            length = 2;
            value += '\'';
        } else if (std::string_view("|&;<>()$`\\\" \t\n*?[]#~{}!").find(word.front()) ==
                   std::string_view::npos) {
            value += word.front();
        } else {
            return std::nullopt;
        }
        word.remove_prefix(length);
    }
    return value;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view value = fuzz::Input(data, size).word();
    ipc::Attributes attributes;
    attributes.add("data", std::string(value));

    std::string assignment = attributes.shell_text(false);
    fuzz::require(assignment.starts_with("data=") && assignment.ends_with('\n'),
                  "an attribute is name=value");
    assignment.pop_back();
    fuzz::require(unquoted(assignment.substr(5)) == value,
                  "a shell gets the value back, and runs nothing");

    std::string shown = attributes.shell_text(true);
    fuzz::require(shown.ends_with('\n'), "an attribute is a line on a terminal");
    shown.pop_back();
    fuzz::require(ipc::printable(shown) == shown, "and harmless there");

    std::string json = attributes.json_text();
    fuzz::require(json.ends_with('\n'), "json is a line");
    json.pop_back();
    fuzz::require(ipc::printable(json) == json, "and harmless on a terminal");
    if (ipc::is_utf8(value))
        fuzz::require(ipc::parse_json_record(json).data == value, "json has the same value");
    return 0;
}
