#include <ngtcp2/ngtcp2_crypto.h>

#include <cstring>
#include <utility>

#include "alknet/net/quic/connection_core.h"
#include "alknet/net/quic/endpoint_state.h"

// What ngtcp2 tells a connection. No exception leaves these functions.

namespace alknet::net::quic {

namespace {

ConnectionCore& core_of(void* user_data) { return *static_cast<ConnectionCore*>(user_data); }

Stream& stream_of(void* stream_user_data) { return *static_cast<Stream*>(stream_user_data); }

StreamId stream_id(std::int64_t id) { return static_cast<StreamId>(id); }

}  // namespace

int ConnectionCore::on_handshake_completed() {
  handshake_completed_ = true;
  alpn_ = tls_->alpn();
  return 0;
}

int ConnectionCore::on_handshake_confirmed() {
  if (is_server_) return 0;
  // GnuTLS asked about what the server showed; one that showed nothing is refused here.
  if (!peer_checked_) {
    refusal_ = "the server showed no key";
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  state_ = State::kOpen;
  handed_out_ = true;
  confirmed_.set_value(true);
  return 0;
}

int ConnectionCore::on_stream_open(StreamId id) {
  Stream& stream = add_stream(id);
  stream.opened = true;
  ngtcp2_conn_set_stream_user_data(conn_, static_cast<std::int64_t>(id), &stream);
  return 0;
}

int ConnectionCore::on_stream_data(Stream& stream, std::span<const std::byte> bytes, bool fin) {
  const StreamId id = stream.id;
  if (stream.read_ended || leaving_ || (started_ && events_ == nullptr)) {
    give_credit(id, bytes.size());
    return 0;
  }
  const bool holds = !started_ || !stream.reading || !stream.held.empty() || stream.held_fin;
  if (holds) {
    stream.held.insert(stream.held.end(), bytes.begin(), bytes.end());
    held_bytes_ += bytes.size();
    stream.held_fin = stream.held_fin || fin;
    return 0;
  }
  if (!bytes.empty()) {
    if (guarded([&] { events_->received(id, bytes); }) != 0) return NGTCP2_ERR_CALLBACK_FAILURE;
    give_credit(id, bytes.size());
  }
  if (!fin || stream.read_ended || !may_tell()) return 0;
  if (!stream.reading) {
    stream.held_fin = true;
    return 0;
  }
  stream.read_ended = true;
  return guarded([&] { events_->finished(id); });
}

int ConnectionCore::on_acknowledged(Stream& stream, std::uint64_t end) {
  queued_bytes_ -= stream.queue.acknowledge(end);
  return 0;
}

int ConnectionCore::on_stream_closed(Stream& stream, std::uint64_t code) {
  // A stream that closes before all was delivered was stopped by the peer: ngtcp2 tells that in no other way.
  const bool stopped = !stream.write_ended && (!stream.fin_sent || stream.queue.unacknowledged() > 0);
  const StreamId id = stream.id;
  stream.closed = true;
  stream.write_ended = true;
  stream.wants_writable = false;
  ReadyStreams::remove(stream);
  if (stream.held.empty() && !stream.held_fin) erase(stream);
  if (stopped && may_tell()) {
    if (const int result = guarded([&] { events_->was_stopped(id, code); }); result != 0) return result;
  }
  return may_tell() ? guarded([&] { events_->ended(id); }) : 0;
}

int ConnectionCore::on_stream_reset(Stream& stream, std::uint64_t code) {
  if (stream.read_ended) return 0;
  stream.read_ended = true;
  drop_held(stream);
  const StreamId id = stream.id;
  return may_tell() ? guarded([&] { events_->was_reset(id, code); }) : 0;
}

int ConnectionCore::on_more_credit(Stream& stream) {
  if (stream.queue.unsent() > 0 && !stream.write_ended) ready_.add(stream);
  return 0;
}

int ConnectionCore::on_new_connection_id(ngtcp2_cid& id, std::uint8_t* token, std::size_t size) {
  id.datalen = size;
  random_bytes({id.data, size});
  const auto secret = endpoint_->secret();
  if (ngtcp2_crypto_generate_stateless_reset_token(token, secret.data(), secret.size(), &id) != 0) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  endpoint_->route(id, *this);
  local_ids_.push_back(id);
  return 0;
}

int ConnectionCore::on_retired_connection_id(const ngtcp2_cid& id) {
  endpoint_->unroute(id);
  std::erase_if(local_ids_, [&](const ngtcp2_cid& mine) { return ngtcp2_cid_eq(&mine, &id) != 0; });
  return 0;
}

ngtcp2_callbacks connection_callbacks() {
  ngtcp2_callbacks all{};
  all.client_initial = ngtcp2_crypto_client_initial_cb;
  all.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  all.recv_crypto_data = [](ngtcp2_conn* conn, ngtcp2_encryption_level level, std::uint64_t offset,
                            const std::uint8_t* data, std::size_t size, void* user) {
    // After the handshake only tickets can come, which nobody here wants.
    if (!core_of(user).has_tls_session()) return 0;
    return ngtcp2_crypto_recv_crypto_data_cb(conn, level, offset, data, size, user);
  };
  all.encrypt = ngtcp2_crypto_encrypt_cb;
  all.decrypt = ngtcp2_crypto_decrypt_cb;
  all.hp_mask = ngtcp2_crypto_hp_mask_cb;
  all.recv_retry = ngtcp2_crypto_recv_retry_cb;
  all.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  all.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  all.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
  all.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  all.rand = [](std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx*) {
    gnutls_rnd(GNUTLS_RND_NONCE, out, size);
  };
  all.update_key = [](ngtcp2_conn* conn, std::uint8_t* rx_secret, std::uint8_t* tx_secret,
                      ngtcp2_crypto_aead_ctx* rx_context, std::uint8_t* rx_iv, ngtcp2_crypto_aead_ctx* tx_context,
                      std::uint8_t* tx_iv, const std::uint8_t* current_rx_secret, const std::uint8_t* current_tx_secret,
                      std::size_t size, void* user) {
    core_of(user).on_key_update();
    return ngtcp2_crypto_update_key_cb(conn, rx_secret, tx_secret, rx_context, rx_iv, tx_context, tx_iv,
                                       current_rx_secret, current_tx_secret, size, user);
  };
  all.handshake_completed = [](ngtcp2_conn*, void* user) { return core_of(user).on_handshake_completed(); };
  all.handshake_confirmed = [](ngtcp2_conn*, void* user) { return core_of(user).on_handshake_confirmed(); };
  all.stream_open = [](ngtcp2_conn*, std::int64_t id, void* user) {
    return core_of(user).on_stream_open(stream_id(id));
  };
  all.recv_stream_data = [](ngtcp2_conn*, std::uint32_t flags, std::int64_t, std::uint64_t, const std::uint8_t* data,
                            std::size_t size, void* user, void* stream) {
    if (stream == nullptr) return 0;
    return core_of(user).on_stream_data(stream_of(stream), {reinterpret_cast<const std::byte*>(data), size},
                                        (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0);
  };
  all.acked_stream_data_offset = [](ngtcp2_conn*, std::int64_t, std::uint64_t offset, std::uint64_t size, void* user,
                                    void* stream) {
    return stream == nullptr ? 0 : core_of(user).on_acknowledged(stream_of(stream), offset + size);
  };
  all.stream_close = [](ngtcp2_conn*, std::uint32_t, std::int64_t, std::uint64_t code, void* user, void* stream) {
    return stream == nullptr ? 0 : core_of(user).on_stream_closed(stream_of(stream), code);
  };
  all.stream_reset = [](ngtcp2_conn*, std::int64_t, std::uint64_t, std::uint64_t code, void* user, void* stream) {
    return stream == nullptr ? 0 : core_of(user).on_stream_reset(stream_of(stream), code);
  };
  all.extend_max_stream_data = [](ngtcp2_conn*, std::int64_t, std::uint64_t, void* user, void* stream) {
    return stream == nullptr ? 0 : core_of(user).on_more_credit(stream_of(stream));
  };
  all.get_new_connection_id = [](ngtcp2_conn*, ngtcp2_cid* id, std::uint8_t* token, std::size_t size, void* user) {
    return core_of(user).on_new_connection_id(*id, token, size);
  };
  all.remove_connection_id = [](ngtcp2_conn*, const ngtcp2_cid* id, void* user) {
    return core_of(user).on_retired_connection_id(*id);
  };
  all.recv_stateless_reset = [](ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
    core_of(user).on_stateless_reset();
    return 0;
  };
  return all;
}

}  // namespace alknet::net::quic
