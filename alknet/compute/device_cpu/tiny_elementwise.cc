#include "alknet/compute/device_cpu/tiny_elementwise.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace alknet::compute {
namespace {

constexpr std::size_t kMaxElements = 64;
constexpr std::size_t kMaxElementBytes = 8;
constexpr std::size_t kMaxValues = 16;
constexpr std::size_t kMaxRegisters = 8;
constexpr std::size_t kMaxArguments = 4;

class TinyLaunch final : public CpuLaunch {
 public:
  struct Place {
    std::uint32_t slot;
    std::int64_t offset;  // bytes
    std::size_t bytes;    // of an element
    bool constant;        // one element for all
  };

  TinyLaunch(std::shared_ptr<const VectorProgram> program, std::size_t count, std::vector<Place> inputs, Place output)
      : program_(std::move(program)),
        count_(count),
        padded_((count + kTileMultiple - 1) / kTileMultiple * kTileMultiple),
        inputs_(std::move(inputs)),
        output_(output) {}

  void run(Slots slots) const override {
    alignas(64) std::array<Tile, kMaxRegisters> registers;
    std::array<TileOperand, kMaxValues> tiles;
    for (const auto& constant : program_->constants()) tiles[constant.value] = {constant.elements.data(), 0};
    for (std::uint32_t i = 0; i < inputs_.size(); ++i) {
      const Place& input = inputs_[i];
      const std::byte* source = static_cast<const Memory*>(slots[input.slot])->data() + input.offset;
      if (input.constant || padded_ != count_) source = copy(registers[program_->tile_register(i)], source, input);
      tiles[i] = {source, input.constant ? 0 : kTileMask};
    }
    std::byte* const target = slots[output_.slot]->data() + output_.offset;
    const auto steps = program_->steps();
    for (const VectorProgram::Step& step : steps) {
      const bool last = &step == &steps.back();
      std::byte* result = last && padded_ == count_ ? target : registers[program_->tile_register(step.result)].data();
      run_step(step, tiles, result);
      tiles[step.result] = {result, kTileMask};
      if (last && padded_ != count_) std::memcpy(target, result, count_ * output_.bytes);
    }
  }

 private:
  using Tile = std::array<std::byte, kMaxElements * kMaxElementBytes>;

  void run_step(const VectorProgram::Step& step, const std::array<TileOperand, kMaxValues>& tiles,
                std::byte* result) const {
    if (step.cast != nullptr) {
      const TileOperand& from = tiles[step.arguments.front()];
      step.cast(from.data, from.mask == 0 ? 0 : 1, result, padded_);
      return;
    }
    std::array<TileOperand, kMaxArguments> arguments;
    for (std::size_t i = 0; i < step.arguments.size(); ++i) arguments[i] = tiles[step.arguments[i]];
    step.kernel(arguments.data(), result, padded_);
  }

  /// All elements and zeros up to a whole vector, or one vector of the one element.
  const std::byte* copy(Tile& tile, const std::byte* source, const Place& input) const {
    if (input.constant) {
      for (std::size_t i = 0; i < kTileMultiple; ++i) std::memcpy(tile.data() + i * input.bytes, source, input.bytes);
    } else {
      std::memcpy(tile.data(), source, count_ * input.bytes);
      std::memset(tile.data() + count_ * input.bytes, 0, (padded_ - count_) * input.bytes);
    }
    return tile.data();
  }

  std::shared_ptr<const VectorProgram> program_;
  std::size_t count_, padded_;
  std::vector<Place> inputs_;
  Place output_;
};

bool same_in_memory(Dtype dtype) { return register_dtype(dtype) == dtype; }

/// Few steps that need no coordinates, of which the last gives the one output.
bool is_tiny(const VectorProgram& program) {
  if (program.steps().empty() || program.outputs().size() != 1) return false;
  const auto simple = [](const VectorProgram::Step& step) {
    return step.coordinate == 0 && step.arguments.size() <= kMaxArguments;
  };
  return program.value_count() <= kMaxValues && program.register_count() <= kMaxRegisters &&
         program.outputs().front() == program.steps().back().result &&
         std::all_of(program.steps().begin(), program.steps().end(), simple);
}

}  // namespace

std::unique_ptr<Launch> bind_tiny_elementwise(std::shared_ptr<const VectorProgram> program,
                                              std::span<const Operand> inputs, std::span<const Operand> outputs) {
  if (outputs.size() != 1 || !is_tiny(*program)) return nullptr;
  const Operand& output = outputs.front();
  const auto count = to_size(graph::element_count(output.layout.shape));
  if (count == 0 || count > kMaxElements || !same_in_memory(output.dtype) || !graph::is_contiguous(output.layout)) {
    return nullptr;
  }
  const auto place = [&](const Operand& operand) {
    const std::size_t bytes = graph::dtype_bytes(operand.dtype);
    return TinyLaunch::Place{operand.slot, operand.layout.offset * to_signed(bytes), bytes, false};
  };
  std::vector<TinyLaunch::Place> placed;
  for (const Operand& input : inputs) {
    const auto elements = to_size(graph::element_count(input.layout.shape));
    placed.push_back(place(input));
    placed.back().constant = elements == 1 && count != 1;
    const bool whole = elements == count && graph::is_contiguous(input.layout);
    if (!same_in_memory(input.dtype) || !(whole || placed.back().constant)) return nullptr;
  }
  return std::make_unique<TinyLaunch>(std::move(program), count, std::move(placed), place(output));
}

}  // namespace alknet::compute
