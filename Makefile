# The commands of this repository; `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test lint docs python node format generate packages bench bench-languages prove prove-languages clean

# The binary, as cargo runs it. RELEASE=1 builds it optimized, which takes some minutes the first time.
flowcrm := cargo run$(if $(RELEASE), --release) --locked --package flowcrm-http --bin flowcrm --

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve a demonstration on http://localhost:3000 (DATABASE_URL=..., RELEASE=1)
	DATABASE_URL="$${DATABASE_URL:-sqlite:flowcrm.db}" $(flowcrm) serve --demo

test: lint docs ## Check everything: lints, documentation, generated files, tests on SQLite and Postgres
	$(flowcrm) openapi | diff -u openapi.yaml -
	$(MAKE) python node
	FLOWCRM_PYTHON="$(CURDIR)/.local/venv/bin/python" FLOWCRM_NODE=node .ci/with-postgres \
		cargo test --workspace --locked

lint: ## Check formatting, lints, and the licences and origins of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if command -v cargo-deny >/dev/null; then \
		echo 'cargo deny check'; cargo deny --locked check; \
	else \
		echo 'cargo deny check: skipped, cargo-deny is not installed'; \
	fi

docs: ## Build the documentation; a warning is an error
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

python: .local/venv/installed ## Build the Python package and its reference, and check and test it
	cd flowcrm-py && $(in_venv) maturin develop --quiet --locked
	$(in_venv) pdoc --output-directory .local/reference/python flowcrm '!flowcrm._native'
	$(in_venv) .ci/with-postgres pytest --quiet flowcrm-py/tests

# Commands of the Python package's tools, which stay in a folder of their own.
in_venv := VIRTUAL_ENV="$(CURDIR)/.local/venv" PATH="$(CURDIR)/.local/venv/bin:$$PATH" PYTHONDONTWRITEBYTECODE=1

.local/venv/installed: flowcrm-py/requirements-dev.txt
	python3 -m venv .local/venv
	.local/venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

node: flowcrm-node/node_modules/installed ## Build the Node package and its reference, and check and test it
	cd flowcrm-node && npm run --silent build:debug -- -- --locked
	cd flowcrm-node && npm run --silent reference
	cd flowcrm-node && ../.ci/with-postgres npm test --silent

flowcrm-node/node_modules/installed: flowcrm-node/package.json flowcrm-node/package-lock.json
	cd flowcrm-node && npm ci --silent
	touch $@

format: ## Format the Rust code
	cargo fmt --all

generate: .local/venv/installed flowcrm-node/node_modules/installed ## Write openapi.yaml anew, and what is made from it
	$(flowcrm) openapi >.local/openapi.yaml
	mv .local/openapi.yaml openapi.yaml
	.local/venv/bin/python flowcrm-py/tools/generate.py
	cd flowcrm-node && npm run --silent generate

packages: .local/venv/installed flowcrm-node/node_modules/installed ## Build the packages as they are published, and say how large they are
	rm -rf .local/packages && mkdir -p .local/packages
	cd flowcrm-py && $(in_venv) maturin build --quiet --release --locked --out ../.local/packages
	cd flowcrm-node && npm run --silent build && npm pack --silent --pack-destination ../.local/packages >/dev/null
	@cd .local/packages && ls -l | awk 'NF > 8 { printf "%s: %.1f MB\n", $$9, $$5 / 1e6 }'

bench: ## Measure server, crates and languages beside plain SQL (FLOWCRM_BENCH_SECONDS=..., FLOWCRM_BENCH_LEADS=...)
	@command -v sqlite3 >/dev/null || .ci/install sqlite3 || echo 'sqlite3 is not installed: SQLite is measured without plain SQL beside it'
	.ci/with-postgres cargo bench --locked --package flowcrm-http --bench crm
	$(MAKE) bench-languages

bench-languages: .local/venv/installed flowcrm-node/node_modules/installed ## Measure calls from each language beside the same by hand
	cd flowcrm-py && $(in_venv) maturin develop --quiet --release --locked
	$(in_venv) pip install --quiet --disable-pip-version-check 'SQLAlchemy>=2,<3'
	cd flowcrm-node && npm run --silent build
	FLOWCRM_PYTHON="$(CURDIR)/.local/venv/bin/python" FLOWCRM_NODE=node .ci/with-postgres \
		cargo bench --locked --package flowcrm-http --bench languages

prove: ## Run the long proofs: kills, cursors and dashboards under load, 100,000 calls from each language
	$(MAKE) prove-languages
	FLOWCRM_PROOF=long .ci/with-postgres cargo test --locked --package flowcrm-http \
		--test kill --test cursors --test dashboard -- --nocapture
	FLOWCRM_PROOF=long .ci/with-postgres cargo test --locked --package flowcrm-store --lib at_size -- --nocapture

prove-languages: .local/venv/installed flowcrm-node/node_modules/installed ## Make 100,000 calls from each language, in flat memory
	cd flowcrm-py && $(in_venv) maturin develop --quiet --release --locked
	cd flowcrm-node && npm run --silent build
	FLOWCRM_PROOF=long $(in_venv) .ci/with-postgres pytest --quiet flowcrm-py/tests -k memory
	cd flowcrm-node && FLOWCRM_PROOF=long ../.ci/with-postgres node --test --test-name-pattern=memory test/abuse.test.mjs

clean: ## Remove what was built; databases stay
	cargo clean
	rm -rf .local
