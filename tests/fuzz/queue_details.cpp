// SPDX-License-Identifier: MIT
// What the kernel shows of a queue: numbers come out as they were put in, whatever stands around
// them; any other line does no harm.

#include <cstdio>

#include "fuzz.hpp"
#include "queue/details.hpp"

namespace {

/// As mqueue_read_file() in the kernel's ipc/mqueue.c prints it.
std::string line_of(const ipc::QueueDetails& details, int notify, int signal) {
    char line[128];
    const int length = std::snprintf(
        line, sizeof line, "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
        static_cast<unsigned long>(details.bytes), notify, signal, details.registered);
    return {line, static_cast<std::size_t>(length)};
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    ipc::parse_queue_details(input.rest());
    const ipc::QueueDetails details{.bytes = input.number<std::int64_t>() & INT64_MAX,
                                    .registered = input.number<pid_t>()};
    const auto notify = input.number<int>();
    const auto signal = input.number<int>();
    const auto parsed = ipc::parse_queue_details(line_of(details, notify, signal));
    fuzz::require(parsed.bytes == details.bytes, "the bytes in a queue are what the kernel shows");
    fuzz::require(parsed.registered == details.registered, "so is the process that waits");
    return 0;
}
