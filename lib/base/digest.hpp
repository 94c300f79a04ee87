// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace ipc {

/// Tells one content from another without keeping it: 64 bits of its bytes, and their number. Not
/// against those who look for two with the same digest.
class Digest {
  public:
    /// It does not matter in which pieces the bytes come.
    void add(std::string_view bytes) noexcept {
        length_ += bytes.size();
        for (; filled_ > 0 && !bytes.empty(); bytes.remove_prefix(1))
            add_byte(bytes.front());
        for (; bytes.size() >= word_size; bytes.remove_prefix(word_size)) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data(), word_size);
            add_word(word);
        }
        for (const char byte : bytes)
            add_byte(byte);
    }

    /// The same as add() of so many bytes of zero, in no time.
    void add_zeros(std::uint64_t count) noexcept {
        for (; count > 0 && filled_ > 0; --count, ++length_)
            add_byte(0);
        length_ += count;
        zeros_ += count / word_size;
        for (count %= word_size; count > 0; --count)
            add_byte(0);
    }

    bool operator==(const Digest&) const noexcept = default;

  private:
    static constexpr std::size_t word_size = sizeof(std::uint64_t);

    void add_byte(char byte) noexcept {
        std::memcpy(reinterpret_cast<char*>(&partial_) + filled_, &byte, 1); // NOLINT: as above
        filled_ = (filled_ + 1) % word_size;
        if (filled_ == 0)
            add_word(std::exchange(partial_, 0));
    }

    /// A run of words of zero is mixed in as their number.
    void add_word(std::uint64_t word) noexcept {
        if (word == 0) {
            ++zeros_;
            return;
        }
        if (zeros_ != 0)
            mix(std::exchange(zeros_, 0));
        mix(word);
    }

    /// One to one in the state, and in the word: contents of which one word differs, and is zero in
    /// neither, always differ. The multiplication carries a difference up, the rotation brings it
    /// down again.
    void mix(std::uint64_t word) noexcept {
        constexpr std::uint64_t odd = 0x9e3779b97f4a7c15; // 2^64 divided by the golden ratio
        state_ = std::rotl((state_ ^ word) * odd, 29);
    }

    std::uint64_t state_ = 0;
    std::uint64_t length_ = 0;
    std::uint64_t zeros_ = 0;   ///< words that were not mixed in yet
    std::uint64_t partial_ = 0; ///< the bytes of a word that is not whole yet
    std::size_t filled_ = 0;    ///< how many they are
};

} // namespace ipc
