# SPDX-License-Identifier: GPL-2.0
# Tests of bench/ that need no guest; included by CMakeLists.txt.

find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)

add_executable(bench_calc bench_calc.c)
target_include_directories(bench_calc PRIVATE ../bench/uapi ../bench/module)
target_link_libraries(bench_calc PRIVATE PkgConfig::CMOCKA m)
add_test(NAME bench_calc COMMAND bench_calc)

add_executable(bench_shim bench_shim.c)
target_link_libraries(bench_shim PRIVATE sheafbench-shim PkgConfig::CMOCKA PkgConfig::JANSSON)
set_target_properties(bench_shim PROPERTIES LINKER_LANGUAGE CXX)
add_test(NAME bench_shim COMMAND bench_shim)

# The test replaces the module's ioctl.
add_executable(bench_counters bench_counters.c ../bench/driver/run_counters.c ../bench/driver/lists.c)
target_include_directories(bench_counters PRIVATE ../bench/driver ../bench/uapi)
target_compile_definitions(bench_counters PRIVATE EVENTS="${CMAKE_SOURCE_DIR}/harness/counters/events")
target_link_options(bench_counters PRIVATE -Wl,--wrap=ioctl)
target_link_libraries(bench_counters PRIVATE sheafbench-counters sheafbench-shim PkgConfig::CMOCKA PkgConfig::JANSSON)
set_target_properties(bench_counters PROPERTIES LINKER_LANGUAGE CXX)
add_test(NAME bench_counters COMMAND bench_counters)

add_test(NAME bench_driver COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bench_driver.sh $<TARGET_FILE_DIR:sheafbench-driver>)
set_tests_properties(bench_calc bench_shim bench_counters bench_driver PROPERTIES TIMEOUT 120)
