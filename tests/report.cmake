# SPDX-License-Identifier: GPL-2.0
# Tests of harness/report and plots; included by CMakeLists.txt after analysis.cmake.

add_executable(report_text report_text.c ../harness/report/mime.c ../harness/report/model.c
	../harness/report/render.c ../harness/report/view.c)
target_include_directories(report_text PRIVATE ../harness/report)
target_link_libraries(report_text PRIVATE sheafstat-lib PkgConfig::CMOCKA)
add_test(NAME report_text COMMAND report_text)

add_test(NAME report COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/report.sh ${CMAKE_BINARY_DIR})
set_tests_properties(report PROPERTIES TIMEOUT 600)

# Both programs within one that changes what they read; `fuzz 1800` by hand goes on for half an hour. Without sanitizers it would see little.
if(SANITIZE)
	get_target_property(report_sources sheafreport SOURCES)
	list(TRANSFORM report_sources PREPEND ../harness/report/)
	add_executable(fuzz fuzz.c ../harness/analysis/sheafstat.c ${report_sources})
	set_source_files_properties(../harness/analysis/sheafstat.c PROPERTIES COMPILE_DEFINITIONS main=sheafstat_main)
	set_source_files_properties(../harness/report/sheafreport.c PROPERTIES COMPILE_DEFINITIONS main=sheafreport_main)
	target_include_directories(fuzz PRIVATE ../harness/report)
	target_compile_definitions(fuzz PRIVATE MAKE_RESULT="$<TARGET_FILE:make_result>")
	target_compile_options(fuzz PRIVATE -Wall -Wextra -Werror)
	target_link_libraries(fuzz PRIVATE sheafstat-lib)
	add_dependencies(fuzz make_result)
	add_test(NAME fuzz COMMAND fuzz 60)
	set_tests_properties(fuzz PROPERTIES TIMEOUT 600)
endif()
