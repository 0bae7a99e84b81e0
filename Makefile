# Makefile: the commands. Each sets up what it needs; `make help` lists them.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find include src bindings cmake python -type f -not -name '*.pyc') CMakeLists.txt pyproject.toml README.md LICENSE

MINUTES ?= 1
RESULTS ?= build/bench
SVG ?= build/stall
# Python tests run side by side, two for each core, because they wait half of the time. (-n 0: one after the other.)
PYTEST := $(BIN)/python -m pytest -n $(shell expr 2 '*' $$(nproc)) --dist loadfile
# Stacks of 1 MiB, for threads, too: what Windows gives a thread. Linux gives 8 MiB.
SMALL_STACKS := ulimit -S -s 1024 &&
# Python tests that the address sanitizer leaves out: they test text, tools and timing, and run no C++ that other tests
# do not run. With QUICK=1, it also leaves out tests that build extensions, and tests that run programs for a long time.
UNSANITIZED := $(addprefix --ignore=tests/python/test_,bench.py cli.py docs.py doctor.py doctor_checks.py examples.py \
  files.py gil.py header.py latency_command.py loopback.py map.py metronome.py package.py ping_path.py play.py privileges.py \
  record.py require.py round_trips.py tone_command.py \
  $(if $(QUICK),extension.py soak.py))
FREE := build/free-threaded
MODEL := cargo run --quiet --manifest-path tests/model/Cargo.toml --target-dir build/model

.DEFAULT_GOAL := help
.PHONY: help run test test-cpp test-python test-pipewire test-long install-alone everywhere here elsewhere model model-long effects clang rtsan portable windows aarch64 musl sanitize sanitized sanitize-cpp sanitize-python fuzz soak soak-cpp soak-python soak-hostile soak-storm soak-jack soak-duplex free-threaded free-threaded-tests free-threaded-tsan bench bench-cpp bench-python stall jitter sampler looper docs builds wheel wheel-sid lint format stubs clean
.DELETE_ON_ERROR:

help:  ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/installed  ## set up, build, ping the audio thread ten times
	@$(BIN)/cueline ping --count 10

test: test-cpp test-python  ## set up, build, pass all tests

test-cpp: build/setup-test
	cmake --preset dev
	cmake --build --preset dev
	$(SMALL_STACKS) ctest --preset dev --no-tests=error

test-python: .venv/installed build/setup-test
	$(SMALL_STACKS) $(PYTEST)

# .ci/run sets QUICK=1. Here run the steps that leave something out under it, and those that it does not run. Two run at a
# time, because much of what they do uses one core: what is built by this machine's compilers and, into another file,
# what is built for other systems and Pythons. They share no folders but those that the first line makes.
everywhere: export QUICK =
everywhere:  ## all proofs at their full length, before an issue is done, beside .ci/run: about two hours
	$(MAKE) build/setup-test build/setup-clang build/setup-lint build/setup-bench build/setup-stall build/setup-model build/setup-wheel \
	  build/setup-builds build/setup-windows build/setup-aarch64 build/setup-musl build/setup-free-threaded \
	  .venv/installed .venv/docs .venv/portable .venv/wheel
	$(MAKE) -k elsewhere >build/elsewhere.txt 2>&1 & elsewhere=$$!; status=0; \
	$(MAKE) -k here || status=$$?; \
	wait $$elsewhere || status=$$?; cat build/elsewhere.txt; exit $$status
	$(MAKE) bench stall jitter

here: lint soak clang effects rtsan sanitize model
elsewhere: free-threaded aarch64 wheel wheel-sid builds windows musl install-alone

install-alone: build/setup-build  ## `pip install .` alone, in an empty virtual environment, away from here
	rm -rf build/alone && $(PYTHON) -m venv build/alone
	build/alone/bin/pip install --quiet .
	cd build/alone && bin/python $(CURDIR)/examples/first_ping.py && bin/cueline ping --count 3

