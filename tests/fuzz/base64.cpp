// SPDX-License-Identifier: MIT
// base64: any bytes come back, and a text is either refused or the one that an encoder writes.

#include "base/base64.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = fuzz::Input(data, size).rest();
    const std::string encoded = ipc::base64_encode(input);
    fuzz::require(encoded.size() == (size + 2) / 3 * 4, "three bytes take four characters");
    fuzz::require(ipc::base64_decode(encoded) == input, "bytes encoded and decoded are the same");
    if (const auto decoded = ipc::base64_decode(input))
        fuzz::require(ipc::base64_encode(*decoded) == input, "each text has one spelling");
    return 0;
}
