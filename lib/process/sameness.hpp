// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace ipc {

/// Tells which of many things are one and the same in the kernel: kcmp(2). Nothing is the same
/// where that may not be asked.
class Sameness {
  public:
    /// What is compared: of tasks the table of descriptors or the memory, of descriptors what
    /// open(2) made.
    enum class Of : std::uint8_t { tables, memory, open_files };

    explicit Sameness(Of what) noexcept : what_(what) {}

    struct Item {
        pid_t task = 0;    ///< a process or a thread
        int fd = 0;        ///< of open files
        pid_t process = 0; ///< of the task
    };

    /// One that was added before and is the same, if there is any; else adds this one.
    std::optional<Item> find_or_add(const Item& item);
    void remove(const Item& item);

  private:
    int compare(const Item& one, const Item& other) const noexcept;

    Of what_;
    std::vector<Item> items_; ///< in an order of the kernel's, all different
};

} // namespace ipc
