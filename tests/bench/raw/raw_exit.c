// SPDX-License-Identifier: MIT
// The floor of start-up: a static program that only exits.

int main(void) { return 0; }
