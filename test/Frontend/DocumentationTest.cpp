// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Documentation.h"
#include "frontend/Builtins.h"
#include "frontend/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace dlc::frontend;

namespace {

// Tests that every built-in function has a row, and that README.md has the table of the program.
TEST(Documentation, describesEveryBuiltinFunction) {
  EXPECT_GT(builtinNames().size(), 30u);
  std::string table = "| functions | meaning |\n|---|---|\n";
  for (const BuiltinDoc &doc : builtinDocs())
    table += "| " + doc.signature.str() + " | " + doc.meaning.str() + " |\n";
  for (llvm::StringRef name : builtinNames())
    EXPECT_TRUE(llvm::any_of(builtinDocs(), [&](const BuiltinDoc &doc) { return doc.describes(name); }))
        << name.str() << " has no row in BuiltinDocs.cpp";
  auto readme = llvm::MemoryBuffer::getFile(DLC_SOURCE_DIR "/frontend/README.md");
  ASSERT_TRUE(readme);
  EXPECT_TRUE((*readme)->getBuffer().contains(table + "\n"))
      << "frontend/README.md and BuiltinDocs.cpp differ; the program has\n"
      << table;
}

// Tests that a row describes what stands outside of parentheses, and nothing else.
TEST(Documentation, findsNamesInSignatures) {
  BuiltinDoc doc{"`sum max (x, axis=1)`, `log1(y)`", ""};
  EXPECT_TRUE(doc.describes("sum"));
  EXPECT_TRUE(doc.describes("max"));
  EXPECT_TRUE(doc.describes("log1"));
  EXPECT_FALSE(doc.describes("log"));
  EXPECT_FALSE(doc.describes("axis"));
  EXPECT_FALSE(doc.describes("x"));
}

// Tests that every declaration of the library says what it does, in words before its source.
TEST(Documentation, theLibraryIsDocumented) {
  SourceManager sources;
  DiagnosticEngine diags(sources);
  auto program = parseProgram(sources.addText("empty.dl", ""), sources, diags);
  unsigned offered = 0;
  for (const SourceFile &file : program->files)
    for (const Decl *decl : file.decls) {
      const auto *callable = llvm::dyn_cast<CallableDecl>(decl);
      if (!callable)
        continue;
      std::string where = sources.describe(decl->range) + ": " + callable->name.text.str();
      EXPECT_FALSE(decl->doc.empty()) << where;
      EXPECT_FALSE(decl->doc.starts_with("Source:")) << where << " names its source only";
      offered += isOffered(*callable);
    }
  EXPECT_GT(offered, 80u);
}

} // namespace
