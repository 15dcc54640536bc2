// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions and their input gradients with the result's channels along the lanes.

#ifndef DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONCHANNELS_H
#define DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONCHANNELS_H

#include "compiler/Codegen/CPU/ConvolutionKernel.h"

namespace dlc::codegen {

/// Whether a dispatch with this root, conv or conv_input_grad, is better off with channels along the lanes
/// than with neighbouring pixels. Does not depend on the target.
bool prefersChannelLanes(KernelContext &context, Operation *root);

/// Emits such a kernel.
LogicalResult emitConvolutionByChannels(KernelContext &context, Operation *root);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONCHANNELS_H
