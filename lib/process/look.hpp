// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

#include "process/sameness.hpp"
#include "process/scan.hpp"

/// A look at one process in /proc: what it has open and mapped, and what it is blocked in.
namespace ipc {

/// What the kernel's own file systems for memory without a name are.
struct MemoryDevices {
    std::optional<dev_t> shm;  ///< memfds, System V segments
    std::optional<dev_t> huge; ///< the same of huge pages

    bool has(dev_t device) const noexcept { return device == shm || device == huge; }
};

/// By a memfd of either kind, as far as there can be one: memfd_create(2).
MemoryDevices find_memory_devices() noexcept;

/// Looks at processes, one after the other, and gathers what a ScanRequest asks for. Both arguments
/// must outlive it.
class ProcessLook {
  public:
    ProcessLook(const ScanRequest& request, const MemoryDevices& devices)
        : request_(request), devices_(devices) {}

    /// What ends meanwhile is passed over. Throws Error for want of descriptors or memory.
    void examine(pid_t pid);

    std::vector<Process> processes;
    std::vector<Descriptor> descriptors;
    std::vector<Mapping> mappings;
    std::vector<BlockedCall> calls;
    Sharers table_sharers;
    Sharers memory_sharers;

  private:
    enum class Look : std::uint8_t { seen, nothing, refused };

    /// From how many descriptors or mappings on it is worth the while to ask whether others share
    /// them, and to leave out what is alike: below that, all is soon looked at.
    static constexpr std::size_t many = 64;

    static Look outcome(pid_t pid, const char* what, int error);
    Look look_at_descriptors(const Sameness::Item& task, int directory, const char* path);
    Look look_at_descriptor(pid_t pid, int directory, const char* name);
    static bool is_shared(Sameness& known, const Sameness::Item& task, Sharers& sharers);
    void merge_descriptors(const Sameness::Item& task, std::size_t first);
    Look look_at_mappings(const Sameness::Item& task, int directory, const char* path);
    void merge_mappings(std::size_t first);
    void look_at_threads(Process& process, int directory);

    bool wants_descriptors() const noexcept {
        return !request_.files.empty() || !request_.types.empty();
    }
    bool wants_mappings() const noexcept {
        return (request_.mappings && !request_.files.empty()) || request_.system_v_mappings ||
               request_.shared_mappings;
    }
    bool wants_type(mode_t type) const noexcept {
        return std::find(request_.types.begin(), request_.types.end(), type) !=
               request_.types.end();
    }

    const ScanRequest& request_;
    const MemoryDevices& devices_;
    Sameness tables_{Sameness::Of::tables};
    Sameness memories_{Sameness::Of::memory};
    bool has_descriptors_ = false; ///< of the last directory that was looked at
};

} // namespace ipc
