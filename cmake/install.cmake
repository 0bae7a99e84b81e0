# install.cmake: the headers, and what find_package(cueline) reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

install(TARGETS cueline EXPORT cueline)
install(DIRECTORY include/cueline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT cueline FILE cueline-config.cmake NAMESPACE cueline:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cueline)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cueline-config-version.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/cueline-config-version.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cueline)
