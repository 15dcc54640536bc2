// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions as contractions of a filter with an image that is never unfolded, with neighbouring pixels
// along the lanes (ConvolutionChannels.h: neighbouring channels).
//
// An image is copied once into scratch memory, with its zero padding around it. In the copy, what the
// filter's element k = (channel, kernel position) meets for 16 neighbouring outputs are 16 neighbours, at a
// distance from the first output's place that depends on k alone: a table of these distances replaces the
// unfolded matrix. The gradient with respect to the input is the same with the filter's positions counted
// backwards, over a copy whose elements lie `stride` apart.

#ifndef DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONKERNEL_H
#define DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONKERNEL_H

#include "compiler/Codegen/CPU/TiledKernel.h"

namespace dlc::codegen {

/// The attributes that the three convolutions share, and their tensors by role.
struct ConvolutionShape {
  Value image;  ///< What is copied: conv_input_grad's gradient, the others' input.
  Value filter; ///< Null for the weight gradient.
  dl::TensorType inputType, filterType, outputType; ///< In the sense of the forward convolution.
  ArrayRef<int64_t> strides, paddingLow, paddingHigh, dilations;
  int64_t groups;
  unsigned spatial; ///< How many spatial axes.
  bool isInputGradient = false;

  explicit ConvolutionShape(Operation *op);
  /// Of the filter, in row-major order of its spatial axes.
  int64_t kernelSize(unsigned axis) const { return *filterType.getDim(axis + 2).getConstantValue(); }
  int64_t kernelPositions() const;
  /// Whether a filter in this memory has its kernel positions one after another, all at constant distances.
  bool liesInOrder(const Memory &memory) const;
  /// The coordinates of a kernel position.
  SmallVector<int64_t, 3> kernelCoordinates(int64_t position) const;
};

/// Emits the kernel of a dispatch whose root is conv or conv_input_grad.
LogicalResult emitConvolution(KernelContext &context, Operation *root);

/// Emits the kernel of a dispatch whose root is conv_weight_grad (ConvolutionWeightGrad.cpp).
LogicalResult emitConvolutionWeightGrad(KernelContext &context, dl::ConvWeightGradOp root);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONKERNEL_H
