// SPDX-License-Identifier: MIT
// Operations on a set of semaphores: what is accepted is exactly INDEX, a sign, and a number that
// semop(2) can take; printed again in its plainest form it means the same.

#include <limits>

#include "base/parse.hpp"
#include "fuzz.hpp"
#include "semaphore/semaphore.hpp"

namespace {

std::string print(const ipc::Operation& operation) {
    if (operation.change == 0)
        return ipc::text(operation.member, "=0");
    return ipc::text(operation.member, operation.change > 0 ? "+" : "", operation.change);
}

bool is_in(std::string_view digits, std::int64_t low, std::int64_t high) {
    const auto value = ipc::parse::try_number(digits);
    return value && digits.front() != '-' && *value >= low && *value <= high;
}

/// By the grammar, written another way.
bool is_operation(std::string_view word) {
    const std::size_t sign = word.find_first_not_of("0123456789");
    if (sign == std::string_view::npos || sign == 0 || sign + 1 == word.size())
        return false;
    const std::string_view number = word.substr(sign + 1);
    const bool is_change = word[sign] == '+' || word[sign] == '-';
    return is_in(word.substr(0, sign), 0, std::numeric_limits<unsigned short>::max()) &&
           (is_change ? is_in(number, 1, 32767) : word[sign] == '=' && number == "0");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view word = fuzz::Input(data, size).word();
    const auto operation = fuzz::accepted([&] { return ipc::parse_operation(word); });
    fuzz::require(operation.has_value() == is_operation(word), "what the grammar has is accepted");
    if (!operation)
        return 0;
    const ipc::Operation again = ipc::parse_operation(print(*operation));
    fuzz::require(again.member == operation->member && again.change == operation->change,
                  "an operation that is printed is the same");
    return 0;
}
