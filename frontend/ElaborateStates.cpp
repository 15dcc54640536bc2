// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything that persists: parameters and their initial values, counters, seeds; and the names of instances,
// which parameters and random sites are made of.

#include "frontend/Elaborator.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

namespace dlc::frontend {

static std::string joinPath(StringRef path, StringRef name) {
  return path.empty() ? name.str() : (path + "." + name).str();
}

//===----------------------------------------------------------------------===//
// Instances
//===----------------------------------------------------------------------===//

std::string Elaborator::instancePath(const NameHint &hint, const CallableDecl *decl, SourceRange range,
                                     Frame &callee) {
  callee.isDuplicate = frame->isDuplicate;
  callee.firstUse = frame->firstUse;
  // A model is one instance wherever it is called.
  if (decl->kind == DeclKind::Model) {
    callee.isDuplicate = false;
    return modelCount > 1 ? decl->name.text.str() : "";
  }
  bool isRoot = !frame->caller;
  std::string path;
  switch (hint.kind) {
  case NameHint::Kind::Name:
    path = joinPath(frame->path, hint.name);
    break;
  case NameHint::Kind::Enclosing:
    if (!isRoot || frame->inNamedLoop) {
      path = frame->path;
      break;
    }
    [[fallthrough]];
  case NameHint::Kind::None:
    callee.isUnnamed = true;
    path = joinPath(frame->path, decl->name.text);
    for (unsigned i = 1; frame->instanceNames.contains(path); ++i)
      path = joinPath(frame->path, (decl->name.text + "_" + llvm::Twine(i)).str());
    break;
  }
  auto [known, isNew] = frame->instanceNames.try_emplace(path, range);
  if (!isNew && !callee.isDuplicate) {
    callee.isDuplicate = true;
    callee.firstUse = known->second;
  }
  return path;
}

Entity Elaborator::instanceMember(const Instance &instance, const Identifier &member) {
  std::string name = joinPath(instance.path, member.text);
  if (auto found = parameterIndex.find(name); found != parameterIndex.end())
    return loadState(name, parameters[found->second].type);
  // A part of it, such as layer.fc of layer.fc.weight.
  std::vector<StringRef> names;
  std::string prefix = instance.path.empty() ? "" : instance.path + ".";
  for (const ParameterInfo &info : parameters) {
    StringRef rest = info.name;
    if (!rest.consume_front(prefix))
      continue;
    if (rest.starts_with((member.text + ".").str())) {
      auto part = std::make_shared<Instance>(instance);
      part->path = name;
      part->isPart = true;
      return Entity::ofInstance(std::move(part));
    }
    names.push_back(rest);
  }
  if (!names.empty()) {
    error(member.range, instance.decl->name.text + " has no parameter '" + member.text + "'")
        .suggest(nearestName(member.text, names));
  } else {
    error(member.range,
          "the parameters of this " + instance.decl->name.text + " have no shape before its first call")
        .note("the instance is made here", instance.range);
  }
  return Entity::poison();
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

dl::StateOp Elaborator::createState(dl::StateRole role, StringRef name, dl::TensorType type,
                                    TypedAttr initial, StringRef owner, StringRef parameter,
                                    SourceRange range) {
  if (auto found = stateOps.find(name); found != stateOps.end()) {
    error(range, "two states are called '" + name + "'");
    return found->second;
  }
  // States and entries are symbols of one module.
  const CallableDecl *sameName = decls.callables.lookup(name);
  bool isTaken = name == "init" || (sameName && isEntry(sameName));
  if (isTaken && role != dl::StateRole::Seed) // elaborateEntry reports an entry called seed
    error(range, "a state cannot be called '" + name + "' like an entry");
  checkRank(type, range, "a state");
  OpBuilder atStates(initEntry.func);
  auto op = dl::StateOp::create(atStates, range ? locate(range) : module->getLoc(), role, name, type, initial,
                                owner.empty() ? StringAttr() : builder.getStringAttr(owner),
                                parameter.empty() ? FlatSymbolRefAttr()
                                                  : FlatSymbolRefAttr::get(&context, parameter),
                                /*layout=*/DenseI64ArrayAttr());
  stateOps[name] = op;
  return op;
}

/// Reads a state once per entry, in front of the scans around the insertion point.
Entity Elaborator::loadState(StringRef name, dl::TensorType type) {
  Value &value = entry->states[name];
  if (!value) {
    OpBuilder::InsertionGuard guard(builder);
    if (inScan())
      builder.setInsertionPoint(entry->scans.front());
    value = emit<dl::LoadStateOp>(type, FlatSymbolRefAttr::get(&context, name));
    if (auto found = parameterIndex.find(name); found != parameterIndex.end()) {
      entry->parameters.push_back(found->second);
      entry->parameterValues[value] = found->second;
    }
  }
  return Entity::ofTensor(value);
}

void Elaborator::storeState(StringRef name, Value value) {
  emit<dl::StoreStateOp>(FlatSymbolRefAttr::get(&context, name), value);
  entry->states[name] = value;
  if (auto found = parameterIndex.find(name); found != parameterIndex.end())
    entry->parameterValues[value] = found->second;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// The last part of a parameter's name; nothing after an error.
std::optional<std::string> Elaborator::parameterName(const ParamStmt *stmt) {
  if (!stmt->known)
    return stmt->variable.name.text.str();
  Entity known = elaborate(stmt->known);
  bool isName = known.isString() && !known.text.empty() && !llvm::isDigit(known.text.front()) &&
                llvm::all_of(known.text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  if (isName)
    return known.text;
  if (!known.isPoison())
    error(stmt->known->range, "a param's name is a string of letters, digits and _, got " + describe(known));
  return std::nullopt;
}

/// Whether a parameter or buffer of the current frame is made here for the first time, and not by a second
/// instance of one name, or by a loop in each of its iterations.
bool Elaborator::checkUnshared(const Declarator &variable, const std::string &name, StringRef what) {
  constexpr StringRef remedy = "a loop names what it makes with `as`: for i in 0..6 as layers { … }";
  if (frame->isDuplicate) {
    SourceRange useSite;
    for (Frame *at = frame; at && at->isDuplicate; at = at->caller)
      useSite = userRange(at->callRange);
    error(useSite, "two instances are called '" + (frame->path.empty() ? "" : llvm::Twine(frame->path)) +
                       "', and both have " + what)
        .note("the first is made here", frame->firstUse)
        .note(remedy);
    return false;
  }
  if (!frame->stateNames.insert(name).second) {
    error(variable.range, "a loop makes " + llvm::Twine(name) + " more than once").note(remedy);
    return false;
  }
  return true;
}

/// Whether a parameter may be made here: not on the way to a gradient's update or to an initial value, where
/// no loss would reach it.
bool Elaborator::checkTrainable(const std::string &name, SourceRange useSite) {
  for (Frame *at = frame; at; at = at->caller) {
    if (!at->decl)
      continue;
    bool ofGradients = at->decl->kind == DeclKind::Function && !at->decl->bound.empty();
    bool isTrainable = !ofGradients && at->decl->kind != DeclKind::Optimizer &&
                       at->decl->kind != DeclKind::Initializer && at->decl->kind != DeclKind::Schedule;
    if (isTrainable)
      continue;
    error(useSite, describe(Entity::ofCallable(at->decl)) + " makes no parameters, here " + name)
        .note("it is called here", at->callRange);
    return false;
  }
  return true;
}

Entity Elaborator::elaborateParam(const ParamStmt *stmt) {
  const Declarator &variable = stmt->variable;
  auto *declared = llvm::dyn_cast<TensorType>(variable.type);
  if (!declared) {
    error(variable.type->range,
          "a param is a tensor, such as f32[features], got " + sources.text(variable.type->range));
    return Entity::poison();
  }
  dl::TensorType type = evaluateType(declared);
  if (!type)
    return Entity::poison();
  std::optional<std::string> part = parameterName(stmt);
  if (!part)
    return Entity::poison();
  std::string name = joinPath(frame->path, *part);
  for (dl::PolynomialAttr size : type.getShape()) {
    if (!size.isConstant()) {
      error(variable.range, "param " + llvm::Twine(name) + " is " + describe(type) +
                                ", but its size must be known at compile time");
      return Entity::poison();
    }
  }
  SourceRange useSite = frame->caller ? userRange(frame->callRange) : variable.range;
  if (!checkTrainable(name, useSite) || !checkUnshared(variable, name, "parameters"))
    return Entity::poison();
  for (Frame *at = frame; at; at = at->caller) {
    if (at->decl && at->decl->kind == DeclKind::Model)
      break; // whose parameters have the same names whoever calls it
    if (!at->isUnnamed || isStandard(at->callRange.file))
      continue;
    StringRef callee = at->decl->name.text;
    diags
        .warning(at->callRange, "no name reaches the parameters of this " + callee + ", which become '" +
                                    llvm::Twine(at->path) + "'")
        .note("bind it to a name", {}, "let NAME = " + callee + "(…)");
    break;
  }

  // A model's names begin without its own where a file has but one: a layer of an entry may have the same.
  const CallableDecl *model = nullptr;
  for (Frame *at = frame; at && !model; at = at->caller)
    if (at->decl && at->decl->kind == DeclKind::Model)
      model = at->decl;
  auto [known, isNew] = parameterIndex.try_emplace(name, parameters.size());
  if (isNew) {
    currentLocation = locate(variable.range);
    parameters.push_back({name, type, variable.range, useSite, model, entry->decl, {}});
    createState(dl::StateRole::Parameter, name, type, {}, "", "", variable.range);
    Value initial = elaborateInitial(variable.init, type, name);
    if (!initial)
      return Entity::poison();
    parameters[known->second].initial = initial;
  } else {
    const ParameterInfo &info = parameters[known->second];
    if (info.range != variable.range || info.model != model) {
      error(useSite, "two parameters are called '" + llvm::Twine(name) + "'")
          .note("the first is made here", info.useSite);
      return Entity::poison();
    }
    if (!info.initial)
      return Entity::poison(); // The entry that made it has said what its initial value lacks.
    if (info.type != type) {
      error(useSite, "param " + llvm::Twine(name) + " is " + describe(type) + " here, but " +
                         describe(info.type) + " where it was made")
          .note("it was made here", info.useSite);
      return Entity::poison();
    }
  }
  currentLocation = locate(variable.range);
  Entity value = loadState(name, type);
  frame->params.push_back({variable.name.text, value.value});
  for (Frame *at = frame->caller; at; at = at->caller)
    at->innerParameter = name;
  return value;
}

/// The value of every element, when it is one constant that a runtime can fill a state with, from a double;
/// else null.
static TypedAttr constantElement(Value value) {
  while (auto broadcast = value.getDefiningOp<dl::BroadcastOp>())
    value = broadcast.getOperand();
  auto constant = value.getDefiningOp<dl::ConstantOp>();
  if (!constant || cast<dl::TensorType>(value.getType()).getElementType().isF16())
    return {};
  auto integer = dyn_cast<IntegerAttr>(constant.getValue());
  if (integer && !isExactDouble(integer.getValue().getSExtValue()))
    return {};
  return constant.getValue();
}

Value Elaborator::elaborateInitial(const Expr *expr, dl::TensorType type, StringRef name,
                                   llvm::function_ref<void(Scope &)> prepare) {
  OpBuilder::InsertionGuard guard(builder);
  Restore<EntryContext *> inInit(entry, &initEntry);
  Restore<std::string> naming(initialName, name.str());
  builder.setInsertionPointToEnd(&initEntry.func.getBody().front());
  Scope inner(scope);
  Restore<Scope *> inScope(scope, &inner);
  if (prepare)
    prepare(inner);

  auto *call = llvm::dyn_cast<CallExpr>(expr);
  auto *callee = call ? llvm::dyn_cast<NameExpr>(call->callee) : nullptr;
  const CallableDecl *initializer = callee ? findInitializer(callee->name, callee->range) : nullptr;
  // `zeros(3)` is a tensor, `zeros()` an initializer.
  bool isInitializer =
      initializer && !scope->find(callee->name) && (call->args.empty() || !initializer->params.empty());
  Entity entity = isInitializer ? callInitializer(initializer, call, type) : elaborate(expr);
  if (entity.isPoison())
    return {};
  currentLocation = locate(expr->range);
  Value value;
  if (entity.isTensor()) {
    dl::TensorType actual = entity.tensorType();
    std::optional<SmallVector<dl::PolynomialAttr>> shape = broadcastShapes(actual, type);
    if (actual.getElementType() != type.getElementType() || !shape || *shape != type.getShape()) {
      error(expr->range,
            "the initial value of " + name + " is " + describe(actual) + ", expected " + describe(type));
      return {};
    }
    value = broadcastTo(entity.value, type.getShape());
  } else {
    entity = convertToElement(entity, type.getElementType(), expr->range, "the initial value of " + name);
    if (entity.isPoison())
      return {};
    value = broadcastTo(entity.value, type.getShape());
  }
  setInitial(name, value);
  return value;
}

void Elaborator::setInitial(StringRef name, Value value) {
  if (TypedAttr constant = constantElement(value))
    stateOps[name].setInitialAttr(constant);
  else
    storeState(name, value);
}

Entity Elaborator::callInitializer(const CallableDecl *decl, const CallExpr *call, dl::TensorType type) {
  std::vector<Arg> args;
  if (!matchArguments(decl, call, nullptr, args))
    return Entity::poison();
  Frame callee;
  callee.decl = decl;
  callee.caller = frame;
  callee.callRange = call->range;
  callee.path = frame->path;
  callee.locationName = initialName;
  Scope body;
  Restore<Frame *> inFrame(frame, &callee);
  Restore<Scope *> inScope(scope, &body);
  std::vector<Entity> shape;
  for (dl::PolynomialAttr size : type.getShape())
    shape.push_back(Entity::ofInteger(size));
  for (const Identifier &bound : decl->bound) {
    Binding binding;
    binding.kind = Binding::Kind::Argument;
    binding.entity = Entity::ofTuple(shape);
    binding.range = bound.range;
    scope->names[bound.text] = binding;
  }
  if (!bindArguments(decl, args, call->range)) // `where` may speak of the dimensions
    return Entity::poison();
  return runBody(decl);
}

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

Value Elaborator::loadSeed() {
  return loadState("seed", counterType()).value;
}

/// Counts the steps of a train entry from 1; 0 in all other entries.
Value Elaborator::loadIteration() {
  if (!entry->iteration) {
    OpBuilder::InsertionGuard guard(builder);
    if (inScan())
      builder.setInsertionPoint(entry->scans.front());
    if (entry->isTraining()) {
      std::string name = (entry->decl->name.text + ".iteration").str();
      createState(dl::StateRole::Iteration, name, counterType(), builder.getI64IntegerAttr(0),
                  entry->decl->name.text, "", entry->decl->name.range);
      Value last = loadState(name, counterType()).value;
      entry->iteration = emit<dl::AddOp>(last, constantInteger(counterType(), 1));
      storeState(name, entry->iteration);
    } else {
      entry->iteration = constantInteger(counterType(), 0);
    }
  }
  return entry->iteration;
}

/// The step within all scans around, counted through; null outside of scans.
Value Elaborator::scanPosition() {
  Value position;
  for (Operation *op : entry->scans) {
    auto scan = llvm::cast<dl::ScanOp>(op);
    if (position) {
      Value count = emit<dl::DimOp>(scan.getCount());
      position = emit<dl::AddOp>(emit<dl::MulOp>(position, count), scan.getIndex());
    } else {
      position = scan.getIndex();
    }
  }
  return position;
}

Value Elaborator::random(dl::TensorType type, StringRef name) {
  std::string site = entry->isInit() ? "init/" + initialName : frame->path + "/" + name.str();
  site += "#" + std::to_string(entry->occurrences[site]++);
  Value key = emit<dl::RandomKeyOp>(loadSeed(), static_cast<int64_t>(llvm::xxHash64(StringRef(site))));
  return emit<dl::RandomOp>(type, key, loadIteration(), scanPosition());
}

} // namespace dlc::frontend
