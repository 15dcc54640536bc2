// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_DL_ENUMS
#define DLC_DL_ENUMS

include "compiler/Dialect/DlDialect.td"

def Dl_ReduceKind : I32EnumAttr<"ReduceKind", "what a reduction computes", [
    I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">,
    I32EnumAttrCase<"Min", 2, "min">, I32EnumAttrCase<"Prod", 3, "prod">]> {
  let cppNamespace = "::dlc::dl";
  let genSpecializedAttr = 0;
}
def Dl_ReduceKindAttr : EnumAttr<Dl_Dialect, Dl_ReduceKind, "reduce_kind">;

def Dl_Predicate : I32EnumAttr<"Predicate", "a comparison", [
    I32EnumAttrCase<"Eq", 0, "eq">, I32EnumAttrCase<"Ne", 1, "ne">, I32EnumAttrCase<"Lt", 2, "lt">,
    I32EnumAttrCase<"Le", 3, "le">, I32EnumAttrCase<"Gt", 4, "gt">, I32EnumAttrCase<"Ge", 5, "ge">]> {
  let cppNamespace = "::dlc::dl";
  let genSpecializedAttr = 0;
}
def Dl_PredicateAttr : EnumAttr<Dl_Dialect, Dl_Predicate, "predicate">;

def Dl_Requirement : I32EnumAttr<"Requirement", "what a constraint asks of a polynomial", [
    I32EnumAttrCase<"NotNegative", 0, "not_negative">, I32EnumAttrCase<"Zero", 1, "zero">,
    I32EnumAttrCase<"NotZero", 2, "not_zero">, I32EnumAttrCase<"MultipleOf", 3, "multiple_of">]> {
  let cppNamespace = "::dlc::dl";
  let genSpecializedAttr = 0;
}

def Dl_StateRole : I32EnumAttr<"StateRole", "what a state is for", [
    I32EnumAttrCase<"Parameter", 0, "parameter">, I32EnumAttrCase<"Buffer", 1, "buffer">,
    I32EnumAttrCase<"Optimizer", 2, "optimizer">, I32EnumAttrCase<"Iteration", 3, "iteration">,
    I32EnumAttrCase<"Hyperparameter", 4, "hyperparameter">, I32EnumAttrCase<"Seed", 5, "seed">,
    I32EnumAttrCase<"Metric", 6, "metric">]> {
  let cppNamespace = "::dlc::dl";
  let genSpecializedAttr = 0;
}
def Dl_StateRoleAttr : EnumAttr<Dl_Dialect, Dl_StateRole, "role">;

#endif // DLC_DL_ENUMS
