# Every target is one line that calls a script; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check report bitstream bench formal clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: ## make .venv with everything (demo, test and check do it by themselves)
	@PYTHON="$(PYTHON)" scripts/setup

demo: ## digits: learn bits, compile, prove, synthesise, bitstream, report
	@scripts/demo

test: ## run all tests
	@scripts/test

check: ## style, types, import rules, RTL lint
	@scripts/check

report: ## make the demo's report again
	@.venv/bin/bitfold report build/digits

bitstream: ## for a board: BOARD=pynq-z1 DESIGN=build/digits/design, or BACKEND=finn BOARD=Pynq-Z1 MODEL=model.onnx FINN=clone [BITSERIAL=smaller]
	@scripts/bitstream "$(BACKEND)" "$(BOARD)" "$(DESIGN)" "$(MODEL)" "$(FINN)" "$(BITSERIAL)"

bench: ## LUTs per lane of popcounts and products, with and without the weight memory (steps: scripts/bench_train)
	@scripts/bench_popcount

formal: ## prove the handshakes of the RTL for any number of cycles
	@scripts/formal

clean: ## remove everything that was built; .venv stays
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
