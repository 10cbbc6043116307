# What one does with this repository. Every target installs or names what it needs first.
#
# Demo and tests share ONE build profile, release, so that what is tested is what is shown and shipped, and so that a
# clean clone compiles the dependencies once.

SHELL := /bin/bash
CARGO ?= cargo
PYTHON ?= python3
VENV := tests/contract/.venv

.DEFAULT_GOAL := help
.PHONY: help setup build demo test check bench soak docs deny advisories

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is needed, or name exactly what is missing
	scripts/setup.sh test

build: ## build the command (target/release/callgate)
	$(CARGO) build --release --locked

demo: ## a gateway on an empty folder, a function and an app, told as a story
	scripts/setup.sh demo
	$(CARGO) build --release --locked
	scripts/demo.sh

test: ## everything: lints, unit and integration tests, the bootstrap, the real SDKs
	scripts/setup.sh test
	scripts/test.sh

check: ## the quick part, before a commit: format, lints, unit tests
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	$(CARGO) test --release --locked --lib --bins

bench: $(VENV)/installed ## every measurement, as Markdown on standard output
	scripts/setup.sh bench
	$(CARGO) build --release --locked
	$(CARGO) bench --locked
	$(VENV)/bin/python benches/instructions.py

soak: $(VENV)/installed tests/nodes/node_modules/installed ## the longer forms of the tests whose strength is repetition
	scripts/setup.sh test
	$(CARGO) build --release --locked
	PROPTEST_CASES=20000 IDENTITY_STEPS=100000 $(CARGO) test --release --locked --lib
	PROPTEST_CASES=10000000 $(CARGO) test --release --locked --lib -- policy::tests::random policy::tests::access
	PROPTEST_CASES=2000000 $(CARGO) test --release --locked --lib -- policy::tests::fuzz
	CALLGATE_SOAK=200000 $(CARGO) test --release --locked --test it -- sandbox::soak --nocapture
	CALLGATE_TEST_ALL=yes $(CARGO) test --release --locked --test it -- sandbox::ordinary_user
	CALLGATE_TEST_ALL=yes scripts/nodes.sh
	CONTRACT_SOAK=20 $(VENV)/bin/pytest tests/contract -m soak

docs: ## write the generated documents anew, and the crate's own pages
	UPDATE_DOCS=1 $(CARGO) test --release --locked --lib --tests -- up_to_date
	$(CARGO) doc --locked --no-deps --document-private-items

deny: ## licences, bans and sources of the dependencies (needs cargo-deny)
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --locked check licenses bans sources

advisories: ## known vulnerabilities of the dependencies (needs cargo-deny and a network)
	@command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --locked check advisories

# The contract tests' own Python: botocore's version decides what "the current SDK" sends, so it is pinned.
$(VENV)/installed: tests/contract/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/contract/requirements.txt
	touch $@

tests/contract/js/node_modules/installed: tests/contract/js/package-lock.json
	cd tests/contract/js && npm ci --silent --no-audit --no-fund
	touch $@

tests/contract/java/target/classpath: tests/contract/java/pom.xml tests/contract/java/v1/pom.xml tests/contract/java/build.sh \
		$(shell find tests/contract/java/common tests/contract/java/src tests/contract/java/v1/src -name '*.java')
	tests/contract/java/build.sh

tests/contract/kotlin/target/classpath: tests/contract/kotlin/pom.xml $(shell find tests/contract/kotlin/src -name '*.kt')
	mvn --quiet --batch-mode -f tests/contract/kotlin/pom.xml compile

tests/nodes/node_modules/installed: tests/nodes/package-lock.json
	cd tests/nodes && npm ci --silent --no-audit --no-fund --ignore-scripts
	touch $@

.PHONY: nodes
nodes: tests/nodes/node_modules/installed ## the runtime's tests on Node.js 20, 22 and 24
	scripts/nodes.sh

.PHONY: sdk-java
sdk-java: ## the SDK for Java and its example, against target/release/callgate
	scripts/sdk-java.sh

.PHONY: sdk-swift
sdk-swift: ## the SDK for Swift and its example, against target/release/callgate
	scripts/sdk-swift.sh

.PHONY: contract
contract: $(VENV)/installed tests/contract/js/node_modules/installed tests/contract/java/target/classpath tests/contract/kotlin/target/classpath tests/nodes/node_modules/installed ## the real SDKs against target/release/callgate
	$(VENV)/bin/pytest tests/contract -m "not soak" $(PYTEST_ARGS)

.PHONY: sdk-android
sdk-android: ## the SDK for Android, its AAR and its example, against target/release/callgate
	scripts/sdk-android.sh
