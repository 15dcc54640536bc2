// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// State, loops, differentiation requests and dispatches.

#ifndef DLC_DL_STRUCTURE_OPS
#define DLC_DL_STRUCTURE_OPS

include "compiler/Dialect/DlOpBase.td"

def Dl_StateOp : Dl_Op<"state", [Symbol]> {
  let summary = "a tensor that persists between runs";
  let description = [{
    `owner` is the entry that a metric, an iteration counter, a hyperparameter or optimizer state belongs to;
    `parameter` is the parameter that optimizer state belongs to. `initial` fills the state before the first run; the
    entry `init` writes the parameters, buffers and optimizer states without it.
    `layout` is the order in which a variant keeps the axes: axis `i` of the type is logical axis `layout[i]`; without
    it the type is the logical one, which files and the C API use.
    (C1) the dimensions are constants. (C2) `initial` has the element type. (C3) optimizer state names its parameter.
    (C4) `layout` is a permutation of the axes.

    Example:
    ```mlir
    dl.state parameter @fc1.weight : !dl.tensor<[128, 3136], f32>
    dl.state hyperparameter @step.lr : !dl.tensor<[], f64> initial 1.0e-3 : f64 owner "step"
    ```
  }];
  let arguments = (ins Dl_StateRoleAttr:$role, SymbolNameAttr:$sym_name, TypeAttrOf<Dl_Tensor>:$type,
                       OptionalAttr<TypedAttrInterface>:$initial, OptionalAttr<StrAttr>:$owner,
                       OptionalAttr<FlatSymbolRefAttr>:$parameter, OptionalAttr<DenseI64ArrayAttr>:$layout);
  let assemblyFormat = [{
    $role $sym_name `:` $type (`initial` $initial^)? (`owner` $owner^)? (`of` $parameter^)? (`layout` $layout^)?
    attr-dict
  }];
  let hasVerifier = 1;
}

def Dl_LoadStateOp : Dl_Op<"load_state", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                          MemoryEffects<[MemRead]>]> {
  let summary = "the value of a state at this point of the entry";
  let description = [{
    (C1) the symbol is a `dl.state` of the result's type.

    Example:
    ```mlir
    %w = dl.load_state @fc1.weight : !dl.tensor<[128, 3136], f32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$state);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$state attr-dict `:` type($result)";
}

def Dl_StoreStateOp : Dl_Op<"store_state", [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                            MemoryEffects<[MemWrite]>]> {
  let summary = "gives a state its new value";
  let description = [{
    (C1) the symbol is a `dl.state` of the value's type.

    Example:
    ```mlir
    dl.store_state @fc1.weight, %w : !dl.tensor<[128, 3136], f32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$state, Dl_Tensor:$value);
  let assemblyFormat = "$state `,` $value attr-dict `:` type($value)";
}

def Dl_ScanOp : Dl_Op<"scan", [AttrSizedOperandSegments, AttrSizedResultSegments,
                               SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "a loop over one axis with carried values";
  let description = [{
    Runs the body `count` times. Block arguments: the iteration's index (i64 scalar), one slice of each of `xs` (the
    scanned axis removed), one value per carry. The body yields the new carries, then one element per stack. Results:
    the carries after the last iteration, then the stacks, each with an axis of size `count` inserted at its position.
    With `reverse` the indices run from count-1 down to 0; slices and stack elements keep their index. The body may
    use values from outside.
    (C1) each of `xs` has size `count` on its axis. (C2) carries keep their type. (C3) block arguments, yields and
    results agree as said.

    Example:
    ```mlir
    %last, %all = dl.scan <t> xs(%x) axes [1] carries(%zero) stack_axes [1]
        : (!dl.tensor<[n, t, 8], f32>), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), (!dl.tensor<[n, t, 8], f32>) {
    ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 8], f32>, %h: !dl.tensor<[n, 8], f32>):
      %s = dl.add %xt, %h : !dl.tensor<[n, 8], f32>
      dl.yield %s, %s : !dl.tensor<[n, 8], f32>, !dl.tensor<[n, 8], f32>
    }
    ```
  }];
  let arguments = (ins Dl_PolynomialAttr:$count, Variadic<Dl_Tensor>:$xs, Variadic<Dl_Tensor>:$inits,
                       DenseI64ArrayAttr:$xs_axes, DenseI64ArrayAttr:$stack_axes, UnitAttr:$reverse);
  let results = (outs Variadic<Dl_Tensor>:$finals, Variadic<Dl_Tensor>:$stacks);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $count (`reverse` $reverse^)? `xs` `(` $xs `)` `axes` $xs_axes `carries` `(` $inits `)` `stack_axes` $stack_axes
    attr-dict `:` custom<TypesInParentheses>(type($xs)) `,` custom<TypesInParentheses>(type($inits)) `->`
    custom<TypesInParentheses>(type($finals)) `,` custom<TypesInParentheses>(type($stacks)) $body
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::BlockArgument getIndex() { return getBody().getArgument(0); }
    /// The body's slice of each of `xs`, and its carried values.
    ::mlir::MutableArrayRef<::mlir::BlockArgument> getSlices() {
      return getBody().getArguments().slice(1, getXs().size());
    }
    ::mlir::MutableArrayRef<::mlir::BlockArgument> getCarries() {
      return getBody().getArguments().slice(1 + getXs().size(), getInits().size());
    }
  }];
}

