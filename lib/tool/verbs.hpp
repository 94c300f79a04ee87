// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "base/error.hpp"
#include "base/exit_status.hpp"
#include "object/name.hpp"
#include "tool/attributes.hpp"
#include "tool/options.hpp"
#include "tool/tool.hpp"

/// What the tools that create, show, change and remove objects have in common.
namespace ipc {

/// Goes through all operands; one that fails is reported and does not stop the others. Returns the
/// status of all.
template <class Act> int for_each_operand(Operands operands, Act act) {
    int status = exit_done;
    for (const char* const operand : operands) {
        try {
            act(operand);
        } catch (const Error& error) {
            report(error);
            status = exit_trouble;
        }
    }
    return status;
}

/// Says what an object that `create` made, or found, is called. Throws Error; then it has to go.
void print_name(const Name& name);

enum class ShowAs : std::uint8_t { shell, json };

/// Prints the attributes of one object after the other.
class Show {
  public:
    explicit Show(ShowAs as) noexcept : as_(as) {}

    void operator()(const Attributes& attributes);

  private:
    ShowAs as_;
    bool is_first_ = true;
};

} // namespace ipc
