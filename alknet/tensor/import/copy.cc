#include "alknet/tensor/import/copy.h"

#include <algorithm>
#include <vector>

namespace alknet::tensor {

void copy_bytes(FunctionRef<void(std::uint64_t, std::span<std::byte>)> read, std::uint64_t bytes, EntrySink& sink) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(kImportPiece, bytes)));
  for (std::uint64_t done = 0; done < bytes;) {
    const auto piece =
        std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), bytes - done)));
    read(done, piece);
    sink.write(done, piece);
    done += piece.size();
  }
}

}  // namespace alknet::tensor
