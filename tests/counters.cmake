# SPDX-License-Identifier: GPL-2.0
# Tests of harness/counters and of what becomes of its numbers; included by CMakeLists.txt here.

add_executable(counters counters.c)
target_link_libraries(counters PRIVATE sheafbench-counters PkgConfig::CMOCKA)
target_compile_definitions(counters PRIVATE EVENTS="${CMAKE_SOURCE_DIR}/harness/counters/events")

# The module's ioctl is the test's own.
add_executable(counting counting.c ../bench/driver/counting.c)
target_include_directories(counting PRIVATE ../bench/driver ../bench/uapi)
target_compile_definitions(counting PRIVATE EVENTS="${CMAKE_SOURCE_DIR}/harness/counters/events")
target_link_options(counting PRIVATE -Wl,--wrap=ioctl)
target_link_libraries(counting PRIVATE sheafbench-counters sheafbench-shim PkgConfig::CMOCKA PkgConfig::JANSSON)
set_target_properties(counting PROPERTIES LINKER_LANGUAGE CXX)

foreach(test counters counting)
	add_test(NAME ${test} COMMAND ${test})
	set_tests_properties(${test} PROPERTIES TIMEOUT 120)
endforeach()

add_test(NAME events COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/events.sh ${CMAKE_BINARY_DIR})
set_tests_properties(events PROPERTIES TIMEOUT 120)
