// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The fit block: defaults of `dlc train`, as the module attribute `dl.fit`.
//
//   dl.fit = {data = {loader = "mnist", path = "models/data/mnist"},
//             train = [{entry = "step", split = "train"}], eval = [{entry = "test", split = "test"}],
//             batch = 64 : i64, epochs = 3 : i64}
//
// Lists, as loaders take them, are array attributes.

#include "frontend/ASTWalk.h"
#include "frontend/Elaborator.h"
#include "runtime/data/loaders.h"

#include "runtime/data/direction.h"
#include "llvm/ADT/StringExtras.h"

namespace dlc::frontend {

static constexpr llvm::StringLiteral kSettings[] = {"data", "batch", "epochs",   "steps",
                                                    "seed", "best",  "patience", "evaluate_every"};

static StringRef ref(std::string_view text) {
  return {text.data(), text.size()};
}

/// The loader that a fit block names; null, with a warning, when dlc has none of that name. Applications may.
const data::LoaderSignature *Elaborator::findLoader(const NameExpr *name) {
  std::vector<StringRef> known;
  for (const data::LoaderSignature &loader : data::loader_signatures) {
    if (ref(loader.name) == name->name)
      return &loader;
    known.push_back(ref(loader.name));
  }
  diags
      .warning(name->range,
               "dlc has no data loader called '" + name->name + "'; it has: " + llvm::join(known, ", "))
      .suggest(nearestName(name->name, known));
  return nullptr;
}

static bool isOfKind(Attribute value, data::SettingKind kind) {
  using data::SettingKind;
  if (auto list = llvm::dyn_cast<ArrayAttr>(value)) {
    bool takesList = kind == SettingKind::numbers || kind == SettingKind::texts;
    return takesList && llvm::all_of(list, [&](Attribute one) { return isOfKind(one, kind); });
  }
  bool isNumber = llvm::isa<FloatAttr, IntegerAttr>(value) && !llvm::isa<BoolAttr>(value);
  switch (kind) {
  case SettingKind::integer:
    return isNumber && llvm::isa<IntegerAttr>(value);
  case SettingKind::number:
  case SettingKind::numbers:
    return isNumber;
  case SettingKind::flag:
    return llvm::isa<BoolAttr>(value);
  case SettingKind::text:
  case SettingKind::texts:
    return llvm::isa<StringAttr>(value);
  }
  return false;
}

/// A setting of a loader: known, and a value of its kind. The data library checks how large it is.
Attribute Elaborator::elaborateLoaderSetting(const data::LoaderSignature &loader, const Argument &argument) {
  auto setting = llvm::find_if(
      loader.settings, [&](const data::LoaderSetting &one) { return ref(one.name) == argument.name.text; });
  if (setting == loader.settings.end()) {
    std::vector<StringRef> known;
    for (const data::LoaderSetting &one : loader.settings)
      known.push_back(ref(one.name));
    error(argument.name.range, ref(loader.name) + " has no setting '" + argument.name.text + "'; it has" +
                                   (known.empty() ? " none" : ": " + llvm::join(known, ", ")))
        .suggest(nearestName(argument.name.text, known));
    return {};
  }
  Attribute value = elaborateSetting(argument.value);
  if (value && !isOfKind(value, setting->kind)) {
    error(argument.value->range, argument.name.text + " is " + ref(data::describe(setting->kind)) + ", got " +
                                     sources.text(argument.value->range));
    return {};
  }
  return value;
}

/// `mnist("path", key=value)`: the loader, its path, and its other arguments by name.
Attribute Elaborator::elaborateLoader(const Expr *expr) {
  auto *call = llvm::dyn_cast<CallExpr>(expr);
  auto *name = call ? llvm::dyn_cast<NameExpr>(call->callee) : nullptr;
  if (!name) {
    error(expr->range, "data needs a loader, such as mnist(\"models/data/mnist\")");
    return {};
  }
  const data::LoaderSignature *loader = findLoader(name);
  NamedAttrList attributes;
  attributes.set("loader", builder.getStringAttr(name->name));
  for (const Argument &argument : call->args) {
    bool isPath = !argument.name;
    if (isPath && attributes.get("path")) {
      error(argument.range, "a loader takes one path, and everything else by name");
      return {};
    }
    bool isKnown = loader && !isPath;
    Attribute value = isKnown ? elaborateLoaderSetting(*loader, argument) : elaborateSetting(argument.value);
    if (!value)
      return {};
    if (isPath && !llvm::isa<StringAttr>(value)) {
      error(argument.range, "the path of the data is a string, got " + sources.text(argument.range));
      return {};
    }
    attributes.set(isPath ? "path" : argument.name.text, value);
  }
  return attributes.getDictionary(&context);
}

/// A constant of the fit block: int, float, bool, string, or a list of them. Nothing is called for it: that
/// would need an entry, whose code it becomes.
Attribute Elaborator::elaborateSetting(const Expr *expr) {
  const Expr *other = nullptr;
  walk(expr, [&](const Expr *part) {
    if (!other && !llvm::isa<IntegerExpr, FloatExpr, BoolExpr, StringExpr, UnaryExpr, BinaryExpr, TupleExpr,
                             NameExpr, IndexExpr, RangeExpr>(part))
      other = part;
  });
  if (other) {
    error(other->range,
          "a setting is computed from numbers, bools and strings alone, got " + sources.text(other->range));
    return {};
  }
  Entity value = elaborate(expr);
  if (Attribute constant = settingAttribute(value))
    return constant;
  if (!value.isPoison())
    error(expr->range, "a setting is a number, a bool or a string, got " + describe(value));
  return {};
}

Attribute Elaborator::settingAttribute(const Entity &value) {
  if (value.isConstantInteger())
    return builder.getI64IntegerAttr(*value.integer.getConstantValue());
  if (value.isFloat())
    return builder.getF64FloatAttr(value.number);
  if (value.isBool())
    return builder.getBoolAttr(value.flag);
  if (value.isString())
    return builder.getStringAttr(value.text);
  if (!value.isTuple() || value.tuple->elements.empty())
    return {};
  llvm::SmallVector<Attribute> elements;
  for (const Entity &element : value.tuple->elements) {
    Attribute attribute = settingAttribute(element);
    if (!attribute || llvm::isa<ArrayAttr>(attribute))
      return {};
    elements.push_back(attribute);
  }
  return builder.getArrayAttr(elements);
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
  if (value && key == "best" && !llvm::isa<StringAttr>(value)) {
    error(item.value->range,
          "best is the name of a figure, such as \"test.loss\", got " + sources.text(item.value->range));
    return;
  }
  auto number = llvm::dyn_cast_if_present<IntegerAttr>(value);
  int64_t least = key == "seed" ? 0 : 1;
  if (value && key != "data" && key != "best" &&
      (!number || number.getType().isInteger(1) || number.getInt() < least)) {
    error(item.value->range,
          key + " is an int of at least " + llvm::Twine(least) + ", got " + sources.text(item.value->range));
    return;
  }
  if (value && attributes.set(key, value))
    error(item.name.range, key + " is set twice");
  bool isLength = key == "epochs" || key == "steps";
  if (isLength && attributes.get("epochs") && attributes.get("steps"))
    error(item.name.range, "both epochs and steps say how long to train: one is enough");
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

/// `best = "test.loss"`: what an evaluation reports, and whether less or more of it is better.
void Elaborator::checkBest(const Expr *expr, StringRef text, ArrayRef<Attribute> evaluated) {
  std::vector<std::string> figures;
  for (Attribute run : evaluated) {
    auto fields = llvm::cast<DictionaryAttr>(run);
    auto sameEntry = [&](Attribute other) {
      return llvm::cast<DictionaryAttr>(other).get("entry") == fields.get("entry");
    };
    StringRef name = fields.getAs<StringAttr>("entry").getValue();
    std::string label = name.str();
    if (llvm::count_if(evaluated, sameEntry) > 1)
      label += "." + fields.getAs<StringAttr>("split").getValue().str();
    auto function = module->lookupSymbol<func::FuncOp>(name);
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      if (function.getResultAttr(i, dl::kReportAttr))
        figures.push_back(label + "." +
                          function.getResultAttrOfType<StringAttr>(i, dl::kNameAttr).getValue().str());
  }
  data::BestFigure best = data::parse_best_figure(std::string_view(text.data(), text.size()));
  if (!llvm::is_contained(figures, best.name)) {
    std::vector<StringRef> known(figures.begin(), figures.end());
    Diagnostic &diag = error(expr->range, "no evaluation reports '" + best.name + "'");
    diag.suggest(nearestName(best.name, known));
    if (!figures.empty())
      diag.note("they report " + llvm::join(figures, ", "));
  } else if (best.direction == data::Direction::unknown) {
    error(expr->range, "is less or more of " + best.name + " better? Say \"min:" + best.name +
                           "\" or \"max:" + best.name + "\"");
  }
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
  for (const FitItem &item : fit->items)
    if (item.kind == FitItem::Kind::Setting && item.name.text == "best" && !diags.hasErrors())
      checkBest(item.value, llvm::cast<StringAttr>(attributes.get("best")).getValue(), evaluated);
  if (auto patience = attributes.get("patience"); patience && !attributes.get("best") && !diags.hasErrors())
    error(fit->range, "fit sets patience, but not best, the figure that is to get better");
  (*module)->setAttr("dl.fit", attributes.getDictionary(&context));
}

} // namespace dlc::frontend
