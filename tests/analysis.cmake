# SPDX-License-Identifier: GPL-2.0
# Tests of harness/analysis; included by CMakeLists.txt.

add_executable(make_result make_result.c)
target_link_libraries(make_result PRIVATE sheafstat-lib)
target_compile_options(make_result PRIVATE -Wall -Wextra -Werror)

foreach(test stats simulate coverage plan result certify)
	add_executable(analysis_${test} analysis_${test}.c)
	target_link_libraries(analysis_${test} PRIVATE sheafstat-lib PkgConfig::CMOCKA)
	target_compile_options(analysis_${test} PRIVATE -Wall -Wextra -Werror)
	add_test(NAME analysis_${test} COMMAND analysis_${test})
	set_tests_properties(analysis_${test} PROPERTIES TIMEOUT 600)
endforeach()

foreach(test result certify)
	target_compile_definitions(analysis_${test} PRIVATE
		MAKE_RESULT="$<TARGET_FILE:make_result>" SHEAFSTAT="$<TARGET_FILE:sheafstat>"
		SHEAFREPORT="$<TARGET_FILE:sheafreport>")
	add_dependencies(analysis_${test} make_result sheafstat sheafreport)
endforeach()
