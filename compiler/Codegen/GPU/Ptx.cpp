// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/GPU/Ptx.h"

namespace dlc::codegen {

FailureOr<CodeImage> finishPtx(StringRef text, ArrayRef<std::string> names, std::string &error) {
  // A call would need a function that nobody supplies; an approximation would change the numbers; a fused
  // multiply-add that no dl operation asked for shows as mul or add without a rounding mode.
  for (StringRef forbidden : {".extern .func", "call.uni", ".approx", "add.f32", "sub.f32", "mul.f32"})
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
