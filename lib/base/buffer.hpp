// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace ipc {

/// Bytes that come in at the back and leave at the front. Memory that was never written is never
/// resident. `headroom` writable bytes lie before every byte of the content.
class Buffer {
  public:
    Buffer() { make_room(1); }

    /// System V message calls want the type, a long, right before the text (msgop(2)).
    static constexpr std::size_t headroom = sizeof(long);

    char* begin() noexcept { return data_.get() + begin_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    bool empty() const noexcept { return begin_ == end_; }
    std::span<char> span(std::size_t offset, std::size_t length) noexcept {
        return {begin() + offset, length};
    }

    /// At least `length` writable bytes behind the content; commit() makes them content. Older
    /// pointers into the buffer are gone.
    std::span<char> room(std::size_t length) {
        if (capacity_ - end_ < length)
            make_room(length);
        return {data_.get() + end_, capacity_ - end_};
    }

    void commit(std::size_t length) noexcept { end_ += length; }

    void append(std::string_view bytes) {
        std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
        commit(bytes.size());
    }

    void drop_front(std::size_t length) noexcept {
        begin_ += length;
        if (begin_ == end_)
            clear();
    }

    void truncate(std::size_t length) noexcept { end_ = begin_ + length; }

    void clear() noexcept { begin_ = end_ = headroom; }

  private:
    void make_room(std::size_t length) {
        const std::size_t content = size();
        if (begin_ > headroom) {
            std::memmove(data_.get() + headroom, begin(), content);
            begin_ = headroom;
            end_ = begin_ + content;
        }
        if (capacity_ - end_ >= length)
            return;
        std::size_t wanted = 0;
        if (__builtin_add_overflow(end_, length, &wanted))
            throw std::bad_alloc();
        if (wanted < 2 * capacity_)
            wanted = 2 * capacity_;
        void* grown = std::realloc(data_.get(), wanted);
        if (grown == nullptr)
            throw std::bad_alloc();
        static_cast<void>(data_.release());
        data_.reset(static_cast<char*>(grown));
        capacity_ = wanted;
    }

    struct Free {
        void operator()(char* data) const noexcept { std::free(data); }
    };

    std::unique_ptr<char, Free> data_;
    std::size_t begin_ = headroom;
    std::size_t end_ = headroom;
    std::size_t capacity_ = headroom;
};

} // namespace ipc
