# SPDX-License-Identifier: MIT
# A thin front to CMake; `make help` lists the targets.

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
# Tests at a time, where one that makes queues counts twice: those of a user share its RLIMIT_MSGQUEUE,
# which holds nine queues of default size.
TEST_JOBS ?= $(if $(filter 0,$(shell id -u)),$(shell echo $$((4 * $$(nproc)))),4)
# How long `make fuzz` fuzzes, all targets together.
FUZZ_SECONDS ?= 3600
# More arguments for the configure step, e.g. CMAKE_ARGS=-DIPCTOOLS_STATIC=OFF
CMAKE_ARGS ?=

# The tools that `make faults` sweeps, by default those that have changed since the commit SINCE.
FAULTS ?=
SINCE ?=

export DESTDIR FAULTS SINCE

.PHONY: all help deps deps-build deps-test deps-extra demo check check-asan check-fuzz \
    faults faults-all faults-builds soak fuzz fuzz-targets bench bench-baseline bench-deps picture \
    coverage package package-check lint tidy format install uninstall
.DEFAULT_GOAL := all

all: ## build the tools into build/release/tools
	@cmake --preset release $(CMAKE_ARGS) > /dev/null
	@cmake --build --preset release -j $(JOBS)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@echo 'Variables: PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) JOBS=$(JOBS) CMAKE_ARGS=$(CMAKE_ARGS)'
	@echo '           FUZZ_SECONDS=$(FUZZ_SECONDS) FAULTS=$(FAULTS) SINCE=$(SINCE)'

deps: ## install what is missing, with apt-get (sudo when not root)
	@.ci/deps build test lint

deps-build:
	@.ci/deps build

deps-test:
	@.ci/deps build test

deps-extra: ## install also what only a few tests need, a PostgreSQL server among it
	@.ci/deps extra

demo: deps-build ## build, then show messages flowing through the tools
	@$(MAKE) --no-print-directory all
	@tests/support/demo build/release/tools

check: deps-test ## build, then run every test
	@$(MAKE) --no-print-directory all
	@ctest --preset release -j $(TEST_JOBS)

check-asan: deps-test ## the same under the address and undefined behaviour sanitizers
	@cmake --preset asan $(CMAKE_ARGS) > /dev/null
	@cmake --build --preset asan -j $(JOBS)
	@ctest --preset asan -j $(TEST_JOBS)

faults: deps-test ## make calls fail in the tools of FAULTS, or that have changed since SINCE
	@tools=$$(tests/faults/choose) || exit; \
	test -n "$$tools" || { echo 'no tool has changed' && exit; }; \
	$(MAKE) --no-print-directory faults-builds && tests/faults/all $$tools

faults-all: deps-test faults-builds ## make each call of each tool fail, from where it was stopped (an hour)
	@tests/faults/all

faults-builds:
	@$(MAKE) --no-print-directory all
	@cmake --preset asan $(CMAKE_ARGS) > /dev/null
	@cmake --build --preset asan -j $(JOBS)
	@cmake --preset dev -B build/dynamic -DIPCTOOLS_STATIC=OFF $(CMAKE_ARGS) > /dev/null
	@cmake --build build/dynamic -j $(JOBS)
	@cc -O1 -shared -fPIC -o build/dynamic/fail_malloc.so tests/faults/fail_malloc.c

soak: deps-test ## messages, streams and semaphores in tools that are stopped and ended at random
	@$(MAKE) --no-print-directory all
	@tests/run -- tests/soak/messages
	@tests/run -- tests/soak/semaphores
	@tests/run -- tests/soak/streams
	@tests/run -- tests/soak/signals

# The same runs each time: what is new is for fuzz to find.
check-fuzz: deps-test ## give each fuzz target ten thousand runs
	@$(MAKE) --no-print-directory fuzz-targets
	@tests/fuzz/run --runs 10000 --seed 1 --jobs $(JOBS)

fuzz: deps-test ## fuzz the parsers for FUZZ_SECONDS, an hour by default
	@$(MAKE) --no-print-directory fuzz-targets
	@tests/fuzz/run --seconds $(FUZZ_SECONDS) --jobs $(JOBS)

# Compiler and linkage are the preset's own.
fuzz-targets:
	@cmake --preset fuzz $(filter-out -DCMAKE_CXX_COMPILER=% -DIPCTOOLS_STATIC=% -DIPCTOOLS_LTO=%, \
	    $(CMAKE_ARGS)) > /dev/null
	@cmake --build --preset fuzz -j $(JOBS)

bench: all ## measure the tools against raw programs, their peers and the baseline
	@tests/run -- tests/bench/run -o '$(CURDIR)/build/bench.tsv'

bench-baseline: all ## make the instructions of this build the baseline of its compiler
	@tests/run -- tests/bench/run -r -b '$(CURDIR)/tests/bench/instructions.tsv'

bench-deps: ## install the peers that bench measures against; it goes without those that are missing
	@.ci/deps build bench

picture: all ## draw the README's picture anew (package graphviz)
	@tests/run -- unshare --pid --fork --mount-proc tests/support/picture '$(CURDIR)/tests/support/picture.svg'

coverage: ## run every test, and show which lines and branches none of them reaches
	@.ci/deps build test coverage
	@cmake --preset coverage $(CMAKE_ARGS) > /dev/null
	@cmake --build --preset coverage -j $(JOBS)
	@tests/coverage/run build/coverage $(TEST_JOBS)

package: ## pack a .deb, and an .rpm where rpmbuild is, into build/release/packages
	@.ci/deps build package
	@$(MAKE) --no-print-directory all
	@packaging/pack build/release

package-check: package ## install, use and remove the .deb in a fresh system (as root)
	@packaging/check build/release/packages/*.deb

lint: ## check formatting, scripts and pages
	@.ci/lint

tidy: ## look for mistakes in the sources, with clang-tidy (minutes)
	@.ci/lint tidy

format: ## format the sources in place
	@clang-format -i lib/*/*.[ch]pp tools/*.cpp tests/fuzz/*.[ch]pp tests/coverage/*.cpp

install: all ## install below DESTDIR and PREFIX
	@cmake --install build/release --prefix '$(PREFIX)'

uninstall: ## remove exactly what install put there
	@.ci/uninstall build/release
