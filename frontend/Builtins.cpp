// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of primitive functions, and how a call's arguments meet their parameters.

#include "frontend/Builtins.h"

#include "frontend/Elaborator.h"

namespace dlc::frontend {

static const std::array<ArrayRef<Builtin>, 6> &families() {
  static const std::array<ArrayRef<Builtin>, 6> all{elementwiseBuiltins(), reductionBuiltins(),
                                                    einsumBuiltins(),      shapeBuiltins(),
                                                    indexBuiltins(),       convolutionBuiltins()};
  return all;
}

const Builtin *findBuiltin(StringRef name) {
  static const llvm::StringMap<const Builtin *> byName = [] {
    llvm::StringMap<const Builtin *> map;
    for (ArrayRef<Builtin> family : families())
      for (const Builtin &builtin : family)
        map[builtin.name] = &builtin;
    return map;
  }();
  return byName.lookup(name);
}

ArrayRef<StringRef> builtinNames() {
  static const std::vector<StringRef> names = [] {
    std::vector<StringRef> all;
    for (ArrayRef<Builtin> family : families())
      for (const Builtin &builtin : family)
        all.push_back(builtin.name);
    return all;
  }();
  return names;
}

ArrayRef<StringRef> specialNames() {
  static const std::vector<StringRef> names = [] {
    std::vector<StringRef> all(elementTypeNames());
    all.insert(all.end(), {"training", "iteration"});
    return all;
  }();
  return names;
}

Entity Elaborator::callBuiltin(const Builtin *builtin, const CallExpr *expr, const NameHint &hint) {
  BuiltinCall call;
  call.expr = expr;
  call.name = builtin->name;
  call.range = expr->range;
  SmallVector<StringRef> params;
  StringRef(builtin->parameters).split(params, ' ');
  call.args.assign(params.size(), Entity::none());
  call.argRanges.assign(params.size(), expr->range);
  auto bareName = [](StringRef param) { return param.rtrim("?*"); };
  // These two say how their argument is evaluated, and are named as it would be.
  bool isMode = call.name == "eval_mode" || call.name == "train_mode";
  Restore<std::optional<bool>> inMode(trainingMode,
                                      isMode ? std::optional(call.name == "train_mode") : trainingMode);

  bool isGood = true;
  size_t position = 0;
  std::vector<Entity> rest; // of a `name*`
  for (const Argument &argument : expr->args) {
    size_t index = position;
    if (argument.name) {
      index = llvm::find_if(params, [&](StringRef p) { return bareName(p) == argument.name.text; }) -
              params.begin();
      if (index == params.size()) {
        std::vector<StringRef> names;
        for (StringRef param : params)
          names.push_back(bareName(param));
        error(argument.name.range, call.name + " has no parameter '" + argument.name.text + "'")
            .suggest(nearestName(argument.name.text, names));
        isGood = false;
        continue;
      }
    } else if (index >= params.size()) {
      error(argument.range, call.name + " takes " + llvm::Twine(params.size()) +
                                (params.size() == 1 ? " argument" : " arguments") + ", got " +
                                llvm::Twine(expr->args.size()));
      return Entity::poison();
    }
    bool takesRest = params[index].ends_with("*");
    if (!argument.name && !takesRest)
      ++position;
    Entity entity = elaborate(argument.value, isMode ? hint : NameHint());
    isGood &= !entity.isPoison();
    if (entity.kind == Entity::Kind::None) {
      error(argument.range, call.name + " needs a value for " + bareName(params[index]));
      isGood = false;
    }
    if (call.args[index].kind != Entity::Kind::None && !takesRest) {
      error(argument.range, bareName(params[index]) + " is given twice");
      isGood = false;
    }
    call.argRanges[index] = argument.value->range;
    if (takesRest && !argument.name) {
      rest.push_back(entity);
      call.args[index] = Entity::ofTuple(rest);
    } else {
      call.args[index] = std::move(entity);
    }
  }
  if (!isGood)
    return Entity::poison();
  for (auto [param, arg] : llvm::zip(params, call.args)) {
    if (arg.kind == Entity::Kind::None && !param.ends_with("?") && !param.ends_with("*")) {
      error(expr->range, call.name + " is missing " + bareName(param));
      return Entity::poison();
    }
  }
  currentLocation = locate(expr->range);
  return builtin->elaborate(*this, call);
}

} // namespace dlc::frontend
