# install.cmake: installs the headers, the engine's static library, and the files for find_package(cueline) and
# pkg-config.
# A wheel has all of it inside the package's folder, laid out as under a prefix.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

if(SKBUILD AND PROJECT_IS_TOP_LEVEL)
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

# pkg-config finds files under a prefix, and not in a wheel.
if(NOT SKBUILD)
  file(RELATIVE_PATH to_prefix /${lib}/pkgconfig /)  # so that the prefix may move
  configure_file(${CMAKE_CURRENT_LIST_DIR}/cueline.pc.in ${PROJECT_BINARY_DIR}/cueline.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/cueline.pc DESTINATION ${lib}/pkgconfig)
  if(CUELINE_BUILD_ENGINE)
    configure_file(${CMAKE_CURRENT_LIST_DIR}/cueline-engine.pc.in ${PROJECT_BINARY_DIR}/cueline-engine.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/cueline-engine.pc DESTINATION ${lib}/pkgconfig)
  endif()
endif()
