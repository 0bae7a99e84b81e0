# test_program.cmake: how the test programs are built. Compiling them is most of what a first `make test` takes.

# Links `target`, which is made of tests, with the engine, GoogleTest and `libraries...`.
#
# The engine is optimised as users have it. The tests are optimised less, and their debug information has lines but no
# variables. A sanitizer's preset keeps its own optimisation. The target precompiles what most tests include.
function(cueline_test_program target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    set(googletest GTest::gtest_main)
  else()
    set(googletest GTest::gtest)
  endif()
  target_link_libraries(${target} PRIVATE cueline_engine ${ARGN} cueline_warnings ${googletest})
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -g1)
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_compile_options(${target} PRIVATE -O1)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # at this level, GCC 12 warns falsely where strings are added up
      target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
    endif()
  endif()
  get_property(precompiled GLOBAL PROPERTY cueline_precompiled)
  if(precompiled)
    target_precompile_headers(${target} REUSE_FROM ${precompiled})
  else()
    set_property(GLOBAL PROPERTY cueline_precompiled ${target})
    target_precompile_headers(${target} PRIVATE
      <gtest/gtest.h> <algorithm> <array> <atomic> <chrono> <cmath> <functional> <memory> <random> <span> <string> <thread>
      <vector> <cueline/line.hpp> <cueline/device.hpp> <cueline/error.hpp> <cueline/processor.hpp>)
  endif()
endfunction()
