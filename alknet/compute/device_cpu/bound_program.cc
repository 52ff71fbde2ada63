#include <algorithm>
#include <array>
#include <cstring>

#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/device_cpu/vector_program.h"

namespace alknet::compute {
namespace {

/// Below this many elements a row is too short to be a tile of its own.
constexpr std::int64_t kShortRow = 128;
/// Most arguments of one step.
constexpr std::size_t kMaxArguments = 3;
constexpr std::size_t kCacheLine = 64;
/// Programs that read and write at least so many bytes leave little of their results in the caches.
constexpr std::int64_t kStreamedBytes = std::int64_t{32} << 20;

}  // namespace

BoundProgram::BoundProgram(const VectorProgram& program, std::span<const Operand> inputs,
                           std::span<const Operand> outputs, bool result_given)
    : program_(program), result_given_(result_given) {
  std::vector<Strided> layouts;
  for (const Operand& input : inputs) layouts.push_back(input.layout);
  for (const Operand& output : outputs) layouts.push_back(output.layout);
  shape_ = outputs.front().layout.shape;
  walk_ = make_walk(shape_, layouts);
  count_ = walk_.count();
  bool all_linear = true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Operand& operand = inputs[i];
    const Shape& strides = walk_.strides[i];
    const bool constant = std::all_of(strides.begin(), strides.end(), [](std::int64_t stride) { return stride == 0; });
    all_linear = all_linear && (linear(i) || constant);
    const auto value = static_cast<std::uint32_t>(i + (result_given ? 1 : 0));
    const bool overwritten =
        std::any_of(outputs.begin(), outputs.end(), [&](const Operand& output) { return output.slot == operand.slot; });
    const bool passed_on = std::any_of(program.outputs().begin(), program.outputs().end(),
                                       [&](std::uint32_t output) { return output == value; });
    inputs_.push_back({value, operand.slot, operand.layout.offset, graph::dtype_bytes(operand.dtype),
                       load_function(operand.dtype), register_dtype(operand.dtype) != operand.dtype, linear(i),
                       constant && count_ > 1, overwritten && passed_on});
  }
  for (std::size_t k = 0; k < outputs.size(); ++k) all_linear = all_linear && linear(inputs.size() + k);
  by_rows_ = !all_linear && walk_.inner() >= kShortRow;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const std::uint32_t value = program.outputs()[k];
    const bool last_step =
        !program.steps().empty() && program.steps().back().result == value && program.steps().back().coordinate == 0;
    const bool first_use = std::find(program.outputs().begin(), program.outputs().begin() + to_signed(k), value) ==
                           program.outputs().begin() + to_signed(k);
    outputs_.push_back(
        {value, outputs[k].slot, outputs[k].layout.offset, graph::dtype_bytes(outputs[k].dtype),
         store_function(outputs[k].dtype),
         last_step && first_use && register_dtype(outputs[k].dtype) == outputs[k].dtype && linear(inputs.size() + k),
         linear(inputs.size() + k)});
  }
  std::int64_t element_bytes = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs_[i].linear) element_bytes += to_signed(inputs_[i].storage_bytes);
  }
  for (const Output& output : outputs_) element_bytes += to_signed(output.storage_bytes);
  streams_ = !result_given && count_ >= kStreamedBytes / std::max<std::int64_t>(element_bytes, 1);
}

bool BoundProgram::linear(std::size_t operand) const {
  const Shape& strides = walk_.strides[operand];
  std::int64_t expected = 1;
  for (std::size_t d = strides.size(); d-- > 0;) {
    if (strides[d] != expected) return false;
    expected *= walk_.sizes[d];
  }
  return true;
}

/// One pass over a range: pointers to the current tile of every value.
class BoundProgram::Run {
 public:
  Run(const BoundProgram& bound, Slots slots, std::byte* scratch)
      : bound_(bound),
        program_(bound.program_),
        slots_(slots),
        tiles_(reinterpret_cast<TileOperand*>(scratch)),
        registers_(scratch + (program_.value_count() * sizeof(TileOperand) + 63) / 64 * 64) {
    for (const auto& constant : program_.constants()) tiles_[constant.value] = {constant.elements.data(), 0};
  }

