// SPDX-License-Identifier: MIT
#include "record/framing.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

namespace ipc {

void Framing::append(Buffer& out, std::string_view message, long priority) const {
    if (format == Format::json) {
        out.append(json_record(message, priority));
        return;
    }
    std::string escaped;
    if (escape == Escape::yes && format != Format::whole) {
        escaped = printable(message);
        message = escaped;
    }
    const std::string prefix = with_priority ? text(priority, '\t') : std::string();
    if (format == Format::netstring)
        out.append(text(prefix.size() + message.size(), ':'));
    out.append(prefix);
    out.append(message);
    if (format == Format::netstring)
        out.append(",");
    else if (is_delimited(format)) {
        const char end = delimiter(format);
        out.append({&end, 1});
    }
}

} // namespace ipc
