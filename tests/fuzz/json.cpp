// SPDX-License-Identifier: MIT
// json records: any message and priority come back; a record that is accepted says the same when it
// is written again, in one line that is harmless on a terminal.

#include "base/json.hpp"
#include "fuzz.hpp"

namespace {

void check_round_trip(std::string_view message, long priority) {
    std::string line = ipc::json_record(message, priority);
    fuzz::require(line.ends_with('\n'), "a record ends with a newline");
    line.pop_back();
    fuzz::require(ipc::printable(line) == line, "a record is one harmless line");
    const ipc::JsonRecord again = ipc::parse_json_record(line);
    fuzz::require(again.data == message, "a message written and read is the same");
    fuzz::require(again.priority == priority, "so is its priority");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = fuzz::Input(data, size).rest();
    check_round_trip(input, static_cast<long>(size));
    try {
        const ipc::JsonRecord record = ipc::parse_json_record(input);
        check_round_trip(record.data, record.priority.value_or(0));
    } catch (const ipc::Malformed& problem) {
        fuzz::require(!problem.reason.empty() && ipc::printable(problem.reason) == problem.reason,
                      "what is wrong is said in one harmless line");
    }
    return 0;
}
