#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/manual_executor.h"
#include "alknet/stream/memory_connection.h"
#include "alknet/stream/tensor_client.h"
#include "alknet/stream/tensor_server.h"
#include "alknet/stream/token_issuer.h"
#include "alknet/tensor/source.h"

namespace alknet::stream {

/// A file with one F32 tensor a size, named t0, t1, ..., of bytes that tell where they belong.
tensor::File model_of(const std::vector<std::size_t>& elements, bool checksums = true);

/// The same in a file on disk, which is mapped.
tensor::File model_at(const std::string& path, const std::vector<std::size_t>& elements, bool checksums = true);

/// All bytes of a file.
std::vector<std::byte> all_bytes(const tensor::File& file);

/// A server and whoever dials it, over links in memory, on one executor that the test drives.
class StreamBench {
 public:
  explicit StreamBench(tensor::File served, ServerOptions options = {}, std::optional<std::string> peer = "laptop");

  /// Lets connections end while there is an executor.
  ~StreamBench() { executor.run_ready(); }

  /// Dials a new link with these options; `prepare` sees it before anything travels.
  Dial dial();

  ClientOptions with_token() const { return {.token = token}; }

  /// Opens a client and runs what is ready.
  std::shared_ptr<TensorClient> open(ClientOptions options);
  std::shared_ptr<TensorClient> open() { return open(with_token()); }

  /// Awaits a task on the executor, without time passing.
  template <typename T>
  T run(Task<T> task) {
    return run_until_done(executor, std::move(task));
  }

  ManualExecutor executor;
  tensor::File file;
  std::optional<std::string> identity;
  std::shared_ptr<TokenIssuer> tokens;
  std::string token;
  TensorServer server;
  MemoryLink::Options link_options;
  std::function<void(MemoryLink&)> prepare;
  std::shared_ptr<MemoryLink> link;  ///< The last that was dialled.
  int dialled = 0;
};

}  // namespace alknet::stream
