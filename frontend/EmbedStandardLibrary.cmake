# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes StandardLibrary.cpp, which holds the texts of the standard library.
#   cmake -DOUTPUT=file.cpp "-DINPUTS=a.dl;b.dl" -P EmbedStandardLibrary.cmake
# Every byte is written as an escape, so that no text needs quoting.
set(arrays "")
set(entries "")
set(index 0)
foreach(input IN LISTS INPUTS)
  get_filename_component(name "${input}" NAME)
  file(READ "${input}" bytes HEX)
  string(LENGTH "${bytes}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
  string(APPEND arrays "static const char text${index}[] = \"${bytes}\";\n")
  string(APPEND entries "    {\"std/${name}\", llvm::StringRef(text${index}, ${length})},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}.new" "// Generated from frontend/std/*.dl.
#include \"frontend/StandardLibrary.h\"

${arrays}
static const dlc::frontend::StandardFile files[] = {
${entries}};

llvm::ArrayRef<dlc::frontend::StandardFile> dlc::frontend::standardLibrary() { return files; }
")
file(COPY_FILE "${OUTPUT}.new" "${OUTPUT}" ONLY_IF_DIFFERENT)
