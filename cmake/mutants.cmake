# mutants.cmake: tests of the tests. A command that checks a mutant must fail, and must print why.

# Adds a test that passes if `command...` fails and prints a match of `sentence`.
function(add_mutant_test name sentence)
  add_test(NAME ${name} COMMAND sh ${PROJECT_SOURCE_DIR}/cmake/must_fail.sh ${ARGN} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES PASS_REGULAR_EXPRESSION "${sentence}" FAIL_REGULAR_EXPRESSION "SURVIVED")
endfunction()

# Writes a copy of this project's `file` into `folder`, with `before` replaced by `after`.
function(write_broken folder file before after)
  file(READ ${PROJECT_SOURCE_DIR}/${file} sound)
  string(REPLACE "${before}" "${after}" text "${sound}")
  if(text STREQUAL sound)
    message(FATAL_ERROR "${file} has no '${before}' any more: mend the mutant in ${folder}")
  endif()
  file(CONFIGURE OUTPUT ${folder}/${file} CONTENT "${text}" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
endfunction()

# Adds a program of `parts...` in which, in this project's `file`, `before` stands as `after`. If `file` is a source, it is
# one more part. If it is a header, the sources among the parts are compiled with it.
function(add_mutant_program target file before after)
  set(broken ${CMAKE_CURRENT_BINARY_DIR}/broken/${target})
  write_broken(${broken} ${file} "${before}" "${after}")
  add_executable(${target} ${ARGN})
  if(file MATCHES "[.]cpp$")
    target_sources(${target} PRIVATE ${broken}/${file})
    target_compile_options(${target} PRIVATE -O0 -g0)  # what a sound header says inline is the same in all parts
  endif()
  target_include_directories(${target} BEFORE PRIVATE ${broken}/include ${broken}/src)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

# Adds an object library of a worked example's processor, with `before` replaced by `after`.
function(add_broken_example target example before after)
  set(file examples/${example}/src/${example}_processor.cpp)
  set(broken ${CMAKE_CURRENT_BINARY_DIR}/broken/${target})
  write_broken(${broken} ${file} "${before}" "${after}")
  add_library(${target} OBJECT ${broken}/${file})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/examples/${example}/src)
  target_link_libraries(${target} PUBLIC cueline PRIVATE cueline_warnings)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()
