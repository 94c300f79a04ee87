// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/buffer.hpp"
#include "record/format.hpp"

namespace ipc {

/// Whether control bytes are shown escaped, for a terminal.
enum class Escape : std::uint8_t { no, yes };

/// How messages become records of a stream: ipctools(7), RECORDS.
struct Framing {
    Format format = Format::line;
    bool with_priority = false;
    Escape escape = Escape::no;

    /// Whether a record is the message itself and its delimiter.
    bool is_plain() const noexcept {
        return is_delimited(format) && !with_priority && escape == Escape::no;
    }

    /// Appends the message as a record.
    void append(Buffer& out, std::string_view message, long priority) const;
};

} // namespace ipc
