#include "alknet/gpu/provider.h"

#include <filesystem>

#include "alknet/gpu/gpu_test_fixture.h"
#include "alknet/gpu/vulkan_driver.h"

namespace alknet::gpu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(WebGpuProvider, GivenPathIsTheOnlyCandidate) {
  EXPECT_THAT(provider_candidates("/given.so", "/deps"), ElementsAre("/given.so"));
}

TEST(WebGpuProvider, MissingLibraryNamesEachPlaceAndTheRemedy) {
  const auto error = error_of([] { load_provider({"/nowhere/a.so", "/nowhere/b.so"}); });
  EXPECT_THAT(error, IsGpuError(GpuError::kNoProvider, "bin/setup"));
  EXPECT_THAT(error->message(), HasSubstr("/nowhere/a.so"));
  EXPECT_THAT(error->message(), HasSubstr("/nowhere/b.so"));
}

TEST(WebGpuProvider, ForeignLibraryIsRefusedByTheFunctionItLacks) {
  EXPECT_THAT(error_of([] { load_provider({"libm.so.6"}); }), IsGpuError(GpuError::kNoProvider, "wgpuCreateInstance"));
}

TEST(WebGpuProvider, SurveyWithoutLibraryGivesAReasonInsteadOfAnError) {
  const Survey found = survey({.library = "/nowhere/libwebgpu.so"});
  EXPECT_TRUE(found.adapters.empty());
  EXPECT_TRUE(found.provider.empty());
  EXPECT_THAT(found.reason, HasSubstr("/nowhere/libwebgpu.so"));
}

TEST(VulkanDrivers, UsersChoiceStandsAlone) {
  EXPECT_THAT(driver_order({.chosen_by_user = true, .has_gpu_node = true, .installed = {"a"}, .private_icd = "p"}),
              ElementsAre(DriverSet::kMachine));
}

TEST(VulkanDrivers, MachinesDriversComeFirstWhereAGpuExists) {
  EXPECT_THAT(driver_order({.has_gpu_node = true, .installed = {"a"}, .private_icd = "p"}),
              ElementsAre(DriverSet::kMachine, DriverSet::kPrivate));
}

TEST(VulkanDrivers, PrivateSoftwareDriverComesFirstWhereNoGpuExists) {
  EXPECT_THAT(driver_order({.installed = {"a"}, .private_icd = "p"}),
              ElementsAre(DriverSet::kPrivate, DriverSet::kMachine));
  EXPECT_THAT(driver_order({.private_icd = "p"}), ElementsAre(DriverSet::kPrivate));
  EXPECT_THAT(driver_order({.installed = {"a"}}), ElementsAre(DriverSet::kMachine));
}

TEST(VulkanDrivers, ReasonNamesWhatIsThereAndTheRemedy) {
  const std::string reason = no_adapter_reason({.installed = {"/etc/vulkan/icd.d/a.json"}});
  EXPECT_THAT(reason, HasSubstr("bin/setup"));
  EXPECT_THAT(no_adapter_reason({.chosen_by_user = true}), testing::Not(testing::IsEmpty()));
}

TEST(GpuErrorCodes, HaveStableNames) {
  EXPECT_EQ(make_error_code(GpuError::kNoProvider).message(), "no_provider");
  EXPECT_EQ(make_error_code(GpuError::kDeviceLost).message(), "device_lost");
  EXPECT_EQ(make_error_code(GpuError::kTimeout).message(), "timeout");
  EXPECT_STREQ(make_error_code(GpuError::kTimeout).category().name(), "gpu");
}

}  // namespace
}  // namespace alknet::gpu
