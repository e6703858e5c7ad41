# The commands of the project; `make` alone lists them.

# One target directory for every clone on this machine: RocksDB compiles once.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/cairn-target

# Installs what a build needs, then runs cargo and shows how RocksDB comes along.
CARGO := .ci/cargo

.DEFAULT_GOAL := help
.PHONY: help run build test check bench fuzz libfuzzer sim

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

run: build ## build, then mine on a development network; ARGS="--threads 1" adds options
	@exec "$$CARGO_TARGET_DIR/release/cairn" run --chain devnet --mine $(ARGS)

build: ## build the release binaries
	@$(CARGO) build --release --workspace

test: ## run every test
	@$(CARGO) test --release --workspace

check: ## run what CI runs: format, lints, documentation, tests
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --locked --release --workspace --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --release --workspace --no-deps
	@$(CARGO) test --locked --release --workspace

bench: ## run the benchmarks; ARGS="import" picks some by name
	@$(CARGO) bench --workspace --bench '*' $(if $(ARGS),-- $(ARGS))

# Another seed every time, unless one is given; the run prints it.
PROGRAMS ?= 10000000
SEED ?= $(shell date +%s)

fuzz: ## compare the machine with revm on random programs, and damage messages of peers; PROGRAMS=… and SEED=… choose them
	@CAIRN_FUZZ_PROGRAMS=$(PROGRAMS) CAIRN_FUZZ_SEED=$(SEED) \
		$(CARGO) test --release -p cairn-vm --test differential both_machines_agree -- --nocapture
	@CAIRN_FUZZ_MESSAGES=$(PROGRAMS) CAIRN_FUZZ_SEED=$(SEED) \
		$(CARGO) test --release -p cairn-node --test wire -- --nocapture

TARGET ?= strangers
TIME_S ?= 600

# No sanitizer, which would need a nightly compiler. Dependencies as the root pins them, built in
# a directory of their own, as all code has counters in it.
libfuzzer: ## let libFuzzer look for what peers could say; TARGET=messages or strangers, TIME_S=…
	@cargo fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz
	@cp Cargo.lock fuzz/Cargo.lock
	@cd fuzz && CARGO_TARGET_DIR="$$CARGO_TARGET_DIR/fuzz" cargo fuzz run --fuzz-dir . --sanitizer none $(TARGET) -- -max_total_time=$(TIME_S) -max_len=65536

SEEDS ?= 10000
FIRST ?= 0

sim: ## simulate whole networks; SEEDS=… says how many, FIRST=… where to begin
	@CAIRN_SIM_SEEDS=$(SEEDS) CAIRN_SIM_SEED=$(FIRST) \
		$(CARGO) test --release -p cairn-node --test sim every_seed -- --nocapture
