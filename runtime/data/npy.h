// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy files, format versions 1 to 3 (numpy.lib.format).
#ifndef DLC_RUNTIME_DATA_NPY_H
#define DLC_RUNTIME_DATA_NPY_H

#include "runtime/data/tensor.h"

namespace dlc::data {

/// Reads an array. Big-endian elements and Fortran order come out as this machine's row-major order.
Status read_npy(const std::string &path, Tensor &out_tensor);

/// Writes an array, whole or not at all. The format knows no bf16: such elements are written as f32, exactly.
Status write_npy(const std::string &path, const NamedTensor &tensor);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_NPY_H
