// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// dumpAST: declarations and statements one a line, indented; every operation in parentheses, so that
// precedence shows.
#include "frontend/AST.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <charconv>

using namespace dlc::frontend;
using llvm::ArrayRef;
using llvm::cast;
using llvm::StringRef;

namespace {
class Printer {
public:
  explicit Printer(llvm::raw_ostream &os) : os(os) {}
  void print(const SourceFile &file, StringRef name);

private:
  void print(const Decl &decl);
  void print(const CallableDecl &decl);
  void print(const FitDecl &decl);
  void print(const Stmt &stmt);
  void print(const LetStmt &stmt);
  void print(const IfStmt &stmt);
  void print(const ForStmt &stmt);
  void print(const MinimizeStmt &stmt);
  void print(const Block &block);
  void print(const TypeExpr &type);
  void print(const Declarator &declarator);
  void print(const Argument &argument);
  void print(const IndexBinding &binding);
  void print(const Subscript &subscript);
  void print(const ParameterPattern &pattern);
  void print(const Identifier &name) { os << name.text; }
  void print(const Expr *expr) { print(*expr); }
  void print(const Expr &expr);
  void printScan(const ScanExpr &scan);
  template <typename T> void printList(ArrayRef<T> elements, StringRef open = "", StringRef close = "") {
    os << open;
    llvm::interleave(elements, os, [&](const T &element) { print(element); }, ", ");
    os << close;
  }
  llvm::raw_ostream &line() { return os.indent(2 * level); }

  llvm::raw_ostream &os;
  unsigned level = 0;
};
} // namespace

void Printer::print(const SourceFile &file, StringRef name) {
  os << "file " << name << '\n';
  ++level;
  for (const Decl *decl : file.decls)
    print(*decl);
  --level;
}

void Printer::print(const Decl &decl) {
  if (!decl.doc.empty())
    for (StringRef text : llvm::split(decl.doc, '\n'))
      line() << (text.empty() ? "#" : "# ") << text << '\n';
  line() << stringify(decl.kind);
  if (const auto *import = llvm::dyn_cast<ImportDecl>(&decl))
    os << " \"" << import->path << "\"\n";
  else if (const auto *fit = llvm::dyn_cast<FitDecl>(&decl))
    print(*fit);
  else
    print(cast<CallableDecl>(decl));
}

void Printer::print(const CallableDecl &decl) {
  os << ' ' << decl.name.text << '(';
  llvm::interleave(
      decl.params, os,
      [&](const Parameter &param) {
        os << param.name.text << ": ";
        print(*param.type);
        if (param.defaultValue) {
          os << " = ";
          print(*param.defaultValue);
        }
      },
      ", ");
  os << ')';
  if (!decl.bound.empty())
    printList(decl.bound, " for ");
  if (decl.result) {
    os << " -> ";
    print(*decl.result);
  }
  if (!decl.constraints.empty())
    printList(decl.constraints, " where ");
  print(*decl.body);
  os << '\n';
}

