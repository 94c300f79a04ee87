// SPDX-License-Identifier: MIT
#include "process/sameness.hpp"

#include <algorithm>
#include <cstddef>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipc {

namespace {

constexpr int equal = 0;
constexpr int less = 1;
constexpr int greater = 2;

} // namespace

int Sameness::compare(const Item& one, const Item& other) const noexcept {
    const int type = what_ == Of::tables ? KCMP_FILES : what_ == Of::memory ? KCMP_VM : KCMP_FILE;
    return static_cast<int>(syscall(SYS_kcmp, one.task, other.task, type,
                                    static_cast<unsigned long>(one.fd),
                                    static_cast<unsigned long>(other.fd)));
}

std::optional<Sameness::Item> Sameness::find_or_add(const Item& item) {
    std::size_t begin = 0;
    std::size_t end = items_.size();
    while (begin < end) {
        const std::size_t middle = begin + (end - begin) / 2;
        switch (compare(items_[middle], item)) {
        case equal:
            return items_[middle];
        case less:
            begin = middle + 1;
            break;
        case greater:
            end = middle;
            break;
        default:
            if (compare(item, item) != equal)
                return std::nullopt;
            // The other one is gone. Without it this begins anew, once for each that goes.
            items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(middle));
            begin = 0;
            end = items_.size();
        }
    }
    items_.insert(items_.begin() + static_cast<std::ptrdiff_t>(begin), item);
    return std::nullopt;
}

void Sameness::remove(const Item& item) {
    std::erase_if(
        items_, [&](const Item& other) { return other.task == item.task && other.fd == item.fd; });
}

} // namespace ipc
