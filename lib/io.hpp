// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <unistd.h>

namespace ipc {

/// read(2) once, in a tool that holds signals: waits where the descriptor is non-blocking, goes on
/// after a stop and after signals that do not end us. Returns the bytes read, 0 at the end of
/// input. Throws signals::Ended, or Error naming `object`.
std::size_t read_some(int fd, std::span<char> into, std::string_view object);

/// The whole of `bytes`, as Error names `object` if it cannot be. Throws signals::Ended when the
/// process shall end before all is written.
void write_all(int fd, std::string_view bytes, std::string_view object);

inline void write_stdout(std::string_view bytes) { write_all(STDOUT_FILENO, bytes, "stdout"); }

/// Diagnostics: as much as stderr takes. Given up after a second if the process shall end.
void write_stderr(std::string_view bytes) noexcept;

/// Whether `fd` is a pipe or a socket, which can lose its reader.
bool has_reader(int fd) noexcept;

/// True when writing to `fd` is known to fail: the reader of a pipe or the peer of a socket is
/// gone. Never waits.
bool is_writer_cut_off(int fd) noexcept;

} // namespace ipc
