#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/shape.h"

namespace alknet::compute {

struct SourceKernel;  // kernels/source_kernel.h

using graph::Dtype;
using graph::OpSpec;
using graph::Scalar;
using graph::Shape;
using graph::Strided;

/// A block of device memory. Freed when destroyed, after the device work that uses it has ended.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual std::size_t bytes() const = 0;

  /// True for mapped files: no kernel may write it.
  virtual bool read_only() const { return false; }

  /// The CPU's address of the block; null where the CPU cannot reach it.
  virtual std::byte* data() { return nullptr; }
  const std::byte* data() const { return const_cast<Memory*>(this)->data(); }

  /// Drops what the backend keeps of the elements: they changed otherwise than by Backend::write. Thread-safe.
  virtual void note_write() {}
};

/// Element-wise operations computed together in one pass over memory.
///
/// Values are numbered: the inputs first, then one per step. Every input broadcasts to the shape of the outputs.
/// The tensor arguments of a step have the dtypes that its operation takes (casts are steps of their own).
struct ElementwiseProgram {
  struct Argument {
    std::uint32_t value = 0;
    std::optional<Scalar> scalar;  ///< Instead of a value.
  };
  struct Step {
    const OpSpec* op = nullptr;  ///< An element-wise operation.
    JsonObject attrs;            ///< Complete.
    std::vector<Argument> arguments;
    Dtype dtype = Dtype::kF32;  ///< Of the result.
  };
  std::vector<Dtype> inputs;
  std::vector<Step> steps;
  std::vector<std::uint32_t> outputs;

  Dtype dtype_of(std::uint32_t value) const {
    return value < inputs.size() ? inputs[value] : steps[value - inputs.size()].dtype;
  }
};

/// What one kernel computes: an operation that is not element-wise, an element-wise program, or both: then the program
/// is applied to the operation's result before it is stored.
struct Computation {
  const OpSpec* op = nullptr;                ///< Null: only the program.
  JsonObject attrs;                          ///< Of `op`, complete; may hold symbols (see Binding::attrs).
  std::vector<std::optional<Dtype>> inputs;  ///< Of `op`, nullopt where absent; then those of the program.
  std::vector<Dtype> outputs;
  /// Without `op`: its inputs are `inputs`. With `op`: its input 0 is the op's result, input i > 0 is
  /// `inputs[op inputs + i - 1]`. No steps and no outputs: nothing follows the op.
  ElementwiseProgram program;
  /// Outputs may have any strides; only without `op`, or where it is a matrix product or attention.
  bool strided = false;

  /// How many of `inputs` belong to `op`.
  std::size_t op_inputs() const { return op ? op->inputs.size() : 0; }
  /// "add", "matmul+add+gelu": for dumps and messages.
  std::string name() const;
  /// Equal for computations that one kernel serves: all but `attrs`. Operations of the built-in table are told apart
  /// by address, others by what they say.
  std::string key() const;
};

/// A tensor as a kernel sees it: which of a run's memories, and where in it.
struct Operand {
  std::uint32_t slot = 0;
  Dtype dtype = Dtype::kF32;
  Strided layout;
  /// Launches find the same elements in the same memory until Memory::note_write: weights.
  bool lasting = false;
};

/// Everything about one use of a kernel that stays the same from run to run.
struct Binding {
  std::vector<std::optional<Operand>> inputs;  ///< Parallel to Computation::inputs. Any strides, also 0.
  /// Contiguous, except of a computation whose `strided` is set. Not the memory of an input, except of an
  /// element-wise computation where KernelLimits::in_place and the input has the output's layout.
  std::vector<Operand> outputs;
  JsonObject attrs;  ///< Of the op, without symbols.
};

/// The memories of one run, by slot.
using Slots = std::span<Memory* const>;

/// A kernel prepared for one binding: sizes checked, parameters encoded. Used by one run at a time; running it makes no
/// heap allocation in alknet's code.
class Launch {
 public:
  virtual ~Launch() = default;
};

/// Code for one computation. Immutable and thread-safe; works for every shape.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual std::unique_ptr<Launch> bind(const Binding& binding) const = 0;
};

/// Nominal speed of a device, for predictions in dumps; nothing depends on it.
struct DeviceSpeed {
  double bytes_per_second = 1e10;
  double operations_per_second = 1e11;
  double launch_seconds = 1e-7;
};

/// What one kernel of a backend can do.
struct KernelLimits {
  std::size_t operands = 7;  ///< Tensors of one kernel, inputs and outputs.
  /// An element-wise program may write the memory of an input.
  bool in_place = false;
  /// Between the steps of a program values of dtypes narrower than their register (f16, bf16, i8, u8) are rounded or
  /// wrapped as if they had been stored; otherwise plans do not put such steps into one program.
  bool exact_steps = false;
};

/// Counts since the backend was made; exact.
struct BackendStatistics {
  std::uint64_t live_bytes = 0;
  std::uint64_t peak_bytes = 0;
  std::uint64_t allocations = 0;
  std::uint64_t kernels_compiled = 0;
  std::uint64_t launches = 0;
};

/// A device that can hold memory and run kernels: the seam between plans and hardware. Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;

  /// "cpu", "gpu:0".
  virtual const std::string& id() const = 0;
  virtual bool supports(Dtype dtype) const = 0;

  /// Alignment in bytes at which a kernel's operand may start inside a memory.
  virtual std::size_t alignment() const = 0;

  virtual KernelLimits kernel_limits() const { return {}; }
  virtual DeviceSpeed nominal_speed() const { return {}; }

  /// Uninitialised memory. Throws Error `out_of_memory` or `limit_exceeded`; the backend stays usable.
  virtual std::unique_ptr<Memory> allocate(std::size_t bytes) = 0;

  /// Memory holding `bytes`: on the CPU the very bytes, read-only and not copied; elsewhere an upload.
  virtual std::unique_ptr<Memory> wrap(SharedBytes bytes) = 0;

  virtual void write(Memory& memory, std::size_t offset, std::span<const std::byte> bytes) = 0;

  /// Waits for the work that writes `memory`, then copies out. Throws what that work failed with (`device_lost`,
  /// `index_out_of_range` naming the op, ...).
  virtual void read(const Memory& memory, std::size_t offset, std::span<std::byte> bytes) = 0;

  /// The kernel of a computation, compiled on first use and kept. Throws Error `unsupported` naming op, dtype and
  /// remedy.
  virtual std::shared_ptr<const Kernel> kernel(const Computation& computation) = 0;

  /// Whether it takes kernels in shader source.
  virtual bool runs_shaders() const { return false; }
  /// Whether it is a GPU in name only: Vulkan on the CPU.
  virtual bool software() const { return false; }
  /// Whether the device is gone: everything throws `device_lost`.
  virtual bool lost() const { return false; }
  /// Makes the device lost as a driver reset would: to test how callers cope. Throws Error `unsupported` on `cpu`.
  virtual void lose(std::string_view message);

  /// A user's kernel, compiled. Throws Error `unsupported` where none runs, `untrusted_kernel` when the device needs
  /// sources that the program trusts, `shader_invalid` with the compiler's message, `limit_exceeded`.
  virtual std::shared_ptr<const Kernel> source_kernel(const SourceKernel& kernel, bool trusted);

  /// Runs launches of this backend's kernels in order. The CPU is done on return; a GPU has the work submitted, as one
  /// submit.
  virtual void run(std::span<const std::unique_ptr<Launch>> launches, Slots slots) = 0;

  /// Waits until all work is done.
  virtual void synchronize() = 0;

  virtual BackendStatistics statistics() const = 0;
};

}  // namespace alknet::compute
