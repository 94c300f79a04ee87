// SPDX-License-Identifier: MIT
#include "inventory/inventory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "inventory/open_object.hpp"
#include "inventory/verdict.hpp"
#include "object/shm_files.hpp"

namespace ipc {

namespace {

/// What is found by who has it open or mapped.
constexpr KindSet open_kinds = {ObjectKind::fifo, ObjectKind::pipe, ObjectKind::eventfd,
                                ObjectKind::memfd, ObjectKind::map};

std::vector<Object> list_kept(const InventoryRequest& request, const Place& place,
                              RecordedUsers& recorded, std::vector<Trouble>& troubles) {
    std::vector<Object> objects;
    const Visit visit(place);
    list_system_v(request.kinds, request.depth, recorded, objects, troubles);
    list_posix(place, request.kinds, request.depth, objects, troubles);
    if (place.ipc_namespace != 0) // else it could not be looked at
        for (Object& object : objects)
            object.figures.set(Figure::ns, static_cast<std::int64_t>(place.ipc_namespace));
    return objects;
}

ScanRequest scan_request(const InventoryRequest& request,
                         const std::vector<std::vector<Object>>& kept) {
    ScanRequest scan;
    if (request.judged == Judged::yes)
        for (const std::vector<Object>& objects : kept)
            request_verdict(objects, scan);
    request_open(request.kinds, scan);
    if (request.kinds.has(ObjectKind::lock))
        request_locks(scan);
    std::sort(scan.files.begin(), scan.files.end());
    return scan;
}

/// With no object there is nobody to be found who uses it.
bool needs_scan(const InventoryRequest& request, const std::vector<std::vector<Object>>& kept) {
    constexpr KindSet of_processes = {
        ObjectKind::fifo,  ObjectKind::pipe, ObjectKind::unix_socket, ObjectKind::eventfd,
        ObjectKind::memfd, ObjectKind::map,  ObjectKind::lock};
    if (request.process || request.kinds.has_any(of_processes))
        return true;
    return request.judged == Judged::yes &&
           std::any_of(kept.begin(), kept.end(),
                       [](const std::vector<Object>& objects) { return !objects.empty(); });
}

/// The order in which they are shown. Keys that are equal keep the kernel's order.
void sort_objects(std::vector<Object>& objects) {
    const auto rank = [](const Object& object) {
        return std::tuple(object.kind, object.figures.get_or(Figure::ns, 0), object.family);
    };
    const auto before = [&](const Object& a, const Object& b) {
        const auto rank_a = rank(a);
        const auto rank_b = rank(b);
        if (rank_a != rank_b)
            return rank_a < rank_b;
        return !a.is_system_v() && a.kind != ObjectKind::sig && a.name < b.name;
    };
    // Mostly they come in order; objects are large.
    if (!std::is_sorted(objects.begin(), objects.end(), before))
        std::stable_sort(objects.begin(), objects.end(), before);
}

} // namespace

Inventory take_inventory(const InventoryRequest& request) {
    Inventory inventory;
    RecordedUsers recorded;
    std::vector<Place> own;
    if (request.places == nullptr)
        own.push_back(own_place());
    const std::vector<Place>& places = request.places == nullptr ? own : *request.places;

    std::vector<std::vector<Object>> kept;
    kept.reserve(places.size());
    for (const Place& place : places)
        kept.push_back(list_kept(request, place, recorded, inventory.troubles));
    if (needs_scan(request, kept))
        inventory.scan = ProcessScan(scan_request(request, kept));
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (request.judged == Judged::yes) {
            const Visit visit(places[i]);
            UniqueFd shm; // for the few that are asked for a lease
            judge(kept[i], inventory.scan, recorded, [&](const Object& object) {
                if (!shm.is_open() && object.kind != ObjectKind::mq) {
                    shm = try_open_shm_directory(places[i]);
                    if (!shm.is_open() && is_shortage(errno))
                        throw Error(shm_files::directory, "cannot open", errno,
                                    explain_error(errno));
                }
                return open_object(object, shm);
            });
        }
        if (inventory.objects.empty())
            inventory.objects = std::move(kept[i]);
        else
            std::move(kept[i].begin(), kept[i].end(), std::back_inserter(inventory.objects));
    }
    if (request.kinds.has_any(open_kinds) && inventory.scan.processes.empty())
        inventory.troubles.push_back(
            {.kinds = open_kinds, .line = "/proc: shows no processes, nor what they have open"});
    if (request.kinds.has_any(open_kinds))
        list_open(inventory.scan, request.kinds, inventory.objects);
    if (request.kinds.has(ObjectKind::unix_socket))
        list_unix_sockets(inventory.scan, inventory.objects, inventory.troubles);
    if (request.kinds.has(ObjectKind::lock))
        list_locks(inventory.scan, inventory.objects, inventory.troubles);
    if (request.kinds.has(ObjectKind::sig))
        list_signals(request.process, inventory.objects, inventory.troubles);
    sort_objects(inventory.objects);
    return inventory;
}

} // namespace ipc
