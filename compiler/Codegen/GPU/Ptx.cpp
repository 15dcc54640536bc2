// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/GPU/Ptx.h"

#include "llvm/ADT/StringSet.h"

namespace dlc::codegen {

void nameEntries(ModuleOp kernels) {
  llvm::StringSet<> taken;
  for (auto function : kernels.getOps<func::FuncOp>()) {
    if (function.isPrivate())
      continue;
    std::string name = function.getName().str();
    for (char &c : name)
      if (!llvm::isAlnum(c))
        c = '_';
    if (!llvm::isAlpha(name.front()))
      name.insert(0, "k");
    std::string unique = name;
    for (unsigned i = 2; !taken.insert(unique).second; ++i)
      unique = name + "_" + std::to_string(i);
    // Nothing refers to a kernel by its name.
    function.setName(unique);
  }
}

FailureOr<CodeImage> finishPtx(StringRef text, ArrayRef<std::string> names, std::string &error) {
  // A call would need a function that nobody supplies; an approximation or lost denormals would change the
  // numbers, and so would ptxas, which contracts products and sums that lack a rounding mode.
  for (StringRef forbidden : {".extern", "call.uni", ".approx", "div.full", ".ftz", "add.f32", "sub.f32",
                              "mul.f32", "add.f64", "sub.f64", "mul.f64"})
    if (size_t at = text.find(forbidden); at != StringRef::npos) {
      StringRef line = text.substr(text.rfind('\n', at) + 1);
      error = ("the PTX has \"" + line.take_until([](char c) { return c == '\n'; }).trim() +
               "\", which strict arithmetic forbids")
                  .str();
      return failure();
    }
  CodeImage image;
  image.bytes = text.str();
  for (const std::string &name : names) {
    size_t begin = text.find(".entry " + name + "(");
    if (begin == StringRef::npos) {
      error = "the PTX lacks kernel " + name;
      return failure();
    }
    size_t end = text.find("\n}\n", begin);
    image.kernels.push_back({name, begin, end == StringRef::npos ? text.size() - begin : end + 3 - begin});
  }
  return image;
}

} // namespace dlc::codegen
