// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ipc {

/// RFC 4648, section 4, with padding.
std::string base64_encode(std::string_view bytes);

/// Nothing if `text` is not exactly what an encoder writes: no blanks, no missing padding, no bits
/// left over.
std::optional<std::string> base64_decode(std::string_view text);

} // namespace ipc
