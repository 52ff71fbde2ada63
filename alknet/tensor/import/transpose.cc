#include "alknet/tensor/import/transpose.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace alknet::tensor {
namespace {

using Shape = std::span<const std::int64_t>;

std::uint64_t count_of(Shape shape) {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::uint64_t>(size);
  return count;
}

std::vector<std::uint64_t> c_strides(Shape shape) {
  std::vector<std::uint64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * static_cast<std::uint64_t>(shape[i]);
  return strides;
}

std::vector<std::uint64_t> fortran_strides(Shape shape) {
  std::vector<std::uint64_t> strides(shape.size(), 1);
  for (std::size_t i = 1; i < shape.size(); ++i) strides[i] = strides[i - 1] * static_cast<std::uint64_t>(shape[i - 1]);
  return strides;
}

/// The extents of the tiles. Reads run along the first axes that a tile has whole and one more, writes along the last
/// ones: both sides take turns to grow, the one with the shorter run first.
std::vector<std::int64_t> tile_shape(Shape shape, std::uint64_t room) {
  std::vector<std::int64_t> tile(shape.size(), 1);
  std::uint64_t size = 1, read_run = 1, write_run = 1;
  std::size_t front = 0, back = shape.size();  // the axes before `front` and from `back` on are whole
  while (front < back) {
    const bool read = read_run <= write_run;
    const std::size_t axis = read ? front : back - 1;
    const auto others = size / static_cast<std::uint64_t>(tile[axis]);
    const auto wanted =
        std::min({static_cast<std::uint64_t>(shape[axis]), 2 * static_cast<std::uint64_t>(tile[axis]), room / others});
    const bool is_whole = wanted == static_cast<std::uint64_t>(shape[axis]);
    if (!is_whole && wanted <= static_cast<std::uint64_t>(tile[axis])) break;
    auto& run = read ? read_run : write_run;
    run = run / static_cast<std::uint64_t>(tile[axis]) * wanted;
    if (front + 1 == back) read_run = write_run = std::max(read_run, write_run);
    tile[axis] = static_cast<std::int64_t>(wanted);
    size = others * wanted;
    if (is_whole) read ? ++front : --back;
  }
  return tile;
}

/// Counts `index` up in the box `extents` from axis `first` to `last`, the axis `first` or the axis `last - 1` fastest;
/// false when it is back at the start.
bool next_index(std::vector<std::int64_t>& index, Shape extents, std::size_t first, std::size_t last, bool fortran) {
  for (std::size_t step = 0; step < last - first; ++step) {
    const std::size_t axis = fortran ? first + step : last - 1 - step;
    if (++index[axis] < extents[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

/// From a box in Fortran order to the same in C order.
template <typename Copy>
void reorder(Shape extents, Copy copy) {
  const std::size_t last = extents.size() - 1;
  const auto strides = fortran_strides(extents);
  std::vector<std::int64_t> index(extents.size(), 0);
  std::uint64_t place = 0;
  do {
    std::uint64_t from = 0;
    for (std::size_t i = 0; i < last; ++i) from += static_cast<std::uint64_t>(index[i]) * strides[i];
    for (std::int64_t i = 0; i < extents[last]; ++i, from += strides[last]) copy(place++, from);
  } while (next_index(index, extents, 0, last, false));
}

/// `copy` with a size that the compiler knows: memcpy is no call then.
template <std::size_t bytes>
void reorder_items(Shape extents, const std::byte* from, std::byte* to) {
  reorder(extents, [=](std::uint64_t target, std::uint64_t origin) {
    std::memcpy(to + target * bytes, from + origin * bytes, bytes);
  });
}

void reorder_bytes(Shape extents, std::size_t item_bytes, const std::byte* from, std::byte* to) {
  switch (item_bytes) {
    case 1: return reorder_items<1>(extents, from, to);
    case 2: return reorder_items<2>(extents, from, to);
    case 4: return reorder_items<4>(extents, from, to);
    case 8: return reorder_items<8>(extents, from, to);
    default:
      reorder(extents, [=](std::uint64_t target, std::uint64_t origin) {
        std::memcpy(to + target * item_bytes, from + origin * item_bytes, item_bytes);
      });
  }
}

/// Calls `visit` with the place in the array and the place in the box, of each run of items that lie side by side in
/// both, and its length: those along the axes from `first` to `last`.
template <typename Visit>
void visit_runs(Shape extents, const std::vector<std::int64_t>& start, const std::vector<std::uint64_t>& strides,
                std::size_t first, std::size_t last, bool fortran, Visit visit) {
  const std::uint64_t run = count_of(extents.subspan(first, last - first));
  const std::size_t from = fortran ? last : 0, to = fortran ? extents.size() : first;
  std::vector<std::int64_t> index(extents.size(), 0);
  std::uint64_t done = 0;
  do {
    std::uint64_t place = 0;
    for (std::size_t i = 0; i < extents.size(); ++i) {
      place += static_cast<std::uint64_t>(start[i] + index[i]) * strides[i];
    }
    visit(place, done, run);
    done += run;
  } while (next_index(index, extents, from, to, fortran));
}

}  // namespace

std::uint64_t fortran_index(std::uint64_t index, Shape shape) {
  std::uint64_t place = 0;
  std::uint64_t stride = count_of(shape);
  for (std::size_t i = shape.size(); i-- > 0;) {
    const auto extent = static_cast<std::uint64_t>(shape[i]);
    stride /= extent;
    place += index % extent * stride;
    index /= extent;
  }
  return place;
}

void fortran_to_c(Shape shape, std::size_t item_bytes, std::size_t budget,
                  FunctionRef<void(std::uint64_t, std::span<std::byte>)> read,
                  FunctionRef<void(std::uint64_t, std::span<const std::byte>)> write) {
  if (count_of(shape) == 0 || item_bytes == 0) return;
  constexpr std::int64_t kOne[] = {1};
  if (shape.empty()) shape = kOne;
  const auto tile = tile_shape(shape, std::max<std::uint64_t>(budget / item_bytes / 2, 1));
  const auto fortran = fortran_strides(shape), c = c_strides(shape);
  std::vector<std::byte> from(count_of(tile) * item_bytes), to(from.size());
  std::vector<std::int64_t> tile_index(shape.size(), 0), start(shape.size(), 0), tiles, extents(tile);
  for (std::size_t i = 0; i < shape.size(); ++i) tiles.push_back((shape[i] - 1) / tile[i] + 1);
  do {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      start[i] = tile_index[i] * tile[i];
      extents[i] = std::min(tile[i], shape[i] - start[i]);
    }
    std::size_t front = 0, back = shape.size() - 1;
    while (front + 1 < shape.size() && extents[front] == shape[front]) ++front;
    while (back > 0 && extents[back] == shape[back]) --back;
    visit_runs(extents, start, fortran, 0, front + 1, true,
               [&](std::uint64_t place, std::uint64_t done, std::uint64_t run) {
                 read(place * item_bytes, std::span(from).subspan(done * item_bytes, run * item_bytes));
               });
    reorder_bytes(extents, item_bytes, from.data(), to.data());
    visit_runs(extents, start, c, back, shape.size(), false,
               [&](std::uint64_t place, std::uint64_t done, std::uint64_t run) {
                 write(place * item_bytes, std::span(to).subspan(done * item_bytes, run * item_bytes));
               });
  } while (next_index(tile_index, tiles, 0, shape.size(), false));
}

}  // namespace alknet::tensor
