# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The three kinds of target that the tree is made of. Each links what it names and nothing else.

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_link_options(-fuse-ld=lld)
  add_compile_options(-fcolor-diagnostics)
endif()
if(DLC_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

# Reading MLIR's headers takes four fifths of a file's compile time, so the common ones are read once. Sources still
# include what they use. The timestamp is left out for ccache's sake.
add_compile_options("$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:Clang>>:SHELL:-Xclang -fno-pch-timestamp>")
function(dlc_add_precompiled_headers)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cpp CONTENT "")
  add_library(dlcPrecompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_include_directories(dlcPrecompiled SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(dlcPrecompiled PRIVATE -fno-exceptions)
  target_precompile_headers(dlcPrecompiled PRIVATE
    <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Func/IR/FuncOps.h> <mlir/Dialect/MemRef/IR/MemRef.h>
    <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Vector/IR/VectorOps.h> <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h>
    <mlir/IR/ImplicitLocOpBuilder.h> <mlir/IR/PatternMatch.h> <mlir/IR/SymbolTable.h> <mlir/Pass/Pass.h>
    <llvm/ADT/STLExtras.h> <map> <optional> <string> <vector>)
endfunction()

# A static library of the compiler or the frontend: sees LLVM and MLIR, links libMLIR.so and libLLVM.so once.
#   dlc_add_compiler_library(NAME SOURCES a.cpp … [DEPENDS tablegen-targets] [LINK libraries])
function(dlc_add_compiler_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_include_directories(${name} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_definitions(${name} PUBLIC ${LLVM_DEFINITIONS_LIST})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  target_precompile_headers(${name} REUSE_FROM dlcPrecompiled)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# A program of the compiler: a thin main over libraries.
function(dlc_add_compiler_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  dlc_set_sanitizer_options(${name})
endfunction()

# Sanitizer builds only: the options that a program with LLVM in it starts with.
function(dlc_set_sanitizer_options name)
  if(DLC_SANITIZE)
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/.cmake/sanitizer_options.c)
  endif()
endfunction()

# A GoogleTest program, run by ctest. RED_ZONES: it poisons memory itself, so LLVM's allocators may, too.
function(dlc_add_unit_test name)
  cmake_parse_arguments(ARG "RED_ZONES" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  if("${ARG_LINK}" MATCHES "dlc[A-Z]|MLIR" AND NOT ARG_RED_ZONES)
    dlc_set_sanitizer_options(${name})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  add_test(NAME ${name} COMMAND ${name})
endfunction()