  void fill_constants() {
    for (const Input& input : bound_.inputs_) {
      if (!input.constant) continue;
      std::byte* tile = register_of(input.value);
      input.load(source(input, 0), 0, tile, kTileMultiple);
      tiles_[input.value] = {tile, 0};
    }
  }

  /// Computes `count` elements from `index`: a multiple of kTileMultiple, or fewer than that.
  void tile(std::int64_t index, std::size_t count, const void* result) {
    const bool whole = count % kTileMultiple == 0;
    const std::size_t padded = whole ? count : kTileMultiple;
    if (bound_.result_given_) {
      tiles_[0] = {whole ? result : padded_copy(0, result, count), kTileMask};
      if (program_.round_result()) {
        program_.round_result()(tiles_[0].data, 1, register_of(0), padded);
        tiles_[0].data = register_of(0);
      }
    }
    for (const Input& input : bound_.inputs_) {
      if (!input.constant) tiles_[input.value] = {load(input, index, count, whole), kTileMask};
    }
    const std::span<const VectorProgram::Step> steps = program_.steps();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      prefetch(index + to_signed(count), count * i / steps.size(), count * (i + 1) / steps.size());
      run_step(steps[i], index, padded, whole);
    }
    for (std::size_t k = 0; k < bound_.outputs_.size(); ++k) store(k, index, count, whole);
  }

 private:
  std::byte* register_of(std::uint32_t value) const {
    return registers_ + program_.tile_register(value) * program_.tile_bytes();
  }

  const std::byte* source(const Input& input, std::int64_t offset) const {
    return address(slots_, input.slot, input.offset + offset, input.storage_bytes);
  }
  std::byte* target(const Output& output, std::int64_t index) const {
    return slots_[output.slot]->data() + (output.offset + index) * to_signed(output.storage_bytes);
  }

  void store(std::size_t number, std::int64_t index, std::size_t count, bool whole) const {
    const Output& output = bound_.outputs_[number];
    const TileOperand& tile = tiles_[output.value];
    if (output.direct && whole) {
      std::byte* to = target(output, index);
      if (tile.data != to) stream_bytes(tile.data, to, count * output.storage_bytes);
      return;
    }
    if (output.linear) {
      output.store(tile.data, stride_of(tile), target(output, index), count);
      return;
    }
    const std::size_t operand = bound_.inputs_.size() + number;
    const std::int64_t stride = bound_.walk_.inner_stride(operand);
    const auto* from = static_cast<const std::byte*>(tile.data);
    const std::size_t bytes = tile.mask == 0 ? 0 : graph::dtype_bytes(register_dtype(program_.dtype(output.value)));
    for_each_run(bound_.walk_, operand, index, index + to_signed(count), [&](std::int64_t offset, std::int64_t length) {
      const std::int64_t part = stride == 1 ? length : 1;  // stores go to consecutive places
      for (std::int64_t done = 0; done < length; done += part) {
        output.store(from, stride_of(tile), target(output, offset + done * stride), to_size(part));
        from += to_size(part) * bytes;
      }
    });
  }

  /// Asks for elements [begin, end) behind `index` of every input that is read in place. Between two tiles of a program
  /// of several steps the processor's own prefetching has given up.
  void prefetch(std::int64_t index, std::size_t begin, std::size_t end) const {
    if (program_.steps().size() == 1) return;
    for (const Input& input : bound_.inputs_) {
      if (!input.linear) continue;
      const std::byte* bytes = source(input, index);
      for (std::size_t at = begin * input.storage_bytes / kCacheLine * kCacheLine; at < end * input.storage_bytes;
           at += kCacheLine) {
        __builtin_prefetch(bytes + at, 0, 2);
      }
    }
  }

  const void* padded_copy(std::uint32_t value, const void* from, std::size_t count) {
    std::byte* tile = register_of(value);
    const std::size_t bytes = graph::dtype_bytes(register_dtype(program_.dtype(value)));
    std::memcpy(tile, from, count * bytes);
    std::memset(tile + count * bytes, 0, (kTileMultiple - count) * bytes);
    return tile;
  }

  const void* load(const Input& input, std::int64_t index, std::size_t count, bool whole) {
    const std::size_t operand = input.value - (bound_.result_given_ ? 1 : 0);
    const bool one_run = input.linear || bound_.by_rows_;
    const std::int64_t stride = input.linear ? 1 : bound_.walk_.inner_stride(operand);
    const std::int64_t start = input.linear ? index : bound_.walk_.offset(operand, index);
    if (whole && one_run && stride == 1 && !input.converts && !input.copied) return source(input, start);
    std::byte* tile = register_of(input.value);
    const std::size_t bytes = graph::dtype_bytes(register_dtype(program_.dtype(input.value)));
    if (one_run) {
      input.load(source(input, start), stride, tile, count);
    } else {
      std::byte* to = tile;
      for_each_run(bound_.walk_, operand, index, index + to_signed(count),
                   [&](std::int64_t offset, std::int64_t length) {
                     input.load(source(input, offset), stride, to, to_size(length));
                     to += to_size(length) * bytes;
                   });
    }
    if (!whole) std::memset(tile + count * bytes, 0, (kTileMultiple - count) * bytes);
    return tile;
  }

  void run_step(const VectorProgram::Step& step, std::int64_t index, std::size_t count, bool whole) {
    void* result = register_of(step.result);
    for (const Output& output : bound_.outputs_) {
      if (!whole || !output.direct || output.value != step.result) continue;
      std::byte* to = target(output, index);
      const std::size_t ends = reinterpret_cast<std::uintptr_t>(to) | count * output.storage_bytes;
      if (!bound_.streams_ || ends % kCacheLine != 0) result = to;
    }
    if (step.coordinate != 0) {
      fill_coordinates(step.coordinate, index, static_cast<std::int64_t*>(result), count);
    } else if (step.cast) {
      const TileOperand& from = tiles_[step.arguments.front()];
      step.cast(from.data, stride_of(from), result, count);
    } else {
      std::array<TileOperand, kMaxArguments> arguments;
      for (std::size_t i = 0; i < step.arguments.size(); ++i) arguments[i] = tiles_[step.arguments[i]];
      step.kernel(arguments.data(), result, count);
    }
    tiles_[step.result] = {result, kTileMask};
  }

  static std::int64_t stride_of(const TileOperand& tile) { return tile.mask == 0 ? 0 : 1; }

  void fill_coordinates(std::int8_t coordinate, std::int64_t index, std::int64_t* tile, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
      tile[i] = graph::expr::coordinate_value(coordinate, index + to_signed(i), bound_.shape_);
    }
  }

  const BoundProgram& bound_;
  const VectorProgram& program_;
  Slots slots_;
  TileOperand* tiles_;
  std::byte* registers_;
};

void BoundProgram::run(Slots slots, std::int64_t begin, std::int64_t end, const void* result,
                       std::byte* scratch) const {
  if (begin >= end) return;
  Run run(*this, slots, scratch);
  run.fill_constants();
  const std::size_t result_bytes = result_given_ ? graph::dtype_bytes(register_dtype(program_.dtype(0))) : 0;
  const std::int64_t inner = walk_.inner();
  for (std::int64_t index = begin; index < end;) {
    std::int64_t count = std::min(to_signed(kTileElements), end - index);
    if (by_rows_) count = std::min(count, inner - index % inner);
    if (count > to_signed(kTileMultiple)) count -= count % to_signed(kTileMultiple);
    const std::byte* tile_result = static_cast<const std::byte*>(result);
    if (result_given_) tile_result += to_size(index - begin) * result_bytes;
    run.tile(index, to_size(count), tile_result);
    index += count;
  }
  if (streams_) finish_streams();
}

}  // namespace alknet::compute
