# SPDX-License-Identifier: GPL-2.0
# Tests of harness/report and plots; included by CMakeLists.txt here, after analysis.cmake.

add_executable(report_text report_text.c ../harness/report/mime.c
	../harness/report/view.c)
target_include_directories(report_text PRIVATE ../harness/report)
target_link_libraries(report_text PRIVATE sheafstat-lib PkgConfig::CMOCKA)
add_test(NAME report_text COMMAND report_text)

add_test(NAME report COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/report.sh ${CMAKE_BINARY_DIR})
set_tests_properties(report PROPERTIES TIMEOUT 600)
