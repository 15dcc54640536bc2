// RUN: %dlc-opt %s --split-input-file --verify-diagnostics

// Tests C1 of reduce.
func.func @f(%a: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.reduce' op expected distinct increasing axes below 2, got 2}}
  %r = dl.reduce sum %a [2] : !dl.tensor<[n, 4], f32> to !dl.tensor<[n], f32>
  return
}

// -----

// Tests C2 of reduce.
func.func @f(%a: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.reduce' op expected result '!dl.tensor<[n], f32>', got '!dl.tensor<[4], f32>'}}
  %r = dl.reduce sum %a [1] : !dl.tensor<[n, 4], f32> to !dl.tensor<[4], f32>
  return
}

// -----

// Tests C1 of argmax.
func.func @f(%a: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.argmax' op expected an axis from 0 to 1, got 2}}
  %r = dl.argmax %a 2 : !dl.tensor<[n, 4], f32> to !dl.tensor<[n], i32>
  return
}

// -----

// Tests C2 of argmax.
func.func @f(%a: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.argmax' op expected result '!dl.tensor<[n], i32>', got '!dl.tensor<[n], i64>'}}
  %r = dl.argmax %a 1 : !dl.tensor<[n, 4], f32> to !dl.tensor<[n], i64>
  return
}

// -----

// Tests C1 of contract, form.
func.func @f(%a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.contract' op expected an equation like "mk,nk->mn", got "mk->mn"}}
  %r = dl.contract "mk->mn" %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) -> !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C1 of contract, number of letters.
func.func @f(%a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.contract' op expected 2 letters for '!dl.tensor<[n, 4], f32>', got "n"}}
  %r = dl.contract "mk,n->mn" %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) -> !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C1 of contract, a letter twice.
func.func @f(%a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.contract' op expected distinct lower-case letters, got "mm"}}
  %r = dl.contract "mm,nk->mn" %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) -> !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C2 of contract.
func.func @f(%a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[n, 5], f32>) {
  // expected-error@+1 {{'dl.contract' op letter 'k' has size 4 and size 5}}
  %r = dl.contract "mk,nk->mn" %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 5], f32>) -> !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C3 of contract, a letter from nowhere.
func.func @f(%a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.contract' op letter 'x' of the result stands in no operand}}
  %r = dl.contract "mk,mk->mx" %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) -> !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C3 of contract, summed on one side.
func.func @f(%a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.contract' op letter 'k' is summed over but stands in one operand only}}
  %r = dl.contract "mk,n->mn" %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n], f32>) -> !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C4 of contract.
func.func @f(%a: !dl.tensor<[n, 4], f64>, %b: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.contract' op expected one element type, got '!dl.tensor<[n, 4], f64>', '!dl.tensor<[n, 4], f32>' and '!dl.tensor<[n, n], f32>'}}
  %r = dl.contract "mk,nk->mn" %a, %b : (!dl.tensor<[n, 4], f64>, !dl.tensor<[n, 4], f32>) -> !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests convolutions without a spatial axis.
func.func @f(%x: !dl.tensor<[n, 3], f32>, %w: !dl.tensor<[4, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected input, filter and output of one rank of at least 3, got '!dl.tensor<[n, 3], f32>', '!dl.tensor<[4, 3], f32>' and '!dl.tensor<[n, 4], f32>'}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3], f32>, !dl.tensor<[4, 3], f32>) -> !dl.tensor<[n, 4], f32>
  return
}

// -----

// Tests C1 of conv, number of strides.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %w: !dl.tensor<[4, 3, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected 2 strides, paddings and dilations, got 1}}
  %y = dl.conv %x, %w strides [1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[4, 3, 3, 3], f32>) -> !dl.tensor<[n, 4, 8, 8], f32>
  return
}

// -----

// Tests C1 of conv, stride.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %w: !dl.tensor<[4, 3, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected stride and dilation >= 1 and padding >= 0 on spatial axis 1}}
  %y = dl.conv %x, %w strides [1, 0] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[4, 3, 3, 3], f32>) -> !dl.tensor<[n, 4, 8, 8], f32>
  return
}

