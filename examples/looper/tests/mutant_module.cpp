// mutant_module.cpp: a processor of which one line was changed, for Python. The test names the module.
#include <Python.h>

#include <memory>

#include <cueline/python.hpp>

#include "looper_processor.hpp"

static PyObject* processor(PyObject*, PyObject*) {
    return cueline::processor_capsule(std::make_shared<looper::LooperProcessor>(), "looper");
}

static PyMethodDef functions[] = {{"processor", processor, METH_NOARGS, nullptr}, {}};
static PyModuleDef definition{
    PyModuleDef_HEAD_INIT, "mutant", nullptr, 0, functions, nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC MUTANT_INIT() {
    PyObject* const module = PyModule_Create(&definition);
#ifdef Py_GIL_DISABLED
    if (module != nullptr) PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    return module;
}
