// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <unistd.h>

namespace ipc {

/// For a descriptor that somebody made non-blocking: waits until it is ready for these events of
/// poll(2), or returns early at a signal.
void wait_until_possible(int fd, short events) noexcept;

/// read(2) once, in a tool that holds signals: waits where the descriptor is non-blocking, goes on
/// after a stop and after signals that do not end us. Returns the bytes read, 0 at the end of
/// input. Throws signals::Ended, or Error naming `object`.
std::size_t read_some(int fd, std::span<char> into, std::string_view object);

/// The same with write(2): as much of `bytes` as it takes at once.
std::size_t write_some(int fd, std::string_view bytes, std::string_view object);

/// The whole of `bytes`, as Error names `object` if it cannot be. Throws signals::Ended when the
/// process shall end before all is written.
void write_all(int fd, std::string_view bytes, std::string_view object);

/// The same where what is written should not be torn because the process shall end: goes on for a
/// second then, whatever a slow reader takes. `written` counts up. Returns 0, or the errno
/// value that stopped it; EINTR when it gave up.
int write_patiently(int fd, std::string_view bytes, std::size_t& written);

inline void write_stdout(std::string_view bytes) { write_all(STDOUT_FILENO, bytes, "stdout"); }

/// Diagnostics: as much as stderr takes. Given up after a second if the process shall end.
void write_stderr(std::string_view bytes) noexcept;

/// Gives a pipe more room, so that there are fewer waits for its other end. Its refusal, beyond
/// /proc/sys/fs/pipe-user-pages-soft, is no error; what is no pipe is left alone.
void enlarge_pipe(int fd) noexcept;

/// Whether `fd` is a pipe or a socket, which can lose its reader.
bool has_reader(int fd) noexcept;

/// True when writing to `fd` is known to fail: the reader of a pipe or the peer of a socket is
/// gone. Never waits.
bool is_writer_cut_off(int fd) noexcept;

} // namespace ipc
