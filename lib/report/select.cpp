// SPDX-License-Identifier: MIT
#include "report/select.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace ipc {

namespace {

void check_names(const std::vector<Object>& objects, const std::vector<ObjectName>& names,
                 Remarks& remarks) {
    for (const ObjectName& name : names)
        if (std::none_of(objects.begin(), objects.end(),
                         [&](const Object& object) { return name.matches(object); }))
            remarks.add(text(printable(name.text()), ": there is no such object"), exit_not_now);
}

void check_process(const std::vector<Process>& processes, pid_t pid, Remarks& remarks) {
    const auto process = std::ranges::find(processes, pid, &Process::pid);
    if (process == processes.end())
        remarks.add(text(pid, ": there is no such process"), exit_trouble);
    else if (!process->is_examined)
        remarks.add(text(pid, ": cannot be examined, so what it uses may be missing"),
                    exit_trouble);
}

/// Whether an object of unknown state may be in one that is asked for.
bool is_undecided(const Object& object, const ObjectFilter& filter) {
    if (object.state != State::unknown || filter.has_state(State::unknown))
        return false;
    const bool is_segment = object.is_system_v() && object.kind == ObjectKind::shm;
    const State when_unused = !object.is_system_v() || is_segment ? State::unused : State::idle;
    return filter.has_state(State::in_use) || filter.has_state(when_unused) ||
           (is_segment && filter.has_state(State::orphan));
}

} // namespace

void Remarks::add(std::string line, ExitStatus makes) {
    lines.push_back(std::move(line));
    status = std::max<int>(status, makes);
}

void select_objects(Inventory& inventory, KindSet kinds, const ObjectFilter& filter,
                    Remarks& remarks) {
    std::vector<Object>& objects = inventory.objects;
    check_names(objects, filter.names, remarks);
    if (filter.process)
        check_process(inventory.scan.processes, *filter.process, remarks);
    std::erase_if(objects, [&](const Object& object) {
        return !kinds.has(object.kind) || !filter.selects(object);
    });
    const auto undecided = std::ranges::count_if(
        objects, [&](const Object& object) { return is_undecided(object, filter); });
    if (undecided > 0)
        remarks.add(text(undecided,
                         undecided == 1 ? " object is left out: its state is"
                                        : " objects are left out: their state is",
                         " unknown, since processes could not be examined"),
                    exit_trouble);
    std::erase_if(objects, [&](const Object& object) { return !filter.has_state(object.state); });
}

void note_unexamined(const ProcessScan& scan, Remarks& remarks) {
    if (scan.unexamined > 0)
        remarks.add(text(scan.unexamined, scan.unexamined == 1 ? " process" : " processes",
                         " could not be examined"),
                    exit_done);
    if (scan.some_hidden)
        remarks.add("there may be processes that are not visible from here", exit_done);
}

} // namespace ipc
