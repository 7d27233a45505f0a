.PHONY: demo cluster run build test check openapi eval scenarios bench soak clean

demo: ## the main job, live: a simulated shop breaks and is explained
	scripts/demo $(if $(SCENARIO),--scenario $(SCENARIO))

cluster: ## the main job on two replicas of each service over PostgreSQL and Redis, while parts are killed
	scripts/cluster $(if $(ONCE),--once) $(if $(SCENARIO),--scenario $(SCENARIO))

run: ## the server with its data in ./data
	scripts/frontend
	cargo build --locked --workspace --bins
	target/debug/sre-copilot serve

build: ## target/release/sre-copilot with the dashboard inside
	scripts/build

test: ## everything that proves the product
	scripts/test

check: ## format, lints, types, dependencies and licences
	scripts/check

openapi: ## renews openapi.json from the code, and the dashboard's types from it
	cargo build --locked --quiet --workspace --bins
	target/debug/sre-copilot openapi > target/openapi.json
	mv target/openapi.json openapi.json
	scripts/frontend install
	cd frontend && npm run --silent generate

eval: ## root-cause figures on labelled cases; CASES=DIR for other cases
	scripts/eval $(CASES)

scenarios: ## every story of the demo, end to end, about six minutes
	scripts/scenarios

bench: ## speed and size on this machine, into bench/results; QUICK=1 for a short form, WHAT="ingest …" for a part
	scripts/bench $(if $(QUICK),--quick) $(WHAT)

soak: ## breaks the product for MINUTES (5) while it works; PROMISE=G1 … or all; PREVIOUS=binary for G18; logs into bench/results
	scripts/soak $(or $(PROMISE),all) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(PREVIOUS),--previous $(PREVIOUS))

clean: ## what was built, not what was stored
	rm -rf target frontend/node_modules
	find frontend/dist -mindepth 1 ! -name .gitkeep -delete
