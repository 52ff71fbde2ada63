#include <algorithm>
#include <array>
#include <string_view>

#include "alknet/base/bytes.h"
#include "alknet/base/json.h"
#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/graph/philox.h"

namespace alknet::compute {
namespace {

constexpr std::size_t kPart = 1024;  // elements handed over at a time

/// Word number `scale * (e / divisor * divisor) + offset` is that of element e.
struct WordLayout {
  std::string_view name;
  std::uint64_t divisor, scale, offset;
};
constexpr WordLayout kLayouts[] = {{"element", 1, 1, 0},   {"first", 2, 1, 0},       {"second", 2, 1, 1},
                                   {"high", 1, 2, 0},      {"low", 1, 2, 1},         {"first_high", 2, 2, 0},
                                   {"first_low", 2, 2, 1}, {"second_high", 2, 2, 2}, {"second_low", 2, 2, 3}};

const WordLayout& layout_of(const Json& name) {
  const auto found = std::find_if(std::begin(kLayouts), std::end(kLayouts), [&](const WordLayout& row) {
    return row.name == std::string_view(name.as_string());
  });
  return *found;
}

class RandomWordsLaunch final : public CpuLaunch {
 public:
  RandomWordsLaunch(const OperationContext& context, const Binding& binding)
      : resources_(context.resources),
        rng_(binding.inputs[0].value()),
        output_(binding.outputs.front()),
        sink_(context.epilogue, 1, binding),
        layout_(layout_of(binding.attrs.at("words"))),
        stream_(binding.attrs.at("stream").to_number<std::uint32_t>()) {
    ScratchLayout scratch;
    words_at_ = scratch.add(kPart * sizeof(std::uint32_t));
    sink_at_ = scratch.add(sink_.scratch_bytes());
    scratch_bytes_ = scratch.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    const std::uint64_t seed = pair(slots, 0), step = pair(slots, 2);
    const auto count = to_size(graph::element_count(output_.layout.shape));
    const std::size_t parts = (count + kPart - 1) / kPart;
    constexpr std::size_t kCost = 16;  // elementary steps of one word
    resources_->pool.parallel_for(parts, grain_of(kPart * kCost), [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(scratch_bytes_);
      for (std::size_t part = begin; part < end; ++part) {
        const std::size_t first = part * kPart, last = std::min(first + kPart, count);
        std::byte* result = sink_.place(slots, to_signed(first));
        if (!result) result = scratch.data() + words_at_;
        fill(seed, step, first, last, reinterpret_cast<std::uint32_t*>(result));
        sink_.store(slots, to_signed(first), to_signed(last), result, scratch.data() + sink_at_);
      }
    });
  }

 private:
  std::uint64_t pair(Slots slots, std::int64_t at) const {
    const auto word = [&](std::int64_t i) {
      const std::int64_t offset = rng_.layout.offset + i * rng_.layout.strides[0];
      return std::uint64_t{load_le<std::uint32_t>(address(slots, rng_.slot, offset, sizeof(std::uint32_t)))};
    };
    return word(at) | word(at + 1) << 32;
  }

  void fill(std::uint64_t seed, std::uint64_t step, std::size_t first, std::size_t last, std::uint32_t* words) const {
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    std::uint64_t block = ~std::uint64_t{0};
    std::array<std::uint32_t, 4> four{};
    for (std::size_t e = first; e < last; ++e) {
      const std::uint64_t word = layout_.scale * (e / layout_.divisor * layout_.divisor) + layout_.offset;
      if (word / 4 != block) {
        block = word / 4;
        four = graph::philox4x32({low(block), low(step), stream_, low(step >> 32)}, {low(seed), low(seed >> 32)});
      }
      words[e - first] = four[word % 4];
    }
  }

  std::shared_ptr<CpuResources> resources_;
  Operand rng_, output_;
  ResultSink sink_;
  const WordLayout& layout_;
  std::uint32_t stream_;
  std::size_t words_at_, sink_at_, scratch_bytes_;
};

}  // namespace

std::unique_ptr<Launch> bind_random_words(const OperationContext& context, const Binding& binding) {
  return std::make_unique<RandomWordsLaunch>(context, binding);
}

}  // namespace alknet::compute
