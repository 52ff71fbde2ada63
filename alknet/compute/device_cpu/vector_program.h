#pragma once

#include <array>
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

/// An element-wise program as a list of tile kernels, one for each step of its operations' expressions: a step computes
/// one tile from tiles, so that a chain of any length reads and writes memory once. Immutable, for every shape.
///
/// Values are numbered in order of creation, inputs first.
class VectorProgram {
 public:
  /// Throws Error `unsupported` when an operation does not take its operands' dtypes.
  explicit VectorProgram(const ElementwiseProgram& program);

  /// What one step does: an opcode, a cast, or the element's coordinates.
  struct Step {
    OpcodeFunction kernel = nullptr;
    graph::expr::Opcode opcode = graph::expr::Opcode::kConstant;  ///< Of `kernel`.
    ConvertFunction cast = nullptr;
    std::int8_t coordinate = 0;  ///< As expr::Variable::coordinate.
    std::vector<std::uint32_t> arguments;
    std::uint32_t result = 0;
  };

  /// A value known beforehand, as one vector of equal elements.
  struct Constant {
    std::uint32_t value;
    alignas(64) std::array<std::byte, kTileMultiple * sizeof(double)> elements;
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
  std::span<const Constant> constants() const { return constants_; }
  /// Rounds input 0, in place, to its dtype where an operation's result is given as it and its register holds more;
  /// else null.
  ConvertFunction round_result() const { return round_result_; }
  std::span<const std::uint32_t> outputs() const { return outputs_; }
  Dtype dtype(std::uint32_t value) const { return dtypes_[value]; }
  /// The tile register that a value lives in when it is not used in place.
  std::uint32_t tile_register(std::uint32_t value) const { return registers_[value]; }

 private:
  std::uint32_t add_value(Dtype dtype);
  std::uint32_t add_constant(const Scalar& scalar, Dtype dtype);
  std::uint32_t add_step(Step step, Dtype dtype);
  std::uint32_t add_cast(std::uint32_t value, Dtype to);
  std::uint32_t add_coordinate(std::int8_t coordinate);
  /// Puts the value in its dtype in the place of one that a kernel computed with more.
  void round(std::uint32_t& value);
  /// The value of a step of the program, whose arguments are in `values`.
  std::uint32_t add_operation(const ElementwiseProgram& program, const ElementwiseProgram::Step& step,
                              std::span<const std::uint32_t> values);
  std::uint32_t add_instruction(const graph::expr::Program& program, const graph::expr::Instruction& instruction,
                                std::span<const std::uint32_t> values);
  /// Makes one pass of two arithmetic steps where the second alone reads the first.
  void join_pairs();
  void allocate_registers();

  std::size_t input_count_ = 0;
  std::vector<Dtype> dtypes_;             // per value
  std::vector<std::uint32_t> registers_;  // per value
  std::size_t register_count_ = 0;
  std::size_t tile_bytes_ = 0;
  std::vector<Step> steps_;
  std::vector<Constant> constants_;
  ConvertFunction round_result_ = nullptr;
  std::vector<std::uint32_t> outputs_;
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
  bool streams_ = false;  // direct outputs go past the caches
  bool by_rows_ = false;  // tiles stay inside one run of the innermost dimension
  Walk walk_;             // operands: inputs, outputs
  Shape shape_;           // of the outputs
  std::int64_t count_ = 0;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
};

}  // namespace alknet::compute
