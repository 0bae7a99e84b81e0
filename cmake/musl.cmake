# musl.cmake: zig, of PyPI's ziglang, builds programs for Linux with musl. They are static, and run on any Linux.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER ${CMAKE_CURRENT_LIST_DIR}/../.venv/bin/python-zig cc)
set(CMAKE_CXX_COMPILER ${CMAKE_CURRENT_LIST_DIR}/../.venv/bin/python-zig c++)
set(CMAKE_C_FLAGS_INIT "-target x86_64-linux-musl")
set(CMAKE_CXX_FLAGS_INIT "-target x86_64-linux-musl")
set(CMAKE_EXE_LINKER_FLAGS_INIT -fsanitize=undefined)  # zig lets tests, which are not optimised, call that runtime
