// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inventory/object.hpp"
#include "process/scan.hpp"

/// Which objects may go, as far as a listing tells: ipcclean(1). What only a look at the moment of
/// the removal tells is in removal.hpp.
namespace ipc {

/// What may be lost with an object besides its name.
enum class Data : std::uint8_t { kept, lost };

struct CleaningRules {
    std::vector<State> states = {State::orphan};
    std::chrono::nanoseconds older_than = std::chrono::seconds(60);
    Data messages = Data::kept; ///< of a queue
};

class Cleaning {
  public:
    /// `objects` are all that were listed, those that are to stay included: a neighbour may tell
    /// that an object is used. `now`: seconds since the epoch.
    Cleaning(const CleaningRules& rules, const std::vector<Object>& objects, std::int64_t now);

    /// Whether objects in this state may go at all.
    bool is_chosen(State state) const noexcept;
    /// Why an object in such a state stays nevertheless; empty if it may go.
    std::string why_kept(const Object& object) const;
    /// Why it may go, and what goes: its state, how that is known, its age and size.
    std::string describe(const Object& object) const;

  private:
    std::optional<std::int64_t> age(const Object& object) const noexcept;
    bool has_neighbour_in_use(const Object& object) const;

    const CleaningRules& rules_;
    std::int64_t now_;
    std::int64_t booted_;
    /// Of the objects in use that have a key, sorted: creator, and key.
    std::vector<std::pair<std::int64_t, std::uint32_t>> keys_in_use_;
    /// The same with what ftok(3) takes from the file alone.
    std::vector<std::pair<std::int64_t, std::uint32_t>> files_in_use_;
};

/// Why an object stays whose state was not chosen.
std::string describe_state(const Object& object, const ProcessScan& scan);

} // namespace ipc
