// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace ipc {

/// The properties of an object in their order, each under its column's name in lower case.
class Attributes {
  public:
    void add(const char* name, std::int64_t value) {
        rows_.push_back({name, text(value), Form::number});
    }
    void add(const char* name, std::string value) {
        rows_.push_back({name, std::move(value), Form::string});
    }
    /// Numbers: in the shell words of one value, in json an array.
    void add(const char* name, std::span<const std::int64_t> values);

    /// `name=value` lines that sh(1) can eval: values are quoted where they need it. With
    /// `escaped`, control bytes are shown as \xNN, for a terminal.
    std::string shell_text(bool escaped) const;

    /// One json object and a newline; numbers are numbers.
    std::string json_text() const;

  private:
    enum class Form : std::uint8_t { number, string, list };

    struct Row {
        const char* name;
        std::string value;
        Form form;
    };

    std::vector<Row> rows_;
};

/// Permission bits as `0640`.
std::string mode_text(unsigned mode);

} // namespace ipc
