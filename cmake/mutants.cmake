# Tests of the tests: a command that is given a mutant has to fail, and to say why.

# Passes when `command...` fails with an exit status and prints what `sentence` matches.
function(add_mutant_test name sentence)
  add_test(NAME ${name} COMMAND sh ${PROJECT_SOURCE_DIR}/cmake/must_fail.sh ${ARGN} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES PASS_REGULAR_EXPRESSION "${sentence}" FAIL_REGULAR_EXPRESSION "SURVIVED")
endfunction()

# Writes `file` of this project into `folder`, with `after` where `before` stands in it.
function(write_broken folder file before after)
  file(READ ${PROJECT_SOURCE_DIR}/${file} sound)
  string(REPLACE "${before}" "${after}" text "${sound}")
  if(text STREQUAL sound)
    message(FATAL_ERROR "${file} has no '${before}' any more: mend the mutant in ${folder}")
  endif()
  file(CONFIGURE OUTPUT ${folder}/${file} CONTENT "${text}" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
endfunction()
