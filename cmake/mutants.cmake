# Tests of the tests: a command that is given a mutant has to fail, and to say why.

# Passes when `command...` fails with an exit status and prints what `sentence` matches.
function(add_mutant_test name sentence)
  add_test(NAME ${name} COMMAND sh ${PROJECT_SOURCE_DIR}/cmake/must_fail.sh ${ARGN} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES PASS_REGULAR_EXPRESSION "${sentence}" FAIL_REGULAR_EXPRESSION "SURVIVED")
endfunction()
