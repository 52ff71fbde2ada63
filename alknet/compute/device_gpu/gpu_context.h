#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/compute/device_gpu/byte_products.h"
#include "alknet/compute/device_gpu/gpu_backend.h"
#include "alknet/compute/device_gpu/matmul_choice.h"
#include "alknet/compute/generate/kernel_spec.h"
#include "alknet/compute/generate/opgen.h"
#include "alknet/compute/generate/wgsl.h"
#include "alknet/gpu/device.h"

namespace alknet::compute {

/// A kernel's parameter block in a uniform buffer that it shares with others: fewer buffers cost the provider less a
/// dispatch. The space is not used again before all blocks of the buffer are gone.
struct ParameterPlace {
  std::shared_ptr<const gpu::Buffer> buffer;
  std::uint64_t offset = 0, bytes = 0;
};

/// What a GPU backend's memories, kernels and launches share: the device, compiled kernels, the error words and the
/// counts. Thread-safe.
class GpuContext {
 public:
  GpuContext(std::shared_ptr<gpu::Device> device, GpuBackendOptions options);

  const gpu::Device& device() const { return *device_; }
  const GpuBackendOptions& options() const { return options_; }
  bool software() const { return software_; }
  /// How kernels are generated where the shapes bound ask for nothing else.
  OpgenOptions opgen_options() const;
  bool supports(Dtype dtype) const;
  /// See OpgenOptions; looked up on the device once.
  std::uint32_t smallest_subgroup() const;

  /// Throws Error `unsupported` naming the computation when a value of it has a dtype that kernels lack.
  void check_dtypes(const Computation& computation) const;

  /// The tile of matrix products of a dtype on matrix units, where the device has them: f16, i8.
  std::optional<MatrixTile> matrix_tile(Dtype operand) const;
  /// Looked up on the device once.
  const ByteProducts& byte_products() const;
  /// Its compiler refused them: they are not tried again.
  void give_up_matrix_units() { matrix_units_ = false; }
  const MatmulTuning& matmul_tuning() const { return matmul_tuning_; }

  /// WGSL of a specification. Throws Error `unsupported`.
  std::string source(const KernelSpec& spec) const { return generator_.generate(spec); }

  /// The pipeline of a specification, whose source text is given: compiled once for each text.
  gpu::Pipeline pipeline(const KernelSpec& spec, const std::string& source);

  /// Uploads a parameter block, whose size is a multiple of 16.
  ParameterPlace place_parameters(std::span<const std::byte> block);

  /// A number, from 1, by which a kernel's bad indices are told from another's.
  std::uint32_t register_error_source(std::string name);

  /// Words that kernels report bad indices in: count, source, index, size (see WgslGenerator).
  const gpu::Buffer& error_words() const { return error_words_; }

  /// A submission may report bad indices: the next `ErrorCheck` looks.
  void expect_errors() { errors_expected_ = true; }

  void count_memory(std::int64_t bytes);  ///< Allocated; negative when freed.
  void count_launches(std::size_t launches) { launches_ += launches; }
  BackendStatistics statistics() const;

  /// Remembers what was handed to the device last, for the error of its loss.
  void note_work(std::string_view first, std::string_view last, std::size_t kernels);
  /// "add", "12 kernels from matmul to softmax"; empty before any work.
  std::string last_work() const;

  std::uint64_t next_memory_serial() { return ++memory_serial_; }

 private:
  friend class ErrorCheck;

  std::shared_ptr<gpu::Device> device_;
  GpuBackendOptions options_;
  bool software_;
  bool shader_f16_;
  MatmulTuning matmul_tuning_;
  std::optional<MatrixTile> matrix_tile_;
  std::atomic<bool> matrix_units_;
  mutable std::once_flag byte_products_probed_;
  mutable ByteProducts byte_products_;
  WgslGenerator generator_;
  mutable std::once_flag subgroups_probed_;
  mutable std::uint32_t smallest_subgroup_ = 0;
  gpu::Buffer error_words_;
  std::atomic<bool> errors_expected_ = false;
  std::atomic<std::uint64_t> memory_serial_ = 0;
  std::atomic<std::uint64_t> launches_ = 0;

  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, gpu::Pipeline> pipelines_;
  std::vector<std::string> error_sources_;
  BackendStatistics memory_;
  std::shared_ptr<const gpu::Buffer> parameters_;  // the last one, full up to parameters_used_
  std::uint64_t parameters_used_ = 0;
  std::string first_kernel_, last_kernel_;
  std::size_t kernels_ = 0;
};

/// Reads the error words beside a result: begun before the result is waited for, so that both cost one wait.
class ErrorCheck {
 public:
  explicit ErrorCheck(GpuContext& context);

  /// Throws Error `index_out_of_range` when a kernel met a bad index since the last check.
  void finish();

 private:
  GpuContext& context_;
  bool expected_;
  gpu::PendingReadback words_;
};

}  // namespace alknet::compute
