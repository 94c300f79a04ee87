// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace ipc {

/// One flat json object (RFC 8259), built key by key. Strings are escaped so that the result is
/// one line and harmless on a terminal.
class JsonObject {
  public:
    void add(std::string_view key, std::int64_t value) { add_number(key, text(value)); }
    /// A number by its digits.
    void add_number(std::string_view key, std::string_view digits);
    /// An array of numbers, by their digits with blanks between.
    void add_numbers(std::string_view key, std::string_view words);
    /// Bytes that are no valid UTF-8 go in as base64 under `base64_key`.
    void add(std::string_view key, std::string_view base64_key, std::string_view bytes);

    /// The object and a newline.
    std::string line() &&;

  private:
    void begin_member(std::string_view key);

    std::string out_ = "{";
};

/// What a json record says of a message.
struct JsonRecord {
    std::optional<long> priority;
    std::string data;
};

/// What is wrong with a record.
struct Malformed {
    std::string reason;
};

/// Parses one record: an object with `data` or `base64` and perhaps `priority`; other keys are
/// ignored. Throws Malformed.
JsonRecord parse_json_record(std::string_view text);

/// A message as a json record with its newline.
std::string json_record(std::string_view data, long priority);

} // namespace ipc