test-long: build/setup-test  ## five hundred million messages in order: a minute or more
	cmake --preset dev
	cmake --build --preset dev
	build/dev/tests/cpp/cueline_tests --gtest_also_run_disabled_tests --gtest_filter='*hundreds_of_millions*'

test-pipewire: .venv/installed build/setup-pipewire  ## engines on a real PipeWire, with a null sink
	$(BIN)/python -m pytest tests/pipewire

model: build/setup-model  ## proof: the orders of ring, seqlock and parameters, every execution explored by loom, and mutants
	$(MODEL) $(if $(QUICK),-- --quick)

model-long: build/setup-model  ## the same with longer scenarios: for a long pause
	$(MODEL) -- --long

effects: build/setup-clang  ## proof: clang's effect analysis over all that the audio thread runs, and mutants
	cmake --preset clang
	$(if $(QUICK),,cmake --build --preset clang)
	ctest --preset clang --no-tests=error -R '^effects'

clang: build/setup-clang  ## clang builds all that the tests run, nothing precompiled, and the tests pass
	cmake --preset clang
	cmake --build --preset clang
	ctest --preset clang --no-tests=error

rtsan: build/setup-clang  ## proof: the tests and engine runs under RealtimeSanitizer, and mutants
	cmake --preset rtsan
	cmake --build --preset rtsan $(if $(QUICK),--target cueline_realtime_tests)
	ctest --preset rtsan --no-tests=error $(if $(QUICK),-L realtime)

portable: .venv/portable  ## proof: the core compiles for aarch64, with ordered instructions, and for musl, src/system for macOS and Windows, the public headers for Windows, and mutants
	$(BIN)/python tools/portable.py
	$(BIN)/python -m pytest -q tests/portable

# wine needs a folder of its own, a version of Windows that has the calls, and pipes: it opens no window.
windows: export WINEPREFIX = $(CURDIR)/build/wine
windows: export WINEDEBUG = -all
windows: build/setup-windows  ## core, null and offline devices and the C++ tests, built for Windows by mingw-w64, pass under wine
	cmake --preset windows
	cmake --build --preset windows
	wine winecfg -v win10 </dev/null 2>&1 | cat
	true | ctest --preset windows --no-tests=error

aarch64: build/setup-aarch64 .venv/portable .venv/wheel build/setup-wheel  ## the C++ tests, a wheel and its Python tests, cross-compiled for aarch64, pass under qemu
	PYTHONPATH=tools $(BIN)/python -m shipping.crossing
	cmake --preset aarch64
	cmake --build --preset aarch64
	ctest --preset aarch64 --no-tests=error
	$(BIN)/python -m pytest -q tests/portable/test_orders.py
	PYTHONPATH=tools $(BIN)/python -m shipping aarch64

musl: export ZIG_GLOBAL_CACHE_DIR = $(CURDIR)/build/zig
musl: build/setup-musl .venv/portable  ## the C++ tests, built by zig for Linux with musl, pass; the first time, zig builds its C++ library, in minutes
	cmake --preset musl
	cmake --build --preset musl
	ctest --preset musl --no-tests=error

sanitize: sanitize-cpp sanitize-python fuzz  ## proof: address, undefined, leak and thread sanitizers, and fuzzing

SANITIZED := asan tsan $(if $(QUICK),,asan-gcc tsan-gcc)
sanitized: build/setup-clang  # builds what sanitize-cpp runs
	for preset in $(SANITIZED); do \
	  cmake --preset $$preset && \
	  cmake --build --preset $$preset $(if $(QUICK),--target cueline_tests cueline_device_tests cueline_soak) || exit 1; \
	done

sanitize-cpp: sanitized
	status=0; \
	for preset in $(SANITIZED); do ctest --preset $$preset --no-tests=error $(if $(QUICK),-E '^example|_NOT_BUILT') || status=$$?; done; \
	exit $$status

# Python itself leaks at exit, on purpose: leaks are looked for in C++.
sanitize-python: build/asan-python/installed build/setup-test
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 \
	  PYTHONPATH=build/asan-python/site $(PYTEST) tests/python tests/sanitizers $(UNSANITIZED)

