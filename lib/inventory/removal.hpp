// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_set>

#include "base/fd.hpp"
#include "inventory/object.hpp"
#include "inventory/place.hpp"

namespace ipc {

/// Whether it takes the proof that nobody has a POSIX object open or mapped: take_lease().
enum class Proof : std::uint8_t { required, waived };

/// Removes objects that were listed, each only if at that moment it is still the same and nobody
/// uses it.
class Remover {
  public:
    /// While a Visit of this place lives. `place` outlives this.
    Remover(const Place& place, Proof proof);

    /// Returns why the object was left, empty if it was removed. Throws Error where the
    /// system refuses to remove it. With signals::hold(): no signal ends us in between.
    std::string remove(const Object& object);

  private:
    std::string remove_system_v(const Object& object);
    std::string remove_queue(const Object& object);
    std::string remove_file(const Object& object);
    std::string why_waited_in(const Object& queue);
    void look_at_calls(std::uint64_t ipc_namespace);

    const Place& place_;
    Proof proof_;
    UniqueFd queues_; ///< their directory, once it is needed
    UniqueFd shm_;    ///< the same of files

    std::unordered_set<int> waited_in_; ///< System V queues, by identifier
    std::chrono::steady_clock::time_point looked_at_;
    std::chrono::steady_clock::duration look_took_{};
    bool has_looked_ = false;
    bool saw_all_ = false; ///< whoever may wait in one
};

} // namespace ipc
