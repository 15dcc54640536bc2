// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fixed start of an artifact file, little-endian, shared by the writer and the loader. Plain data: it is
// read with memcpy, before anything is known to be true.

#ifndef DLC_SCHEMA_ARTIFACT_HEADER_H
#define DLC_SCHEMA_ARTIFACT_HEADER_H

#include <stdint.h>

#define DLC_ARTIFACT_MAGIC                                                                                   \
  "\x89"                                                                                                     \
  "DLA\r\n\x1a\n" // 8 bytes; damaged by every text-mode transfer
#define DLC_ARTIFACT_MAX_SECTIONS 64
#define DLC_ARTIFACT_PAGE 4096u // alignment of code sections in the file

// The checksum is xxhash64 with seed 0 of the whole file, its own eight bytes left out.
#define DLC_ARTIFACT_CHECKSUM_OFFSET 24

typedef struct dlc_artifact_header {
  char magic[8];
  uint32_t schema_version; // read before anything that follows: the rest depends on it
  uint32_t header_size;    // this struct and the section table
  uint64_t file_size;
  uint64_t checksum;
  uint64_t metadata_offset; // multiple of 16
  uint64_t metadata_size;
  uint32_t section_count;
  uint32_t reserved; // 0
} dlc_artifact_header_t;

typedef enum dlc_section_kind {
  DLC_SECTION_CODE = 1,      // a CPU image, mapped read+execute; alignment DLC_ARTIFACT_PAGE
  DLC_SECTION_PTX = 2,       // text that ends in NUL
  DLC_SECTION_CONSTANTS = 3, // read-only data; alignment at least 64
} dlc_section_kind_t;

typedef struct dlc_artifact_section {
  uint64_t offset; // from the start of the file
  uint64_t size;
  uint32_t kind;
  uint32_t alignment; // power of two
} dlc_artifact_section_t;

#endif // DLC_SCHEMA_ARTIFACT_HEADER_H
