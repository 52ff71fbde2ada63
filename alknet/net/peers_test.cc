#include "alknet/net/peers.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/base/testing.h"

namespace alknet::net {
namespace {

using std::chrono::hours;

const std::string kA = "ed25519:" + std::string(64, 'a');
const std::string kB = "ed25519:" + std::string(64, 'b');
const std::string kC = "sha256:" + std::string(64, 'c');

class PeersFileTest : public testing::Test {
 protected:
  PeersFileTest() : folder_(testing::TempDir() + "peers_" + std::to_string(::getpid())), path_(folder_ / "peers.json") {
    std::filesystem::remove_all(folder_);
    make_folders(folder_);
  }
  ~PeersFileTest() override { std::filesystem::remove_all(folder_); }

  void write(std::string_view text, mode_t mode = 0600) {
    AtomicFile file(path_, mode);
    file.write(text);
    file.commit();
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

PeerEntry entry(std::string id, std::string fingerprint) {
  PeerEntry made;
  made.peer_id = std::move(id);
  made.fingerprints = {std::move(fingerprint)};
  return made;
}

TEST(PeerList, KeepsAllMembersThroughItsText) {
  PeerEntry full = entry("gpu1", kA);
  full.retiring = {{kB, WallClock::from_time_t(1'800'000'000)}};
  full.auth_token_hash = auth_token_hash("secret");
  full.scopes = {"compute"};
  full.resources = {{"model:llama", {"read", "run"}}};
  full.display_name = "The machine in the cellar";
  full.enabled = false;
  full.address = "quic://10.0.0.2:4433";
  PeerList list;
  list.add(full);
  const PeerList again = PeerList::parse(list.text(), "test");
  EXPECT_EQ(again.text(), list.text());
  const PeerEntry& read = again.entries().at(0);
  EXPECT_EQ(read.retiring.at(0).valid_until, WallClock::from_time_t(1'800'000'000));
  EXPECT_EQ(read.identity().id, "gpu1");
  EXPECT_EQ(read.identity().resources.at("model:llama"), (std::vector<std::string>{"read", "run"}));
  EXPECT_FALSE(read.enabled);
  EXPECT_NE(list.text().find("2027-01-15T08:00:00Z"), std::string::npos) << list.text();
}

TEST(PeerList, SaysWhichMemberIsWrong) {
  const auto message = [](std::string_view text) {
    const Error error = error_of([&] { PeerList::parse(text, "peers.json"); });
    EXPECT_EQ(error.code_name(), "configuration");
    return error.message();
  };
  EXPECT_NE(message("{\"peers\": [{\"peer_id\": \"a\", \"fingerprints\": [\"ed25519:AB\"]}]}")
                .find("/peers/0/fingerprints/0"),
            std::string::npos);
  EXPECT_NE(message("{\"peers\": [{}]}").find("peer_id"), std::string::npos);
  EXPECT_NE(message("{\"peers\": [{\"peer_id\": \"a\", \"scope\": []}]}").find("peers.json"), std::string::npos);
  EXPECT_NE(message("{\"peers\": [{\"peer_id\": \"a\"}, {\"peer_id\": \"a\"}]}").find("/peers/1/peer_id"),
            std::string::npos);
  EXPECT_NE(message("").find("peers.json"), std::string::npos);
  EXPECT_NE(message("{\"peers\": [], \"peers\": []}").find("peers.json"), std::string::npos);
  EXPECT_NE(message("{\"peers\": [{\"peer_id\": \"../x\"}]}").find("/peers/0/peer_id"), std::string::npos);
}

TEST(PeerList, FindsByFingerprintAndByToken) {
  PeerList list;
  const std::string token = new_auth_token();
  EXPECT_EQ(token.size(), 43U);
  EXPECT_NE(token, new_auth_token());
  PeerEntry holder = entry("holder", kA);
  holder.auth_token_hash = auth_token_hash(token);
  EXPECT_EQ(holder.auth_token_hash.find(token), std::string::npos);
  EXPECT_NE(holder.auth_token_hash, auth_token_hash(token)) << "each hash has a salt of its own";
  list.add(holder);
  list.add(entry("other", kC));
  const auto now = WallClock::now();
  EXPECT_EQ(list.find_by_fingerprint(kA, now)->peer_id, "holder");
  EXPECT_EQ(list.find_by_fingerprint(kC, now)->peer_id, "other");
  EXPECT_EQ(list.find_by_fingerprint(kB, now), nullptr);
  EXPECT_EQ(list.find_by_token(token)->peer_id, "holder");
  EXPECT_EQ(list.find_by_token(token + "x"), nullptr);
  EXPECT_EQ(list.find_by_token(""), nullptr);
}

TEST(PeerList, ARotatedFingerprintIsAcceptedUntilItsTime) {
  PeerList list;
  list.add(entry("peer", kA));
  const auto now = WallClock::now();
  list.rotate("peer", kB, now + hours(1));
  EXPECT_NE(list.find_by_fingerprint(kB, now), nullptr);
  EXPECT_NE(list.find_by_fingerprint(kA, now), nullptr);
  EXPECT_EQ(list.find_by_fingerprint(kA, now + hours(2)), nullptr);
  EXPECT_NE(list.find_by_fingerprint(kB, now + hours(2)), nullptr);
  EXPECT_EQ(code_of([&] { list.rotate("peer", "ed25519:short", now); }), "configuration");
  EXPECT_NE(list.find_by_fingerprint(kB, now), nullptr) << "a refused rotation changes nothing";
  EXPECT_EQ(code_of([&] { list.rotate("nobody", kC, now); }), "not_found");
}

TEST(PeerList, RefusesWhatIsTaken) {
  PeerList list;
  list.add(entry("peer", kA));
  EXPECT_EQ(code_of([&] { list.add(entry("peer", kB)); }), "configuration");
  EXPECT_EQ(code_of([&] { list.add(entry("thief", kA)); }), "configuration");
  EXPECT_EQ(code_of([&] { list.add(entry("with space", kB)); }), "configuration");
  EXPECT_EQ(list.entries().size(), 1U);
  list.remove("peer");
  EXPECT_TRUE(list.entries().empty());
  EXPECT_EQ(code_of([&] { list.remove("peer"); }), "not_found");
}

TEST(PeerList, AdmitsOnlyKnownAndEnabledPeers) {
  PeerList list;
  PeerEntry peer = entry("peer", kA);
  peer.auth_token_hash = auth_token_hash("token");
  list.add(peer);
  const auto shown = [](std::optional<std::string> fingerprint, std::optional<std::string> token) {
    call::PeerCredentials credentials;
    credentials.fingerprint = std::move(fingerprint);
    credentials.bearer_token = std::move(token);
    return credentials;
  };
  EXPECT_EQ(admit(list, shown(kA, {})).peer_id, "peer");
  EXPECT_EQ(admit(list, shown({}, "token")).peer_id, "peer");
  for (const auto& credentials : {shown(kB, {}), shown({}, "guess"), shown({}, {}), shown(kB, "token")}) {
    EXPECT_EQ(code_of([&] { admit(list, credentials); }), "unauthorized");
  }
  list.set_enabled("peer", false);
  EXPECT_NE(error_of([&] { admit(list, shown(kA, {})); }).message().find("disabled"), std::string::npos);
}

TEST_F(PeersFileTest, IsEmptyBeforeItExistsAndPrivateAfterwards) {
  PeersFile file(path_);
  EXPECT_TRUE(file.current()->entries().empty());
  file.update([](PeerList& list) { list.add(entry("peer", kA)); });
  EXPECT_EQ(std::filesystem::status(path_).permissions() & std::filesystem::perms::mask,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(PeersFile(path_).current()->entries().at(0).peer_id, "peer");
}

TEST_F(PeersFileTest, RefusesAFileThatOthersMayRead) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0666U}) {
    write("{\"peers\": []}");
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    const Error error = error_of([&] { PeersFile file(path_); });
    EXPECT_EQ(error.code_name(), "configuration");
    EXPECT_NE(error.message().find("chmod 600"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find(path_.string()), std::string::npos);
  }
}

TEST_F(PeersFileTest, ReadsAChangedFileAndKeepsTheListWhenItCannotBeUsed) {
  PeersFile file(path_);
  EXPECT_FALSE(file.reload_if_changed());
  PeerList list;
  list.add(entry("peer", kA));
  write(list.text());
  EXPECT_TRUE(file.reload_if_changed());
  EXPECT_FALSE(file.reload_if_changed());
  EXPECT_NE(file.current()->find("peer"), nullptr);
  write("{\"peers\": 1}");
  EXPECT_EQ(code_of([&] { file.reload_if_changed(); }), "configuration");
  EXPECT_FALSE(file.reload_if_changed()) << "an unusable file is reported once";
  EXPECT_NE(file.current()->find("peer"), nullptr);
}

TEST_F(PeersFileTest, AFailedUpdateChangesNothing) {
  PeersFile file(path_);
  file.update([](PeerList& list) { list.add(entry("peer", kA)); });
  const std::string before = read_file(path_, 1 << 20);
  EXPECT_EQ(code_of([&] { file.update([](PeerList& list) { list.remove("nobody"); }); }), "not_found");
  EXPECT_EQ(read_file(path_, 1 << 20), before);
}

TEST_F(PeersFileTest, TheWatchTellsOfAChange) {
  PeersFile file(path_);
  LoopThread thread;
  Completion<> changed;
  const auto watch = [&]() -> Task<void> {
    PeersWatch watching(thread.loop(), file, std::chrono::milliseconds(1), Logger(),
                        [changed]() mutable { changed.set_value(); });
    write("{\"peers\": [{\"peer_id\": \"new\"}]}");
    co_await changed.wait();
  };
  wait_for(thread.loop(), watch());
  EXPECT_NE(file.current()->find("new"), nullptr);
}

}  // namespace
}  // namespace alknet::net
