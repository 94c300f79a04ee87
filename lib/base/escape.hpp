// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace ipc {

/// Makes a stream of bytes safe to show on a terminal, however it is cut: printable() of all but
/// its newlines.
class Escaper {
  public:
    /// What to show for these bytes. A character that they break off comes with the next.
    std::string add(std::string_view bytes);

    /// What to show at the end.
    std::string finish();

  private:
    std::string held_; ///< the beginning of a character
};

} // namespace ipc
