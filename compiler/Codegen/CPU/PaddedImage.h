// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The copy of one image in scratch memory that a convolution reads: (channels, outer spatial axes, phase,
// columns).
//
// Forward: input i of an axis lies at i + low. Along the last axis, a stride s > 1 splits the columns into s
// phases (column c is number c / s of phase c mod s), so that the inputs of neighbouring outputs are
// neighbours. Input gradient: gradient p lies at p · s + origin, with zeros between, and the filter is read
// backwards.

#ifndef DLC_COMPILER_CODEGEN_CPU_PADDEDIMAGE_H
#define DLC_COMPILER_CODEGEN_CPU_PADDEDIMAGE_H

#include "compiler/Codegen/CPU/ConvolutionKernel.h"

namespace dlc::codegen {

class PaddedImage {
public:
  PaddedImage(TiledKernel &kernel, const ConvolutionShape &shape);

  dl::PolynomialAttr channelPitch() const { return channelPitchValue; }
  Value memory() const { return buffer; }
  /// Reserves memory for so many channels of so many images, and fills it with zeros.
  void allocate(dl::PolynomialAttr channels, int64_t slots = 1);
  void clear();
  /// Elements between images.
  dl::PolynomialAttr slotSize() const { return slotSizeValue; }
  /// Copies `channels` channels of image `batch`, from `firstChannel` on, over what the last copy left at
  /// `slot` (in elements).
  void copy(Value batch, Value firstChannel, Value channels, Value slot);

  /// Rows of results: all spatial axes but the last.
  dl::PolynomialAttr outputRows() const;
  /// The coordinates of a row of results on all spatial axes but the last.
  SmallVector<Value, 3> outputRowCoordinates(Value row);
  /// Where the first filter element meets the first result of a row; channel 0.
  Value outputRowOffset(Value row);
  /// The distance that one step along an axis of the result, all but the last, makes.
  dl::PolynomialAttr rowStep(unsigned axis) const {
    return pitches[axis] * (shape.isInputGradient ? 1 : shape.strides[axis]);
  }
  /// How far an element is from the first, in steps along the axes of the copy.
  dl::PolynomialAttr distance(ArrayRef<int64_t> steps) const;
  /// How far a kernel position is from the first.
  dl::PolynomialAttr kernelDistance(int64_t position) const;

private:
  dl::PolynomialAttr copiedSize(unsigned axis) const; ///< Of the image that is copied.
  /// Stores the elements of one row of the image whose copy starts at `line`.
  void copyRow(MutableArrayRef<Index> position, Value line);
  void copyRows(SmallVectorImpl<Index> &position, Value line, unsigned axis);

  TiledKernel &kernel;
  ConvolutionShape shape;
  ElementEmitter &emitter;
  dl::TensorType resultType;
  SmallVector<int64_t, 3> origin; ///< Where element 0 lies on each axis.
  SmallVector<dl::PolynomialAttr, 3>
      pitches; ///< Between neighbours on each axis but the last (where it is 1).
  int64_t phases = 1;
  dl::PolynomialAttr phasePitch, channelPitchValue, slotSizeValue, totalSize;
  Value buffer;
};

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_PADDEDIMAGE_H