def Dl_YieldOp : Dl_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["ScanOp", "CustomGradientOp", "DispatchOp"]>]> {
  let summary = "ends the body of a scan or a dispatch";
  let description = [{
    In a scan: the next values of the carries, then an element of each stack. In a dispatch: its results. The
    operations around it check number and types.

    Example:
    ```mlir
    %double = dl.dispatch "double"(%x) : (!dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>) {
    ^bb0(%a: !dl.tensor<[n, 10], f32>):
      %sum = dl.add %a, %a : !dl.tensor<[n, 10], f32>
      dl.yield %sum : !dl.tensor<[n, 10], f32>
    }
    ```
  }];
  let arguments = (ins Variadic<Dl_Tensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), "build($_builder, $_state, ::mlir::ValueRange{});">];
}

def Dl_StopGradientOp : Dl_Op<"stop_gradient", [Pure, Dl_Elementwise, SameOperandsAndResultType]> {
  let summary = "r = x, and no gradient flows back";
  let description = [{
    Example:
    ```mlir
    %r = dl.stop_gradient %x : !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
}

def Dl_GradientOp : Dl_Op<"gradient", [Pure]> {
  let summary = "the gradients of a scalar with respect to values it was computed from";
  let description = [{
    A request, replaced by the pass dl-differentiate.
    (C1) the loss is a floating-point scalar. (C2) one result per value of `wrt`, of its type.

    Example:
    ```mlir
    %dw, %db = dl.gradient %loss wrt(%w, %b) : !dl.tensor<[], f32>, (!dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>)
    ```
  }];
  let arguments = (ins Dl_FloatTensor:$loss, Variadic<Dl_FloatTensor>:$wrt);
  let results = (outs Variadic<Dl_FloatTensor>:$gradients);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Dl_CustomGradientOp : Dl_Op<"custom_gradient", [Pure, IsolatedFromAbove, AttrSizedOperandSegments,
                                                   SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "r = values, whose gradients the body computes for the arguments";
  let description = [{
    What a gradient clause becomes. No gradient flows to `values` and `captures`; that of argument k is what the body
    yields, from the gradients of the results and the captured values. Replaced by `values` once no request is left.
    (C1) results have the types of `values`. (C2) block arguments have the types of the results, then of the captures;
    yielded values those of the arguments.

    Example:
    ```mlir
    %r = dl.custom_gradient values(%y) of(%x) captures(%y) : (!dl.tensor<[n], f32>), (!dl.tensor<[n], f32>), (!dl.tensor<[n], f32>) {
    ^bb0(%dr: !dl.tensor<[n], f32>, %c: !dl.tensor<[n], f32>):
      %dx = dl.mul %dr, %c : !dl.tensor<[n], f32>
      dl.yield %dx : !dl.tensor<[n], f32>
    }
    ```
  }];
  let arguments = (ins Variadic<Dl_Tensor>:$values, Variadic<Dl_FloatTensor>:$args, Variadic<Dl_Tensor>:$captures);
  let results = (outs Variadic<Dl_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Dl_DispatchOp : Dl_Op<"dispatch", [IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">,
                                       RecursiveMemoryEffects]> {
  let summary = "operations that become one kernel";
  let description = [{
    The body computes the results from the operands (its block arguments) by dl operations. `name` is unique within
    the entry and is what profiles and dumps show.
    (C1) block arguments have the operands' types, yielded values the results'.

    Example:
    ```mlir
    %y = dl.dispatch "fc1.relu" (%x) : (!dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>) {
    ^bb0(%a: !dl.tensor<[n, 10], f32>):
      %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
      %r = dl.max %zero, %a : !dl.tensor<[n, 10], f32>
      dl.yield %r : !dl.tensor<[n, 10], f32>
    }
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<Dl_Tensor>:$inputs);
  let results = (outs Variadic<Dl_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name `(` $inputs `)` attr-dict `:` custom<TypesInParentheses>(type($inputs)) `->`
    custom<TypesInParentheses>(type($outputs)) $body
  }];
  let hasVerifier = 1;
}

#endif // DLC_DL_STRUCTURE_OPS
