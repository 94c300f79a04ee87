// SPDX-License-Identifier: MIT
// File locks as the kernel shows them: each line comes out as it was put in, and any other text
// does no harm.

#include <cstdio>
#include <sys/sysmacros.h>

#include "fuzz.hpp"
#include "inventory/file_locks.hpp"

namespace {

void require_sound(const ipc::FileLock& lock) {
    fuzz::require(lock.type.find(' ') != std::string::npos, "a lock has a kind and an access");
    fuzz::require(lock.region.find('-') != std::string::npos, "a region has two ends");
    fuzz::require(ipc::printable(lock.type + lock.device + lock.region) ==
                      lock.type + lock.device + lock.region,
                  "nothing of a lock moves a terminal");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    if (const auto lock = ipc::parse_file_lock(input.rest()))
        require_sound(*lock);
    for (const auto& lock : ipc::parse_locks_of_descriptor(input.rest()))
        require_sound(lock);

    constexpr struct {
        const char* shown;
        const char* type;
    } kinds[] = {{"POSIX  ADVISORY  READ", "posix read"},
                 {"OFDLCK ADVISORY  WRITE", "ofd write"},
                 {"FLOCK  ADVISORY  WRITE", "flock write"},
                 {"LEASE  BREAKING  READ", "lease read breaking"},
                 {"LEASE  ACTIVE    UNLCK", "lease none"}};
    // As lock_get_status() in the kernel's fs/locks.c prints it.
    const auto kind = kinds[input.choice(5)];
    const bool is_waiting = input.choice(2) == 1;
    const bool is_bounded = input.choice(2) == 1;
    const auto pid = input.number<int>();
    const auto major = input.number<std::uint16_t>() & 0xfffU;
    const auto minor = input.number<std::uint32_t>() & 0xfffffU;
    const auto inode = input.number<std::uint64_t>();
    const auto start = input.number<std::int64_t>() & INT64_MAX;
    const auto end = input.number<std::int64_t>() & INT64_MAX;
    const std::string last = is_bounded ? ipc::text(end) : "EOF";
    char line[256];
    std::snprintf(line, sizeof line, "7: %s%s %d %02x:%02x:%llu %lld %s", is_waiting ? " -> " : "",
                  kind.shown, pid, major, minor, static_cast<unsigned long long>(inode),
                  static_cast<long long>(start), last.c_str());
    const auto lock = ipc::parse_file_lock(line);
    fuzz::require(lock.has_value(), "what the kernel shows is understood");
    fuzz::require(lock->number == 7 && lock->is_waiting == is_waiting && lock->pid == pid,
                  "who has it, and who waits, is as shown");
    fuzz::require(lock->type == kind.type, "it is of the kind shown");
    fuzz::require(lock->file == ipc::FileId{.device = makedev(major, minor), .inode = inode},
                  "it is on the file shown");
    fuzz::require(lock->region == ipc::text(start, '-', last), "it covers what is shown");
    const auto of_descriptor =
        ipc::parse_locks_of_descriptor(ipc::text("pos:\t0\nlock:\t", line, "\nino:\t5\n"));
    fuzz::require(of_descriptor.size() == 1 && of_descriptor.front().is_like(*lock),
                  "a descriptor shows the same lock");
    return 0;
}
