// SPDX-License-Identifier: MIT
#include "sync/robust_words.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace ipc {

RobustWords::RobustWords(std::span<std::byte, largest_block> block) noexcept
    : block_(block.data()), thread_(static_cast<std::uint32_t>(gettid())) {
    head_.list.next = &head_.list;
    // One distance for all: from any node to its word.
    head_.futex_offset = block_ - reinterpret_cast<const std::byte*>(nodes_.data());
    syscall(SYS_set_robust_list, &head_, sizeof head_);
}

RobustWords::~RobustWords() {
    while (head_.list.next != &head_.list)
        release(word_of(*head_.list.next));
    syscall(SYS_set_robust_list, nullptr, sizeof head_);
}

robust_list& RobustWords::node_of(const futex::Word& word) noexcept {
    const auto distance = reinterpret_cast<const std::byte*>(&word) - block_;
    return nodes_[static_cast<std::size_t>(distance) / sizeof(robust_list)];
}

futex::Word& RobustWords::word_of(const robust_list& node) const noexcept {
    const auto distance = (&node - nodes_.data()) * std::ptrdiff_t{sizeof node};
    return *static_cast<futex::Word*>(static_cast<void*>(block_ + distance));
}

// We may be killed between any two instructions: the fences keep the compiler from reordering them.

void RobustWords::link(robust_list& node) noexcept {
    node.next = head_.list.next;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    head_.list.next = &node;
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

void RobustWords::unlink(const robust_list& node) noexcept {
    robust_list* before = &head_.list;
    while (before->next != &node)
        before = before->next;
    before->next = node.next;
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

bool RobustWords::try_take(futex::Word& word) noexcept {
    std::uint32_t seen = word.load();
    if (is_held(seen))
        return false;
    // Listed first: of a word that is not ours the kernel takes no notice.
    robust_list& node = node_of(word);
    link(node);
    while (!is_held(seen))
        if (word.compare_exchange_weak(seen, thread_ | (seen & FUTEX_WAITERS)))
            return true;
    unlink(node);
    return false;
}

void RobustWords::release(futex::Word& word) noexcept {
    word.store(0);
    unlink(node_of(word));
    futex::wake(word);
}

} // namespace ipc
