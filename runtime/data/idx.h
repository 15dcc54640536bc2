// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IDX files, the form of MNIST: big-endian, two zero bytes, a type code, the rank, the dimensions, the
// elements (Yann LeCun's page on the MNIST database). Plain or gzip.
#ifndef DLC_RUNTIME_DATA_IDX_H
#define DLC_RUNTIME_DATA_IDX_H

#include "runtime/data/tensor.h"

namespace dlc::data {

/// Reads a file of unsigned bytes, the only type that MNIST and its relatives use. Every failure names the
/// file, the offset in the unpacked data, what was expected and what was found. A rank other than
/// expected_rank is one.
Status read_idx_u8(const std::string &path, int expected_rank, Tensor &out_tensor);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_IDX_H
