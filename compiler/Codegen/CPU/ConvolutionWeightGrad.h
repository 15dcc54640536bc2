// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two ways of the weight gradient: from padded images (the usual one, constant image sizes), or with
// packed rows of the image (any).

#ifndef DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONWEIGHTGRAD_H
#define DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONWEIGHTGRAD_H

#include "compiler/Codegen/CPU/Pack.h"
#include "compiler/Codegen/CPU/PaddedImage.h"

namespace dlc::codegen {

/// What both ways start from. Rows are (input channel, kernel position), columns output channels, both of the
/// present group of channels; the depth is (image, output position).
struct WeightGradientSource {
  Value channelGroup;
  PanelSource gradient;
};

/// Whether the sizes that images and tiles are laid out by are constants.
bool canReadImages(const ConvolutionShape &shape);

/// The weight gradient from padded images (ImageWeightGrad.cpp).
LogicalResult emitImageWeightGradient(TiledKernel &kernel, const ConvolutionShape &shape,
                                      const WeightGradientSource &source);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_CONVOLUTIONWEIGHTGRAD_H
