#include "alknet/net/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "alknet/base/files.h"
#include "alknet/base/testing.h"

namespace alknet::net {
namespace {

/// A key made by `openssl genpkey -algorithm ed25519` and its public half by `openssl pkey -pubout -outform DER`.
constexpr std::string_view kOpenSslKey = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
)";

class KeyFiles : public testing::Test {
 protected:
  KeyFiles() : folder_(testing::TempDir() + "keys_" + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    make_folders(folder_);
  }
  ~KeyFiles() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST(PrivateKey, ReadsTheTestVectorOfRfc8032) {
  // RFC 8032 section 7.1, test 1: secret 9d61b19d... in the PKCS#8 form of RFC 8410.
  const PrivateKey key = PrivateKey::from_pem(kOpenSslKey, "test");
  EXPECT_EQ(key.fingerprint(), "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST(PrivateKey, ReadsBackWhatItWrote) {
  const PrivateKey key = PrivateKey::generate();
  EXPECT_NE(key.fingerprint(), PrivateKey::generate().fingerprint());
  EXPECT_EQ(PrivateKey::from_pem(key.pem(), "test").fingerprint(), key.fingerprint());
  EXPECT_TRUE(is_fingerprint(key.fingerprint()));
  EXPECT_EQ(key.derive("a"), PrivateKey::from_pem(key.pem(), "test").derive("a"));
  EXPECT_NE(key.derive("a"), key.derive("b"));
}

TEST(PrivateKey, RefusesOtherTexts) {
  const std::string p256 = Certificate::self_signed(CertificateOptions{}).key_pem();
  for (const std::string& text : {std::string(), std::string("-----BEGIN PRIVATE KEY-----\n"), p256,
                                  std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}) {
    EXPECT_EQ(code_of([&] { PrivateKey::from_pem(text, "test"); }), "configuration");
  }
}

TEST_F(KeyFiles, AreForTheirOwnerOnly) {
  const auto path = folder_ / "key.pem";
  const PrivateKey key = PrivateKey::generate();
  key.save(path);
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(PrivateKey::load(path).fingerprint(), key.fingerprint());
  EXPECT_EQ(code_of([&] { key.save(path); }), "io_error") << "an existing key is not replaced";
  for (const mode_t mode : {0640U, 0604U, 0610U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const Error error = error_of([&] { PrivateKey::load(path); });
    EXPECT_EQ(error.code_name(), "configuration");
    EXPECT_NE(error.message().find("chmod 600 " + path.string()), std::string::npos) << error.message();
  }
  EXPECT_EQ(code_of([&] { PrivateKey::load(folder_ / "missing.pem"); }), "io_error");
}

TEST_F(KeyFiles, CertificatesAreReadWithTheirKey) {
  const Certificate made = Certificate::self_signed({.common_name = "node", .host_names = {"localhost", "127.0.0.1"}});
  write_file(folder_ / "chain.pem", made.chain_pem());
  AtomicFile key(folder_ / "key.pem", 0600);
  key.write(made.key_pem());
  key.commit();
  const Certificate read = Certificate::load(folder_ / "chain.pem", folder_ / "key.pem");
  EXPECT_EQ(read.fingerprint(), made.fingerprint());
  EXPECT_TRUE(is_fingerprint(read.fingerprint()));
  const Certificate other = Certificate::self_signed(CertificateOptions{});
  EXPECT_EQ(code_of([&] { Certificate::from_pem(made.chain_pem(), other.key_pem(), "test"); }), "configuration");
  EXPECT_EQ(code_of([&] { Certificate::from_pem("", other.key_pem(), "test"); }), "configuration");
}

TEST(Fingerprint, HasOneForm) {
  const std::string digits(64, '0');
  EXPECT_TRUE(is_fingerprint("ed25519:" + digits));
  EXPECT_TRUE(is_fingerprint("sha256:" + digits));
  for (const std::string& text : {std::string(), digits, "md5:" + digits, "ed25519:" + std::string(64, 'A'),
                                  "ed25519:" + digits + "0", std::string("ed25519:")}) {
    EXPECT_FALSE(is_fingerprint(text)) << text;
  }
}

}  // namespace
}  // namespace alknet::net
