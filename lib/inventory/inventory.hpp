// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "inventory/list.hpp"
#include "inventory/object.hpp"
#include "process/scan.hpp"

namespace ipc {

/// Whether a pass over all processes is wanted, which tells users and states.
enum class Judged : std::uint8_t { no, yes };

struct InventoryRequest {
    KindSet kinds = kept_kinds;
    Depth depth = Depth::members;
    Judged judged = Judged::yes;
    std::optional<pid_t> process; ///< for kinds that belong to a process: this one alone
    const std::vector<Place>* places = nullptr; ///< where to look; null: in our own
};

struct Inventory {
    std::vector<Object> objects; ///< by kind, family and name
    std::vector<Trouble> troubles;
    ProcessScan scan;
};

/// Lists, looks at all processes once, and judges. Throws Error for want of descriptors or memory,
/// and where a namespace cannot be entered.
Inventory take_inventory(const InventoryRequest& request);

} // namespace ipc
