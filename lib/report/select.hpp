// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "inventory/inventory.hpp"
#include "report/filter.hpp"

namespace ipc {

/// What is to be said of a listing on standard error, and the status that it makes.
struct Remarks {
    std::vector<std::string> lines;
    int status = exit_done;

    void add(std::string line, ExitStatus makes);
};

/// Leaves of an inventory what is of these kinds and passes the filter. A name that is nowhere
/// makes exit_not_now; a process that is not there or cannot be examined, and states asked for that
/// are not known, make exit_trouble.
void select_objects(Inventory& inventory, KindSet kinds, const ObjectFilter& filter,
                    Remarks& remarks);

/// Which processes could not be looked at, and made states unknown.
void note_unexamined(const ProcessScan& scan, Remarks& remarks);

} // namespace ipc
