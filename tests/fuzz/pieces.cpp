// SPDX-License-Identifier: MIT
// Bytes that come in pieces are shown, and told apart, as if they came at once.
// Input: where to cut them, in a byte, then the bytes.

#include <string>

#include "base/digest.hpp"
#include "base/escape.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string bytes(data + 1, data + size);
    const std::size_t step = 1U + data[0] % 16U;

    ipc::Escaper escaper;
    ipc::Digest digest;
    std::string shown;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const std::string piece = bytes.substr(at, step);
        shown += escaper.add(piece);
        if (piece.find_first_not_of('\0') == std::string::npos)
            digest.add_zeros(piece.size());
        else
            digest.add(piece);
    }
    shown += escaper.finish();

    std::string expected;
    for (std::size_t at = 0;;) {
        const std::size_t newline = bytes.find('\n', at);
        expected += ipc::printable(std::string_view(bytes).substr(at, newline - at));
        if (newline == std::string::npos)
            break;
        expected += '\n';
        at = newline + 1;
    }
    fuzz::require(shown == expected, "what a terminal is shown does not depend on the pieces");

    ipc::Digest at_once;
    at_once.add(bytes);
    fuzz::require(digest == at_once, "nor does the digest");
    ipc::Digest other;
    other.add(bytes.substr(0, bytes.size() / 2));
    fuzz::require(bytes.empty() || other != at_once, "less has another digest");
    return 0;
}
