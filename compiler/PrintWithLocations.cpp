// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/PrintWithLocations.h"

#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/StringExtras.h"

namespace dlc {

using namespace mlir;

/// Takes ` loc(…)`, the location that MLIR prints, out of a line, wherever it stands, and returns the text of
/// the last one: an operation's own follows those of its block arguments.
static std::string takeLocations(std::string &line) {
  constexpr StringRef kMark = " loc(";
  std::string last;
  for (size_t begin; (begin = line.find(kMark)) != std::string::npos;) {
    size_t end = begin + kMark.size();
    bool quoted = false;
    for (int depth = 1; depth > 0 && end < line.size(); ++end) {
      char c = line[end];
      quoted ^= c == '"' && line[end - 1] != '\\';
      depth += quoted ? 0 : (c == '(') - (c == ')');
    }
    last = line.substr(begin, end - begin);
    line.erase(begin, end - begin);
  }
  return last;
}

/// `file:line:column` of the outermost caller, the last `"file":line:column` in the text: the user's line
/// says more than the standard library's.
static std::string describe(StringRef location) {
  for (size_t quote = location.rfind('"'); quote != StringRef::npos && quote > 0;) {
    size_t open = location.rfind('"', quote);
    StringRef rest = location.substr(quote + 1), digits = rest;
    bool isPlace = digits.consume_front(":") && digits.take_while(llvm::isDigit).size() > 0;
    if (isPlace && open != StringRef::npos) {
      StringRef line = digits.take_while(llvm::isDigit), column = digits.drop_front(line.size());
      if (column.consume_front(":"))
        return (location.substr(open + 1, quote - open - 1) + ":" + line + ":" +
                column.take_while(llvm::isDigit))
            .str();
    }
    quote = open;
  }
  return {};
}

void printWithLocations(Operation *op, llvm::raw_ostream &out) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream, OpPrintingFlags().enableDebugInfo(/*enable=*/true, /*prettyForm=*/false).useLocalScope());
  StringRef rest(text);
  std::string last;
  while (!rest.empty()) {
    auto [first, after] = rest.split('\n');
    std::string line = first.str();
    std::string place = describe(takeLocations(line));
    out << line << (place.empty() || place == last ? "" : "  // " + place) << "\n";
    last = place;
    rest = after;
  }
}

} // namespace dlc
