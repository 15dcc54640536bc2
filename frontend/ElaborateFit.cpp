// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The fit block: defaults of `dlc train`, as the module attribute `dl.fit`.
//
//   dl.fit = {data = {loader = "mnist", path = "models/data/mnist"},
//             train = [{entry = "step", split = "train"}], eval = [{entry = "test", split = "test"}],
//             batch = 64 : i64, epochs = 3 : i64}

#include "frontend/Elaborator.h"

namespace dlc::frontend {

static constexpr llvm::StringLiteral kSettings[] = {"data", "batch", "epochs", "steps", "seed"};

/// `mnist("path", key=value)`: the loader, its path, and its other arguments by name.
Attribute Elaborator::elaborateLoader(const Expr *expr) {
  auto *call = llvm::dyn_cast<CallExpr>(expr);
  auto *loader = call ? llvm::dyn_cast<NameExpr>(call->callee) : nullptr;
  if (!loader) {
    error(expr->range, "data needs a loader, such as mnist(\"models/data/mnist\")");
    return {};
  }
  NamedAttrList attributes;
  attributes.set("loader", builder.getStringAttr(loader->name));
  bool hasPath = false;
  for (const Argument &argument : call->args) {
    Attribute value = elaborateSetting(argument.value);
    if (!value)
      return {};
    if (!argument.name && hasPath) {
      error(argument.range, "a loader takes one path, and everything else by name");
      return {};
    }
    hasPath |= !argument.name;
    attributes.set(argument.name ? argument.name.text : "path", value);
  }
  return attributes.getDictionary(&context);
}

/// A constant of the fit block: int, float, bool or string.
Attribute Elaborator::elaborateSetting(const Expr *expr) {
  Entity value = elaborate(expr);
  if (value.isConstantInteger())
    return builder.getI64IntegerAttr(*value.integer.getConstantValue());
  if (value.isFloat())
    return builder.getF64FloatAttr(value.number);
  if (value.isBool())
    return builder.getBoolAttr(value.flag);
  if (value.isString())
    return builder.getStringAttr(value.text);
  if (!value.isPoison())
    error(expr->range, "a setting is a number, a bool or a string, got " + describe(value));
  return {};
}

/// `epochs = 3`
void Elaborator::elaborateFitSetting(const FitItem &item, NamedAttrList &attributes) {
  StringRef key = item.name.text;
  if (!llvm::is_contained(kSettings, key)) {
    std::vector<StringRef> known(std::begin(kSettings), std::end(kSettings));
    error(item.name.range, "fit has no setting '" + key + "'").suggest(nearestName(key, known));
    return;
  }
  Attribute value = key == "data" ? elaborateLoader(item.value) : elaborateSetting(item.value);
  auto number = llvm::dyn_cast_if_present<IntegerAttr>(value);
  int64_t least = key == "seed" ? 0 : 1;
  if (value && key != "data" && (!number || number.getType().isInteger(1) || number.getInt() < least)) {
    error(item.value->range,
          key + " is an int of at least " + llvm::Twine(least) + ", got " + sources.text(item.value->range));
    return;
  }
  if (value && attributes.set(key, value))
    error(item.name.range, key + " is set twice");
}

/// `train NAME on data.SPLIT`: appends {entry, split} to runs. A train entry may stand several times, one
/// turn of the cycle each; evaluating the same twice would only say the same twice.
void Elaborator::elaborateFitRun(const FitItem &item, SmallVectorImpl<Attribute> &runs) {
  StringRef name = item.name.text;
  DeclKind kind = item.kind == FitItem::Kind::Train ? DeclKind::Train : DeclKind::Eval;
  const CallableDecl *entry = decls.callables.lookup(name);
  if (!entry || entry->kind != kind) {
    std::vector<StringRef> known;
    for (const auto &decl : decls.callables)
      if (decl.second->kind == kind)
        known.push_back(decl.second->name.text);
    llvm::sort(known);
    StringRef suggestion = nearestName(name, known);
    error(item.name.range, "there is no " + stringify(kind) + " entry called '" + name + "'")
        .suggest(suggestion.empty() && known.size() == 1 ? known.front() : suggestion);
    return;
  }
  auto *split = llvm::dyn_cast<MemberExpr>(item.value);
  auto *data = split ? llvm::dyn_cast<NameExpr>(split->base) : nullptr;
  if (!data || data->name != "data") {
    error(item.value->range,
          "expected a split of the data, such as data.train, got " + sources.text(item.value->range));
    return;
  }
  NamedAttrList run;
  run.set("entry", builder.getStringAttr(name));
  run.set("split", builder.getStringAttr(split->member.text));
  Attribute described = run.getDictionary(&context);
  if (kind == DeclKind::Eval && llvm::is_contained(runs, described))
    error(item.range, "fit evaluates " + name + " on " + sources.text(item.value->range) + " twice");
  runs.push_back(described);
}

void Elaborator::elaborateFit(const FitDecl *fit) {
  Scope empty;
  Restore<Scope *> inScope(scope, &empty);
  if (fitRange) {
    error(fit->range, "a program has one fit block").note("the first is here", fitRange);
    return;
  }
  fitRange = fit->range;
  NamedAttrList attributes;
  SmallVector<Attribute> trained, evaluated;
  for (const FitItem &item : fit->items) {
    if (item.kind == FitItem::Kind::Setting)
      elaborateFitSetting(item, attributes);
    else
      elaborateFitRun(item, item.kind == FitItem::Kind::Train ? trained : evaluated);
  }
  if (!trained.empty())
    attributes.set("train", builder.getArrayAttr(trained));
  if (!evaluated.empty())
    attributes.set("eval", builder.getArrayAttr(evaluated));
  if (!attributes.get("data") && (!trained.empty() || !evaluated.empty()) && !diags.hasErrors())
    error(fit->range, "fit runs entries on data, but data is not set");
  (*module)->setAttr("dl.fit", attributes.getDictionary(&context));
}

} // namespace dlc::frontend