void Printer::print(const FitDecl &decl) {
  os << " {\n";
  ++level;
  for (const FitItem &item : decl.items) {
    line() << (item.kind == FitItem::Kind::Train  ? "train "
               : item.kind == FitItem::Kind::Eval ? "eval "
                                                  : "")
           << item.name.text << (item.kind == FitItem::Kind::Setting ? " = " : " on ");
    print(*item.value);
    os << '\n';
  }
  --level;
  line() << "}\n";
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

void Printer::print(const Block &block) {
  os << " {\n";
  ++level;
  for (const Stmt *stmt : block.stmts)
    print(*stmt);
  --level;
  line() << "}";
}

void Printer::print(const Stmt &stmt) {
  line();
  switch (stmt.kind) {
  case StmtKind::Let:
    print(cast<LetStmt>(stmt));
    break;
  case StmtKind::Var:
    os << "var ";
    print(cast<VarStmt>(stmt).variable);
    break;
  case StmtKind::Assign:
    os << cast<AssignStmt>(stmt).target.text << " <- ";
    print(*cast<AssignStmt>(stmt).value);
    break;
  case StmtKind::Param:
    os << "param ";
    print(cast<ParamStmt>(stmt).variable);
    if (const Expr *known = cast<ParamStmt>(stmt).known) {
      os << " as ";
      print(*known);
    }
    break;
  case StmtKind::State:
    os << (cast<StateStmt>(stmt).isAccumulate ? "accumulate " : "state ");
    printList(cast<StateStmt>(stmt).variables);
    break;
  case StmtKind::Finish:
    os << "finish ";
    print(*cast<FinishStmt>(stmt).value);
    break;
  case StmtKind::If:
    print(cast<IfStmt>(stmt));
    break;
  case StmtKind::For:
    print(cast<ForStmt>(stmt));
    break;
  case StmtKind::Scan:
    printScan(*cast<ScanStmt>(stmt).scan);
    break;
  case StmtKind::Return:
    os << "return ";
    print(*cast<ReturnStmt>(stmt).value);
    break;
  case StmtKind::Yield:
    os << "yield ";
    print(*cast<YieldStmt>(stmt).value);
    break;
  case StmtKind::Minimize:
    print(cast<MinimizeStmt>(stmt));
    break;
  case StmtKind::Report:
    printList(cast<ReportStmt>(stmt).items, "report ");
    break;
  case StmtKind::Gradient:
    printList(cast<GradientStmt>(stmt).upstream, "gradient(", ")");
    print(*cast<GradientStmt>(stmt).body);
    break;
  }
  os << '\n';
}

void Printer::print(const LetStmt &stmt) {
  os << "let ";
  printList(stmt.names, stmt.isTuple ? "(" : "", stmt.isTuple ? ")" : "");
  if (stmt.isIndexed)
    printList(stmt.indices, "[", "]");
  if (stmt.type) {
    os << ": ";
    print(*stmt.type);
  }
  os << " = ";
  print(*stmt.value);
}

void Printer::print(const IfStmt &stmt) {
  os << "if ";
  print(*stmt.condition);
  print(*stmt.thenBlock);
  if (stmt.elseBlock) {
    os << " else";
    print(*stmt.elseBlock);
  }
}

void Printer::print(const ForStmt &stmt) {
  os << "for " << stmt.variable.text << " in ";
  print(*stmt.sequence);
  if (stmt.as)
    os << " as " << stmt.as.text;
  print(*stmt.body);
}

void Printer::print(const MinimizeStmt &stmt) {
  os << "minimize ";
  print(*stmt.loss);
  llvm::interleave(
      stmt.groups, os,
      [&](const MinimizeGroup &group) {
        if (!group.patterns.empty())
          printList(group.patterns, &group == stmt.groups.begin() ? " over " : " ");
        os << " with ";
        print(*group.optimizer);
      },
      ",");
  if (stmt.clip) {
    os << " clip ";
    print(*stmt.clip);
  }
  if (stmt.every) {
    os << " every ";
    print(*stmt.every);
  }
}

void Printer::print(const ParameterPattern &pattern) {
  os << (pattern.isRest ? "rest" : llvm::join(pattern.parts, "."));
}

//===----------------------------------------------------------------------===//
// Types and expressions
//===----------------------------------------------------------------------===//

void Printer::print(const TypeExpr &type) {
  if (const auto *tensor = llvm::dyn_cast<TensorType>(&type)) {
    os << stringify(tensor->element);
    if (tensor->dims.empty() && tensor->element != ElementType::Bool)
      return;
    os << '[';
    llvm::interleave(
        tensor->dims, os,
        [&](const DimensionExpr &dim) {
          if (dim.isEllipsis())
            os << dim.pack << "...";
          else
            print(*dim.size);
        },
        ", ");
    os << ']';
  } else if (const auto *constant = llvm::dyn_cast<ConstantTypeExpr>(&type)) {
    os << stringify(constant->constant) << (constant->isList ? "[" : "");
    if (constant->count)
      print(*constant->count);
    os << (constant->isList ? "]" : "");
  } else {
    os << '(';
    llvm::interleave(
        cast<TupleTypeExpr>(type).elements, os,
        [&](const TupleTypeElement &element) {
          if (element.name)
            os << element.name.text << ": ";
          print(*element.type);
        },
        ", ");
    os << ')';
  }
}

void Printer::print(const Declarator &declarator) {
  os << declarator.name.text;
  if (declarator.type) {
    os << ": ";
    print(*declarator.type);
  }
  if (declarator.init) {
    os << " = ";
    print(*declarator.init);
  }
}

void Printer::print(const Argument &argument) {
  if (argument.name)
    os << argument.name.text << '=';
  print(*argument.value);
}

void Printer::print(const IndexBinding &binding) {
  os << binding.name.text;
  if (binding.extent) {
    os << " in ";
    print(*binding.extent);
  }
}

void Printer::print(const Subscript &subscript) {
  if (subscript.kind == Subscript::Kind::Ellipsis) {
    os << "...";
    return;
  }
  if (subscript.begin)
    print(*subscript.begin);
  if (subscript.kind == Subscript::Kind::Expr)
    return;
  os << ':';
  if (subscript.end)
    print(*subscript.end);
  if (subscript.step) {
    os << ':';
    print(*subscript.step);
  }
}

void Printer::print(const Expr &expr) {
  switch (expr.kind) {
  case ExprKind::Integer:
    os << cast<IntegerExpr>(expr).value;
    break;
  case ExprKind::Float: {
    char buffer[32]; // the shortest text that reads back as the same value has at most 24 characters
    StringRef text(buffer, std::to_chars(buffer, std::end(buffer), cast<FloatExpr>(expr).value).ptr - buffer);
    os << text << (text.find_first_of(".e") == StringRef::npos ? ".0" : "");
    break;
  }
  case ExprKind::Bool:
    os << (cast<BoolExpr>(expr).value ? "true" : "false");
    break;
  case ExprKind::String:
    os << '"';
    for (char c : cast<StringExpr>(expr).value) {
      if (c == '\n' || c == '\t')
        os << (c == '\n' ? "\\n" : "\\t");
      else
        os << (c == '"' || c == '\\' ? "\\" : "") << c;
    }
    os << '"';
    break;
  case ExprKind::Name:
    os << cast<NameExpr>(expr).name;
    break;
  case ExprKind::Tuple: {
    const auto &tuple = cast<TupleExpr>(expr);
    printList(tuple.elements, tuple.isBracketed ? "[" : "(");
    os << (tuple.isBracketed ? "]" : tuple.elements.size() == 1 ? ",)" : ")");
    break;
  }
  case ExprKind::Range:
    os << '(';
    print(*cast<RangeExpr>(expr).begin);
    os << "..";
    print(*cast<RangeExpr>(expr).end);
    os << ')';
    break;
  case ExprKind::Unary:
    os << (cast<UnaryExpr>(expr).op == UnaryOp::Not ? "(not " : "(-");
    print(*cast<UnaryExpr>(expr).operand);
    os << ')';
    break;
  case ExprKind::Binary: {
    const auto &binary = cast<BinaryExpr>(expr);
    os << '(';
    print(*binary.lhs);
    os << ' ' << stringify(binary.op) << ' ';
    print(*binary.rhs);
    os << ')';
    break;
  }
  case ExprKind::Call:
    print(*cast<CallExpr>(expr).callee);
    printList(cast<CallExpr>(expr).args, "(", ")");
    break;
  case ExprKind::Index:
    print(*cast<IndexExpr>(expr).base);
    printList(cast<IndexExpr>(expr).subscripts, "[", "]");
    break;
  case ExprKind::Member:
    print(*cast<MemberExpr>(expr).base);
    os << '.' << cast<MemberExpr>(expr).member.text;
    break;
  case ExprKind::Reduction:
    os << stringify(cast<ReductionExpr>(expr).reduction);
    printList(cast<ReductionExpr>(expr).indices, "[", "](");
    print(*cast<ReductionExpr>(expr).body);
    os << ')';
    break;
  case ExprKind::Scan:
    printScan(cast<ScanExpr>(expr));
    break;
  }
}

void Printer::printScan(const ScanExpr &scan) {
  os << "scan ";
  llvm::interleave(
      scan.inputs, os,
      [&](const ScanInput &input) {
        os << input.name.text << " in ";
        print(*input.sequence);
      },
      ", ");
  os << (scan.inputs.empty() ? "over " : " over ") << (scan.overIsAxis ? "axis=" : "");
  print(*scan.over);
  os << (scan.isReverse ? " reverse" : "");
  if (!scan.carries.empty())
    printList(scan.carries, " carry ");
  print(*scan.body);
}

void dlc::frontend::dumpAST(const SourceFile &file, const SourceManager &sources, llvm::raw_ostream &os) {
  Printer(os).print(file, sources.name(file.file));
}
