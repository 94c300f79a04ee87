// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <climits>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "fuzz.hpp"

namespace fuzz {

/// A pipe holds so many pieces, each up to PIPE_BUF bytes.
constexpr unsigned most_pieces = 16;

inline void write_piece(const ipc::UniqueFd& fd, std::string_view piece) {
    require(write(fd.get(), piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()),
            "a stream takes its bytes");
}

/// A file of `bytes`, as stdin may be one.
inline ipc::UniqueFd open_file(std::string_view bytes) {
    ipc::UniqueFd fd(memfd_create("stream", MFD_CLOEXEC));
    write_piece(fd, bytes);
    lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

/// Whether open_pipe() can have `bytes` in so many pieces.
inline bool fits_pipe(std::string_view bytes, unsigned pieces) noexcept {
    return pieces > 0 && bytes.size() <= std::size_t{pieces} * PIPE_BUF;
}

/// A pipe from which read(2) gives one of at most so many equal pieces of `bytes` at a time.
inline ipc::UniqueFd open_pipe(std::string_view bytes, unsigned pieces) {
    int ends[2];
    require(pipe2(ends, O_CLOEXEC | O_DIRECT) == 0, "there can be a pipe");
    ipc::UniqueFd reader(ends[0]);
    const ipc::UniqueFd writer(ends[1]);
    const std::size_t length = (bytes.size() + pieces - 1) / pieces;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(length, bytes.size())))
        write_piece(writer, bytes.substr(0, length));
    return reader;
}

} // namespace fuzz