fuzz: build/setup-clang  ## proof: libFuzzer where bytes become messages, and mutants
	cmake --preset fuzz $(if $(QUICK),-DFUZZ_SECONDS=8 -DFUZZ_MUTANTS=OFF,-DFUZZ_SECONDS=20 -DFUZZ_MUTANTS=ON)
	cmake --build --preset fuzz
	ctest --preset fuzz --no-tests=error

soak: soak-cpp soak-python soak-hostile soak-storm soak-jack  ## proof: engines under random load, all messages accounted for (MINUTES=1 for each language); hostile calls, lives, a dying server

soak-cpp: build/setup-test
	cmake --preset dev
	cmake --build --preset dev
	ctest --preset dev --no-tests=error -R '^soak'
	build/dev/tests/soak/cueline_soak --minutes $(MINUTES)

soak-python: .venv/installed
	$(BIN)/python -m pytest -q tests/python/test_soak.py
	$(BIN)/python tests/soak/soak.py --minutes $(MINUTES)

soak-hostile: .venv/installed  # at least 200,000 calls
	$(BIN)/python tests/soak/hostile.py

soak-storm: .venv/installed
	$(BIN)/python tests/soak/storm.py

soak-jack: .venv/installed
	$(BIN)/python tests/soak/jack_soak.py --rounds 100

soak-duplex: MINUTES = 10
soak-duplex: .venv/installed  ## proof: streams play and record while Python stalls, and no frame is unaccounted for: half an hour (MINUTES=10 for each stall)
	$(BIN)/python tests/soak/duplex.py --minutes $(MINUTES)

# Builds CPythons from source, once, in a quarter of an hour. After that: a quarter of an hour.
free-threaded: free-threaded-tests free-threaded-tsan  ## proof: in a CPython without a GIL, all Python tests, then eight threads for minutes, also under the thread sanitizer

free-threaded-tests: $(FREE)/installed build/setup-test
	PATH=$(CURDIR)/$(FREE)/venv/bin:$$PATH $(FREE)/venv/bin/python -m pytest -n auto --dist loadfile tests/python
	HAMMER=$(if $(QUICK),2,30) $(FREE)/venv/bin/python -m pytest -q tests/python/test_hammer.py
	$(FREE)/venv/bin/python tests/soak/hostile.py --threads 8 $(if $(QUICK),--calls 4000)
	$(FREE)/venv/bin/python -m pytest -q tests/free_threaded

# CPython's own suppressions, and none of ours.
UNDER_TSAN := TSAN_OPTIONS="suppressions=$(CURDIR)/$(FREE)/source/Tools/tsan/suppressions_free_threading.txt exitcode=66 halt_on_error=1"
free-threaded-tsan: $(FREE)/tsan-installed
	$(UNDER_TSAN) HAMMER=$(if $(QUICK),1,5) $(FREE)/tsan-venv/bin/python -m pytest -q tests/python/test_hammer.py
	$(UNDER_TSAN) CC=clang-22 CXX=clang++-22 $(FREE)/tsan-venv/bin/python -m pytest -q tests/free_threaded

bench: bench-cpp bench-python  ## the ring, the engine and the Python calls beside others: tables and charts (QUICK=1: in short)

