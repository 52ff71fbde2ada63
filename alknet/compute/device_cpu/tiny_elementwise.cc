#include "alknet/compute/device_cpu/tiny_elementwise.h"

#include <array>
#include <cstring>
#include <vector>

namespace alknet::compute {
namespace {

constexpr std::size_t kMaxElements = 64;
constexpr std::size_t kMaxInputs = 4;
constexpr std::size_t kMaxElementBytes = 8;

class TinyLaunch final : public CpuLaunch {
 public:
  struct Input {
    std::uint32_t slot;
    std::int64_t offset;  // bytes
    std::size_t bytes;    // of an element
    bool constant;        // one element for all
  };

  TinyLaunch(std::shared_ptr<const VectorProgram> program, std::size_t count, std::vector<Input> inputs, Input output)
      : program_(std::move(program)),
        step_(program_->steps().front()),
        count_(count),
        padded_((count + kTileMultiple - 1) / kTileMultiple * kTileMultiple),
        inputs_(std::move(inputs)),
        output_(output) {}

  void run(Slots slots) const override {
    alignas(64) std::array<std::array<std::byte, kMaxElements * kMaxElementBytes>, kMaxInputs + 1> tiles;
    std::array<const void*, kMaxInputs> values;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Input& input = inputs_[i];
      const std::byte* source = static_cast<const Memory*>(slots[input.slot])->data() + input.offset;
      values[i] = input.constant || padded_ != count_ ? fill(tiles[i].data(), source, input) : source;
    }
    std::array<const void*, kMaxInputs> arguments;
    for (std::size_t i = 0; i < step_.arguments.size(); ++i) {
      const std::uint32_t value = step_.arguments[i];
      arguments[i] = value < inputs_.size() ? values[value] : program_->constant(value);
    }
    std::byte* const target = slots[output_.slot]->data() + output_.offset;
    void* result = padded_ == count_ ? target : tiles.back().data();
    step_.kernel(arguments.data(), &result, padded_, step_.parameters);
    if (padded_ != count_) std::memcpy(target, result, count_ * output_.bytes);
  }

 private:
  const std::byte* fill(std::byte* tile, const std::byte* source, const Input& input) const {
    if (!input.constant) {
      std::memcpy(tile, source, count_ * input.bytes);
      std::memset(tile + count_ * input.bytes, 0, (padded_ - count_) * input.bytes);
      return tile;
    }
    switch (input.bytes) {
      case 1: std::memset(tile, std::to_integer<int>(*source), padded_); break;
      case 4: repeat<std::uint32_t>(tile, source); break;
      default: repeat<std::uint64_t>(tile, source);
    }
    return tile;
  }

  template <typename Word>
  void repeat(std::byte* tile, const std::byte* source) const {
    Word word;
    std::memcpy(&word, source, sizeof word);
    for (std::size_t i = 0; i < padded_; ++i) std::memcpy(tile + i * sizeof word, &word, sizeof word);
  }

  std::shared_ptr<const VectorProgram> program_;
  const VectorProgram::Step& step_;
  std::size_t count_, padded_;
  std::vector<Input> inputs_;
  Input output_;
};

bool same_in_memory(Dtype dtype) { return register_dtype(dtype) == dtype; }

}  // namespace

std::unique_ptr<Launch> bind_tiny_elementwise(std::shared_ptr<const VectorProgram> program,
                                              std::span<const Operand> inputs, std::span<const Operand> outputs) {
  if (program->steps().size() != 1 || program->steps().front().kernel == nullptr || outputs.size() != 1 ||
      inputs.size() > kMaxInputs || program->steps().front().arguments.size() > kMaxInputs) {
    return nullptr;
  }
  const auto count = to_size(graph::element_count(outputs.front().layout.shape));
  const auto place = [&](const Operand& operand) {
    const std::size_t bytes = graph::dtype_bytes(operand.dtype);
    const std::int64_t elements = graph::element_count(operand.layout.shape);
    return TinyLaunch::Input{operand.slot, operand.layout.offset * to_signed(bytes), bytes,
                             to_size(elements) != count && elements == 1};
  };
  if (count == 0 || count > kMaxElements || !same_in_memory(outputs.front().dtype) ||
      !graph::is_contiguous(outputs.front().layout)) {
    return nullptr;
  }
  std::vector<TinyLaunch::Input> placed;
  for (const Operand& input : inputs) {
    placed.push_back(place(input));
    const bool whole = to_size(graph::element_count(input.layout.shape)) == count && graph::is_contiguous(input.layout);
    if (!same_in_memory(input.dtype) || !(whole || placed.back().constant)) return nullptr;
  }
  return std::make_unique<TinyLaunch>(std::move(program), count, std::move(placed), place(outputs.front()));
}

}  // namespace alknet::compute
