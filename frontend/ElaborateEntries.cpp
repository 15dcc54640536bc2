// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declarations, and the functions that train, eval and infer entries become.

#include "frontend/Elaborator.h"

#include "frontend/Builtins.h"
#include "runtime/dlc_runtime.h"

namespace dlc::frontend {

/// Fills the tables of declarations. What the user declares wins over the library, but in the library's own
/// text; two of the user's own are an error of checkNames.
void Elaborator::collectDeclarations() {
  for (bool isStandardPass : {true, false}) {
    for (const SourceFile &file : program.files) {
      if (file.isStandardLibrary != isStandardPass)
        continue;
      for (const Decl *decl : file.decls) {
        auto *callable = llvm::dyn_cast<CallableDecl>(decl);
        if (!callable)
          continue;
        for (Declarations *table : {&decls, &standardDecls})
          if (table == &decls || isStandardPass)
            (decl->kind == DeclKind::Initializer ? table->initializers
                                                 : table->callables)[callable->name.text] = callable;
        modelCount += decl->kind == DeclKind::Model;
      }
    }
  }
}

bool Elaborator::isEntry(const CallableDecl *decl) {
  return decl->kind == DeclKind::Train || decl->kind == DeclKind::Eval || decl->kind == DeclKind::Infer;
}

void Elaborator::elaborateEntry(const CallableDecl *decl) {
  if (decl->name.text == "init" || decl->name.text == "seed") {
    error(decl->name.range, "an entry cannot be called '" + decl->name.text + "', which every program has");
    return;
  }
  OpBuilder::InsertionGuard guard(builder);
  EntryContext context;
  context.decl = decl;
  Frame root;
  root.decl = decl;
  Scope body;
  Restore<EntryContext *> inEntry(entry, &context);
  Restore<Frame *> inFrame(frame, &root);
  Restore<Scope *> inScope(scope, &body);
  Restore<std::string> naming(lastLetName, "");

  builder.setInsertionPointToEnd(module->getBody());
  currentLocation = locate(decl->name.range);
  context.func = emit<func::FuncOp>(decl->name.text, builder.getFunctionType({}, {}));
  context.func->setAttr(dl::kEntryAttr, builder.getStringAttr(stringify(decl->kind)));
  builder.setInsertionPointToEnd(context.func.addEntryBlock());
  elaborateEntryArguments(decl);
  if (entry->isTraining())
    loadIteration();
  elaborateBlock(decl->body);
  finishEntry(decl);
}

/// What crosses the border of the program has a rank that an artifact can hold.
bool Elaborator::checkRank(dl::TensorType type, SourceRange range, const llvm::Twine &what) {
  if (type.getRank() <= DLC_MAX_RANK)
    return true;
  error(range, what + " has at most " + llvm::Twine(DLC_MAX_RANK) + " dimensions, got " +
                   llvm::Twine(type.getRank()));
  return false;
}

void Elaborator::elaborateEntryArguments(const CallableDecl *decl) {
  mlir::Block &block = entry->func.getBody().front();
  SmallVector<Attribute> symbols;
  SourceRange tooMany; // the first symbol that an artifact cannot hold
  // A plain name in a type is a symbolic dimension, or bound by --bind.
  for (const Parameter &param : decl->params) {
    auto *type = llvm::dyn_cast<TensorType>(param.type);
    for (const DimensionExpr &dim : type ? type->dims : ArrayRef<DimensionExpr>()) {
      auto *name = dim.size ? llvm::dyn_cast<NameExpr>(dim.size) : nullptr;
      if (!name || scope->names.contains(name->name))
        continue;
      Binding binding;
      binding.kind = Binding::Kind::Dimension;
      binding.range = name->range;
      dimensions.insert(name->name.str());
      if (auto bound = options.dimensions.find(name->name); bound != options.dimensions.end()) {
        binding.entity = integer(bound->second);
      } else {
        binding.entity = Entity::ofInteger(dl::PolynomialAttr::getSymbol(&context, name->name));
        symbols.push_back(builder.getStringAttr(name->name));
        if (symbols.size() == DLC_MAX_SYMBOLS + 1)
          tooMany = name->range;
      }
      scope->names[name->name] = binding;
    }
  }
  entry->func->setAttr(dl::kSymbolsAttr, builder.getArrayAttr(symbols));
  if (tooMany)
    error(tooMany, "an entry has at most " + llvm::Twine(DLC_MAX_SYMBOLS) +
                       " sizes that are given at run time, got " + llvm::Twine(symbols.size()))
        .note("--bind gives a size at compile time");

  SmallVector<Type> types;
  SmallVector<Attribute> names;
  for (const Parameter &param : decl->params) {
    Binding binding;
    binding.kind = Binding::Kind::Argument;
    binding.range = param.name.range;
    binding.type = param.type;
    if (auto *type = llvm::dyn_cast<TensorType>(param.type)) {
      auto isOpen = [&](const DimensionExpr &dim) { return dim.size && !isEvaluable(dim.size, scope); };
      bool hasPack = llvm::any_of(type->dims, [](const DimensionExpr &dim) { return dim.isEllipsis(); });
      if (hasPack)
        error(type->range, "an entry's argument needs all its dimensions, got " + sources.text(type->range));
      else if (const DimensionExpr *open = llvm::find_if(type->dims, isOpen); open != type->dims.end())
        error(open->range, "the sizes in " + sources.text(open->range) +
                               " are no dimensions of an argument by themselves");
      else if (dl::TensorType tensor = evaluateType(type);
               tensor && checkRank(tensor, type->range, "an entry's argument")) {
        types.push_back(tensor);
        Value argument = block.addArgument(tensor, locate(param.name.range));
        binding.entity = Entity::ofTensor(argument);
        names.push_back(builder.getDictionaryAttr(
            builder.getNamedAttr(dl::kNameAttr, builder.getStringAttr(param.name.text))));
      }
    } else if (auto *constant = llvm::dyn_cast<ConstantTypeExpr>(param.type);
               constant && param.defaultValue) {
      binding.entity = convertConstant(elaborate(param.defaultValue), constant, param.defaultValue->range,
                                       decl->name.text + "'s " + param.name.text);
    } else {
      error(param.range, "an entry's argument is a tensor, or a compile-time value with a default");
    }
    scope->names[param.name.text] = binding;
  }
  entry->func.setFunctionType(builder.getFunctionType(types, {}));
  if (!names.empty())
    entry->func.setArgAttrsAttr(builder.getArrayAttr(names));
  checkConstraints(decl, {});
}

/// The name that a returned value is known by: its own, or that of the function that made it.
static StringRef resultName(const Expr *expr) {
  if (auto *name = llvm::dyn_cast_or_null<NameExpr>(expr))
    return name->name;
  if (auto *call = llvm::dyn_cast_or_null<CallExpr>(expr))
    if (auto *callee = llvm::dyn_cast<NameExpr>(call->callee))
      return callee->name;
  return "result";
}

void Elaborator::finishEntry(const CallableDecl *decl) {
  if (decl->kind == DeclKind::Infer) {
    if (!frame->returned) {
      error(decl->name.range, "infer " + decl->name.text + " returns nothing");
      return;
    }
    Entity result = checkResult(decl, *frame->returned, frame->returnRange);
    const Expr *expr = frame->returnExpr;
    std::vector<Entity> parts = result.isTuple() ? result.tuple->elements : std::vector<Entity>{result};
    auto *tuple = llvm::dyn_cast_or_null<TupleExpr>(expr);
    for (auto [position, part] : llvm::enumerate(parts)) {
      if (part.isPoison())
        return;
      const Expr *partExpr = result.isTuple() ? nullptr : expr;
      if (tuple && position < tuple->elements.size())
        partExpr = tuple->elements[position];
      std::string name = resultName(partExpr).str();
      if (result.isTuple() && !result.tuple->names.empty() && !result.tuple->names[position].empty())
        name = result.tuple->names[position];
      if (!part.isTensor() && !part.isScalar() && !part.isNumber()) {
        error(frame->returnRange, "infer " + decl->name.text + " returns tensors, got " + describe(part));
        return;
      }
      if (part.isTensor() && !checkRank(part.tensorType(), frame->returnRange, "an entry's result"))
        return;
      currentLocation = locate(frame->returnRange);
      entry->results.push_back(
          {name, toValue(part, Float32Type::get(&context)), false, false, frame->returnRange});
    }
  }

  warnOfUntrained();
  SmallVector<Value> values;
  llvm::StringSet<> names;
  for (EntryContext::Result &result : entry->results) {
    values.push_back(result.value);
    if (names.insert(result.name).second)
      continue;
    if (result.isReport) {
      error(result.range, "two reports are called '" + llvm::Twine(result.name) + "'")
          .note("give one of them a name of its own", {}, "report NAME = …");
      continue;
    }
    auto isTaken = [&](StringRef name) {
      return names.contains(name) || llvm::any_of(entry->results, [&](const EntryContext::Result &other) {
               return other.name == name;
             });
    };
    std::string name;
    for (unsigned i = 1; name.empty() || isTaken(name); ++i)
      name = result.name + "_" + std::to_string(i);
    result.name = name;
    names.insert(name);
  }
  currentLocation = locate(decl->name.range);
  emit<func::ReturnOp>(values);
  entry->func.setFunctionType(builder.getFunctionType(entry->func.getBody().front().getArgumentTypes(),
                                                      ValueRange(values).getTypes()));
  SmallVector<Attribute> constraints(entry->constraints.begin(), entry->constraints.end());
  if (!constraints.empty())
    entry->func->setAttr(dl::kConstraintsAttr, builder.getArrayAttr(constraints));
  for (auto [position, result] : llvm::enumerate(entry->results)) {
    entry->func.setResultAttr(position, dl::kNameAttr, builder.getStringAttr(result.name));
    if (result.isReport)
      entry->func.setResultAttr(position, dl::kReportAttr,
                                builder.getStringAttr(result.isMetric ? "metric" : "value"));
  }
}

} // namespace dlc::frontend
