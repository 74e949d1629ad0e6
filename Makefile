# Everything that people do to this repository. "make" alone lists it.
MAKEFLAGS += --no-print-directory
GO      ?= go
# One setting for all but the race detector (which needs cgo): everything is compiled once.
export CGO_ENABLED = 0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
# Without these, grpc's trace pages and kustomize's plugins keep every method of every library
# in the binary: it would be half as large again, or twice as large.
TAGS     = grpcnotrace,kustomize_disable_go_plugin_support
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

LINT_VERSION = v2.15.0
CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/k8guard
LINT   = $(CACHE)/lint/$(LINT_VERSION)/golangci-lint
HELM_VERSION = v4.3.1
HELM   = $(CACHE)/helm/$(HELM_VERSION)/helm
IMAGE ?= localhost/k8guard/k8guard:$(VERSION)
TEMPL  = $(GO) tool -modfile=tools/templ/go.mod templ

# A comma would end an argument of step.
comma := ,

# step runs a command, says what it is, and how long it took.
step = @start=$$(date +%s); echo "== $(1)"; $(2) && echo "== $(1): $$(($$(date +%s) - start)) s"

.DEFAULT_GOAL := help
.PHONY: help build helm test test-short vet fmt-check lint drift programs mailserver alertmanager prometheus services test-race parity supply release generate generate-rules demo demo-once demo-distributed demo-distributed-once storm soak watch-faults gate-mutants axe \
	cluster-up cluster-down cluster-status services-up services-down services-status bench fuzz clean \
	image image-test chart-test chart-golden minikube-up minikube-down minikube-status

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/k8guard
	$(call step,build,$(GO) build -tags $(TAGS) -ldflags '$(LDFLAGS)' -o bin/k8guard ./cmd/k8guard)

# One after the other, also under make -j: they share the processors and the module cache.
test: ## run every check and every test, on a real control plane
	@for step in vet fmt-check lint drift programs mailserver alertmanager prometheus services gate-mutants demo-once demo-distributed-once supply test-race parity; do $(MAKE) $$step || exit; done

test-short: ## run the tests that need no server
	$(call step,short tests,$(GO) test -short ./...)

vet:
	$(call step,vet,$(GO) vet ./...)

fmt-check:
	$(call step,gofmt,files=$$(gofmt -l api cmd deploy internal test tools) && if [ -n "$$files" ]; then echo "run gofmt -w on:"; echo "$$files"; false; fi)

lint: $(LINT) ## run golangci-lint
	$(call step,lint,$(LINT) run --allow-parallel-runners ./...)

$(LINT):
	@echo "building golangci-lint $(LINT_VERSION) once, about four minutes on two cores, into $(@D)"
	@mkdir -p $(@D)
	@cd tools/lint && $(GO) build -trimpath -ldflags '-s -w' -o $@.tmp github.com/golangci/golangci-lint/v2/cmd/golangci-lint && mv $@.tmp $@

drift: ## check the generated files
	$(call step,generated files,sh tools/templ/drift.sh)