// -----

// Tests C2 of conv.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %w: !dl.tensor<[4, 2, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected 2 input channels (1 groups of the filter's 2), got 3}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[4, 2, 3, 3], f32>) -> !dl.tensor<[n, 4, 8, 8], f32>
  return
}

// -----

// Tests C3 of conv.
func.func @f(%x: !dl.tensor<[n, 6, 8, 8], f32>, %w: !dl.tensor<[4, 2, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected output channels divisible by 3 groups, got 4}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 3 : (!dl.tensor<[n, 6, 8, 8], f32>, !dl.tensor<[4, 2, 3, 3], f32>) -> !dl.tensor<[n, 4, 8, 8], f32>
  return
}

// -----

// Tests batch and channels of conv.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %w: !dl.tensor<[4, 3, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected batch n and channels 4 in '!dl.tensor<[n, 5, 8, 8], f32>'}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[4, 3, 3, 3], f32>) -> !dl.tensor<[n, 5, 8, 8], f32>
  return
}

// -----

// Tests C4 of conv, symbolic kernel.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %w: !dl.tensor<[4, 3, t, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected a constant kernel size, got t}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[4, 3, t, 3], f32>) -> !dl.tensor<[n, 4, 8, 8], f32>
  return
}

// -----

// Tests C4 of conv, kernel too large.
func.func @f(%x: !dl.tensor<[n, 3, 2, 8], f32>, %w: !dl.tensor<[4, 3, 5, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op the kernel does not fit into spatial axis 0 of '!dl.tensor<[n, 3, 2, 8], f32>'}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 2, 8], f32>, !dl.tensor<[4, 3, 5, 3], f32>) -> !dl.tensor<[n, 4, 1, 8], f32>
  return
}

// -----

// Tests C4 of conv.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %w: !dl.tensor<[4, 3, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op expected output size 8 on spatial axis 1, got 7}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[4, 3, 3, 3], f32>) -> !dl.tensor<[n, 4, 8, 7], f32>
  return
}

// -----

// Tests C5 of conv.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %w: !dl.tensor<[4, 3, 3, 3], f64>) {
  // expected-error@+1 {{'dl.conv' op expected one element type, got '!dl.tensor<[n, 3, 8, 8], f32>', '!dl.tensor<[4, 3, 3, 3], f64>' and '!dl.tensor<[n, 4, 8, 8], f32>'}}
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[4, 3, 3, 3], f64>) -> !dl.tensor<[n, 4, 8, 8], f32>
  return
}

// -----

// Tests C4 of conv_input_grad.
func.func @f(%g: !dl.tensor<[n, 4, 8, 8], f32>, %w: !dl.tensor<[4, 3, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv_input_grad' op expected output size 9 on spatial axis 0, got 8}}
  %x = dl.conv_input_grad %g, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 4, 8, 8], f32>, !dl.tensor<[4, 3, 3, 3], f32>) -> !dl.tensor<[n, 3, 9, 8], f32>
  return
}

// -----

// Tests C2 of conv_weight_grad.
func.func @f(%g: !dl.tensor<[n, 4, 8, 8], f32>, %x: !dl.tensor<[n, 3, 8, 8], f32>) {
  // expected-error@+1 {{'dl.conv_weight_grad' op expected 1 input channels (1 groups of the filter's 1), got 3}}
  %w = dl.conv_weight_grad %g, %x strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 4, 8, 8], f32>, !dl.tensor<[n, 3, 8, 8], f32>) -> !dl.tensor<[4, 1, 3, 3], f32>
  return
}

// -----

// Tests pools without a spatial axis.
func.func @f(%x: !dl.tensor<[n, 3], f32>) {
  // expected-error@+1 {{'dl.max_pool' op expected input and output of one rank of at least 3, got '!dl.tensor<[n, 3], f32>' and '!dl.tensor<[n, 3], f32>'}}
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3], f32>) -> !dl.tensor<[n, 3], f32>
  return
}

// -----

