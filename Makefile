# Two commands set everything up by themselves: `make demo` and `make test`. Neither needs root, hardware or a broker.
PYTHON ?= python3
VENV := .venv
TOOLS := .audit
BIN := $(VENV)/bin
PYTEST_FLAGS ?=
AUDIT_FLAGS ?=
RUNS ?= 1000000
JOBS ?= 1
FAULTS ?=
FRONT := daemon/web/front
DASHBOARDS := tests/dashboards
PEERS := bench/peers

.PHONY: demo test soak check bench bench-peers powercut faults fuzz front front-check dashboards home-assistant screenshots deb boot boot-short audit sbom clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    a ship's night in the terminal: door, alert, SSAS test, record verified"
	@echo "make test    the tests"
	@echo "make check   formatting, lint, types, layers"
	@echo "make bench   ratios against the bare programs, and the peers that are installed (make bench-peers: npm, pip)"
	@echo "make fuzz    a million made-up inputs for each decoder (RUNS=... for fewer)"
	@echo "make front   the page of the stations, built anew (npm; make front-check: is it as its sources are?)"
	@echo "make dashboards  the contract read by others: AsyncAPI's parser, Node-RED, Signal K's schemas (npm)"
	@echo "make home-assistant  a real Home Assistant finds the ship (pip, minutes; not on CI)"
	@echo "make screenshots  the pictures of all pages in docs/ (Chromium, Mosquitto)"
	@echo "make audit   what runs aboard is pinned, may be passed on, and has no known weakness (asks OSV and npm's registry)"
	@echo "make sbom    docs/sbom.cdx.json anew: what the Debian package brings, as CycloneDX"
	@echo "make deb     the Debian package (for the Python of this computer's Debian; fetches what it packs)"
	@echo "make boot    a Debian that boots: the package installed, killed, hung, full, rebooted, brought to the next version (root; minutes)"
	@echo "make boot-short  the same without what takes long (root)"
	@echo "make faults  everything that goes wrong on a ship, once each: broker, disk, clock, network, hostile input (12 minutes)"
	@echo "make soak    a simulated day of the sample ship with faults, and twenty real minutes of all her processes"
	@echo "make powercut  the record under load on a guest whose power is cut (Debian's qemu; minutes)"

demo: $(VENV)/.demo
	@$(BIN)/ispsd demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto $(PYTEST_FLAGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy daemon simulators
	$(BIN)/lint-imports
	$(BIN)/ispsd check config/ispsd.toml

# What a part failed or took is in the results; a part can be measured again alone: python -m bench --help.
bench: $(VENV)/.test
	$(BIN)/python -m bench

# gpsd is Debian's. Each of the others has a folder of its own, and nothing of ispsd needs them.
bench-peers: $(PEERS)/signalk/node_modules/.installed $(PEERS)/.thingsboard/.installed

$(PEERS)/.thingsboard/.installed: $(PEERS)/thingsboard/requirements.txt
	$(PYTHON) -m venv $(PEERS)/.thingsboard
	$(PEERS)/.thingsboard/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz --runs $(RUNS) --jobs $(JOBS)

# Root for the network's partition and for a disk of its own; without it that is said, and the rest is tried.
faults: $(VENV)/.test
	$(BIN)/python -m tests.faults --report docs/faults.md $(FAULTS)

soak: $(VENV)/.browser
	$(BIN)/python -m tests.soak day
	$(BIN)/python -m tests.soak real --minutes 20

powercut: $(VENV)/.test
	$(BIN)/python -m tests.power

# The system's own Python: the package's environment is for it.
deb: $(TOOLS)/.installed
	@/usr/bin/python3 debian/build.py $(abspath $(TOOLS)/bin/pip) $(DEB_FLAGS)

sbom: deb
	cp build/deb/tree/usr/share/doc/ispsd/sbom.cdx.json docs/sbom.cdx.json

# Whether a pin is stale can be said only where everything is installed. AUDIT_FLAGS=--must-ask before a release.
audit: $(VENV)/.dev $(VENV)/.browser $(VENV)/.fuzz $(TOOLS)/.installed
	$(BIN)/python -m tests.audit $(AUDIT_FLAGS)

boot: deb $(VENV)/.test
	$(BIN)/python -m tests.boot

# Where this computer cannot boot another it says SKIPPED, with the reason, and goes on.
boot-short: DEB_FLAGS = --quick
boot-short: deb $(VENV)/.test
	@$(BIN)/python -m tests.boot --short || test $$? -eq 77

# Neither npm nor Node is needed to run, install or test: what they make is committed.
front: $(FRONT)/node_modules/.installed
	node $(FRONT)/build.mjs

screenshots: $(VENV)/.browser
	ISPSD_SCREENSHOTS=docs $(BIN)/python -m pytest -q tests/web/test_page_looks.py tests/web/test_pictures.py

front-check: $(FRONT)/node_modules/.installed
	@made=$$(mktemp -d) && node $(FRONT)/build.mjs $$made && \
	  { diff -r $$made daemon/web/static || { echo "daemon/web/static is not what its sources make: make front"; exit 1; }; } && rm -r $$made

dashboards: $(VENV)/.test $(DASHBOARDS)/node_modules/.installed
	$(BIN)/python -m pytest -q $(DASHBOARDS)

# Home Assistant pins half of what we use to other versions: it has an environment of its own, and is not on CI.
home-assistant: $(VENV)/.test $(DASHBOARDS)/.homeassistant/.installed
	$(BIN)/python -m pytest -q $(DASHBOARDS)/test_home_assistant.py

$(DASHBOARDS)/.homeassistant/.installed:
	$(PYTHON) -m venv $(DASHBOARDS)/.homeassistant
	$(DASHBOARDS)/.homeassistant/bin/pip install --quiet homeassistant==2024.3.3 paho-mqtt==1.6.1 janus==1.0.0
	@touch $@

%/node_modules/.installed: %/package.json %/package-lock.json
	cd $* && npm ci --silent --ignore-scripts
	@touch $@

$(VENV)/.%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ispsd needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what '$*' needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
	@touch $@

# In an environment of their own: nothing that runs aboard or tests needs what they need.
$(TOOLS)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(TOOLS)
	@echo "installing what 'audit' needs into $(TOOLS) ..."
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt '.[audit]'
	@touch $@

clean:
	rm -rf $(VENV) $(TOOLS) build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz
