# What one does with this repository. `make` alone lists it.

FUZZTIME ?= 10m
SAM ?= $(shell command -v sam || echo .cache/python/bin/sam)

# Small binaries: no symbols, no paths of this machine, and none of the pre-2020 RPC code of aws-lambda-go.
FUNCTION_BUILD = CGO_ENABLED=0 GOFLAGS='-trimpath -tags=lambda.norpc "-ldflags=-s -w"'

.PHONY: help run quick test race prove bench build deploy package release

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start Postino in one process, with a demo that prints verified callbacks
	CGO_ENABLED=0 go run ./cmd/postino demo

quick: ## the tests that need nothing but Go, with fewer random cases, in about a minute
	go vet ./... ./verify/... ./sdk/go/...
	go test -short $$(go list ./... ./verify/... ./sdk/go/... | grep -v /infra/)

test: ## install what the tests need into .cache and run all of them, none skipped
	infra/tools/test

race: ## the race detector over stages, local storage, queues and the server, in some minutes
	go test -race -short -timeout 30m ./shared/lifecycle/... ./shared/stage/... ./shared/queue/... ./shared/store/... ./shared/platform/local/... ./cmd/postino/...

prove: ## the long proofs: hundreds of kills, soak, 100,000 seeds, and FUZZTIME (10m) for each fuzz target
	POSTINO_PROVE=1 infra/tools/test -timeout 60m
	$(MAKE) race
	go run ./infra/bench -scenario soak -duration 10m -judge
	go run ./infra/bench -scenario people
	infra/tools/fuzz $(FUZZTIME)

bench: ## measure deliveries per second and latency, beside the floor of this machine
	go run ./infra/bench

build: $(SAM) ## build the five Lambda functions into .aws-sam
	SAM_CLI_TELEMETRY=0 $(FUNCTION_BUILD) $(SAM) build

deploy: build ## deploy to the AWS account of your credentials, and check it; DEPLOY="-profile trial Parameter=Value"
	SAM=$(SAM) infra/tools/deploy $(DEPLOY)

package: ## make the functions' zips and the template that finds them in BUCKET, into dist
	go run ./infra/tools/release -only functions -bucket '$(BUCKET)'

release: ## make all that is installed into dist: programs, image, functions, checksums
	go run ./infra/tools/release

.cache/python/bin/sam:
	infra/tools/install python
