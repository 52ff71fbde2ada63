#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "alknet/compute/backend.h"
#include "alknet/compute/generate/matmul_form.h"
#include "alknet/gpu/device.h"

namespace alknet::compute {

/// Which forms of the structured kernels a GPU backend generates.
enum class KernelFamily : std::uint8_t {
  kAuto,      ///< By the adapter's type.
  kHardware,  ///< Workgroup memory and register blocks.
  kSoftware,  ///< One invocation a result without barriers, which software Vulkan runs slowly.
};

struct GpuBackendOptions {
  std::string id = "gpu:0";  ///< What `Backend::id` answers.
  KernelFamily family = KernelFamily::kAuto;
  bool shader_f16 = true;    ///< false: f16 lies packed in words also where the device has `shader-f16`; for tests.
  bool matrix_units = true;  ///< false: products do not run on matrix units; for tests.
  bool subgroups = true;     ///< false: rows are reduced without subgroups also where the device has them; for tests.
  std::optional<MatmulTile> matmul_tile = {};  ///< The only form of matrix products on hardware; for tests and tuning.
  std::size_t upload_chunk = 16u << 20;        ///< Bytes sent at once by `wrap` and `write`.
};

/// A backend that runs generated WGSL on `device`. dtypes: all but f64. What WGSL lacks is emulated
/// exactly: i64 as two words; bool, i8, u8, bf16 (and f16 without `shader-f16`) packed in words. f64, and operations on
/// i64 that are not emulated, are refused with Error `unsupported` whose remedy is `.to('cpu')`.
///
/// An index outside its dimension (embedding) yields 0, and the next `read` throws `index_out_of_range` naming the op;
/// the backend stays usable. Sizes that one binding or one dispatch of the device cannot hold throw `limit_exceeded`
/// when bound. The backend keeps `device` alive; its memories and kernels keep what they need of the backend alive.
std::shared_ptr<Backend> make_gpu_backend(std::shared_ptr<gpu::Device> device, GpuBackendOptions options = {});

// For who has kernels of his own: what is below a backend, by its own device's terms.

/// The device of a backend of make_gpu_backend; null for any other.
const gpu::Device* gpu_device(const Backend& backend);

/// The buffer that is a memory of such a backend; null for any other. The memory keeps it.
const gpu::Buffer* gpu_buffer(const Memory& memory);

/// A memory of `bytes` over a buffer of the device of `backend`, which is one of make_gpu_backend. `writable`: whether
/// the buffer may be copied to.
std::unique_ptr<Memory> make_gpu_memory(const Backend& backend, gpu::Buffer buffer, std::size_t bytes, bool writable);

}  // namespace alknet::compute
