#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/kernel_table.h"
#include "alknet/compute/device_cpu/scratch.h"
#include "alknet/compute/device_cpu/walk.h"

namespace alknet::compute {

/// An element-wise program as a list of tile kernels: each step computes one tile from tiles, so that a chain of any
/// length reads and writes memory once. Immutable, for every shape.
class VectorProgram {
 public:
  /// Throws Error `unsupported` when a step's operation has no kernel for its dtypes.
  explicit VectorProgram(const ElementwiseProgram& program);

  /// What one step does; values are numbered inputs first, then steps, then constants.
  struct Step {
    TileFunction kernel = nullptr;  ///< Null: a cast, or nothing when that is null as well.
    ConvertFunction cast = nullptr;
    /// Rounds or wraps the result, in place, as storing it would: where the register holds more than the dtype.
    ConvertFunction round = nullptr;
    std::vector<std::uint32_t> arguments;
    std::uint32_t result = 0;
    TileParameters parameters;
  };

  std::size_t input_count() const { return input_count_; }
  std::size_t value_count() const { return dtypes_.size(); }
  std::size_t register_count() const { return register_count_; }
  /// Bytes from one tile register to the next. Not a multiple of the page size: else loads would seem to wait for
  /// stores to other registers.
  std::size_t tile_bytes() const { return tile_bytes_; }
  /// Bytes of scratch that a run needs.
  std::size_t scratch_bytes() const;

  std::span<const Step> steps() const { return steps_; }
  /// The same for input 0 when an operation's result is given as it.
  ConvertFunction round_result() const { return round_result_; }
  /// The input that a value is, passed on by steps that do nothing; the value itself when it is computed.
  std::uint32_t origin(std::uint32_t value) const;
  std::span<const std::uint32_t> outputs() const { return outputs_; }
  Dtype dtype(std::uint32_t value) const { return dtypes_[value]; }
  /// The tile register that a value lives in when it is not used in place.
  std::uint32_t tile_register(std::uint32_t value) const { return registers_[value]; }
  /// The tile of a constant; `value` counts from inputs and steps.
  const std::byte* constant(std::uint32_t value) const;

 private:
  void choose_tile_bytes(const ElementwiseProgram& program);
  std::uint32_t add_constant(const Scalar& scalar, Dtype dtype);
  Step make_step(const ElementwiseProgram& program, const ElementwiseProgram::Step& step);
  void round_between_steps();
  void allocate_registers();

  std::size_t input_count_ = 0;
  std::size_t first_constant_ = 0;
  std::vector<Dtype> dtypes_;             // per value
  std::vector<std::uint32_t> registers_;  // per value
  std::size_t register_count_ = 0;
  std::size_t tile_bytes_ = 0;
  std::vector<Step> steps_;
  ConvertFunction round_result_ = nullptr;
  std::vector<std::uint32_t> outputs_;
  std::vector<std::byte> constants_;  // one tile each
};

/// A vector program with its operands: runs over any range of the outputs' elements.
class BoundProgram {
 public:
  /// `program` must outlive this. With `result_given`, input 0 is no operand but a pointer given to `run`, and `inputs`
  /// holds the operands of the others.
  BoundProgram(const VectorProgram& program, std::span<const Operand> inputs, std::span<const Operand> outputs,
               bool result_given);

  /// Computes elements [begin, end) of every output, in row-major order. `result` points to those elements of input 0
  /// when it is given, in its register dtype; it may be the output's own memory. `scratch` has scratch_bytes().
  void run(Slots slots, std::int64_t begin, std::int64_t end, const void* result, std::byte* scratch) const;

  std::int64_t count() const { return count_; }

 private:
  struct Input {
    std::uint32_t value;
    std::uint32_t slot;
    std::int64_t offset;
    std::size_t storage_bytes;
    ConvertFunction load;
    bool converts;  // its register dtype is another than that in memory
    bool linear;    // element i lies at offset + i
    bool constant;  // all elements are one
    bool copied;    // to a register even where it could be used in place: an output overwrites it too early
  };
  struct Output {
    std::uint32_t value;
    std::uint32_t slot;
    std::int64_t offset;
    std::size_t storage_bytes;
    ConvertFunction store;
    bool direct;  // the last step may write it in place
    bool linear;  // element i lies at offset + i
  };
  class Run;

  bool linear(std::size_t operand) const;

  const VectorProgram& program_;
  bool result_given_;
  bool by_rows_ = false;  // tiles stay inside one run of the innermost dimension
  Walk walk_;             // operands: inputs, outputs
  std::int64_t count_ = 0;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

}  // namespace alknet::compute
