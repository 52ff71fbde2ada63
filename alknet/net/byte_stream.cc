#include "alknet/net/byte_stream.h"

#include <utility>

#include "alknet/base/settler.h"
#include "alknet/net/error.h"

namespace alknet::net {

Task<std::span<const std::byte>> read_some(ByteStream& stream, std::string where) {
  Completion<std::span<const std::byte>> done;
  stream.read([settler = Settler(done), where = std::move(where)](const std::error_code& error,
                                                                  std::span<const std::byte> bytes) {
    if (error) {
      settler.set_error(net_error(NetError::kConnectionLost, where, error));
    } else {
      settler.set_value(bytes);
    }
  });
  co_return co_await done.wait();
}

Task<void> write_all(ByteStream& stream, std::vector<SharedBytes> bytes, std::string where) {
  Completion<void> done;
  stream.write(std::move(bytes), [settler = Settler(done), where = std::move(where)](const std::error_code& error) {
    if (error) {
      settler.set_error(net_error(NetError::kConnectionLost, where, error));
    } else {
      settler.set_value();
    }
  });
  co_await done.wait();
}

Task<void> shut_down(ByteStream& stream) {
  Completion<void> done;
  stream.shutdown([settler = Settler(done)](const std::error_code&) { settler.set_value(); });
  co_await done.wait();
}

}  // namespace alknet::net
