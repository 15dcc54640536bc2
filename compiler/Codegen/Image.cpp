// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Links an object to a flat image with lld, in process: code first, then constants, addresses from 0. All
// references are relative to the instruction, so the image has no relocations left and works wherever it is
// mapped.

#include "compiler/Codegen/Lowering.h"
#include "compiler/Codegen/Sanitize.h"

#include "lld/Common/Driver.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

namespace dlc::codegen {

/// The kernels' places, and those of imports, in .text, which the image begins with; a name for every
/// undefined symbol in `error`.
static bool findKernels(StringRef object, ArrayRef<std::string> names, std::vector<KernelCode> &kernels,
                        std::vector<artifact::Import> &imports, std::string &error) {
  auto buffer = llvm::MemoryBuffer::getMemBuffer(object, "kernels", /*RequiresNullTerminator=*/false);
  auto file = llvm::object::ObjectFile::createObjectFile(*buffer);
  if (!file) {
    error = llvm::toString(file.takeError());
    return false;
  }
  llvm::StringMap<KernelCode> found;
  auto &elf = cast<llvm::object::ELFObjectFileBase>(**file);
  for (const llvm::object::ELFSymbolRef symbol : elf.symbols()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name) {
      error = llvm::toString(llvm::joinErrors(flags.takeError(), name.takeError()));
      return false;
    }
    if (name->empty())
      continue;
    if (*flags & llvm::object::BasicSymbolRef::SF_Undefined) {
      error += (error.empty() ? "the kernels call " : ", ") + name->str();
      continue;
    }
    if (name->starts_with(kImportPrefix))
      imports.push_back({name->drop_front(strlen(kImportPrefix)).str(), llvm::cantFail(symbol.getValue())});
    if (symbol.getELFType() == llvm::ELF::STT_FUNC)
      found[*name] = {name->str(), llvm::cantFail(symbol.getValue()), symbol.getSize()};
  }
  if (!error.empty()) {
    error += ", which an image cannot import";
    return false;
  }
  for (const std::string &name : names) {
    auto it = found.find(name);
    if (it == found.end()) {
      error = "the object lacks kernel " + name;
      return false;
    }
    kernels.push_back(it->second);
  }
  return true;
}

FailureOr<CodeImage> linkImage(StringRef object, ArrayRef<std::string> names, std::string &error) {
  CodeImage image;
  if (!findKernels(object, names, image.kernels, image.imports, error))
    return failure();

  // lld reads and writes files; they live in the system's folder for temporary files for a moment.
  auto write = [&](StringRef extension, StringRef text, SmallString<128> &path) {
    int descriptor;
    if (std::error_code code = llvm::sys::fs::createTemporaryFile("dlc", extension, descriptor, path)) {
      error = "cannot create a temporary file: " + code.message();
      return false;
    }
    llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream << text;
    return true;
  };
  SmallString<128> objectPath, scriptPath, imagePath;
  static constexpr StringRef script =
      "SECTIONS {\n"
      "  . = 0;\n"
      "  .image : { *(.text .text.*) . = ALIGN(64); *(.rodata .rodata.*) }\n"
      "  .symtab 0 : { *(.symtab) }\n"
      "  .strtab 0 : { *(.strtab) }\n"
      "  .shstrtab 0 : { *(.shstrtab) }\n"
      "  /DISCARD/ : { *(.eh_frame*) *(.comment*) *(.note*) *(.debug*) *(.llvm*) }\n"
      "}\n";
  if (!write("o", object, objectPath))
    return failure();
  llvm::FileRemover removeObject(objectPath);
  if (!write("ld", script, scriptPath))
    return failure();
  llvm::FileRemover removeScript(scriptPath);
  if (!write("img", "", imagePath))
    return failure();
  llvm::FileRemover removeImage(imagePath);

  {
    // lld keeps state in globals.
    static std::mutex lock;
    std::lock_guard guard(lock);
    const char *arguments[] = {"ld.lld",
                               "--oformat=binary",
                               "-e",
                               "0",
                               "--no-gc-sections",
                               "--orphan-handling=error",
                               "-T",
                               scriptPath.c_str(),
                               "-o",
                               imagePath.c_str(),
                               objectPath.c_str(),
                               "--threads=1"};
    std::string output;
    llvm::raw_string_ostream stream(output);
    lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0) {
      error = "linking: " + output;
      return failure();
    }
  }
  auto linked = llvm::MemoryBuffer::getFile(imagePath, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!linked) {
    error = "cannot read the linked image: " + linked.getError().message();
    return failure();
  }
  image.bytes = (*linked)->getBuffer().str();
  return image;
}

} // namespace dlc::codegen
