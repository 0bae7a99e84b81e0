// python_mutant.cpp: a mutant that takes the GIL. The check for symbols of Python must find it. It is compiled and
// never run.
extern "C" int PyGILState_Ensure();

namespace cueline::test {

// NOLINTNEXTLINE(misc-use-internal-linkage): nothing calls it, but it must be compiled
int take_the_gil() {
    return PyGILState_Ensure();
}

}  // namespace cueline::test
