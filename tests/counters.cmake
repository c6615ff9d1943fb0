# SPDX-License-Identifier: GPL-2.0
# Tests of harness/counters and of what is made of its numbers; included by CMakeLists.txt.

add_executable(counters counters.c)
target_link_libraries(counters PRIVATE sheafbench-counters PkgConfig::CMOCKA)
target_compile_definitions(counters PRIVATE EVENTS="${CMAKE_SOURCE_DIR}/harness/counters/events")

add_test(NAME counters COMMAND counters)
set_tests_properties(counters PROPERTIES TIMEOUT 120)

add_test(NAME events COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/events.sh ${CMAKE_BINARY_DIR})
set_tests_properties(events PROPERTIES TIMEOUT 120)