# Built before the tests, which would say nothing for minutes; kept in the user's cache.
programs: ## build the control plane's programs once
	$(call step,the control plane's programs,$(GO) run ./tools/cluster build)

# A real mail server for one test; as root on Debian only.
mailserver: ## install Debian's OpenSMTPD
	$(call step,Debian's OpenSMTPD,sh tools/opensmtpd.sh)

# A real Alertmanager for one test; as root on Debian only.
alertmanager: ## fetch Debian's Alertmanager
	$(call step,Debian's Alertmanager,sh tools/alertmanager.sh)

# A real Prometheus for one test, unpacked into the user's cache; on Debian only.
prometheus: ## fetch Debian's Prometheus and promtool
	$(call step,Debian's Prometheus,sh tools/prometheus.sh)

# Kafka, Cassandra and Memcached for the tests; kept in the user's cache.
services: ## fetch Kafka, Cassandra and Memcached
	$(call step,Kafka$(comma) Cassandra and Memcached,sh tools/services.sh && $(GO) run ./tools/services/ctl fetch)

# go test's own lines carry the times. Packages that start control planes are heavy: two at a
# time. Tests that are left out for want of a server are said and counted at the end.
test-race: ## run every test, with the race detector
	@echo "== tests"; $(GO) build -o bin/testrun ./tools/testrun || exit; left=$$(mktemp); \
		K8GUARD_LEFT_OUT=$$left CGO_ENABLED=1 bin/testrun -passed bin/passed.txt -- $(GO) test -race -p 2 -timeout 30m ./...; code=$$?; \
		[ ! -s $$left ] || { echo "== LEFT OUT: $$(grep -c . $$left) tests"; sort $$left; }; rm -f $$left; exit $$code

# docs/parity.md names tests: each of them passed in the run before. Where a server is missing
# some are left out, and said to be, except in CI.
parity: ## check docs/parity.md and docs/threat-model.md against the last make test-race
	@$(GO) build -o bin/parity ./tools/parity
	$(call step,docs/parity.md,bin/parity -ran bin/passed.txt || [ $$? = 3 ])

# Known weaknesses, versions that are not fixed. The licences are a test.
supply: ## look for known weaknesses of what ships
	$(call step,supply chain,$(GO) run ./tools/supply)

# RELEASE_VERIFY: one (of the platforms is built twice, with nothing in common, and compared), all or none.
release: ## build for linux, darwin and windows into bin/release, with checksums, SBOM, licences and a krew manifest
	$(call step,release,$(GO) run ./tools/release -version $(VERSION) -commit $(COMMIT) -date $(DATE) -tags $(TAGS) -verify $(or $(RELEASE_VERIFY),one) -out bin/release)

generate: ## write the generated files anew
	@mkdir -p bin
	$(call step,templ,$(TEMPL) generate -path internal/report && $(TEMPL) generate -path internal/login && $(TEMPL) generate -path internal/notify/email)
	$(call step,docs/generated/config.md,$(GO) test ./internal/config -run TestReference -update)
	$(call step,docs/generated/metrics.md,$(GO) test ./internal/app -run TestMetrics$$ -update)
	$(call step,dashboards and rules,$(GO) run ./tools/dashboards/cmd)
	$(call step,copies of deploy/*.yaml,$(GO) test ./test/chart -run 'TestFiles|TestCopies' -update)
	@$(MAKE) generate-rules

generate-rules: build ## write docs/generated/rules.md anew
	$(call step,docs/generated/rules.md,bin/k8guard rules docs >bin/rules.md && mv bin/rules.md docs/generated/rules.md)

# The shell outlives Ctrl-C, so that make does not call the demo's own end an error.
demo: build ## show the whole system (ONCE=1: end by itself, KEEP=1: keep its folder)
	@bin/k8guard scan examples/demo --config examples/demo.yaml; code=$$?; [ $$code -le 1 ] || exit $$code
	@$(GO) build -o bin/demo ./tools/demo && trap : INT && bin/demo $(if $(ONCE),-once) $(if $(KEEP),-keep)

# The whole story, compared with examples/demo-expect.yaml.
demo-once:
	$(call step,the demo,$(MAKE) demo ONCE=1)

demo-distributed: build services ## the same over two clusters, as services on Kafka, Cassandra and Memcached (ONCE=1, KEEP=1)
	@$(GO) build -o bin/demo ./tools/demo && trap : INT && bin/demo -distributed $(if $(ONCE),-once) $(if $(KEEP),-keep)

# Where Java or Memcached is missing it is left out, except in CI.
demo-distributed-once: build
	@$(GO) build -o bin/demo ./tools/demo
	$(call step,the demo as services,bin/demo -distributed -once || { code=$$?; [ $$code = 3 ] && [ "$$CI" != true ]; })

storm: ## 10,000 violations of 200 owners at once (about ten minutes)
	$(call step,storm,K8GUARD_STORM=10000 $(GO) test -count 1 -timeout 60m -v -run 'TestFaults/^story$$/^storm$$' ./test/faults)

soak: ## kill K8Guard 200 times over 200 objects and 200 times as services, kill and pause Cassandra, 50,000 writes over a bad net, 10 minutes without Kafka (3 hours; K8GUARD_SEED replays)
	$(call step,soak,K8GUARD_KILLS=200 K8GUARD_HUNDREDS=2 CGO_ENABLED=1 $(GO) test -race -count 1 -timeout 60m -v -run TestKill9Random ./test/e2e)
	$(call step,the services killed and paused,K8GUARD_PORTIONS=8 $(GO) test -count 1 -timeout 90m -v -run TestFaultsOverServices ./test/services)
	$(call step,50$(comma)000 writes over a bad net,K8GUARD_CLAIMS=50000 $(GO) test -count 1 -timeout 60m -v -run 'TestReal/claims' ./internal/ledger/cassandra)
	$(call step,ten minutes without Kafka,K8GUARD_OUTAGE=10m $(GO) test -count 1 -timeout 60m -v -run TestLagAfterAnOutage ./test/services)
	$(call step,Cassandra killed and paused,K8GUARD_ROUNDS=25 $(GO) test -count 1 -timeout 60m -v -run 'TestReal/(a_server|kill)|TestOneOfTwo' ./internal/ledger/cassandra)

watch-faults: ## spoil 1,000 answers of the API server over 2,000 objects (K8GUARD_SEED replays)
	$(call step,watch faults,K8GUARD_FAULTS=1000 K8GUARD_FAULT_OBJECTS=2000 $(GO) test -count 1 -timeout 30m -v -run TestFaultsMissNothing ./internal/discover)

axe: ## check the report's pages with axe-core and by keyboard (wants node, npm and Chromium)
	$(call step,axe-core,npm --prefix tools/axe ci --silent)
	@echo "== pages"; K8GUARD_AXE=1 $(GO) test -count=1 -v ./internal/report -run TestAxe

gate-mutants: ## break each rule of the gate and see its test fail
	$(call step,gate mutants,$(GO) run ./tools/gatemutants)

cluster-up: ## start a control plane of our own
	@$(GO) run ./tools/cluster up

cluster-down: ## stop it
	@$(GO) run ./tools/cluster down

# Exit code 3 says that it does not run, which is an answer; go run would make it an error of its own.
cluster-status: ## say whether it runs
	@$(GO) build -o bin/cluster ./tools/cluster && { bin/cluster status || [ $$? -eq 3 ]; }

# NODES=2: two brokers and two nodes; SECURED=1: TLS and passwords.
services-up: ## start Kafka, Cassandra and Memcached of our own
	@sh tools/services.sh; $(GO) run ./tools/services/ctl up --nodes $(or $(NODES),1) $(if $(SECURED),--secured)

services-down: ## stop them
	@$(GO) run ./tools/services/ctl down

services-status: ## say whether they run, and where
	@$(GO) build -o bin/services ./tools/services/ctl && { bin/services status || [ $$? -eq 3 ]; }

image: build ## build the image IMAGE from bin/k8guard: nothing is pulled (wants buildah, podman or docker)
	$(call step,image,VERSION='$(VERSION)' COMMIT='$(COMMIT)' DATE='$(DATE)' sh tools/image.sh build '$(IMAGE)')

image-test: build ## build the image aside, look into it, run it, and say how large it is (wants buildah)
	$(call step,the image,VERSION='$(VERSION)' COMMIT='$(COMMIT)' DATE='$(DATE)' sh tools/image.sh test)

$(HELM): tools/helm/go.mod
	@echo "building helm $(HELM_VERSION) once, about seven minutes on two cores, into $(@D)"
	@mkdir -p $(@D)
	@cd tools/helm && $(GO) build -trimpath -ldflags '-s -w' -o $@.tmp helm.sh/helm/v4/cmd/helm && mv $@.tmp $@

helm: $(HELM) ## build Helm's own program once, and say where it lies
	@echo $(HELM)

# The end-to-end story in it wants root: a pod is a process in a root folder of its own.
chart-test: $(HELM) ## lint, render, install, upgrade and uninstall the chart with the real helm, and run what it installs
	$(call step,the chart,K8GUARD_HELM=$(HELM) $(GO) test -count 1 -timeout 30m -v ./test/chart)

chart-golden: $(HELM) ## render the chart in every mode into deploy/testdata/chart
	$(call step,the rendered chart,K8GUARD_HELM=$(HELM) $(GO) test -count 1 ./test/chart -run 'TestFiles|TestHelmRenders' -update)

# What is missing is said before helm and the image are built.
minikube-up: ## K8Guard in a Minikube of its own (says what it needs)
	@sh tools/minikube.sh needs
	@$(MAKE) $(HELM) image && sh tools/minikube.sh up '$(IMAGE)' $(HELM)

minikube-down: ## delete that Minikube
	@sh tools/minikube.sh down

minikube-status: ## say whether it runs
	@sh tools/minikube.sh status

bench: ## run the benchmarks
	$(call step,bench,$(GO) test -run '^$$' -bench . -benchmem ./...)

fuzz: ## run each fuzz target for 30 s
	@grep -rl --include='*_test.go' '^func Fuzz' api internal | xargs -n1 dirname | sort -u | while read -r dir; do \
		for name in $$(grep -rh '^func Fuzz' "$$dir"/*_test.go | sed 's/func \([A-Za-z0-9_]*\).*/\1/'); do \
			echo "== $$dir $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime 30s "./$$dir" || exit 1; done; done

clean: ## remove what was built here
	@rm -rf bin
