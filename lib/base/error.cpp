// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include "base/text.hpp"

namespace ipc {

namespace {

std::string line(std::string_view object, std::string_view message) {
    return object.empty() ? std::string(message) : text(printable(object), ": ", message);
}

} // namespace

Error::Error(std::string_view object, std::string_view action, int error, std::string_view detail)
    : std::system_error(error, std::generic_category()),
      line_(line(object, text(action, ": ", code().message()))) {
    if (!detail.empty())
        line_ += text(" (", detail, ")");
}

Error::Error(std::string_view object, std::string_view message)
    : std::system_error(0, std::generic_category()), line_(line(object, message)) {}

} // namespace ipc
