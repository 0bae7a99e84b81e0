# test_program.cmake: how the test programs are built. Compiling them is most of what a first `make test` takes.

# Makes of `target` one of tests, which links the engine and `libraries...`.
function(cueline_test_target target)
  target_link_libraries(${target} PRIVATE cueline_engine ${ARGN} cueline_warnings GTest::gtest)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -g1 -O0)
endfunction()

# What most tests include, precompiled once. This is a target of its own, so that one test program can be built alone.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "")
add_library(cueline_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
cueline_test_target(cueline_precompiled)
target_precompile_headers(cueline_precompiled PRIVATE
  <gtest/gtest.h> <algorithm> <array> <atomic> <chrono> <cmath> <functional> <memory> <random> <span> <string> <thread>
  <vector> <cueline/line.hpp> <cueline/device.hpp> <cueline/error.hpp> <cueline/processor.hpp>)

# Links `target`, which is made of tests, with the engine, GoogleTest and `libraries...`.
#
# The engine is optimised as the preset says. The tests are not optimised. Their debug information has lines but no
# variables.
function(cueline_test_program target)
  cueline_test_target(${target} ${ARGN})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    target_link_libraries(${target} PRIVATE GTest::gtest_main)
  endif()
  target_precompile_headers(${target} REUSE_FROM cueline_precompiled)
endfunction()
