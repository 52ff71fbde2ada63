// NumPy files: archives by their magic, single arrays otherwise.
#include "alknet/tensor/import/npy.h"
#include "alknet/tensor/import/npz.h"
#include "fuzz/import_fuzzer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bool is_archive = size > 1 && data[0] == 'P' && data[1] == 'K';
  alknet::tensor::fuzz_import(is_archive ? alknet::tensor::open_npz : alknet::tensor::open_npy, data, size);
  return 0;
}
