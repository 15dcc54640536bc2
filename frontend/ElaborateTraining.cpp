// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// minimize: gradients of a loss and the optimizer's body, in line, for each parameter.

#include "frontend/Elaborator.h"

#include "frontend/Builtins.h"
#include "llvm/ADT/StringExtras.h"
#include <map>
#include <utility>

namespace dlc::frontend {

/// One `over … with …` of a minimize.
struct Elaborator::OptimizerGroup {
  const MinimizeGroup *syntax = nullptr;
  const CallableDecl *decl = nullptr;
  const CallExpr *call = nullptr; ///< null for a name without arguments
  Scope scope;                    ///< the optimizer's own parameters, the same for all parameters it updates
  std::vector<unsigned> parameters;
  bool isWarnedOf = false; ///< that the optimizer changes nothing
};

//===----------------------------------------------------------------------===//
// Which parameters
//===----------------------------------------------------------------------===//

std::vector<std::pair<unsigned, Value>> Elaborator::parametersOf(Value loss) {
  std::map<unsigned, Value> found;
  SmallVector<Value> work{loss};
  llvm::DenseSet<Value> seenValues;
  llvm::DenseSet<Operation *> seen;
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (!seenValues.insert(value).second)
      continue;
    if (auto parameter = entry->parameterValues.find(value); parameter != entry->parameterValues.end()) {
      if (!llvm::isa<FloatType>(parameters[parameter->second].type.getElementType()))
        continue; // has no gradient
      // After an earlier minimize there may be two values; the one that stands now is trained.
      Value &known = found[parameter->second];
      if (!known || entry->states.lookup(parameters[parameter->second].name) == value)
        known = value;
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (!op) {
      // An argument of a scan's body comes from the scan's operands.
      op = value.getParentBlock()->getParentOp();
      if (llvm::isa<func::FuncOp>(op))
        continue;
    }
    if (!seen.insert(op).second || llvm::isa<dl::StopGradientOp>(op))
      continue;
    llvm::append_range(work, op->getOperands());
    for (Region &region : op->getRegions())
      for (mlir::Block &block : region)
        llvm::append_range(work, block.getTerminator()->getOperands());
  }
  return {found.begin(), found.end()};
}

/// A `*` stands for one or more parts; a pattern that ends early takes everything below.
static bool matches(ArrayRef<StringRef> pattern, ArrayRef<StringRef> parts) {
  if (pattern.empty())
    return true;
  if (parts.empty())
    return false;
  if (pattern.front() != "*")
    return pattern.front() == parts.front() && matches(pattern.drop_front(), parts.drop_front());
  for (size_t taken = 1; taken <= parts.size(); ++taken)
    if (matches(pattern.drop_front(), parts.drop_front(taken)))
      return true;
  return false;
}

static bool matches(const ParameterPattern &pattern, StringRef name) {
  SmallVector<StringRef> parts;
  name.split(parts, '.');
  return matches(pattern.parts, parts);
}

//===----------------------------------------------------------------------===//
// minimize
//===----------------------------------------------------------------------===//

void Elaborator::elaborateMinimize(const MinimizeStmt *stmt) {
  entry->hasMinimize = true;
  Entity loss = elaborate(stmt->loss);
  if (loss.isPoison())
    return;
  if (!loss.isTensor() || !loss.tensorType().isScalar() ||
      !llvm::isa<FloatType>(loss.tensorType().getElementType())) {
    error(stmt->loss->range, "minimize needs a scalar f32, got " + describe(loss))
        .note("mean(x) or sum(x) makes one");
    return;
  }
  if (inScan()) {
    error(stmt->range, "minimize cannot stand in a scan");
    return;
  }

  // 1. Share the parameters among the groups; the first explicit pattern wins, `rest` comes last.
  std::vector<unsigned> reached;
  SmallVector<Value> values;
  std::vector<std::pair<unsigned, Value>> found = parametersOf(loss.value);
  for (auto [parameter, value] : found) {
    reached.push_back(parameter);
    entry->trained.insert(parameter);
  }
  // Where the groups name what is trained, the rest stays as it is on purpose.
  auto namesAll = [](const MinimizeGroup &group) {
    return !group.patterns.empty() && llvm::none_of(group.patterns, [](auto &p) { return p.isRest; });
  };
  if (!entry->minimized && !llvm::all_of(stmt->groups, namesAll))
    entry->minimized = stmt->loss->range;
  std::vector<std::unique_ptr<OptimizerGroup>> groups;
  for (const MinimizeGroup &syntax : stmt->groups) {
    groups.push_back(std::make_unique<OptimizerGroup>());
    groups.back()->syntax = &syntax;
  }
  SmallVector<unsigned> updated;
  for (auto [parameter, value] : found) {
    OptimizerGroup *chosen = nullptr;
    StringRef name = parameters[parameter].name;
    for (bool isRestPass : {false, true})
      for (auto &group : groups) {
        ArrayRef<ParameterPattern> patterns = group->syntax->patterns;
        bool isTaken = isRestPass
                           ? patterns.empty() || llvm::any_of(patterns, [](auto &p) { return p.isRest; })
                           : llvm::any_of(patterns, [&](auto &p) {
                               return !p.isRest && matches(p, parameters[parameter].name);
                             });
        if (isTaken && !chosen)
          chosen = group.get();
      }
    if (!chosen)
      continue;
    chosen->parameters.push_back(parameter);
    updated.push_back(parameter);
    values.push_back(value);
  }
  checkPatterns(groups, reached);
  if (reached.empty())
    error(stmt->loss->range, "the loss depends on no parameter: there is nothing to train");
  if (updated.empty())
    return;

  // 2. All gradients at once, before anything changes.
  Restore<std::string> naming(lastLetName, entry->decl->name.text.str());
  currentLocation = locate(stmt->range);
  auto gradient = emit<dl::GradientOp>(ValueRange(values).getTypes(), loss.value, values);

  SmallVector<Value> gradients(gradient.getGradients());
  std::optional<Accumulation> accumulation;
  if (stmt->every && !elaborateEvery(stmt->every, accumulation))
    return;
  if (accumulation && !accumulateGradients(*accumulation, updated, gradients, stmt->every->range))
    return;
  Restore<Value> counts(entry->iteration, accumulation ? accumulation->updates : loadIteration());
  rememberGradients(gradients);
  if (stmt->clip && !clipGradients(stmt->clip, gradients))
    return;

  // 3. The optimizers' bodies, in the order of the parameters' declarations.
  for (auto &group : groups)
    if (!prepareOptimizer(*group))
      return;
  unsigned errors = diags.errorCount();
  for (auto [position, parameter] : llvm::enumerate(updated)) {
    for (auto &group : groups)
      if (llvm::is_contained(group->parameters, parameter))
        updateParameter(*group, parameter, gradients[position], accumulation ? &*accumulation : nullptr);
    if (diags.errorCount() != errors)
      return; // the same again for every parameter
  }
}

/// At the end of a train entry: what it reads and no loss depends on.
void Elaborator::warnOfUntrained() {
  if (entry->isTraining() && entry->hasMinimize) {
    hasTraining = true;
    inTraining.insert(entry->parameters.begin(), entry->parameters.end());
  }
  if (entry->isTraining() && !entry->hasMinimize && !entry->changesState)
    diags.warning(entry->decl->name.range,
                  "train " + entry->decl->name.text + " has no minimize: it trains nothing");
  for (unsigned parameter : entry->parameters)
    if (entry->minimized && !entry->trained.contains(parameter))
      diags
          .warning(entry->minimized, "the loss does not depend on " + parameters[parameter].name +
                                         ", which is not trained here")
          .note("it is made here", parameters[parameter].useSite);
}

/// At the end: what evaluations read and no training does, one warning for each instance.
void Elaborator::warnOfUnreached() {
  std::set<std::pair<uint32_t, uint32_t>> warned;
  for (auto [index, info] : llvm::enumerate(parameters))
    if (hasTraining && !diags.hasErrors() && !inTraining.contains(index) &&
        warned.insert({static_cast<uint32_t>(info.useSite.file), info.useSite.begin}).second)
      diags
          .warning(info.useSite, stringify(info.entry->kind) + " " + info.entry->name.text + " reads " +
                                     info.name + ", which no train entry does: it keeps its initial value")
          .note("what a training and another entry share is called in a model, or has the same name in both");
}

/// Suggests among all prefixes of the names, and lists some of them.
void Elaborator::reportUnknownPattern(const ParameterPattern &pattern, ArrayRef<unsigned> reached) {
  std::vector<std::string> known;
  std::string list;
  constexpr size_t kMaxListed = 8;
  for (auto [position, parameter] : llvm::enumerate(reached)) {
    StringRef name = parameters[parameter].name;
    for (size_t dot = name.find('.'); dot != StringRef::npos; dot = name.find('.', dot + 1))
      known.push_back(name.take_front(dot).str());
    known.push_back(name.str());
    if (position < kMaxListed)
      list += (position ? ", " : "") + name.str();
    else if (position == kMaxListed)
      list += ", …";
  }
  std::vector<StringRef> candidates(known.begin(), known.end());
  std::string text = llvm::join(pattern.parts, ".");
  Diagnostic &diag = error(pattern.range, "no parameter that the loss depends on is called " + text)
                         .suggest(nearestName(text, candidates));
  if (!reached.empty())
    diag.note("it depends on " + list);
}

void Elaborator::checkPatterns(ArrayRef<std::unique_ptr<OptimizerGroup>> groups, ArrayRef<unsigned> reached) {
  for (const std::unique_ptr<OptimizerGroup> &group : groups) {
    bool areKnown = true;
    for (const ParameterPattern &pattern : group->syntax->patterns) {
      if (pattern.isRest || llvm::any_of(reached, [&](unsigned parameter) {
            return matches(pattern, parameters[parameter].name);
          }))
        continue;
      reportUnknownPattern(pattern, reached);
      areKnown = false;
    }
    if (areKnown && group->parameters.empty() && !reached.empty() && !group->syntax->patterns.empty())
      warning(group->syntax->patterns.front().range,
              "this group gets no parameters: other groups take all that it names");
  }
}

/// An optimizer's parameter of a run-time type. A number becomes a state that can be set; what is computed
/// from others or from `iteration`, as by a schedule, is kept in one, so that a training can show it.
Entity Elaborator::elaborateHyperparameter(Entity value, const std::string &state, const std::string &what,
                                           SourceRange range) {
  std::string owner = entry->decl->name.text.str();
  if (value.isNumber()) {
    createState(dl::StateRole::Hyperparameter, state, scalarType(), builder.getF64FloatAttr(value.asDouble()),
                owner, "", range);
    currentLocation = locate(range);
    return Entity::ofScalar(loadState(state, scalarType()).value);
  }
  if (value.isScalar()) {
    createState(dl::StateRole::Hyperparameter, state, scalarType(), {}, owner, "", range);
    currentLocation = locate(range);
    storeState(state, value.value);
    return value;
  }
  if (!value.isPoison())
    error(range, what + " expects a number, got " + describe(value));
  return Entity::poison();
}

bool Elaborator::prepareOptimizer(OptimizerGroup &group) {
  const Expr *expr = group.syntax->optimizer;
  group.call = llvm::dyn_cast<CallExpr>(expr);
  auto *name = llvm::dyn_cast<NameExpr>(group.call ? group.call->callee : expr);
  group.decl = name ? findDecl(name->name, name->range) : nullptr;
  if (!group.decl || group.decl->kind != DeclKind::Optimizer) {
    if (group.decl || !name || findBuiltin(name->name) || scope->find(name->name))
      error(expr->range,
            "minimize needs an optimizer, such as adam(lr=1e-3), got " +
                (group.decl ? describe(Entity::ofCallable(group.decl)) : sources.text(expr->range).str()));
    return false;
  }
  std::vector<Arg> args;
  if (!matchArguments(group.decl, group.call, nullptr, args))
    return false;

  return bindHyperparameters(group.decl, expr, args, group.scope);
}

/// Binds the arguments of an optimizer, or of what clips gradients, in a scope of its own. `expr` is the
/// call.
bool Elaborator::bindHyperparameters(const CallableDecl *decl, const Expr *expr, ArrayRef<Arg> args,
                                     Scope &own) {
  // Parameters with a run-time type are hyperparameters.
  std::string owner = entry->decl->name.text.str();
  std::string prefix = owner;
  bool isTaken = llvm::any_of(decl->params, [&](const Parameter &param) {
    return llvm::isa<TensorType>(param.type) && stateOps.contains(owner + "." + param.name.text.str());
  });
  if (isTaken) {
    prefix = owner + "." + decl->name.text.str();
    unsigned count = entry->optimizers[decl->name.text]++;
    if (count)
      prefix += "_" + std::to_string(count);
  }
  Frame callee;
  callee.decl = decl;
  callee.caller = frame;
  callee.callRange = expr->range;
  callee.locationName = owner;
  Restore<Frame *> inFrame(frame, &callee);
  Restore<Scope *> inScope(scope, &own);
  for (auto [param, arg] : llvm::zip(decl->params, args)) {
    if (!arg.isGiven && !param.defaultValue) {
      error(expr->range,
            decl->name.text + " is missing " + param.name.text + ": " + sources.text(param.type->range))
          .note("declared here", param.range);
      return false;
    }
    Entity value = arg.isGiven ? arg.entity : elaborate(param.defaultValue);
    SourceRange range = arg.isGiven ? arg.range : param.defaultValue->range;
    std::string what = (decl->name.text + "'s " + param.name.text).str();
    if (auto *constant = llvm::dyn_cast<ConstantTypeExpr>(param.type)) {
      value = convertConstant(value, constant, range, what);
    } else {
      value = elaborateHyperparameter(value, prefix + "." + param.name.text.str(), what, range);
    }
    if (value.isPoison())
      return false;
    Binding binding;
    binding.kind = Binding::Kind::Argument;
    binding.entity = value;
    binding.range = range;
    scope->names[param.name.text] = binding;
  }
  return checkConstraints(decl, expr->range);
}

void Elaborator::updateParameter(OptimizerGroup &group, unsigned parameter, Value gradient,
                                 const Accumulation *accumulation) {
  const ParameterInfo &info = parameters[parameter];
  Frame callee;
  callee.decl = group.decl;
  callee.caller = frame;
  callee.callRange = group.syntax->optimizer->range;
  callee.path = info.name;
  callee.locationName = (entry->decl->name.text + "." + info.name).str();
  Scope body(&group.scope);
  Restore<Frame *> inFrame(frame, &callee);
  Restore<Scope *> inScope(scope, &body);
  Update own{parameter, {}};
  Restore<Update *> inUpdate(update, &own);
  Binding p;
  p.kind = Binding::Kind::Var;
  p.entity = loadState(info.name, info.type);
  Value old = p.entity.value;
  bind(group.decl->bound[0], p);
  Binding g;
  g.entity = Entity::ofTensor(gradient);
  bind(group.decl->bound[1], g);
  elaborateBlock(group.decl->body);

  Entity updated = body.names[group.decl->bound[0].text].entity;
  if (updated.isPoison())
    return;
  if (!updated.isTensor() || updated.tensorType() != info.type) {
    error(group.decl->bound[0].range, group.decl->name.text + " makes " + describe(updated) + " of " +
                                          info.name + ", which is " + describe(info.type));
    return;
  }
  if (updated.value == old) {
    if (!std::exchange(group.isWarnedOf, true))
      warning(group.syntax->optimizer->range, group.decl->name.text + " never assigns " +
                                                  group.decl->bound[0].text +
                                                  ": the parameters of this group do not change");
    return;
  }
  currentLocation = locate(group.syntax->optimizer->range);
  // What is computed with it from here on does not depend on what this update was computed from.
  Value result = accumulation ? whereLast(*accumulation, updated.value, old) : updated.value;
  storeState(info.name, emit<dl::StopGradientOp>(info.type, result));
  for (const auto &[state, before] : own.states)
    if (Value changed = entry->states[state]; accumulation && changed != before)
      storeState(state, whereLast(*accumulation, changed, before));
}

/// State of an optimizer belongs to the train entry and the parameter that is being updated.
void Elaborator::elaborateOptimizerStates(const StateStmt *stmt) {
  const ParameterInfo &info = parameters[update->parameter];
  StringRef owner = entry->decl->name.text;
  // In "init" the optimizer's p is the parameter's initial value; there is no gradient.
  auto prepare = [&](Scope &inner) {
    Binding binding;
    binding.entity = Entity::ofTensor(info.initial);
    inner.names[frame->decl->bound[0].text] = binding;
  };
  for (const Declarator &variable : stmt->variables) {
    Binding binding;
    binding.kind = Binding::Kind::State;
    binding.state = (owner + "." + info.name + "." + variable.name.text).str();
    if (stateOps.contains(binding.state)) {
      error(frame->callRange,
            info.name + " has its " + variable.name.text + " from another minimize of " + owner)
          .note("one minimize updates it: minimize … over names those that are meant");
    } else if (dl::TensorType type = inferStateType(variable, prepare)) {
      currentLocation = locate(variable.range);
      createState(dl::StateRole::Optimizer, binding.state, type, {}, owner, info.name, variable.range);
      if (elaborateInitial(variable.init, type, binding.state, prepare)) {
        currentLocation = locate(variable.range);
        binding.entity = loadState(binding.state, type);
        update->states.emplace_back(binding.state, binding.entity.value);
      }
    }
    bind(variable.name, std::move(binding));
  }
}

} // namespace dlc::frontend
