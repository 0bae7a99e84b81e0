// python_mutant.cpp: a function that takes the GIL, for the check that there is none. It is compiled and never run.
extern "C" int PyGILState_Ensure();

namespace cueline::test {

// NOLINTNEXTLINE(misc-use-internal-linkage): nobody calls it, and it has to be compiled all the same
int take_the_gil() {
    return PyGILState_Ensure();
}

}  // namespace cueline::test
