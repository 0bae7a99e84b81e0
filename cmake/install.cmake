# install.cmake: installs the headers, the engine's static library, and the files for find_package(cueline).
# A wheel has all of it inside the package's folder, laid out as under a prefix.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

if(SKBUILD)
  set(lib cueline/lib)
else()
  set(lib ${CMAKE_INSTALL_LIBDIR})
endif()
set(include ${CUELINE_INSTALL_INCLUDEDIR})
set(package ${lib}/cmake/cueline)

install(TARGETS cueline EXPORT cueline)
install(DIRECTORY include/cueline bindings/include/cueline DESTINATION ${include} FILES_MATCHING PATTERN "*.hpp")
if(CUELINE_BUILD_ENGINE)
  install(TARGETS cueline_engine EXPORT cueline ARCHIVE DESTINATION ${lib})
endif()
install(EXPORT cueline FILE cueline-targets.cmake NAMESPACE cueline:: DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/cueline-config.cmake.in ${PROJECT_BINARY_DIR}/cueline-config.cmake
                              INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cueline-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cueline-config.cmake ${PROJECT_BINARY_DIR}/cueline-config-version.cmake
        DESTINATION ${package})
