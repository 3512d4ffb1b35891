# Everything that is built is built from here. `make help` lists the targets.

GO      ?= go
BIN     := bin/ordeal
RUNS    ?= runs
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZ    ?= 50000x
SPEED   ?= # more flags for make bench-peers, such as -rounds 1 -for 2s; see there
BENCH   ?= .
COUNT   ?= 6
KUBE    := $(shell sed -n 's|^	k8s.io/kubernetes ||p' deploy/localkube/go.mod)
LINT    := $(GO) tool -modfile=.ci/tools/lint/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help build localkube test accuracy bench bench-kube bench-micro bench-negative bench-peers lint fmt fuzz generate peers picture clean cross

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/ordeal
	$(GO) build -trimpath -ldflags '-X ordeal/runner.version=$(VERSION)' -o $(BIN) ./cmd/ordeal

# One package at a time: tests run real loads, and what runs beside them is in
# what they measure. The race detector is left out where it would build a whole
# control plane anew.
test: localkube ## run every test; the first time it builds localkube, too
	$(GO) test -race -p 1 -timeout 20m ./...
	GOFLAGS=-trimpath $(GO) -C deploy/localkube test -ldflags "-s -w" -timeout 20m ./...

# Writes docs/accuracy.md.
accuracy: build peers ## hold Ordeal's figures against a known truth: 20 minutes
	$(GO) build -o bin/accuracy ./cmd/accuracy
	./bin/accuracy -ordeal $(BIN) -doc docs/accuracy.md

bench: build ## run the scenarios tagged ci; exits with the worst verdict
	./$(BIN) run --tag ci --out $(RUNS)

bench-kube: build localkube ## run the scenarios on Kubernetes: under ten minutes
	./$(BIN) run --tag kubernetes --out $(RUNS)

bench-negative: build localkube ## run what is broken on purpose, each of which must fail: 6 minutes
	@wrong=0; for s in scenarios/negative/*.yaml; do \
	  ./$(BIN) run $$s --out $(RUNS); code=$$?; \
	  test $$code = 130 && exit 130; \
	  test $$code = 1 || { echo "$$s: exit code $$code, want 1, a failed expectation" >&2; wrong=1; }; \
	done; exit $$wrong

# Writes bin/bench/<version>.txt. COUNT is how many times each is run, BENCH a
# regular expression of those to run.
bench-micro: ## run the Go benchmarks COUNT times (6), for benchstat
	@mkdir -p bin/bench
	@bash -o pipefail -c "$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 3h \
	  $$(grep -rl '^func Benchmark' --include='*_test.go' . | xargs -n1 dirname | sort -u | tr '\n' ' ') | tee bin/bench/$(VERSION).txt"

lint: ## formatting, golangci-lint, and a build for each supported system
	@test -z "$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go'))" || { gofmt -l $$(git ls-files -co --exclude-standard '*.go'); echo "run: make fmt"; exit 1; }
	$(LINT) run ./...
	cd deploy/localkube && GOFLAGS=-trimpath $(GO) tool -modfile=../../.ci/tools/lint/go.mod golangci-lint run -c ../../.golangci.yml ./...
	$(MAKE) --no-print-directory cross

cross: ## compile for linux and darwin
	GOOS=linux GOARCH=amd64 $(GO) build -o /dev/null ./cmd/ordeal
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/ordeal

generate: ## make generated code and docs anew, with pinned tools
	$(GO) -C .ci/tools/proto run .
	$(GO) test ./scenarios -run TestReference -update
	$(GO) test ./cmd/ordeal -run README -update
	$(GO) test ./runner/telemetry -run Documented -update

# The first build compiles Kubernetes. Whether this is it, the build cache knows.
localkube: ## build bin/localkube, a control plane: minutes the first time
	@stale=$$($(GO) -C deploy/localkube list -trimpath -deps -f '{{if .Stale}}x{{end}}' . | grep -c x); \
	  [ "$$stale" -lt 100 ] || echo "building a Kubernetes control plane: this takes minutes, with $$stale packages that are not in the build cache"
	$(GO) -C deploy/localkube build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$(KUBE)" -o ../../bin/localkube .

fuzz: ## run every fuzz test, FUZZ inputs each (default 50000x)
	@set -e; for file in $$(grep -rl '^func Fuzz' --include='*_test.go' .); do \
	  for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
	    echo "$$name in $$(dirname $$file)"; \
	    $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZ) $$(dirname $$file); \
	  done; \
	done

fmt: ## format the code
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

# Writes docs/peers.md and the ratios in README.md. With flags in SPEED it is
# another measurement than the documented one: bin/peers.md then, and no README,
# unless the flags (-doc, -readme) say otherwise.
bench-peers: build peers ## compare speed with peers: about 20 quiet minutes
	$(GO) build -o bin/bench-peers ./cmd/peers
	./bin/bench-peers speed -profile -ordeal $(BIN) $(if $(strip $(SPEED)),-doc bin/peers.md,-doc docs/peers.md -readme README.md) $(SPEED)

# Builds into bin/peers.
peers: ## build what Ordeal is compared with (k6 takes minutes)
	nice $(GO) run ./cmd/peers build

picture: ## make the pictures in docs anew (needs Chromium)
	docs/picture.sh

clean: ## take away what was built
	rm -rf bin
