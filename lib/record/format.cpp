// SPDX-License-Identifier: MIT
#include "record/format.hpp"

#include <array>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

struct Named {
    std::string_view name;
    Format format;
};

constexpr std::array formats = {
    Named{"line", Format::line},           Named{"nul", Format::nul},
    Named{"netstring", Format::netstring}, Named{"json", Format::json},
    Named{"whole", Format::whole},
};

} // namespace

Format parse_format(std::string_view name) {
    for (const Named& known : formats)
        if (known.name == name)
            return known.format;
    throw UsageError(
        text("'", printable(name), "' is not a format (line, nul, netstring, json or whole)"));
}

} // namespace ipc
