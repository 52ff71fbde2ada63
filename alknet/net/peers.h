#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/call/access.h"
#include "alknet/call/engine/transport.h"

namespace alknet::net {

using WallClock = std::chrono::system_clock;

/// A fingerprint that is accepted until a time: the old one of a rotation.
struct RetiringFingerprint {
  std::string fingerprint;
  WallClock::time_point valid_until;
};

/// Someone who may connect, and what for.
struct PeerEntry {
  std::string peer_id;  ///< 1..64 letters, digits, '.', '_' and '-'; also the prefix of its operations
  std::vector<std::string> fingerprints;  ///< "ed25519:HEX", "sha256:HEX"
  std::vector<RetiringFingerprint> retiring;
  std::string auth_token_hash;  ///< "sha256:SALT:HASH" in hexadecimal, empty for none; the token is not kept
  std::vector<std::string> scopes;
  std::map<std::string, std::vector<std::string>, std::less<>> resources;  ///< as Identity's
  std::string display_name;
  bool enabled = true;
  std::string address;  ///< where to dial it, "quic://host:port"; empty when it dials us

  /// {id: peer_id, scopes, resources}.
  call::Identity identity() const;

  /// The fingerprints that prove the peer at that time: its own and those of a rotation that has not ended.
  std::vector<std::string> accepted_fingerprints(WallClock::time_point now) const;
};

/// A new bearer token: 32 random bytes in base64url.
std::string new_auth_token();

/// What a peers file keeps of a token: a random salt and the SHA-256 of salt and token.
std::string auth_token_hash(std::string_view token);

/// The peers of a node, as a value. Distinct objects may be used by distinct threads.
class PeerList {
 public:
  PeerList() = default;

  /// Reads {"peers": [...]}. Throws `configuration`: the message names `source` and the member, details has `path` and
  /// `violations`. The schema is `json_schema`; ids and fingerprints must differ as well.
  static PeerList parse(std::string_view text, std::string_view source);
  std::string text() const;

  /// The JSON Schema (2020-12) of the file.
  static const Json& json_schema();

  const std::vector<PeerEntry>& entries() const { return entries_; }

  /// Null when there is none.
  const PeerEntry* find(std::string_view peer_id) const;
  PeerEntry* find(std::string_view peer_id);

  /// Whose fingerprint it is at that time, disabled ones included; null when nobody's.
  const PeerEntry* find_by_fingerprint(std::string_view fingerprint, WallClock::time_point now) const;

  /// Until when the old fingerprint of a rotation is accepted; nothing for others.
  std::optional<WallClock::time_point> retires(std::string_view fingerprint) const;

  /// Whose bearer token it is, disabled ones included. Hashes are compared in constant time, all of them.
  const PeerEntry* find_by_token(std::string_view token) const;

  /// Adds an entry. Throws `configuration` when the id or a fingerprint is taken or malformed.
  void add(PeerEntry entry);

  /// Removes an entry. Throws `not_found` (call).
  void remove(std::string_view peer_id);

  /// Makes `fingerprint` the peer's only one; those before stay accepted until `old_valid_until`. Throws as above.
  void rotate(std::string_view peer_id, std::string fingerprint, WallClock::time_point old_valid_until);

  void set_enabled(std::string_view peer_id, bool enabled);

 private:
  PeerEntry& get(std::string_view peer_id);
  void check() const;
  std::vector<PeerEntry> entries_;
};

/// The peers file of a node. Only its owner may read or write it (mode 0600), and it must be ours: checked each time it
/// is read. `current` and `admit` may be called from any thread, the rest from one at a time.
class PeersFile {
 public:
  /// Reads the file; a file that does not exist is an empty list. Throws `configuration` and `io_error`.
  explicit PeersFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  /// What the file held when it was last read.
  std::shared_ptr<const PeerList> current() const;

  /// Reads the file again if it changed (modification time, size or inode); true when it did. When the new file cannot
  /// be used it throws, and the list stays as it was; it throws once for each change.
  bool reload_if_changed();

  /// Reads the file, lets `change` change the list and replaces the file in one step; other writers wait.
  void update(const std::function<void(PeerList&)>& change);

 private:
  struct Stamp {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::int64_t size = -1;  // no file
    std::uint64_t inode = 0;
    auto operator<=>(const Stamp&) const = default;
  };
  Stamp stamp() const;
  PeerList read() const;

  const std::filesystem::path path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const PeerList> current_;
  Stamp read_;
};

/// The peer that these credentials prove: by the fingerprint that was shown, else by the bearer token. Throws
/// `unauthorized` with the reason: nothing shown, unknown, disabled.
const PeerEntry& admit(const PeerList& peers, const call::PeerCredentials& credentials,
                       WallClock::time_point now = WallClock::now());

/// Looks at a peers file every `interval` on a loop and reads it again when it changed. `changed` is called then, on
/// the loop; a file that cannot be used is logged and the old list stays. Stops when destroyed, on the loop's thread.
class PeersWatch {
 public:
  PeersWatch(Loop& loop, PeersFile& file, std::chrono::milliseconds interval, Logger logger,
             std::function<void()> changed);
  ~PeersWatch();
  PeersWatch(const PeersWatch&) = delete;
  PeersWatch& operator=(const PeersWatch&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
