#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/base/task.h"
#include "alknet/stream/connection.h"
#include "alknet/tensor/source.h"

namespace alknet::stream {

class ClientCore;

/// Makes a connection to the peer that has the model. Awaited on the client's executor, again after a connection was
/// lost. Throws what dialling throws.
using Dial = std::function<Task<std::unique_ptr<StreamConnection>>()>;

struct ClientOptions {
  std::string token = {};                            ///< Of compute/open_model. Secret.
  std::string name = "streamed model";               ///< For messages.
  std::string target = {};                           ///< A file to download to; empty: memory.
  bool fetch_all = true;                             ///< Everything comes; otherwise only what is asked for.
  std::vector<std::string> priority = {};            ///< Comes first, in this order.
  bool compression = false;                          ///< Ask for zstd: for slow networks.
  std::uint64_t max_bytes = std::uint64_t{1} << 40;  ///< A larger file is refused before memory or disk is taken.
  /// Called on the client's executor with the bytes placed so far, and of all tensors.
  std::function<void(std::uint64_t placed, std::uint64_t total)> on_progress = {};
};

/// A model that a peer streams over `alknet/tensor`. The layout is known once `open` returns; each tensor is there when
/// `arrived` says so, checked against the file's checksum where it has one. Bytes go straight to their place: in memory
/// of the file's size, or in a file that gets its name when everything has come and that a later download goes on with
/// when this one was interrupted.
///
/// A connection that is lost fails those who wait, with `transport`; asking again dials again and fetches what lacks.
/// Functions may be called from any thread, and tasks awaited on any executor; connections live on the one given to
/// `open`, which must outlive the client and still run what it posts when it goes. Files are written there too.
class TensorClient final : public tensor::Source {
 public:
  /// Dials, asks, and waits for the header. Throws what dialling throws, the server's refusal (`forbidden`, ...),
  /// `resource_exhausted` beyond max_bytes, the TensorErrors of an unsound header, and as file_storage.
  static Task<std::shared_ptr<TensorClient>> open(Executor& executor, Dial dial, ClientOptions options);
  ~TensorClient() override;

  const tensor::File& file() const override { return file_; }

  /// As Source; also throws `checksum_mismatch` naming the tensor, `aborted` once it was cancelled, `protocol_error`.
  Task<tensor::TensorView> arrived(const tensor::Entry& entry) override;
  void prioritize(std::span<const std::string> names) override;

  /// Tells the peer not to send, or not to go on sending, an entry. Who waits for it gets `aborted`; asking for it
  /// again makes it come.
  void cancel(const tensor::Entry& entry);

  /// Waits until every entry is there, and has a file take its name. Throws as `arrived`.
  Task<> complete();

 private:
  TensorClient(Executor& executor, std::shared_ptr<ClientCore> core, tensor::File file)
      : executor_(executor), core_(std::move(core)), file_(std::move(file)) {}
  Task<> arrival(std::uint32_t index);

  Executor& executor_;
  std::shared_ptr<ClientCore> core_;
  tensor::File file_;
};

}  // namespace alknet::stream