bench-cpp: .venv/ready build/setup-bench
	mkdir -p $(RESULTS)
	for built in release:g++ $(if $(QUICK),,release-clang:clang++-22); do \
	  preset=$${built%%:*}; compiler=$${built##*:}; \
	  cmake --preset $$preset && cmake --build --preset $$preset && \
	  build/$$preset/benchmarks/cueline_frame_bench $(if $(QUICK),--seconds 0.05) && \
	  build/$$preset/benchmarks/cueline_ring_bench $(if $(QUICK),--seconds 6 --paced-seconds 6) >$(RESULTS)/rings-$$preset.json && \
	  build/$$preset/benchmarks/cueline_benchmarks $(if $(QUICK),--benchmark_min_time=0.01) \
	    --benchmark_context=compiler="$$compiler $$($$compiler -dumpversion)" \
	    --benchmark_out=$(RESULTS)/costs-$$preset.json >/dev/null || exit 1; \
	done
	$(BIN)/python benchmarks/report.py $(RESULTS)/rings-*.json $(RESULTS)/costs-*.json --json $(RESULTS)/all.json --svg $(RESULTS)

bench-python: .venv/installed .venv/peers
	$(BIN)/cueline bench $(if $(QUICK),--quick) --svg $(RESULTS)
	$(BIN)/python benchmarks/waiting.py $(if $(QUICK),--count 200)

stall: .venv/installed .venv/stall build/setup-stall  ## the sound and recordings while Python stalls, beside sounddevice and rtmixer, in six minutes
	cmake --preset stall
	cmake --build --preset stall
	PYTHONPATH=benchmarks $(BIN)/python -m stall $(if $(QUICK),--rounds 1 --seconds 1) --json build/stall/stall.json --svg $(SVG)

jitter: .venv/installed .venv/stall build/setup-stall  ## MIDI notes while Python collects garbage, beside python-rtmidi, in two minutes
	cmake --preset stall
	cmake --build --preset stall
	PYTHONPATH=benchmarks $(BIN)/python -m midi_jitter $(if $(QUICK),--rounds 1 --seconds 1 --loads garbage) \
	  --json build/stall/midi-jitter.json --svg $(SVG) $(if $(PAGE),--page $(PAGE))

sampler looper: build/setup-test build/examples/wheelhouse  ## a worked example, built, tested and played outside the repository, with only the wheel installed
	sh tools/example.sh $@ $(PYTHON) build/examples/wheelhouse

docs: .venv/docs build/setup-docs  ## the site, into build/docs: whatever leads nowhere fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python -m pytest tests/docs

builds: .venv/installed .venv/wheel build/setup-test build/setup-clang build/setup-wheel $(if $(QUICK),,build/setup-builds)  ## cueline as people build it: by CMake, pkg-config and pip, with each compiler that Debian has
	$(PYTEST) tests/builds

wheel: .venv/wheel build/setup-wheel build/setup-test build/setup-clang  ## the sdist, and a wheel for each CPython here, into dist/, tested where there is no compiler; then what authors do with it
	$(BIN)/python -m pytest -q tests/wheel
	PYTHONPATH=tools $(BIN)/python -m shipping
	$(BIN)/python -m pytest -q tests/authors && sh tools/example.sh sampler $(PYTHON) dist $(if $(QUICK),,&& sh tools/example.sh looper $(PYTHON) dist) || { rm -rf dist; exit 1; }

wheel-sid: .venv/wheel build/setup-wheel  ## a wheel by the newest Python and compiler that Debian has, tested there as `make wheel` does
	PYTHONPATH=tools $(BIN)/python -m shipping sid

lint: .venv/installed build/setup-lint build/setup-test build/setup-clang build/setup-bench build/setup-stall .venv/docs  ## formats, clang-tidy, ruff, mypy: nothing to complain of
	cmake --preset clang
	cmake --preset clang -B build/module -DSKBUILD=2 -DPython_EXECUTABLE=$(abspath $(BIN))/python -Dnanobind_DIR=$$($(BIN)/python -m nanobind --cmake_dir) \
	  -DCUELINE_UNITY_BUILD=$(if $(QUICK),ON,OFF)
	cmake --preset release
	cmake --preset fuzz
	cmake --preset stall
	clang-format-22 --dry-run -Werror $$(git ls-files '*.cpp' '*.hpp')
	$(BIN)/python tools/tidy.py
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy examples
	$(BIN)/mypy benchmarks
	$(BIN)/mypy tools

format: .venv/ready build/setup-lint  ## format everything
	clang-format-22 -i $$(git ls-files '*.cpp' '*.hpp')
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

stubs: .venv/installed  ## write the stub of the compiled module anew
	$(BIN)/python -m nanobind.stubgen --include-private -p bindings/stub_patterns.txt -m cueline._core -o python/cueline/_core.pyi

clean:  ## remove what was built, the virtual environment too
	rm -rf build dist .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis

# --- Set-up: each stamp stands for something done -----------------------------------------------------------------

build/setup-%: tools/setup.sh
	@sh tools/setup.sh $*
	@mkdir -p build && touch $@

.venv/ready: pyproject.toml | build/setup-build
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

.venv/installed: .venv/ready $(SOURCES)
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -Cbuild-dir=build/python \
	  -Ccmake.define.CUELINE_WARNINGS_AS_ERRORS=ON .
	@touch $@

$(FREE)/python/bin/python3 $(FREE)/tsan/bin/python3: $(FREE)/%/bin/python3: | build/setup-free-threaded
	sh tools/free_threaded.sh $*

$(FREE)/venv/ready: pyproject.toml | $(FREE)/python/bin/python3
	rm -rf $(@D)
	$(FREE)/python/bin/python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(@D)/bin/python -m pip install --quiet --group dev
	@touch $@

# The other interpreter's pip installs for this one: under the sanitizer, pip takes a quarter of an hour.
$(FREE)/tsan-venv/ready: $(FREE)/venv/ready | $(FREE)/tsan/bin/python3
	rm -rf $(@D)
	$(FREE)/tsan/bin/python3 -m venv --without-pip $(@D)
	$(FREE)/venv/bin/python -m pip install --quiet --group dev pip --target \
	  "$$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	@touch $@

$(FREE)/installed: $(FREE)/venv/ready $(SOURCES)
	$(FREE)/venv/bin/python -m pip install --quiet --no-build-isolation --no-deps -Cbuild-dir=$(FREE)/module \
	  -Ccmake.define.CUELINE_WARNINGS_AS_ERRORS=ON .
	@touch $@

$(FREE)/tsan-installed: $(FREE)/tsan-venv/ready $(SOURCES)
	CC=clang-22 CXX=clang++-22 $(FREE)/tsan-venv/bin/python -m pip install --quiet --no-build-isolation --no-deps \
	  -Cbuild-dir=$(FREE)/tsan-module -Ccmake.define.CMAKE_CXX_FLAGS="-fsanitize=thread -fno-omit-frame-pointer" \
	  -Ccmake.define.CMAKE_CXX_FLAGS_RELEASE="-O1 -g1" .
	@touch $@

# What cueline is measured beside. ringbuf is built here, against Boost.
.venv/peers: pyproject.toml | .venv/installed build/setup-bench
	$(BIN)/python -m pip install --quiet 'cueline[bench]' ringbuf
	@touch $@

# What the stall is watched beside. PortAudio is Debian's.
.venv/stall: pyproject.toml | .venv/ready build/setup-stall
	$(BIN)/python -m pip install --quiet --group stall
	@touch $@

build/examples/wheelhouse: $(SOURCES) | build/setup-build
	rm -rf $@
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir $@ .

.venv/portable: pyproject.toml | .venv/ready
	$(BIN)/python -m pip install --quiet --group portable
	@touch $@

.venv/docs: pyproject.toml | .venv/ready
	$(BIN)/python -m pip install --quiet --group docs
	@touch $@

.venv/wheel: pyproject.toml | .venv/ready
	$(BIN)/python -m pip install --quiet --group wheel
	@touch $@

build/asan-python/installed: .venv/ready $(SOURCES)
	rm -rf build/asan-python/site
	$(BIN)/python -m pip install --quiet --target build/asan-python/site --no-build-isolation --no-deps \
	  -Cbuild-dir=build/asan-python/cmake \
	  -Ccmake.define.CMAKE_CXX_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" \
	  -Ccmake.define.CMAKE_CXX_FLAGS_RELEASE="-Og -g1" .
	@touch $@
