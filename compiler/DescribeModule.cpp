// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/DescribeModule.h"

#include "compiler/Artifact/SizeExpression.h"
#include "compiler/Memory/EmitSchedule.h"
#include "compiler/PlaceCount.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSwitch.h"

namespace dlc {

using namespace mlir;

namespace {

artifact::EntryKind entryKindOf(StringRef name) {
  return llvm::StringSwitch<artifact::EntryKind>(name)
      .Case("init", artifact::EntryKind::Init)
      .Case("train", artifact::EntryKind::Train)
      .Case("eval", artifact::EntryKind::Eval)
      .Default(artifact::EntryKind::Infer);
}

/// A hyperparameter without an initial value is computed in every step, and stored to be shown.
artifact::StateRole roleOf(dl::StateOp state) {
  switch (state.getRole()) {
  case dl::StateRole::Parameter:
    return artifact::StateRole::Parameter;
  case dl::StateRole::Buffer:
    return artifact::StateRole::Buffer;
  case dl::StateRole::Optimizer:
    return artifact::StateRole::Optimizer;
  case dl::StateRole::Iteration:
    return artifact::StateRole::Iteration;
  case dl::StateRole::Hyperparameter:
    return state.getInitial() ? artifact::StateRole::Hyperparameter : artifact::StateRole::Schedule;
  case dl::StateRole::Seed:
    return artifact::StateRole::Seed;
  case dl::StateRole::Metric:
    return artifact::StateRole::Metric;
  }
  llvm_unreachable("unknown role");
}

/// `attributes`: the argument's or result's dictionary; may be null.
artifact::Value describeValue(dl::TensorType type, DictionaryAttr attributes, ArrayAttr symbols) {
  artifact::Value value;
  value.dtype = artifact::dtypeOf(type.getElementType());
  for (dl::PolynomialAttr size : type.getShape())
    value.dims.push_back(artifact::toExpression(size, symbols));
  if (!attributes)
    return value;
  if (auto name = attributes.getAs<StringAttr>(dl::kNameAttr))
    value.name = name.str();
  if (auto report = attributes.getAs<StringAttr>(dl::kReportAttr))
    value.report = report.getValue() == "metric" ? artifact::ReportKind::Metric : artifact::ReportKind::Value;
  return value;
}

/// As one expression that must be at least 0.
artifact::Constraint describeConstraint(dl::ConstraintAttr constraint, ArrayAttr symbols) {
  artifact::Constraint result;
  artifact::Expression value = artifact::toExpression(constraint.getValue(), symbols);
  artifact::Expression magnitude = value.max(artifact::Expression(0) - value);
  switch (constraint.getRequirement()) {
  case dl::Requirement::NotNegative:
    result.value = value;
    break;
  case dl::Requirement::Zero:
    result.value = artifact::Expression(0) - magnitude;
    break;
  case dl::Requirement::NotZero:
    result.value = magnitude - 1;
    break;
  case dl::Requirement::MultipleOf:
    result.value =
        artifact::Expression(0) - value.mod(artifact::toExpression(constraint.getDivisor(), symbols));
    break;
  }
  result.text = constraint.getSubject().str() + " needs " + constraint.describeCondition();
  result.location = {constraint.getFile().str(), constraint.getLine(), constraint.getColumn()};
  return result;
}

/// A bound that is no possible size comes down to the next one, as far as one constraint says: `--max n=10`
/// where n % 4 == 0 is 8.
void lowerMaximum(dl::ConstraintAttr constraint, artifact::Symbol &symbol) {
  bool isSymbol =
      dl::PolynomialAttr::getSymbol(constraint.getContext(), symbol.name) == constraint.getValue();
  if (!isSymbol || constraint.getRequirement() != dl::Requirement::MultipleOf || symbol.max == INT64_MAX)
    return;
  std::optional<int64_t> divisor = constraint.getDivisor().getConstantValue();
  if (divisor && *divisor >= 1 && *divisor <= symbol.max)
    symbol.max -= symbol.max % *divisor;
}

/// What an entry gathers from has less than 2^31 elements: kernels find them by vectors of 32-bit numbers.
void describeGatherLimits(func::FuncOp entry, ArrayAttr symbols, artifact::Entry &result) {
  llvm::DenseSet<dl::PolynomialAttr> seen;
  entry.walk([&](dl::GatherOp gather) {
    dl::PolynomialAttr count = gather.getOperand().getType().getElementCount();
    std::optional<int64_t> known = count.getConstantValue();
    if ((known && *known <= INT32_MAX) || !seen.insert(count).second)
      return;
    artifact::Constraint &limit = result.constraints.emplace_back();
    limit.value = artifact::Expression(INT32_MAX) - artifact::toExpression(count, symbols);
    limit.text = "a gather needs " + dl::toString(count) + " < 2^31";
    if (std::vector<artifact::SourceLocation> at = memory::sourceLocations(gather.getLoc()); !at.empty())
      limit.location = at.front();
  });
}

artifact::Entry describeEntry(func::FuncOp entry, const std::map<std::string, int64_t> &max) {
  artifact::Entry result;
  result.name = entry.getName().str();
  result.kind = entryKindOf(entry->getAttrOfType<StringAttr>(dl::kEntryAttr).getValue());
  auto symbols = entry->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr);
  if (!symbols)
    symbols = ArrayAttr::get(entry.getContext(), {});
  for (auto symbol : symbols.getAsRange<StringAttr>()) {
    artifact::Symbol described;
    described.name = symbol.str();
    if (auto bound = max.find(described.name); bound != max.end())
      described.max = bound->second;
    result.symbols.push_back(described);
  }
  for (auto [index, argument] : llvm::enumerate(entry.getArguments())) {
    artifact::Value &value = result.arguments.emplace_back(
        describeValue(cast<dl::TensorType>(argument.getType()), entry.getArgAttrDict(index), symbols));
    PlaceCount places = countPlaces(argument);
    std::vector<artifact::SourceLocation> locations = memory::sourceLocations(places.location);
    value.places = places.count;
    value.leastPlace = places.least;
    if (!locations.empty())
      value.placesLocation = locations.front();
  }
  for (auto [index, type] : llvm::enumerate(entry.getResultTypes()))
    result.results.push_back(
        describeValue(cast<dl::TensorType>(type), entry.getResultAttrDict(index), symbols));
  if (auto constraints = entry->getAttrOfType<ArrayAttr>(dl::kConstraintsAttr)) {
    for (auto constraint : constraints.getAsRange<dl::ConstraintAttr>())
      result.constraints.push_back(describeConstraint(constraint, symbols));
    // What one constraint leaves may be too large for another.
    for (artifact::Symbol &symbol : result.symbols)
      for (int64_t before = INT64_MAX; symbol.max < before;) {
        before = symbol.max;
        for (auto constraint : constraints.getAsRange<dl::ConstraintAttr>())
          lowerMaximum(constraint, symbol);
      }
  }
  describeGatherLimits(entry, symbols, result);
  return result;
}

double numberOf(TypedAttr attribute) {
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return flag.getValue();
  APInt value = cast<IntegerAttr>(attribute).getValue();
  return attribute.getType().isUnsignedInteger() ? static_cast<double>(value.getZExtValue())
                                                 : static_cast<double>(value.getSExtValue());
}

/// `entries` and `states`: indices by name.
artifact::State describeState(dl::StateOp state, const llvm::StringMap<int32_t> &entries,
                              const llvm::StringMap<int32_t> &states) {
  artifact::State result;
  auto type = cast<dl::TensorType>(state.getType());
  result.name = state.getSymName().str();
  result.dtype = artifact::dtypeOf(type.getElementType());
  for (dl::PolynomialAttr size : type.getShape())
    result.dims.push_back(*size.getConstantValue());
  result.role = roleOf(state);
  auto indexOf = [](const llvm::StringMap<int32_t> &names, StringRef name) {
    auto found = names.find(name);
    return found == names.end() ? -1 : found->second;
  };
  if (state.getOwner())
    result.owner = indexOf(entries, *state.getOwner());
  if (state.getParameter())
    result.parameter = indexOf(states, *state.getParameter());
  if (state.getInitial())
    result.initial = numberOf(*state.getInitial());
  return result;
}

/// The kind and the value of a setting that has no parts.
artifact::FitSetting describeSetting(const std::string &key, Attribute value) {
  artifact::FitSetting described;
  described.key = key;
  if (auto text = dyn_cast<StringAttr>(value)) {
    bool isSetting = llvm::StringRef(key).starts_with("data.") && key != "data.loader";
    bool isText = isSetting || !llvm::StringRef(key).contains('.');
    described.kind = isText ? artifact::FitKind::String : artifact::FitKind::Identifier;
    described.text = text.str();
  } else if (auto flag = dyn_cast<BoolAttr>(value)) {
    described.kind = artifact::FitKind::Identifier;
    described.text = flag.getValue() ? "true" : "false";
  } else {
    described.kind = artifact::FitKind::Number;
    described.number = numberOf(cast<TypedAttr>(value));
  }
  return described;
}

/// {data = {loader, path, …}, train = [{entry, split}], batch = 64} becomes data.loader, data.path,
/// train.entry, train.split, …; several of a list repeat their keys in order.
void flattenFit(const std::string &prefix, DictionaryAttr settings,
                std::vector<artifact::FitSetting> &result) {
  for (NamedAttribute setting : settings) {
    std::string key = prefix + setting.getName().str();
    if (auto nested = dyn_cast<DictionaryAttr>(setting.getValue())) {
      flattenFit(key + ".", nested, result);
      continue;
    }
    if (auto list = dyn_cast<ArrayAttr>(setting.getValue())) {
      for (Attribute element : list)
        if (auto run = dyn_cast<DictionaryAttr>(element))
          flattenFit(key + ".", run, result);
        else
          result.push_back(describeSetting(key, element));
      continue;
    }
    result.push_back(describeSetting(key, setting.getValue()));
  }
}

} // namespace

llvm::SmallVector<Operation *> entriesOf(ModuleOp module) {
  llvm::SmallVector<Operation *> entries;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(dl::kEntryAttr))
      entries.push_back(function);
  return entries;
}

void describeModule(ModuleOp module, const std::map<std::string, int64_t> &max,
                    artifact::ArtifactDescription &description) {
  llvm::StringMap<int32_t> entries, states;
  for (Operation *entry : entriesOf(module)) {
    entries[cast<func::FuncOp>(entry).getName()] = description.entries.size();
    description.entries.push_back(describeEntry(cast<func::FuncOp>(entry), max));
  }
  for (auto [index, state] : llvm::enumerate(module.getOps<dl::StateOp>()))
    states[state.getSymName()] = index;
  for (auto state : module.getOps<dl::StateOp>())
    description.states.push_back(describeState(state, entries, states));
  if (auto fit = module->getAttrOfType<DictionaryAttr>("dl.fit"))
    flattenFit("", fit, description.fit);
}

} // namespace dlc
