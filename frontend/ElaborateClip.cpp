// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of a step's gradients: `function grad_norm() for gradients` computes from all of them, `function
// clip_norm(limit: f32) for g, gradients` says how each one changes before the optimizer sees it.

#include "frontend/Elaborator.h"

namespace dlc::frontend {

void Elaborator::rememberGradients(ArrayRef<Value> gradients) {
  std::vector<Entity> all;
  for (Value gradient : gradients)
    all.push_back(Entity::ofTensor(gradient));
  entry->gradients = Entity::ofTuple(std::move(all));
  entry->ofGradients.clear();
}

/// A call of a function `for gradients`, with the gradients of the last minimize. One without arguments is
/// computed once.
Entity Elaborator::callWithGradients(const CallableDecl *decl, SourceRange range) {
  if (decl->bound.size() == 2) {
    error(range, decl->name.text + " changes gradients: minimize … clip " + decl->name.text + "(…)");
    return Entity::poison();
  }
  if (!entry || !entry->gradients) {
    error(range,
          decl->name.text + " is computed from the gradients of a minimize, and there is none before it");
    return Entity::poison();
  }
  if (inScan()) {
    error(range, decl->name.text + " cannot be called in a scan");
    return Entity::poison();
  }
  if (auto known = entry->ofGradients.find(decl); known != entry->ofGradients.end())
    return known->second;
  Binding binding;
  binding.entity = *entry->gradients;
  bind(decl->bound[0], std::move(binding));
  Entity result = runBody(decl);
  if (decl->params.empty())
    entry->ofGradients[decl] = result;
  return result;
}

/// `clip expr`: replaces each gradient by what the function makes of it; false after an error.
bool Elaborator::clipGradients(const Expr *expr, MutableArrayRef<Value> gradients) {
  auto *call = llvm::dyn_cast<CallExpr>(expr);
  auto *name = llvm::dyn_cast<NameExpr>(call ? call->callee : expr);
  const CallableDecl *decl = name ? findDecl(name->name, name->range) : nullptr;
  if (!decl || decl->kind != DeclKind::Function || decl->bound.size() != 2) {
    error(expr->range, "clip needs a function of gradients, such as clip_norm(1.0), got " +
                           (decl ? describe(Entity::ofCallable(decl)) : sources.text(expr->range).str()));
    return false;
  }
  std::vector<Arg> args;
  Scope own;
  if (!matchArguments(decl, call, nullptr, args) || !bindHyperparameters(decl, expr, args, own))
    return false;
  for (Value &gradient : gradients) {
    Frame callee;
    callee.decl = decl;
    callee.caller = frame;
    callee.callRange = expr->range;
    callee.locationName = entry->decl->name.text.str() + ".clip";
    Scope body(&own);
    Restore<Frame *> inFrame(frame, &callee);
    Restore<Scope *> inScope(scope, &body);
    Binding one, all;
    one.entity = Entity::ofTensor(gradient);
    all.entity = *entry->gradients;
    bind(decl->bound[0], std::move(one));
    bind(decl->bound[1], std::move(all));
    Entity result = runBody(decl);
    if (result.isPoison())
      return false;
    if (!result.isTensor() || result.value.getType() != gradient.getType()) {
      error(decl->bound[0].range, decl->name.text + " makes " + describe(result) +
                                      " of a gradient, which is " +
                                      describe(llvm::cast<dl::TensorType>(gradient.getType())));
      return false;
    }
    gradient = result.value;
  }
  return true;
}

} // namespace dlc::frontend
