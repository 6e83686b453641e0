# Two commands do everything on Debian 12 with Go: make demo, make test.
# Both install what they need and say so. make help lists the rest.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

export CGO_ENABLED ?= 0
export GOTOOLCHAIN := local
# A checkout that belongs to somebody else must not stop a build for its version stamp.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

BIN    := build/bin
LABCTL := $(BIN)/labctl
NODE   ?= 1
KEEP   ?=
N      ?= 10
COUNT  ?= 30
FAULTS ?= all
CONTINUE ?=
PARTIAL ?=

.PHONY: help
help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

.PHONY: demo
demo: ## three nodes, a power cut, the interruption; KEEP=1 leaves the cluster up
	@packaging/preflight demo
	KEEP=$(KEEP) tests/demo/demo

.PHONY: demo-series
demo-series: ## the demonstration N times in a row, with a table of the figures; N=10
	@packaging/preflight demo
	N=$(N) tests/demo/series

.PHONY: campaign
campaign: ## every fault of the catalogue N times on the lab, in build/chaos; N=5, FAULTS="power-cut ...", CONTINUE=1
	@packaging/preflight demo
	N=$(if $(filter command line environment,$(origin N)),$(N),5) FAULTS="$(FAULTS)" KEEP=$(KEEP) CONTINUE=$(CONTINUE) tests/demo/campaign

.PHONY: evidence
evidence: ## the campaign in build/chaos into tests/evidence/campaign and README.md; N=5, PARTIAL=1
	@packaging/preflight build
	N=$(if $(filter command line environment,$(origin N)),$(N),5) PARTIAL=$(PARTIAL) tests/demo/evidence

.PHONY: test
test: ## every test
	@packaging/preflight test
	$(MAKE) --no-print-directory check deb conformance-deb cluster-test

.PHONY: check
check: ## format, vet, unit tests with the race detector, scripts, manual pages
	@packaging/preflight test
	tests/check

.PHONY: build
build: ## the binaries, in build/bin
	@packaging/preflight build
	mkdir -p $(BIN)
	go build -trimpath -o $(BIN)/ ./agents/galera ./agents/announce ./crmbridge ./tests/chaos ./tests/crosscheck ./tests/lab/labctl
	go build -trimpath -o $(BIN)/IPaddr2 ./agents/ipaddr2

.PHONY: deb
deb: ## the Debian packages, in build/deb
	@packaging/preflight deb
	packaging/build-deb

.PHONY: conformance-deb
conformance-deb: ## the packages against lintian, and built twice
	@packaging/preflight test
	tests/package/check

.PHONY: cluster-test
cluster-test: ## the end-to-end tests on real nodes
	@packaging/preflight test
	tests/failures-last go test -tags lab -count=1 -timeout 30m -v ./tests/lab/...
	tests/failures-last go test -tags lab -count=1 -timeout 45m -skip '^($(LONGER))$$' -v ./tests/cluster

# These are not a part of make test, which would take another 40 minutes.
LONGER := TestBridgeInAStorm|TestBridgeBesideTheMonitor

.PHONY: cluster-test-longer
cluster-test-longer: deb ## the bridge in a storm and beside the monitor; 40 minutes, not a part of make test
	@packaging/preflight test
	tests/failures-last go test -tags lab -count=1 -timeout 120m -run '^($(LONGER))$$' -v ./tests/cluster

.PHONY: clock-test
clock-test: deb ## the bridge while clocks are set: sets this machine's clock by an hour and back, so not a part of make test
	@packaging/preflight test
	tests/failures-last go test -tags lab,clock -count=1 -timeout 30m -run '^TestBridgeAndTheClock$$' -v ./tests/cluster

.PHONY: scenarios
scenarios: deb ## only ra-tester's galera scenarios and the agents' promises, on real nodes
	@packaging/preflight test
	tests/failures-last go test -tags lab -run '^TestLife$$/(first_boot|scenarios)' -count=1 -timeout 40m -v ./tests/cluster

# Beside a campaign that is there, or one of a single round that is done for it.
CAMPAIGN := $(wildcard build/chaos/bridge)

.PHONY: bridge-differences
bridge-differences: $(if $(CAMPAIGN),build,deb) ## how far crmbridge agrees with chaos: in the campaign in build/chaos (differences.txt there), or in a round on the lab
	@if [ -n "$(CAMPAIGN)" ]; then
	  status=0
	  $(BIN)/crosscheck build/chaos >build/chaos/differences.txt || status=$$?
	  cat build/chaos/differences.txt
	  exit $$status
	fi
	packaging/preflight test
	tests/failures-last go test -tags lab -run TestBridgeBesideTheMonitor -count=1 -timeout 45m -v ./tests/cluster
	cp build/bridge-differences.txt tests/evidence/crmbridge/differences.txt

.PHONY: conformance
conformance: deb ## the agents against Debian's ocf-tester and ocft, on real nodes; logs in build/conformance
	@packaging/preflight lab
	mkdir -p $(BIN)
	go build -trimpath -o $(BIN)/ ./tests/contract
	$(BIN)/contract

.PHONY: bench-agents
bench-agents: deb ## what our agents cost beside Debian's, in build/bench/agents.json too; COUNT=30
	@packaging/preflight lab
	mkdir -p $(BIN)
	go build -trimpath -o $(BIN)/ ./tests/bench
	$(BIN)/bench --count $(COUNT)

.PHONY: lab-up lab-down lab-status lab-shell
lab-up: deb build ## three nodes with our packages, joined to a cluster
	@packaging/preflight lab
	$(LABCTL) up --deb build/deb/holdfast-agents_*.deb --deb build/deb/holdfast-cluster_*.deb
	$(LABCTL) join
lab-down: ## the nodes and everything of theirs away
	@[ ! -x $(LABCTL) ] || $(LABCTL) down
lab-status: ## what runs where
	@$(LABCTL) status
lab-shell: ## a shell on a node: make lab-shell NODE=2
	@$(LABCTL) shell db$(NODE)

.PHONY: clean
clean: lab-down ## build/ away; the image cache in /var/cache/holdfast stays
	rm -rf build