// Tests C1 of max_pool, number of windows.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>) {
  // expected-error@+1 {{'dl.max_pool' op expected 2 windows, strides and paddings, got 1}}
  %y = dl.max_pool %x window [2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, 8], f32>) -> !dl.tensor<[n, 3, 4, 4], f32>
  return
}

// -----

// Tests C1 of max_pool, padding.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>) {
  // expected-error@+1 {{'dl.max_pool' op expected window and stride >= 1 and 0 <= padding < window on spatial axis 0}}
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [2, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, 8], f32>) -> !dl.tensor<[n, 3, 4, 4], f32>
  return
}

// -----

// Tests C2 of max_pool, channels.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>) {
  // expected-error@+1 {{'dl.max_pool' op expected batch and channels of '!dl.tensor<[n, 3, 8, 8], f32>', got '!dl.tensor<[n, 4, 4, 4], f32>'}}
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, 8], f32>) -> !dl.tensor<[n, 4, 4, 4], f32>
  return
}

// -----

// Tests C4 of conv, a stride over an axis of unknown size.
func.func @f(%x: !dl.tensor<[n, 3, t, 8], f32>, %w: !dl.tensor<[4, 3, 3, 3], f32>) {
  // expected-error@+1 {{'dl.conv' op a strided axis needs a constant size, got t on spatial axis 0 of '!dl.tensor<[n, 3, t, 8], f32>'}}
  %y = dl.conv %x, %w strides [2, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 3, t, 8], f32>, !dl.tensor<[4, 3, 3, 3], f32>) -> !dl.tensor<[n, 4, t, 8], f32>
  return
}

// -----

// Tests C2 of max_pool, a stride over an axis of unknown size.
func.func @f(%x: !dl.tensor<[n, 3, 8, t], f32>) {
  // expected-error@+1 {{'dl.max_pool' op a strided axis needs a constant size, got t on spatial axis 1 of '!dl.tensor<[n, 3, 8, t], f32>'}}
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, t], f32>) -> !dl.tensor<[n, 3, 4, t], f32>
  return
}

// -----

// Tests C2 of max_pool, window too large.
func.func @f(%x: !dl.tensor<[n, 3, 1, 8], f32>) {
  // expected-error@+1 {{'dl.max_pool' op the window does not fit into spatial axis 0 of '!dl.tensor<[n, 3, 1, 8], f32>'}}
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 1, 8], f32>) -> !dl.tensor<[n, 3, 1, 4], f32>
  return
}

// -----

// Tests C2 of max_pool.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>) {
  // expected-error@+1 {{'dl.max_pool' op expected output size 4 on spatial axis 0, got 5}}
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, 8], f32>) -> !dl.tensor<[n, 3, 5, 4], f32>
  return
}

// -----

// Tests C3 of max_pool.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>) {
  // expected-error@+1 {{'dl.max_pool' op expected one element type, got '!dl.tensor<[n, 3, 8, 8], f32>' and '!dl.tensor<[n, 3, 4, 4], f64>'}}
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, 8], f32>) -> !dl.tensor<[n, 3, 4, 4], f64>
  return
}

// -----

// Tests C4 of max_pool_grad.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %g: !dl.tensor<[n, 3, 4, 4], f32>) {
  // expected-error@+1 {{'dl.max_pool_grad' op expected result '!dl.tensor<[n, 3, 8, 8], f32>', got '!dl.tensor<[n, 3, 8, 9], f32>'}}
  %d = dl.max_pool_grad %x, %g window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[n, 3, 4, 4], f32>) -> !dl.tensor<[n, 3, 8, 9], f32>
  return
}

// -----

// Tests C4 of max_pool_select.
func.func @f(%x: !dl.tensor<[n, 3, 8, 8], f32>, %v: !dl.tensor<[n, 3, 8, 9], f32>) {
  // expected-error@+1 {{'dl.max_pool_select' op expected values of type '!dl.tensor<[n, 3, 8, 8], f32>', got '!dl.tensor<[n, 3, 8, 9], f32>'}}
  %d = dl.max_pool_select %x, %v window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 8, 8], f32>, !dl.tensor<[n, 3, 8, 9], f32>) -> !dl.tensor<[n, 3, 4, 4], f32>
  return
}
