// SPDX-License-Identifier: MIT
#include "inventory/inventory.hpp"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "inventory/open_object.hpp"
#include "inventory/verdict.hpp"
#include "object/shm_files.hpp"

namespace ipc {

namespace {

/// What is found by who has it open or mapped.
constexpr KindSet open_kinds = {ObjectKind::fifo, ObjectKind::pipe, ObjectKind::eventfd,
                                ObjectKind::memfd, ObjectKind::map};

void list_kept(const InventoryRequest& request, const Place& place, RecordedUsers& recorded,
               std::vector<Object>& objects, std::vector<Trouble>& troubles) {
    const Visit visit(place);
    list_system_v(request.kinds, request.depth, recorded, objects, troubles);
    list_posix(place, request.kinds, request.depth, objects, troubles);
}

/// What keeps us from looking at one of many places hides no other; what is gone is none any more.
void try_list_kept(const InventoryRequest& request, const Place& place, RecordedUsers& recorded,
                   std::vector<Object>& objects, std::vector<Trouble>& troubles) {
    try {
        list_kept(request, place, recorded, objects, troubles);
    } catch (const Error& error) {
        if (error.code().value() != ESRCH)
            troubles.push_back({.kinds = request.kinds, .line = error.what()});
    }
}

/// Opens objects in the places where they are, one after the other, for them to be asked for a
/// lease.
class Opener {
  public:
    explicit Opener(const std::vector<Place>& places) : places_(places) {}

    OpenedObject open(std::size_t place, const Object& object) {
        if (at_ != place) {
            visit_.reset();
            shm_ = UniqueFd();
            at_ = place;
        }
        if (object.kind == ObjectKind::mq && !visit_)
            visit_.emplace(places_[place]);
        if (object.kind != ObjectKind::mq && !shm_.is_open()) {
            shm_ = try_open_shm_directory(places_[place]);
            if (!shm_.is_open() && is_shortage(errno))
                throw Error(shm_files::directory, "cannot open", errno, explain_error(errno));
        }
        return open_object(object, shm_);
    }
    /// Of one of many places.
    OpenedObject try_open(std::size_t place, const Object& object) {
        try {
            return open(place, object);
        } catch (const Error&) { // then it is unknown whether it is used
            return {};
        }
    }

  private:
    const std::vector<Place>& places_;
    std::optional<std::size_t> at_;
    std::optional<Visit> visit_; ///< if one of its queues was asked for
    UniqueFd shm_;               ///< the same of its files
};

ScanRequest scan_request(const InventoryRequest& request,
                         const std::vector<std::vector<Object>>& kept) {
    ScanRequest scan;
    if (request.judged == Judged::yes)
        for (const std::vector<Object>& objects : kept)
            request_verdict(objects, scan);
    request_open(request.kinds, scan);
    if (request.kinds.has(ObjectKind::lock))
        request_locks(scan);
    for (std::vector<FileId>* const files : {&scan.files, &scan.open_files}) {
        std::sort(files->begin(), files->end());
        files->erase(std::unique(files->begin(), files->end()), files->end());
    }
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
    const bool is_one = places.size() == 1;
    for (const Place& place : places) {
        signals::check();
        (is_one ? list_kept : try_list_kept)(request, place, recorded, kept.emplace_back(),
                                             inventory.troubles);
        if (place.ipc_namespace != 0) // else it could not be looked at
            for (Object& object : kept.back())
                object.figures.set(Figure::ns, static_cast<std::int64_t>(place.ipc_namespace));
    }
    if (needs_scan(request, kept))
        inventory.scan = ProcessScan(scan_request(request, kept));
    if (request.judged == Judged::yes) {
        Opener opener(places);
        judge(kept, inventory.scan, recorded, [&](std::size_t place, const Object& object) {
            return is_one ? opener.open(place, object) : opener.try_open(place, object);
        });
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
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
