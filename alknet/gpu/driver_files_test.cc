#include "alknet/gpu/driver_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "alknet/base/files.h"
#include "alknet/base/folder_test_support.h"
#include "alknet/gpu/provider.h"

namespace alknet::gpu {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

/// A variable of the environment that has another value as long as this lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(DriverFiles, AreThoseThatTheDocumentationLists) {
  const std::string text = read_file(ALKNET_SOURCE_DIR "/docs/sandbox.md", 1U << 20U);
  for (const DriverFile& file : standard_driver_files()) {
    EXPECT_THAT(text, HasSubstr("`" + std::string(file.path) + "`"));
    EXPECT_FALSE(file.why.empty()) << file.path;
  }
}

TEST(DriverFiles, AreNoFilesOfUsers) {
  for (const DriverFile& file : standard_driver_files()) {
    for (const std::string_view kept : {"/home/", "/root/", "/etc/passwd", "/etc/shadow", "/tmp/", "/var/", "/run/",
                                        "/proc/1/", "/dev/shm/", "/dev/sda", "/dev/mem", "/dev/pts/"}) {
      const bool above = file.use != DriverFile::Use::kList && kept.starts_with(std::string(file.path) + "/");
      EXPECT_FALSE(above || kept == file.path) << file.path;
    }
    EXPECT_NE(file.path, "/");
  }
}

TEST(DriverFiles, HoldWhatTheEnvironmentNames) {
  const TemporaryFolder folder;
  write_file(folder / "near.json", R"({"ICD":{"library_path":"../drivers/libnear.so","api_version":"1.3.0"}})");
  write_file(folder / "far.json", R"({"ICD":{"library_path":"/opt/far/libfar.so"}})");
  write_file(folder / "named.json", R"({"ICD":{"library_path":"libnamed.so"}})");
  write_file(folder / "broken.json", "{");
  const Variable one("VK_DRIVER_FILES", (folder / "near.json") + "::" + (folder / "broken.json"));
  const Variable two("VK_ICD_FILENAMES", (folder / "far.json") + ":" + (folder / "named.json"));
  const Variable libraries("LD_LIBRARY_PATH", "/opt/one::/opt/two/lib");
  const Variable library("ALKNET_WEBGPU_LIBRARY", "/opt/dawn/libwebgpu.so");
  const auto read = driver_files().read;
  for (const std::string& path : {folder / "near.json", folder.path() + "/../drivers/libnear.so", folder / "far.json",
                                  std::string("/opt/far/libfar.so"), folder / "named.json", std::string("/opt/one"),
                                  std::string("/opt/two/lib"), std::string("/opt/dawn/libwebgpu.so")}) {
    EXPECT_THAT(read, Contains(path));
  }
  for (const std::string& path : {folder.path(), std::string(), std::string("/opt/dawn"), std::string("/opt/far")}) {
    EXPECT_THAT(read, Not(Contains(path)));
  }
}

TEST(DriverFiles, HoldTheManifestsOfAFolder) {
  const TemporaryFolder folder;
  write_file(folder / "driver.json", R"({"ICD":{"library_path":"./libdriver.so"}})");
  for (const char* name : {"VK_DRIVER_FILES", "__EGL_VENDOR_LIBRARY_DIRS"}) {
    const Variable one(name, folder.path());
    const auto read = driver_files().read;
    EXPECT_THAT(read, Contains(folder.path())) << name;
    EXPECT_THAT(read, Contains(folder / "./libdriver.so")) << name;
  }
}

TEST(DriverFiles, HoldThePrivateOnes) {
  const TemporaryFolder deps;
  std::filesystem::create_directory(deps / "vulkan");
  const std::string manifest = deps / "vulkan/lvp_icd.x86_64.json";
  write_file(manifest, R"({"ICD":{"library_path":"../root/libvulkan_lvp.so"}})");
  const auto read = driver_files({.deps_directory = deps.path()}).read;
  EXPECT_THAT(read, Contains(manifest));
  EXPECT_THAT(read, Contains(deps / "vulkan/../root/libvulkan_lvp.so"));
  EXPECT_THAT(read, Contains(provider_candidates("", deps.path()).back()));
  EXPECT_THAT(read, Not(Contains(deps.path())));
}

}  // namespace
}  // namespace alknet::gpu
